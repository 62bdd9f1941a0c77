"""The weights that the next run begins with, as a user chooses them: from a run, from a file, and none again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog, QMenu
from shots import settle
from support.small_runs import table_recipe, write_table
from support.train_page import finish, open_recipe, plain, shown_page, wait

from workbench.events import WeightsLoaded
from workbench.gui.main_window import MainWindow
from workbench.gui.pages.train_page import TrainPage
from workbench.gui.runs.words import change_text
from workbench.gui.workspace import Workspace
from workbench.store.run_folder import RunFolder
from workbench.store.tensors import to_bytes


@pytest.fixture
def page(workspace: Workspace, qtbot: Any, tmp_path: Path) -> Iterator[TrainPage]:
    """The page with a finished run."""
    for made in shown_page(workspace, qtbot):
        open_recipe(made, qtbot, table_recipe(write_table(tmp_path), epochs=2))
        finish(made, qtbot)
        made.show_side("settings")
        settle()
        yield made


def _menu(page: TrainPage) -> QMenu:
    menu = page.start.runs_button.menu()
    menu.aboutToShow.emit()
    return menu


def _take_run(page: TrainPage, qtbot: Any) -> None:
    _menu(page).actions()[0].trigger()
    wait(qtbot, lambda: page.weights.found is not None or page.weights.error is not None)


def _text(page: TrainPage) -> str:
    return plain(page.start.text.text())


def test_that_random_weights_are_said_to_be_random(page: TrainPage) -> None:
    assert _text(page) == "Random, as the seed 0 gives them."
    for widget in (page.start.clear, page.start.freeze, page.start.unfreeze, page.start.message):
        assert not widget.isVisible()


def test_that_a_run_is_chosen_and_what_fits_is_said_before_the_start(page: TrainPage, qtbot: Any) -> None:
    assert [plain(action.text())[:12] for action in _menu(page).actions()] == ["run 1 · dev "]
    _take_run(page, qtbot)
    assert _text(page) == "From run 1, epoch 2: 4 of 4 tensors taken."
    spec = page._workspace.document.recipe.training.start_from
    assert spec is not None
    assert Path(spec.path) == page._workspace.runs.entries[0].folder.resolve()


def test_that_other_shapes_are_told_with_both_sizes_as_soon_as_the_network_changes(page: TrainPage, qtbot: Any) -> None:
    _take_run(page, qtbot)
    page._workspace.document.set("network.layers.dense_1.units", 7)
    wait(qtbot, lambda: page.weights.found is not None and bool(page.weights.found.transfer.differs))
    assert _text(page) == "From run 1, epoch 2: 1 of 4 tensors taken."
    assert "dense_1.weight: 7 × 2 here, 12 × 2 there" in plain(page.start.details.text())


def test_that_a_run_trained_from_them_begins_where_they_are_and_tells_so(page: TrainPage, qtbot: Any) -> None:
    _take_run(page, qtbot)
    runs = page._workspace.runs
    number = finish(page, qtbot)
    told = runs.curves(number).weights
    assert isinstance(told, WeightsLoaded)
    assert told.source == "run-1, epoch 2"
    assert runs.curves(number).epochs[0].dev_error == runs.curves(1).epochs[-1].dev_error
    entry = runs.entry(number)
    assert entry is not None
    assert change_text(entry, page._workspace.document.recipe) == "run 1 + start from random → run-1"


def test_that_it_is_cleared_and_undone(page: TrainPage, qtbot: Any) -> None:
    _take_run(page, qtbot)
    assert page.start.clear.isVisible()
    page.start.clear.click()
    assert page._workspace.document.recipe.training.start_from is None
    assert _text(page).startswith("Random")
    page._workspace.document.undo_stack.undo()
    wait(qtbot, lambda: page.weights.found is not None)
    assert "4 of 4" in _text(page)
    page._workspace.document.undo_stack.undo()
    assert page._workspace.document.recipe.training.start_from is None


def test_that_taken_layers_but_the_last_are_frozen_and_let_go_in_one_step(page: TrainPage, qtbot: Any) -> None:
    _take_run(page, qtbot)
    document = page._workspace.document
    assert page.start.freeze.text() == "Freeze dense_1"
    page.start.freeze.click()
    assert [layer.frozen for layer in document.recipe.network.layers] == [True, False, False]
    wait(qtbot, lambda: page.weights.found is not None)
    assert not page.start.freeze.isVisible()
    assert page.start.unfreeze.text() == "Unfreeze dense_1"
    number = finish(page, qtbot)
    runs = page._workspace.runs
    first, second = (runs.entry(one) for one in (1, number))
    assert first is not None
    assert second is not None
    with RunFolder.open(first.folder) as before, RunFolder.open(second.folder) as after:
        tensors = before.load("last").tensors, after.load("last").tensors
    np.testing.assert_array_equal(tensors[0]["dense_1.weight"], tensors[1]["dense_1.weight"])
    assert not np.array_equal(tensors[0]["dense_2.weight"], tensors[1]["dense_2.weight"])
    page.start.unfreeze.click()
    assert not any(layer.frozen for layer in document.recipe.network.layers)


def test_that_a_file_is_chosen_and_one_that_does_not_fit_says_why(
    page: TrainPage, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(to_bytes({"features.0.weight": np.ones((3, 4), np.float16)}, {}))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    page.start.file_button.click()
    wait(qtbot, lambda: page.weights.error is not None)
    assert page.start.message.isVisible()
    assert "no name is the same" in page.start.message.text()
    assert "features.0.weight 3×4" in page.start.message.text()
    path.write_bytes(to_bytes({"dense_2.bias": np.ones(3, np.float16), "zzz": np.ones(2, np.float16)}, {}))
    page._workspace.document.set("training.start_from.layers", ["dense_2"])
    wait(qtbot, lambda: page.weights.found is not None)
    assert not page.start.message.isVisible()
    assert _text(page) == "From other.safetensors: 1 of 4 tensors taken."
    details = plain(page.start.details.text()).splitlines()
    assert details == [
        "dense_2.weight: not in the file, stays random",
        "2 tensors left out",
        "zzz: not in the network",
        "2 tensors converted from float16 to float32.",
    ]


def test_that_the_finer_points_are_edited_in_a_form(page: TrainPage, qtbot: Any) -> None:
    _take_run(page, qtbot)
    page.start._fold.set_open(True)
    form = page.start._form
    assert form is not None
    assert list(form.rows()) == ["checkpoint", "layers", "rename"]
    form.valueChanged.emit("checkpoint", "first")
    assert "must be kept, best, last" in form.row("checkpoint").wrong
    form.valueChanged.emit("checkpoint", "best")
    spec = page._workspace.document.recipe.training.start_from
    assert spec is not None
    assert spec.checkpoint == "best"


def test_that_without_shapes_nothing_is_looked_for(page: TrainPage, qtbot: Any) -> None:
    _take_run(page, qtbot)
    page._workspace.document.set("network.layers.dense_2.units", 9)
    settle()
    assert page.weights.found is None
    assert not page.weights.looking
    assert "What fits is known once" in _text(page)


def test_that_a_dropped_file_of_weights_is_taken_and_shown(workspace: Workspace, qtbot: Any, tmp_path: Path) -> None:
    window = MainWindow(workspace)
    qtbot.addWidget(window)
    window.show()
    path = tmp_path / "encoder.safetensors"
    path.write_bytes(to_bytes({"dense_1.weight": np.ones((12, 2), np.float32)}, {}))
    window.commands.import_paths([path])
    assert "There are no data" in window.message.text()
    workspace.open_recipe(table_recipe(write_table(tmp_path)), "small")
    qtbot.waitUntil(lambda: workspace.data.dataset is not None, timeout=60_000)
    window.commands.import_paths([path])
    assert window.step == "train"
    page = window.page("train")
    assert isinstance(page, TrainPage)
    assert page.side.value() == "settings"
    wait(qtbot, lambda: page.weights.found is not None)
    assert _text(page) == "From encoder.safetensors: 1 of 4 tensors taken."
    window.close()
