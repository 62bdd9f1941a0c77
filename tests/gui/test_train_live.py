"""Step 3, Train, while a run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from shots import settle
from support.small_runs import table_recipe, write_table
from support.train_page import begin, curves_of, entry, finish, open_recipe, plain, shown_page, wait

from workbench.events import StepDone
from workbench.gui.pages.train_page import TrainPage
from workbench.gui.runs.curve_lines import ShownRun
from workbench.gui.runs.curve_words import waiting_text
from workbench.gui.runs.facts import RunFacts, facts_of
from workbench.gui.runs.facts_bar import FactsBar
from workbench.gui.runs.markers import Marker
from workbench.gui.runs.run_combo import RunCombo
from workbench.gui.runs.view import CurveView, axis_of
from workbench.gui.workspace import Workspace
from workbench.training.stepper import Stepper


@pytest.fixture
def page(workspace: Workspace, qtbot: Any) -> Iterator[TrainPage]:
    """The page around a workspace whose runs compute in this process."""
    yield from shown_page(workspace, qtbot)


# --- while it trains -------------------------------------------------------------------------------------------------


def test_that_the_learning_rate_is_changed_while_it_trains_and_marked(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    number = begin(page, qtbot)
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
    wait(qtbot, lambda: bool(runs.curves(number).changes))
    page.board.redraw()
    assert field.note.isHidden()
    assert field._facts.asked == 3e-4
    (moment,) = page.curves.plot.overlay.moments
    assert moment.text.endswith("3e−4")
    assert len(page.signals.plots["norm"].overlay.moments) == 1
    checkpoints = [event for event in runs.curves(number).changes if event.after == 3e-4]
    assert len(checkpoints) == 1
    runs.stop(number)
    wait(qtbot, lambda: not runs.busy())


def test_that_escape_leaves_the_learning_rate_alone(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    number = begin(page, qtbot)
    field = page.curves.facts.rate
    field.open()
    with qtbot.assertNotEmitted(field.asked):
        qtbot.keyClick(field.line, Qt.Key.Key_Escape)
    assert field.line.isHidden()
    page._workspace.runs.stop(number)
    wait(qtbot, lambda: not page._workspace.runs.busy())
    page.board.redraw()
    assert field.change.isHidden()


def test_that_space_in_a_plot_pauses_and_lets_go_on(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    number = begin(page, qtbot)
    runs = page._workspace.runs
    qtbot.keyClick(page.curves.plot, Qt.Key.Key_Space)
    wait(qtbot, lambda: runs.curves(number).stage == "paused")
    page.board.redraw()
    assert page.curves.facts._values["status"].text() == "paused"
    qtbot.keyClick(page.signals.plots["norm"], Qt.Key.Key_Space)
    wait(qtbot, lambda: runs.curves(number).stage == "")
    runs.stop(number)
    wait(qtbot, lambda: not runs.busy())


def test_that_layers_are_shown_while_it_trains_and_the_matrix_when_it_has_ended(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    number = begin(page, qtbot)
    assert page.results.stack.currentWidget() is page.results.layer_table
    assert page.results.layers.index(0, 0).data() == "dense_1"
    assert {line.name for line in page.signals.plots["norm"].lines} == {"dense_1", "dense_2"}
    page._workspace.runs.stop(number)
    wait(qtbot, lambda: page.results.view() is not None)
    page.board.redraw()
    assert page.results.stack.currentWidget() is page.results._scroll


def test_that_a_run_without_memory_offers_half_the_batch_and_trains_with_it(
    page: TrainPage, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, calls = Stepper.step, []

    def short_of_memory(self: Stepper, rows: int, *args: Any, **kwargs: Any) -> None:
        calls.append(rows)
        if len(calls) == 9:
            raise MemoryError
        step(self, rows, *args, **kwargs)

    monkeypatch.setattr(Stepper, "step", short_of_memory)
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    runs, number = page._workspace.runs, page._workspace.train()
    wait(qtbot, lambda: not runs.busy())
    page.board.redraw()
    offer = page.curves.offer
    assert offer.isVisible()
    assert "Memory ran out on the CPU" in offer.text()
    assert plain(offer._action.text()) == "Train with batch size 32 → 16"
    qtbot.mouseClick(offer._action, Qt.MouseButton.LeftButton)
    wait(qtbot, lambda: runs.result(number + 1) is not None)
    page.board.redraw()
    assert not offer.isVisible()
    entry = runs.entry(number + 1)
    assert entry is not None
    assert (entry.parent, entry.status) == (number, "finished")
    assert runs.recipe_of(number + 1).training.batch_size == 16


def test_that_a_stopped_run_offers_to_go_on_and_does(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    number = begin(page, qtbot)
    runs = page._workspace.runs
    runs.stop(number)
    wait(qtbot, lambda: not runs.busy())
    page.board.redraw()
    assert page.curves.offer.isVisible()
    assert "was stopped after epoch" in page.curves.offer.text()
    done = runs.curves(number).epochs[-1].epoch
    page.curves.offer.actionClicked.emit()
    wait(qtbot, lambda: len(runs.curves(number).epochs) > done + 2)
    page.board.redraw()
    assert not page.curves.offer.isVisible()
    runs.stop(number)
    wait(qtbot, lambda: not runs.busy())


def test_that_nothing_is_drawn_while_nobody_looks_and_all_of_it_afterwards(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    number = begin(page, qtbot)
    runs = page._workspace.runs
    page.hide()
    redraws, count = page.board.redraws, len(runs.curves(number).epochs)
    wait(qtbot, lambda: len(runs.curves(number).epochs) > count + 3)
    assert page.board.redraws == redraws
    runs.stop(number)
    wait(qtbot, lambda: not runs.busy())
    page.show()
    settle()
    assert len(page.curves.plot.lines[0].x) == len(runs.curves(number).epochs)


def test_that_curves_come_from_a_process_of_its_own_as_well(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    page._workspace.runs.spawn = True
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=5))
    finish(page, qtbot)
    assert len(page.curves.plot.lines[0].x) == 6


def test_that_a_run_is_shown_also_where_another_one_was_zoomed_into(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=6))
    finish(page, qtbot)
    plot = page.curves.plot
    plot.box.setXRange(50.0, 60.0, padding=0.0)
    plot.box.sigRangeChangedManually.emit([True, True])
    page.board.redraw()
    assert plot.overlay.hint.endswith("R shows all")
    assert page.signals.plots["norm"].overlay.hint.endswith("R shows all")
    finish(page, qtbot, training__batch_size=16)
    assert not plot.moved_away
    assert plot.overlay.hint == ""
    assert not page.signals.plots["norm"].moved_away


def test_that_a_zoom_that_holds_the_other_runs_curve_stays(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=6))
    finish(page, qtbot)
    page.curves.plot.box.setXRange(0.0, 3.0, padding=0.0)
    page.curves.plot.box.setYRange(0.0, 1.0, padding=0.0)
    page.curves.plot.box.sigRangeChangedManually.emit([True, True])
    finish(page, qtbot, training__batch_size=16)
    assert page.curves.plot.moved_away
    page.view.set(across="step")
    page.board.redraw()
    assert not page.curves.plot.moved_away


def test_that_the_first_epoch_says_what_is_waited_for_and_how_fast_it_goes(page: TrainPage) -> None:
    run = ShownRun(entry(), curves_of(1), Marker("square", 0), selected=True)
    assert waiting_text(run, CurveView()) == ""
    for step in (1, 3):
        run.curves.take(StepDone("run-1", 10.0 + step, step, step / 4, 0.524, 0.1, 1.0, 1e-3, (1, 1), (1e-3, 1e-3)))
    assert "step 3 of 4, loss of its batches 0.524" in plain(waiting_text(run, CurveView()))
    assert waiting_text(run, CurveView(measure="loss")) == ""
    assert axis_of([run.curves], "epoch").end == 1.0
    assert facts_of(run, page._workspace.runs).speed == "2"
    later = ShownRun(entry(), curves_of(2), Marker("square", 0), selected=True)
    assert waiting_text(later, CurveView()) == ""


def test_that_speeds_are_written_out_whatever_their_size(page: TrainPage) -> None:
    curves = curves_of(2)
    for speed, text in ((45_912.0, "45 900"), (131_234.0, "131 000"), (12.34, "12.3")):
        curves.epochs[-1] = replace(curves.epochs[-1], examples_per_second=speed)
        run = ShownRun(entry(), curves, Marker("square", 0), selected=True)
        assert plain(facts_of(run, page._workspace.runs).speed) == text


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
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    number = begin(page, qtbot)
    runs, field = page._workspace.runs, page.curves.facts.rate
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    for last in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        field.open()
        qtbot.waitUntil(field.line.hasFocus)
        qtbot.keyClick(field.line, last)
        assert page.curves.plot.hasFocus()
        wait(qtbot, lambda: not field._wanted)
        page.board.redraw()
    runs.stop(number)
    wait(qtbot, lambda: not runs.busy())


def test_that_a_run_that_shall_end_is_said_to_be_stopping_and_the_box_of_runs_keeps_up(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    runs = page._workspace.runs
    box = RunCombo(runs)
    qtbot.addWidget(box)
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    number = begin(page, qtbot)
    assert "training" in box.currentText()
    runs.pause(number)
    wait(qtbot, lambda: "paused" in box.currentText())
    runs.stop(number)
    page.board.redraw()
    assert page.curves.facts._values["status"].text() == "stopping"
    assert "stopping" in box.currentText()
    wait(qtbot, lambda: not runs.busy())
    page.board.redraw()
    assert page.curves.facts._values["status"].text() == "stopped"
    assert "stopped" in box.currentText()


def test_that_the_legend_draws_what_the_plot_draws(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    finish(page, qtbot)
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
