"""Step 3, Train, as a user works in it: on the real engine, from the first run to the second."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from shots import grab, settle
from support.finished_runs import hostile_recipe, regression_recipe
from support.small_runs import picture_recipe, table_recipe, write_numbers, write_pictures, write_table

from workbench.events import EpochDone, LearningRateChanged, RunEnded, RunStarted, StepDone
from workbench.gui.pages.train_page import TrainPage
from workbench.gui.plots.plot import DASHED, SOLID
from workbench.gui.results.matrix import ConfusionMatrix
from workbench.gui.results.views import view_of
from workbench.gui.runs.curve_lines import LineMaker, ShownRun
from workbench.gui.runs.curve_words import waiting_text
from workbench.gui.runs.facts import RunFacts, facts_of
from workbench.gui.runs.facts_bar import FactsBar
from workbench.gui.runs.markers import Marker
from workbench.gui.runs.run_combo import RunCombo
from workbench.gui.runs.signals import health_of
from workbench.gui.runs.view import CurveView, ViewState, axis_of
from workbench.gui.workspace import Workspace
from workbench.recipe.recipe import Recipe
from workbench.session.curves import RunCurves
from workbench.session.series import Series
from workbench.session.smoothing import smoothed
from workbench.store.project import RunEntry

LONG = 60_000


@pytest.fixture
def page(workspace: Workspace, qtbot: Any) -> Iterator[TrainPage]:
    """The page around a workspace whose runs compute in this process."""
    made = TrainPage(workspace)
    qtbot.addWidget(made)
    made.resize(1440, 808)
    made.show()
    settle()
    yield made
    made.hide()


def _open(page: TrainPage, qtbot: Any, recipe: Recipe) -> None:
    workspace = page._workspace
    workspace.open_recipe(recipe, "small")
    qtbot.waitUntil(lambda: workspace.data.dataset is not None, timeout=LONG)


def _wait(qtbot: Any, done: Callable[[], bool]) -> None:
    qtbot.waitUntil(done, timeout=LONG)
    settle()


def _finish(page: TrainPage, qtbot: Any, **changes: Any) -> int:
    """Train to the end, and let the results be read."""
    workspace = page._workspace
    workspace.document.set_many({key.replace("__", "."): value for key, value in changes.items()})
    number = workspace.train()
    _wait(qtbot, lambda: workspace.runs.result(number) is not None and page.results.view() is not None)
    page.board.redraw()
    return number


def _begin(page: TrainPage, qtbot: Any, epochs: int = 2) -> int:
    """Start a run without an end and wait for its first epochs."""
    runs = page._workspace.runs
    page._workspace.document.set("training.epochs", 100_000)
    number = page._workspace.train()
    _wait(qtbot, lambda: len(runs.curves(number).epochs) > epochs)
    page.board.redraw()
    return number


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")


# --- from nothing to a result ----------------------------------------------------------------------------------------


def test_that_an_empty_page_says_what_will_appear_and_offers_to_train(page: TrainPage, qtbot: Any) -> None:
    assert page.curves.empty.isVisible()
    assert page.runs_panel.empty.isVisible()
    assert page.signals.empty.isVisible()
    assert page.side.value() == "settings"
    with qtbot.waitSignal(page._workspace.failed):
        page.curves.empty.button.click()


def test_that_a_run_shows_curves_facts_and_results(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path), epochs=6))
    page.curves.empty.button.click()
    assert page.side.value() == "diagnosis"
    runs = page._workspace.runs
    _wait(qtbot, lambda: runs.result(1) is not None and page.results.view() is not None)
    page.board.redraw()
    names = {line.name: line for line in page.curves.plot.lines}
    assert set(names) == {"train", "train, smoothed", "dev", "dev, smoothed"}
    assert names["train, smoothed"].style == SOLID
    assert names["dev, smoothed"].style == DASHED
    assert names["train"].weight == "raw"
    assert page.curves.panel.note().startswith("best dev")
    facts = {key: label.text() for key, label in page.curves.facts._values.items()}
    assert facts["status"] == "finished"
    assert facts["epoch"] == "6 / 6"
    assert facts["device"].startswith("CPU")
    assert "all 6 epochs done" in page.curves.facts._columns["status"].toolTip()
    assert page.results.stack.currentWidget() is page.results._scroll
    assert "train" in page.curves.plot.accessibleDescription()


def test_that_the_human_level_and_bayes_are_drawn_over_errors_only(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    recipe = table_recipe(write_table(tmp_path)).replace({"goals.human_error": 0.05, "goals.bayes_error": 0.02})
    _open(page, qtbot, recipe)
    _finish(page, qtbot)
    assert [_plain(level.text) for level in page.curves.plot.overlay.levels] == ["human level 5.0 %", "Bayes 2.0 %"]
    page.view.set(measure="loss")
    page.board.redraw()
    assert page.curves.plot.overlay.levels == ()
    assert page.curves.panel.accessibleName() == "Loss"


def test_that_a_child_is_compared_with_its_parent_by_itself(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    _finish(page, qtbot)
    _finish(page, qtbot, training__batch_size=16)
    assert page.comparison.shown() == (2, 1)
    inks = {line.ink for line in page.curves.plot.lines}
    assert len(inks) == 2
    assert any(line.name == "run 1 dev, smoothed" for line in page.curves.plot.lines)
    assert page.runs_panel.model.index_of(2).data(Qt.ItemDataRole.ToolTipRole).split("\n")[1].endswith("32 → 16")


def test_that_hiding_a_run_in_the_legend_takes_its_lines_and_signs_away(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    _finish(page, qtbot)
    _finish(page, qtbot, training__batch_size=16)
    button = next(one for one in page.curves.legend._buttons if one.text() == "run 1")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    settle()
    assert {line.key.partition(" ")[0] for line in page.curves.plot.lines} == {"2"}
    dev = next(one for one in page.curves.legend._buttons if one.text() == "dev")
    qtbot.mouseClick(dev, Qt.MouseButton.LeftButton)
    settle()
    assert {line.name for line in page.curves.plot.lines} == {"run 2 train", "run 2 train, smoothed"}


# --- while it trains -------------------------------------------------------------------------------------------------


def test_that_the_learning_rate_is_changed_while_it_trains_and_marked(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    number = _begin(page, qtbot)
    runs, field = page._workspace.runs, page.curves.facts.rate
    qtbot.keyClick(field.change, Qt.Key.Key_Return)
    assert field.line.isVisible()
    field.line.selectAll()
    qtbot.keyClicks(field.line, "-3")
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert field.line.property("wrong") is True
    field.line.selectAll()
    qtbot.keyClicks(field.line, "3e-4")
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert "asked for" in field.note.text()
    _wait(qtbot, lambda: bool(runs.curves(number).changes))
    page.board.redraw()
    assert field.note.isHidden()
    assert field._facts.asked == 3e-4
    (moment,) = page.curves.plot.overlay.moments
    assert moment.text.endswith("3e−4")
    assert len(page.signals.plots["norm"].overlay.moments) == 1
    checkpoints = [event for event in runs.curves(number).changes if event.after == 3e-4]
    assert len(checkpoints) == 1
    runs.stop(number)
    _wait(qtbot, lambda: not runs.busy())


def test_that_escape_leaves_the_learning_rate_alone(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    number = _begin(page, qtbot)
    field = page.curves.facts.rate
    field.open()
    with qtbot.assertNotEmitted(field.asked):
        qtbot.keyClick(field.line, Qt.Key.Key_Escape)
    assert field.line.isHidden()
    page._workspace.runs.stop(number)
    _wait(qtbot, lambda: not page._workspace.runs.busy())
    page.board.redraw()
    assert field.change.isHidden()


def test_that_space_in_a_plot_pauses_and_lets_go_on(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    number = _begin(page, qtbot)
    runs = page._workspace.runs
    qtbot.keyClick(page.curves.plot, Qt.Key.Key_Space)
    _wait(qtbot, lambda: runs.curves(number).stage == "paused")
    page.board.redraw()
    assert page.curves.facts._values["status"].text() == "paused"
    qtbot.keyClick(page.signals.plots["norm"], Qt.Key.Key_Space)
    _wait(qtbot, lambda: runs.curves(number).stage == "")
    runs.stop(number)
    _wait(qtbot, lambda: not runs.busy())


def test_that_layers_are_shown_while_it_trains_and_the_matrix_when_it_has_ended(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    number = _begin(page, qtbot)
    assert page.results.stack.currentWidget() is page.results.layer_table
    assert page.results.layers.index(0, 0).data() == "dense_1"
    assert {line.name for line in page.signals.plots["norm"].lines} == {"dense_1", "dense_2"}
    page._workspace.runs.stop(number)
    _wait(qtbot, lambda: page.results.view() is not None)
    page.board.redraw()
    assert page.results.stack.currentWidget() is page.results._scroll


def test_that_a_stopped_run_offers_to_go_on_and_does(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    number = _begin(page, qtbot)
    runs = page._workspace.runs
    runs.stop(number)
    _wait(qtbot, lambda: not runs.busy())
    page.board.redraw()
    assert page.curves.offer.isVisible()
    assert "was stopped after epoch" in page.curves.offer.text()
    done = runs.curves(number).epochs[-1].epoch
    page.curves.offer.actionClicked.emit()
    _wait(qtbot, lambda: len(runs.curves(number).epochs) > done + 2)
    page.board.redraw()
    assert not page.curves.offer.isVisible()
    runs.stop(number)
    _wait(qtbot, lambda: not runs.busy())


def test_that_nothing_is_drawn_while_nobody_looks_and_all_of_it_afterwards(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    number = _begin(page, qtbot)
    runs = page._workspace.runs
    page.hide()
    redraws, count = page.board.redraws, len(runs.curves(number).epochs)
    _wait(qtbot, lambda: len(runs.curves(number).epochs) > count + 3)
    assert page.board.redraws == redraws
    runs.stop(number)
    _wait(qtbot, lambda: not runs.busy())
    page.show()
    settle()
    assert len(page.curves.plot.lines[0].x) == len(runs.curves(number).epochs)


def test_that_curves_come_from_a_process_of_its_own_as_well(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    page._workspace.runs.spawn = True
    _open(page, qtbot, table_recipe(write_table(tmp_path), epochs=5))
    _finish(page, qtbot)
    assert len(page.curves.plot.lines[0].x) == 6


def test_that_a_run_is_shown_also_where_another_one_was_zoomed_into(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path), epochs=6))
    _finish(page, qtbot)
    plot = page.curves.plot
    plot.box.setXRange(50.0, 60.0, padding=0.0)
    plot.box.sigRangeChangedManually.emit([True, True])
    page.board.redraw()
    assert plot.overlay.hint.endswith("R shows all")
    assert page.signals.plots["norm"].overlay.hint.endswith("R shows all")
    _finish(page, qtbot, training__batch_size=16)
    assert not plot.moved_away
    assert plot.overlay.hint == ""
    assert not page.signals.plots["norm"].moved_away


def test_that_a_zoom_that_holds_the_other_runs_curve_stays(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path), epochs=6))
    _finish(page, qtbot)
    page.curves.plot.box.setXRange(0.0, 3.0, padding=0.0)
    page.curves.plot.box.setYRange(0.0, 1.0, padding=0.0)
    page.curves.plot.box.sigRangeChangedManually.emit([True, True])
    _finish(page, qtbot, training__batch_size=16)
    assert page.curves.plot.moved_away
    page.view.set(across="step")
    page.board.redraw()
    assert not page.curves.plot.moved_away


def test_that_the_first_epoch_says_what_is_waited_for_and_how_fast_it_goes(page: TrainPage) -> None:
    run = ShownRun(_entry(), _curves(1), Marker("square", 0), selected=True)
    assert waiting_text(run, CurveView()) == ""
    for step in (1, 3):
        run.curves.take(StepDone("run-1", 10.0 + step, step, step / 4, 0.524, 0.1, 1.0, 1e-3, (1, 1), (1e-3, 1e-3)))
    assert "step 3 of 4, loss of its batches 0.524" in _plain(waiting_text(run, CurveView()))
    assert waiting_text(run, CurveView(measure="loss")) == ""
    assert axis_of([run.curves], "epoch").end == 1.0
    assert facts_of(run, page._workspace.runs).speed == "2"
    later = ShownRun(_entry(), _curves(2), Marker("square", 0), selected=True)
    assert waiting_text(later, CurveView()) == ""


def test_that_speeds_are_written_out_whatever_their_size(page: TrainPage) -> None:
    curves = _curves(2)
    for speed, text in ((45_912.0, "45 900"), (131_234.0, "131 000"), (12.34, "12.3")):
        curves.epochs[-1] = replace(curves.epochs[-1], examples_per_second=speed)
        run = ShownRun(_entry(), curves, Marker("square", 0), selected=True)
        assert _plain(facts_of(run, page._workspace.runs).speed) == text


def test_that_a_small_window_says_in_a_tip_what_finds_no_room(qtbot: Any) -> None:
    bar = FactsBar()
    qtbot.addWidget(bar)
    bar.show()
    bar.show_facts(RunFacts(speed="45 900", device="CPU, 2 cores", tip="all 6 epochs done"), live=False)
    bar.resize(500, 48)
    settle()
    assert "examples/s 45 900" in bar.toolTip()
    assert "device CPU, 2 cores" in bar.toolTip()
    assert "all 6 epochs done" in bar._columns["status"].toolTip()
    assert "45 900" in bar._columns["status"].toolTip()
    bar.resize(900, 48)
    settle()
    assert bar.toolTip() == ""


def test_that_after_a_change_of_the_learning_rate_space_pauses(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    number = _begin(page, qtbot)
    runs, field = page._workspace.runs, page.curves.facts.rate
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    for last in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        field.open()
        qtbot.waitUntil(field.line.hasFocus)
        qtbot.keyClick(field.line, last)
        assert page.curves.plot.hasFocus()
        _wait(qtbot, lambda: not field._wanted)
        page.board.redraw()
    runs.stop(number)
    _wait(qtbot, lambda: not runs.busy())


def test_that_a_run_that_shall_end_is_said_to_be_stopping_and_the_box_of_runs_keeps_up(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    runs = page._workspace.runs
    box = RunCombo(runs)
    qtbot.addWidget(box)
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    number = _begin(page, qtbot)
    assert "training" in box.currentText()
    runs.pause(number)
    _wait(qtbot, lambda: "paused" in box.currentText())
    runs.stop(number)
    page.board.redraw()
    assert page.curves.facts._values["status"].text() == "stopping"
    assert "stopping" in box.currentText()
    _wait(qtbot, lambda: not runs.busy())
    page.board.redraw()
    assert page.curves.facts._values["status"].text() == "stopped"
    assert "stopped" in box.currentText()


def test_that_the_legend_draws_what_the_plot_draws(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    _finish(page, qtbot)
    (sign,) = [one for one in page.curves.plot.overlay.signs if one.filled]
    (key,) = [button.key for button in page.curves.legend._buttons if button.key.key == "part test"]
    assert key.marker is not None
    assert (key.marker.shape, key.marker.color) == (sign.shape, sign.ink)
    assert {line.ink for line in page.curves.plot.lines} == {
        button.key.ink for button in page.curves.legend._buttons if button.key.marker is None
    }


def test_that_a_matrix_of_ten_classes_needs_no_scrolling_in_a_usual_window(page: TrainPage, qtbot: Any) -> None:
    names = [f"a rather long name {number}" for number in range(10)]
    page.results.matrix.show_matrix(names, np.eye(10, dtype=np.int64))
    page.results.stack.setCurrentWidget(page.results._scroll)
    page.results.note.set_name("dev, 400")
    page.results._show_note()
    settle()
    assert page.results.matrix._slanted()
    assert page.results._scroll.verticalScrollBar().maximum() == 0
    assert page.results.matrix.cell_rect(9, 9).bottom() <= page.results._scroll.viewport().height()
    assert page.results.matrix.cell_rect(0, 0).height() >= 15


# --- results ---------------------------------------------------------------------------------------------------------


def test_that_a_cell_of_the_matrix_leads_to_its_examples_and_back(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    number = _finish(page, qtbot)
    view, results = page.results.view(), page.results
    assert view is not None
    predictions = page._workspace.runs.result(number).predictions.of_split("dev")  # type: ignore[union-attr]
    assert view.matrix.sum() == predictions.n
    assert results.mistakes.rowCount() == int((predictions.y_true != predictions.y_pred).sum())
    results.matrix.setFocus()
    qtbot.keyClick(results.matrix, Qt.Key.Key_Right)
    assert "said b" in results.matrix.accessibleDescription()
    qtbot.keyClick(results.matrix, Qt.Key.Key_Return)
    assert results.tabs.value() == "mistakes"
    assert results.mistakes.rowCount() == int(view.matrix[0, 1])
    assert results.all_of_them.isVisible()
    results.all_of_them.click()
    assert results.mistakes.rowCount() == len(view.worst)
    results.show_tab("classes")
    assert results.classes.rowCount() == 3
    assert _plain(results.classes.index(0, 3).data()) == f"{100 * view.matrix[0, 0] / view.matrix[0].sum():.1f} %"


def test_that_the_most_confident_mistakes_come_first() -> None:
    from workbench.evaluation.predictions import Predictions

    given = Predictions.of(
        [0, 0, 1, 1], [1, 0, 0, 0], ("a", "b"), split="dev",
        probabilities=np.array([[0.4, 0.6], [0.9, 0.1], [0.8, 0.2], [0.99, 0.01]]),
    )  # fmt: skip
    view = view_of(given, "dev")
    assert view.worst.tolist() == [3, 2, 0]
    assert view.of_cell((0, 0)).tolist() == [1]
    assert view.matrix.tolist() == [[1, 1], [2, 0]]


def test_that_of_many_classes_only_the_cells_in_view_are_painted(qtbot: Any) -> None:
    matrix = ConfusionMatrix()
    qtbot.addWidget(matrix)
    counts = np.eye(300, dtype=np.int64) * 5 + 1
    matrix.show_matrix([f"class {number}" for number in range(300)], counts)
    matrix.resize(matrix.minimumSizeHint())
    rows, columns = matrix._seen(QRect(200, 100, 160, 130))
    assert (len(rows), len(columns)) <= (12, 12)
    assert all(matrix.cell_rect(row, 0).bottom() > 98 for row in rows)
    assert not matrix.grab(QRect(200, 100, 160, 130)).isNull()
    qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=matrix.cell_rect(7, 9).center().toPoint())
    assert matrix.current == (7, 9)
    assert _plain(matrix.accessibleDescription()) == "class 7, said class 9: 1 of 305, 0.3 %"


def test_that_another_set_can_be_looked_at(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    _finish(page, qtbot)
    assert page.results.sets.offered() == ["train", "dev", "test"]
    page.results.sets.valueChanged.emit("train")
    _wait(qtbot, lambda: page.results.view() is not None and page.results.view().set == "train")  # type: ignore[union-attr]
    assert page.results.note.text().startswith("train, 144")


def test_that_mistakes_show_their_pictures_while_the_runs_data_are_open(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    _open(page, qtbot, picture_recipe(write_pictures(tmp_path), epochs=1))
    _finish(page, qtbot)
    page.results.sets.valueChanged.emit("train")
    _wait(qtbot, lambda: page.results.mistakes.rowCount() > 0)
    index = page.results.mistakes.index(0, 0)
    assert not index.data(Qt.ItemDataRole.DecorationRole).isNull()
    page._workspace.data.clear()
    assert page.results.mistakes.index(0, 0).data(Qt.ItemDataRole.DecorationRole) is None


def test_that_of_numbers_predictions_and_largest_errors_are_shown(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, regression_recipe(write_numbers(tmp_path)))
    _finish(page, qtbot)
    results = page.results
    assert results.stack.currentWidget() is results.scatter
    assert results.note.text().startswith("dev, 40 examples")
    results.show_tab("mistakes")
    off = [abs(float(results.mistakes.index(row, 3).data().replace("−", "-"))) for row in range(40)]
    assert off == sorted(off, reverse=True)
    assert not grab(page, (1440, 808), "dark").isNull()


def test_that_hostile_names_are_shown_as_text_everywhere(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, hostile_recipe(tmp_path))
    _finish(page, qtbot, training__epochs=1)
    for tab in ("matrix", "classes", "mistakes", "layers"):
        page.results.show_tab(tab)
        assert not grab(page, (1024, 548), "light").isNull()
    texts = [page.results.classes.index(row, 0).data() for row in range(page.results.classes.rowCount())]
    assert not any("\u202e" in text for text in texts)
    assert max(map(len, texts)) <= 200


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_that_view_and_compared_runs_survive_a_restart(workspace: Workspace, qtbot: Any, tmp_path: Path) -> None:
    page = TrainPage(workspace)
    qtbot.addWidget(page)
    page.show()
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    for size in (64, 32, 16):
        _finish(page, qtbot, training__batch_size=size)
    assert page.comparison.shown() == (3, 2, 1)
    page.comparison.toggle(2)
    page.view.set(measure="loss", beta=0.9)
    project = workspace.project
    assert project is not None
    workspace.new_project()
    page.hide()
    workspace.open_project(project.path)
    again = TrainPage(workspace)
    qtbot.addWidget(again)
    again.show()
    assert again.comparison.shown() == (3, 1)
    assert again.view.view == CurveView("loss", False, "epoch", 0.9)
    _wait(qtbot, lambda: len(workspace.runs.curves(1).epochs) > 0 and len(workspace.runs.curves(3).epochs) > 0)
    again.board.redraw()
    assert {line.key.partition(" ")[0] for line in again.curves.plot.lines} == {"1", "3"}
    again.hide()


def test_that_settings_that_are_none_are_passed_over() -> None:
    state = ViewState()
    state.restore({"measure": "price", "across": 3, "beta": 7.0, "log": "yes"})
    assert state.view == CurveView()
    state.restore(json.loads(json.dumps({"measure": "loss", "across": "time", "beta": 0.5, "log": True})))
    assert state.view == CurveView("loss", True, "time", 0.5)


def test_that_an_unchanged_recipe_is_not_trained_twice_by_mistake(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    _finish(page, qtbot)
    page.runs_panel.new.click()
    assert len(page._workspace.runs.entries) == 1
    assert page.side.value() == "settings"
    assert "Nothing differs from run 1" in page.runs_panel.message.text()
    page._workspace.document.set("training.batch_size", 16)
    page.runs_panel.new.click()
    assert len(page._workspace.runs.entries) == 2
    _wait(qtbot, lambda: not page._workspace.runs.busy())


# --- plots -----------------------------------------------------------------------------------------------------------


def test_that_the_numbers_are_a_table_and_can_be_written_to_files(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    _finish(page, qtbot)
    page.curves.set_table(True)
    model = page.curves.model
    assert model.rowCount() == 5
    assert model.index(0, 0).data() == "4"
    assert model.headerData(1, Qt.Orientation.Horizontal) == "train"
    page.curves.set_table(False)
    for kind in ("png", "svg", "csv"):
        page.curves.export(tmp_path / f"curve.{kind}")
        assert (tmp_path / f"curve.{kind}").stat().st_size > 100
    page.curves.export(tmp_path / "none" / "curve.csv")
    assert page.curves.message.isVisible()
    texts = [action.text() for action in page.curves.menu().actions()]
    assert {"Export as PNG…", "Export as SVG…", "Export as CSV…", "As a table"} <= set(texts)


def test_that_all_small_plots_take_the_room_of_the_results(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    _finish(page, qtbot)
    page.signals.show_plot("all")
    settle()
    assert all(plot.isVisible() for plot in page.signals.plots.values())
    assert not page.results.isVisible()
    page.signals.show_plot("rate")
    settle()
    assert [which for which, plot in page.signals.plots.items() if plot.isVisible()] == ["rate"]
    assert page.results.isVisible()


@pytest.mark.parametrize("size", [(1024, 548), (1440, 808), (2560, 1340)])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_that_nothing_is_cut_off_at_any_size(
    page: TrainPage, qtbot: Any, tmp_path: Path, size: tuple[int, int], mode: Any
) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path)))
    _finish(page, qtbot)
    assert not grab(page, size, mode).isNull()
    assert page.width() == size[0]
    tools = page.curves.tools
    for control in (tools.measure, tools.scale, tools.across, tools.smoothing, page.results.tabs, page.signals.tabs):
        within = control.rect().translated(control.mapTo(page, control.rect().topLeft()))
        assert page.rect().contains(within)
        assert control.isVisible()
    assert page.curves.plot.height() >= 120


def _entry() -> RunEntry:
    return RunEntry(1, Path("run-1"), None, 0.0, (), "running", "", {})


def _curves(epochs: int, **changes: Any) -> RunCurves:
    curves = RunCurves()
    started: dict[str, Any] = {"layers": ("one", "two"), "epochs": 10, "steps_per_epoch": 4, "first_epoch": 0}
    curves.take(RunStarted("run-1", 0.0, "CPU", 1, 5, examples={"train": 8}, train_sample=8, **{**started, **changes}))
    for epoch in range(epochs):
        rest = (1.0, 0.5 / (1 + epoch), 2.0, 0.6 / (1 + epoch), 1.0, 0.1, 1.0, 8.0, True)
        curves.take(EpochDone("run-1", float(epoch), epoch, 4 * epoch, *rest))
    return curves


def _ended(curves: RunCurves) -> RunCurves:
    curves.take(RunEnded("run-1", 99.0, "finished", "", 10, 1, {}))
    return curves


def test_that_the_axis_grows_by_leaps_while_a_run_goes_on_and_fits_when_it_has_ended() -> None:
    assert axis_of([], "epoch").end == 1.0
    assert axis_of([_curves(3)], "epoch").end >= 2.2
    assert axis_of([_curves(10)], "epoch").end == 10
    assert axis_of([_ended(_curves(3))], "epoch").end == 2
    assert axis_of([_ended(_curves(3))], "step").end == 8
    assert axis_of([_curves(3)], "epoch").heading(2.5) == "epoch 2.5"
    assert axis_of([_curves(3)], "time").name() == "time [s]"


def test_that_the_smoothed_line_is_the_average_without_the_untrained_network(workspace: Workspace) -> None:

    curves = _curves(8)
    entry = RunEntry(1, Path("none"), None, 0.0, (), "running", "", {})
    run, view, maker = ShownRun(entry, curves, Marker("square", 0), True), CurveView(beta=0.8), LineMaker()
    axis = axis_of([curves], "epoch")
    for more in range(8, 12):
        lines = {line.name: line.y for line in maker.lines(run, view, axis, alone=True)}
        raw = lines["train"]
        np.testing.assert_allclose(lines["train, smoothed"], [raw[0], *smoothed(raw[1:], 0.8)])
        rest = (1.0, 0.3, 2.0, 0.3, 1.0, 0.1, 1.0, 8.0, False)
        curves.take(EpochDone("run-1", float(more), more, 4 * more, *rest))


def test_that_a_layer_that_learns_nothing_and_one_that_bursts_are_named() -> None:
    series = Series()
    series.take(_curves(0, layers=("a", "b", "c", "d", "e")).started)  # type: ignore[arg-type]
    for step in range(1, 30):
        norms, ratios = (1.0, 1e-6, 1.0, 5e3, 1.0), (1e-3, 1e-3, 1e-8, 1e-3, 0.5)
        series.take(StepDone("run-1", float(step), step, step / 4, 1.0, 0.1, 1.0, 1e-3, norms, ratios))
    assert [one.state for one in health_of(series)] == ["healthy", "vanishing", "still", "exploding", "hasty"]


def test_that_a_changed_learning_rate_is_marked_at_its_place_on_every_axis() -> None:
    from workbench.gui.runs.curve_lines import moments_of

    curves = _curves(4)
    curves.take(LearningRateChanged("run-1", 2.0, 6, 1.5, 0.1, 0.01))
    assert [moments_of(curves, axis_of([curves], way))[0].x for way in ("epoch", "step")] == [1.5, 6.0]  # type: ignore[arg-type]


def test_that_the_settings_say_whose_they_are_and_can_become_those_of_the_run(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    _open(page, qtbot, table_recipe(write_table(tmp_path), epochs=2))
    assert page.next_run.text.text() == "What the next run will do."
    _finish(page, qtbot)
    assert page.next_run.text.text().endswith("the same as run 1.")
    page._workspace.document.set("training.epochs", 9)
    assert "From run 1 to it: epochs 2 → 9." in _plain(page.next_run.text.text())
    page.next_run.take.click()
    assert page._workspace.document.recipe.training.epochs == 2
    assert page.next_run.take.isHidden()
