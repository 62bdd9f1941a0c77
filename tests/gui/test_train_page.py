"""Step 3, Train, as a user works in it: on the real engine, from the first run to the second."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from shots import grab, settle
from support.finished_runs import hostile_recipe, regression_recipe
from support.small_runs import picture_recipe, table_recipe, write_numbers, write_pictures, write_table
from support.train_page import curves_of, entry, finish, open_recipe, plain, shown_page, wait

from workbench.events import EpochDone, LearningRateChanged, RunEnded, StepDone
from workbench.gui.pages.train_page import TrainPage
from workbench.gui.plots.plot import DASHED, SOLID
from workbench.gui.results.class_table import RECALL
from workbench.gui.results.matrix import ConfusionMatrix
from workbench.gui.results.views import view_of
from workbench.gui.runs.curve_lines import LineMaker, ShownRun
from workbench.gui.runs.markers import Marker
from workbench.gui.runs.signals import alarms_in, overall_text
from workbench.gui.runs.view import CurveView, ViewState, axis_of
from workbench.gui.workspace import Workspace
from workbench.session.curves import RunCurves
from workbench.session.health import health_of
from workbench.session.smoothing import smoothed
from workbench.store.project import RunEntry


@pytest.fixture
def page(workspace: Workspace, qtbot: Any) -> Iterator[TrainPage]:
    """The page around a workspace whose runs compute in this process."""
    yield from shown_page(workspace, qtbot)


# --- from nothing to a result ----------------------------------------------------------------------------------------


def test_that_an_empty_page_says_what_will_appear_and_offers_to_train(page: TrainPage, qtbot: Any) -> None:
    assert page.curves.empty.isVisible()
    assert page.runs_panel.empty.isVisible()
    assert page.signals.empty.isVisible()
    assert page.side.value() == "settings"
    with qtbot.waitSignal(page._workspace.failed):
        page.curves.empty.button.click()


def test_that_a_run_shows_curves_facts_and_results(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=6))
    page.curves.empty.button.click()
    assert page.side.value() == "diagnosis"
    runs = page._workspace.runs
    wait(qtbot, lambda: runs.result(1) is not None and page.results.view() is not None)
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
    open_recipe(page, qtbot, recipe)
    finish(page, qtbot)
    assert [plain(level.text) for level in page.curves.plot.overlay.levels] == ["human level 5.0 %", "Bayes 2.0 %"]
    page.view.set(measure="loss")
    page.board.redraw()
    assert page.curves.plot.overlay.levels == ()
    assert page.curves.panel.accessibleName() == "Loss"


def test_that_a_child_is_compared_with_its_parent_by_itself(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    finish(page, qtbot)
    finish(page, qtbot, training__batch_size=16)
    assert page.comparison.shown() == (2, 1)
    inks = {line.ink for line in page.curves.plot.lines}
    assert len(inks) == 2
    assert any(line.name == "run 1 dev, smoothed" for line in page.curves.plot.lines)
    assert page.runs_panel.model.index_of(2).data(Qt.ItemDataRole.ToolTipRole).split("\n")[1].endswith("32 → 16")


def test_that_hiding_a_run_in_the_legend_takes_its_lines_and_signs_away(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    finish(page, qtbot)
    finish(page, qtbot, training__batch_size=16)
    button = next(one for one in page.curves.legend._buttons if one.text() == "run 1")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    settle()
    assert {line.key.partition(" ")[0] for line in page.curves.plot.lines} == {"2"}
    dev = next(one for one in page.curves.legend._buttons if one.text() == "dev")
    qtbot.mouseClick(dev, Qt.MouseButton.LeftButton)
    settle()
    assert {line.name for line in page.curves.plot.lines} == {"run 2 train", "run 2 train, smoothed"}


# --- results ---------------------------------------------------------------------------------------------------------


def test_that_a_cell_of_the_matrix_leads_to_its_examples_and_back(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    number = finish(page, qtbot)
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
    assert plain(results.classes.index(0, RECALL).data()) == f"{100 * view.matrix[0, 0] / view.matrix[0].sum():.1f} %"


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
    assert plain(matrix.accessibleDescription()) == "class 7, said class 9: 1 of 305, 0.3 %"


def test_that_another_set_can_be_looked_at(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    finish(page, qtbot)
    assert page.results.sets.offered() == ["train", "dev", "test"]
    page.results.sets.valueChanged.emit("train")
    wait(qtbot, lambda: page.results.view() is not None and page.results.view().set == "train")  # type: ignore[union-attr]
    assert page.results.note.text().startswith("train, 144")


def test_that_mistakes_show_their_pictures_while_the_runs_data_are_open(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, picture_recipe(write_pictures(tmp_path), epochs=1))
    finish(page, qtbot)
    page.results.sets.valueChanged.emit("train")
    wait(qtbot, lambda: page.results.mistakes.rowCount() > 0)
    index = page.results.mistakes.index(0, 0)
    assert not index.data(Qt.ItemDataRole.DecorationRole).isNull()
    page._workspace.data.clear()
    assert page.results.mistakes.index(0, 0).data(Qt.ItemDataRole.DecorationRole) is None


def test_that_of_numbers_predictions_and_largest_errors_are_shown(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, regression_recipe(write_numbers(tmp_path)))
    finish(page, qtbot)
    results = page.results
    assert results.stack.currentWidget() is results.scatter
    assert results.note.text().startswith("dev, 40 examples")
    results.show_tab("mistakes")
    off = [abs(float(results.mistakes.index(row, 3).data().replace("−", "-"))) for row in range(40)]
    assert off == sorted(off, reverse=True)
    assert not grab(page, (1440, 808), "dark").isNull()


def test_that_hostile_names_are_shown_as_text_everywhere(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, hostile_recipe(tmp_path))
    finish(page, qtbot, training__epochs=1)
    for tab in ("matrix", "classes", "mistakes", "layers"):
        page.results.show_tab(tab)
        assert not grab(page, (1024, 548), "light").isNull()
    texts = [page.results.classes.index(row, 0).data() for row in range(page.results.classes.rowCount())]
    assert not any("\u202e" in text for text in texts)
    assert max(map(len, texts)) <= 200


def test_that_a_page_made_after_the_end_of_a_run_shows_all_of_it(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=3))
    finish(page, qtbot)
    late = TrainPage(page._workspace)
    qtbot.addWidget(late)
    late.show()
    assert late.board.axis.end == 3
    assert late.curves.plot.box.viewRange()[0][1] > 3
    late.hide()


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_that_view_and_compared_runs_survive_a_restart(workspace: Workspace, qtbot: Any, tmp_path: Path) -> None:
    page = TrainPage(workspace)
    qtbot.addWidget(page)
    page.show()
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    for size in (64, 32, 16):
        finish(page, qtbot, training__batch_size=size)
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
    wait(qtbot, lambda: len(workspace.runs.curves(1).epochs) > 0 and len(workspace.runs.curves(3).epochs) > 0)
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
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    finish(page, qtbot)
    page.runs_panel.new.click()
    assert len(page._workspace.runs.entries) == 1
    assert page.side.value() == "settings"
    assert "Nothing differs from run 1" in page.runs_panel.message.text()
    page._workspace.document.set("training.batch_size", 16)
    page.runs_panel.new.click()
    assert len(page._workspace.runs.entries) == 2
    wait(qtbot, lambda: not page._workspace.runs.busy())


# --- plots -----------------------------------------------------------------------------------------------------------


def test_that_the_numbers_are_a_table_and_can_be_written_to_files(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    finish(page, qtbot)
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
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    finish(page, qtbot)
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
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path)))
    finish(page, qtbot)
    assert not grab(page, size, mode).isNull()
    assert page.width() == size[0]
    tools = page.curves.tools
    for control in (tools.measure, tools.scale, tools.across, tools.smoothing, page.results.tabs, page.signals.tabs):
        within = control.rect().translated(control.mapTo(page, control.rect().topLeft()))
        assert page.rect().contains(within)
        assert control.isVisible()
    assert page.curves.plot.height() >= 120


def _ended(curves: RunCurves) -> RunCurves:
    curves.take(RunEnded("run-1", 99.0, "finished", "", 10, 1, {}))
    return curves


def test_that_the_axis_grows_by_leaps_while_a_run_goes_on_and_fits_when_it_has_ended() -> None:
    assert axis_of([], "epoch").end == 1.0
    assert axis_of([curves_of(3)], "epoch").end >= 2.2
    assert axis_of([curves_of(10)], "epoch").end == 10
    assert axis_of([_ended(curves_of(3))], "epoch").end == 2
    assert axis_of([_ended(curves_of(3))], "step").end == 8
    assert axis_of([curves_of(3)], "epoch").heading(2.5) == "epoch 2.5"
    assert axis_of([curves_of(3)], "time").name() == "time [s]"


def test_that_the_smoothed_line_is_the_average_without_the_untrained_network(workspace: Workspace) -> None:

    curves = curves_of(8)
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
    curves = curves_of(0, layers=("a", "b", "c", "d", "e"))
    for step in range(1, 30):
        norms, ratios = (1e-5, 1.0, 1.0, 5e3, 1.0), (1e-6, 1e-3, 1e-8, 1e-3, 0.5)
        curves.take(StepDone("run-1", float(step), step, step / 4, 1.0, 0.1, 1.0, 1e-3, norms, ratios))
    health = health_of(curves, alarms_in(curves))
    assert [one.state for one in health] == [
        "vanishing_gradient", "healthy", "small_updates", "exploding_gradient", "large_updates",
    ]  # fmt: skip
    assert overall_text(alarms_in(curves)) == "▲ d: exploding gradient and 3 more"


def test_that_a_changed_learning_rate_is_marked_at_its_place_on_every_axis() -> None:
    from workbench.gui.runs.curve_lines import moments_of

    curves = curves_of(4)
    curves.take(LearningRateChanged("run-1", 2.0, 6, 1.5, 0.1, 0.01))
    assert [moments_of(curves, axis_of([curves], way))[0].x for way in ("epoch", "step")] == [1.5, 6.0]  # type: ignore[arg-type]


def test_that_a_rate_that_a_schedule_lowered_is_marked_as_that_and_is_not_what_was_asked_for(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    from workbench.gui.runs.curve_lines import moments_of
    from workbench.gui.runs.facts import base_rate

    plateau = {"kind": "reduce_on_plateau", "patience": 1, "drop": 0.5, "min_delta": 0.9}
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=4, schedule=plateau))
    number, runs = finish(page, qtbot), page._workspace.runs
    run = ShownRun(entry(), runs.curves(number), Marker("square", 0), selected=True)
    marks = moments_of(run.curves, axis_of([run.curves], "epoch"))  # type: ignore[arg-type]
    assert [(mark.x, mark.text) for mark in marks] == [
        (2.0, "plateau: learning rate 1e−3 → 5e−4"),
        (3.0, "plateau: learning rate 5e−4 → 2.5e−4"),
    ]
    assert base_rate(run, runs) == 1e-3


def test_that_the_settings_say_whose_they_are_and_can_become_those_of_the_run(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, table_recipe(write_table(tmp_path), epochs=2))
    assert page.next_run.text.text() == "What the next run will do."
    finish(page, qtbot)
    assert page.next_run.text.text().endswith("the same as run 1.")
    page._workspace.document.set("training.epochs", 9)
    assert "From run 1 to it: epochs 2 → 9." in plain(page.next_run.text.text())
    page.next_run.take.click()
    assert page._workspace.document.recipe.training.epochs == 2
    assert page.next_run.take.isHidden()
