"""Finding a learning rate in the window: in the background, never beside a run, taken with one button."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QPushButton
from shots import grab, settle
from support.small_runs import table_recipe, write_table
from support.train_page import begin, open_recipe, plain, shown_page, wait

from workbench.gui.main_window import MainWindow
from workbench.gui.pages.train_page import TrainPage
from workbench.gui.workspace import Workspace
from workbench.session import rates as rates_module

PATH = "training.optimizer.learning_rate"


@pytest.fixture
def page(workspace: Workspace, qtbot: Any, tmp_path: Path) -> Iterator[TrainPage]:
    """The page with data and a recipe, before the first run."""
    for made in shown_page(workspace, qtbot):
        open_recipe(made, qtbot, table_recipe(write_table(tmp_path, rows=600), optimizer="sgd"))
        settle()
        yield made


def _find(page: TrainPage) -> QPushButton:
    form = page.settings.learning
    return next(one for one in form.findChildren(QPushButton) if one.text() == "Find…" and one.isVisible())


def _found(page: TrainPage, qtbot: Any) -> None:
    _find(page).click()
    wait(qtbot, lambda: page.rates.result is not None)


def test_that_the_suggestion_is_drawn_and_taken_with_one_button(page: TrainPage, qtbot: Any) -> None:
    document = page._workspace.document
    assert not page.rates.isVisible()
    _found(page, qtbot)
    panel, found = page.rates, page.rates.result
    assert found is not None
    assert found.suggestion is not None
    assert panel.text.text().startswith("Steepest fall at")
    assert panel.curve.isVisible()
    assert "The loss falls fastest at" in panel.curve.accessibleDescription()
    assert not panel.stale.isVisible()
    before = document.recipe
    panel.take.click()
    assert [change.path for change in before.diff(document.recipe)] == [PATH]
    assert document.recipe.training.optimizer.learning_rate == found.suggestion
    assert not panel.take.isEnabled(), "it is taken"
    document.undo_stack.undo()
    assert document.recipe == before
    assert panel.take.isEnabled()


def test_that_the_curve_is_drawn_in_both_themes(page: TrainPage, qtbot: Any) -> None:
    _found(page, qtbot)
    light, dark = grab(page.rates, (340, 420), "light"), grab(page.rates, (340, 420), "dark")
    assert light != dark
    marks = [mark for mark in page.rates.curve._marks if mark.isVisible()]
    assert len(marks) == 2


def test_that_find_stands_beside_the_learning_rate_of_every_optimizer(page: TrainPage) -> None:
    for kind in ("adam", "momentum", "sgd"):
        page._workspace.document.set("training.optimizer.kind", kind)
        settle()
        assert _find(page)


def test_that_it_can_be_cancelled_and_nothing_comes_of_it(
    page: TrainPage, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.gui.panels.rates_panel.range_test", _endless)
    _find(page).click()
    assert page.rates.running
    wait(qtbot, lambda: (page.rates.bar.share() or 0) > 0)
    page.rates.cancel.click()
    assert not page.rates.isVisible()
    assert not page.rates.running
    for thread in page._workspace.background._threads:
        thread.join(10)
        assert not thread.is_alive()
    settle()
    assert page.rates.result is None


def _endless(prepared: Any, *, progress: Any, compiles: bool) -> Any:
    done = 0
    while True:
        done += 1
        progress("", min(done, 99), 100)


def test_that_it_does_not_begin_beside_a_run(page: TrainPage, qtbot: Any) -> None:
    number = begin(page, qtbot)
    page.show_side("settings")
    settle()
    _find(page).click()
    assert not page.rates.running
    assert "A run is going on" in page.rates.message.text()
    page._workspace.runs.stop(number)
    wait(qtbot, lambda: not page._workspace.runs.busy())


def test_that_it_gives_way_to_a_run(page: TrainPage, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.gui.panels.rates_panel.range_test", _endless)
    _find(page).click()
    assert page.rates.running
    number = page._workspace.train()
    assert not page.rates.running
    assert "goes first" in page.rates.message.text()
    wait(qtbot, lambda: page._workspace.runs.result(number) is not None)


def test_that_other_settings_since_are_said_and_those_of_no_matter_are_not(page: TrainPage, qtbot: Any) -> None:
    _found(page, qtbot)
    document = page._workspace.document
    document.set_many({"training.epochs": 77, PATH: 0.123})
    assert not page.rates.stale.isVisible()
    document.set("training.batch_size", 8)
    assert page.rates.stale.isVisible()
    page.rates.again.click()
    wait(qtbot, lambda: page.rates.result is not None)
    assert not page.rates.stale.isVisible()


def test_that_what_cannot_be_told_offers_nothing_to_take(
    page: TrainPage, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates_module, "HIGH", 1e-5)
    real = rates_module.range_test
    monkeypatch.setattr("workbench.gui.panels.rates_panel.range_test", lambda prepared, **_: real(prepared, high=1e-5))
    _found(page, qtbot)
    assert plain(page.rates.text.text()).startswith("Cannot tell. The loss hardly changes")
    assert not page.rates.take.isVisible()
    assert page.rates.curve.isVisible()


def test_that_a_failure_is_shown_where_it_was_asked_for(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    page._workspace.document.set("training.start_from", {"path": str(tmp_path / "gone.onnx")})
    _find(page).click()
    wait(qtbot, lambda: page.rates.message.isVisible())
    assert "cannot be read" in page.rates.message.text()
    assert not page.rates.running


def test_that_without_data_it_says_what_is_missing(workspace: Workspace, qtbot: Any) -> None:
    for page in shown_page(workspace, qtbot):
        page.rates.begin()
        assert "Import data first." in page.rates.message.text()


def test_that_the_palette_finds_it_and_says_what_is_missing(workspace: Workspace, qtbot: Any, tmp_path: Path) -> None:
    window = MainWindow(workspace)
    qtbot.addWidget(window)
    window.show()
    window.actions_by_key["find_rate"].trigger()
    assert "There are no data" in window.message.text()
    workspace.open_recipe(table_recipe(write_table(tmp_path)), "small")
    qtbot.waitUntil(lambda: workspace.data.dataset is not None, timeout=60_000)
    window.actions_by_key["find_rate"].trigger()
    page = window.page("train")
    assert isinstance(page, TrainPage)
    assert page.side.value() == "settings"
    wait(qtbot, lambda: page.rates.result is not None)
    assert page.rates.isVisible()
    window.close()
