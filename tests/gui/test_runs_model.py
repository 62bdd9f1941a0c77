"""The list of runs: rows, signs, filter, and which runs the plots compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QAbstractItemModelTester
from shots import settle

from workbench.gui.models.runs_model import RunRole, RunsModel
from workbench.gui.panels.runs_panel import RunsPanel
from workbench.gui.runs.comparison import Comparison
from workbench.gui.runs.markers import INKS, SHAPES, shape_of
from workbench.gui.workspace import Workspace
from workbench.recipe.paths import Change
from workbench.store.project import Project

_ERRORS = {"errors": {"dev": {"value": 0.036, "n": 500, "low": 0.023, "high": 0.056}}}


def _opened(workspace: Workspace, folder: Path, count: int) -> Project:
    """A project with finished runs, each a child of the one before."""
    project = Project.create(folder / "project")
    for number in range(1, count + 1):
        changes = (Change("training.optimizer.learning_rate", 0.1, 0.1 / number),) if number > 1 else ()
        entry = project.add_run(number - 1 or None, changes)
        project.note(entry.number, "finished", figures=_ERRORS)
    workspace.project = project
    workspace.runs.open(project)
    return project


@pytest.fixture
def opened(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A workspace with seven finished runs."""
    _opened(workspace, tmp_path, 7)
    return workspace


def _panel(workspace: Workspace, qtbot: Any) -> RunsPanel:
    comparison = Comparison(workspace.runs, workspace)
    panel = RunsPanel(workspace.document, workspace.runs, comparison)
    qtbot.addWidget(panel)
    panel.resize(224, 700)
    panel.show()
    settle()
    return panel


def test_that_the_model_keeps_to_the_rules_of_models(opened: Workspace) -> None:
    comparison = Comparison(opened.runs, opened)
    model = RunsModel(opened.document, opened.runs, comparison, opened)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, opened)
    opened.runs.hide(3)
    opened.runs.put_back(3)
    comparison.toggle(2)
    assert tester.model() is model


def test_that_a_row_tells_error_interval_and_what_the_run_changed(opened: Workspace) -> None:
    model = RunsModel(opened.document, opened.runs, Comparison(opened.runs, opened), opened)
    row = model.index_of(4).data(RunRole.ROW)
    assert row.name == "run 4"
    assert row.error.replace("\u00a0", " ") == "3.6 %"
    assert row.interval == "2.3–5.6"
    assert row.change.startswith("run 3 + learning rate 0.1 → 0.025")
    assert model.index_of(1).data(RunRole.ROW).change == "baseline"
    assert "95" not in model.index_of(4).data(Qt.ItemDataRole.DisplayRole)
    assert "2.3–5.6" in model.index_of(4).data(Qt.ItemDataRole.ToolTipRole)


def test_that_the_newest_run_stands_first_and_is_looked_at(opened: Workspace) -> None:
    model = RunsModel(opened.document, opened.runs, Comparison(opened.runs, opened), opened)
    assert [model.index(row, 0).data(RunRole.NUMBER) for row in range(7)] == [7, 6, 5, 4, 3, 2, 1]
    assert opened.runs.current == 7


def test_that_checked_are_the_runs_in_the_plots(opened: Workspace) -> None:
    comparison = Comparison(opened.runs, opened)
    model = RunsModel(opened.document, opened.runs, comparison, opened)
    assert model.setData(model.index_of(2), True, Qt.ItemDataRole.CheckStateRole)
    checked = [
        model.index(row, 0).data(RunRole.NUMBER)
        for row in range(7)
        if model.index(row, 0).data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
    ]
    assert checked == [7, 2]
    comparison.toggle(2)
    assert comparison.shown() == (7,)


def test_that_no_two_runs_in_the_plots_have_one_color_and_none_changes_it(opened: Workspace) -> None:
    comparison = Comparison(opened.runs, opened)
    before: dict[int, int | None] = {}
    for number in (1, 2, 3, 4, 5, 6):
        comparison.toggle(number)
        inks = {shown: comparison.marker(shown).ink for shown in comparison.shown()}
        assert len(set(inks.values())) == len(inks) <= INKS
        assert all(inks[one] == ink for one, ink in before.items() if one in inks)
        before = inks
    assert 7 in comparison.shown()


def test_that_runs_of_one_color_differ_in_shape() -> None:
    assert all(shape_of(number) != shape_of(number + step * INKS) for number in (1, 5) for step in range(1, 7))
    assert {shape_of(number) for number in range(1, 8)} == set(SHAPES)


def test_that_the_filter_finds_any_word_and_keeps_the_selected_run(opened: Workspace, qtbot: Any) -> None:
    panel = _panel(opened, qtbot)
    assert panel.filter.isVisible()
    panel.filter.setText("0.0333")
    assert panel.view.proxy.rowCount() == 1
    assert panel.panel.note() == "1 of 7"
    assert opened.runs.current == 7
    panel.filter.clear()
    assert panel.view.proxy.rowCount() == 7
    assert panel.view.current() == 7


def test_that_a_click_selects_and_a_click_on_the_sign_compares(opened: Workspace, qtbot: Any) -> None:
    panel = _panel(opened, qtbot)
    place = panel.view.visualRect(panel.view.proxy.index(2, 0)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened.runs.current == 5
    sign = QPoint(20, panel.view.visualRect(panel.view.proxy.index(4, 0)).center().y())
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=sign)
    assert opened.runs.current == 5
    assert panel._comparison.is_shown(3)


def test_that_the_keyboard_alone_walks_compares_and_hides(opened: Workspace, qtbot: Any) -> None:
    panel = _panel(opened, qtbot)
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: opened.runs.current == 6)
    qtbot.keyClick(panel.view, Qt.Key.Key_Space)
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: opened.runs.current == 5)
    assert panel._comparison.shown() == (5, 6)
    qtbot.keyClick(panel.view, Qt.Key.Key_Delete)
    assert [entry.number for entry in opened.runs.entries] == [1, 2, 3, 4, 6, 7]
    assert panel.gone.isVisible()
    panel.gone.actionClicked.emit()
    assert len(opened.runs.entries) == 7
    assert not panel.gone.isVisible()


def test_that_the_menu_offers_what_can_be_done(opened: Workspace, qtbot: Any) -> None:
    panel = _panel(opened, qtbot)
    asked: list[int] = []
    panel.editAsked.connect(asked.append)
    menu = panel.menu_of(4)
    actions = {action.text(): action for action in menu.actions()}
    assert not actions["Resume"].isEnabled()
    actions["Edit its recipe"].trigger()
    actions["Compare in the plots"].trigger()
    assert asked == [4]
    assert panel._comparison.is_shown(4)
    menu.deleteLater()


def test_that_names_from_data_are_shown_as_text_of_one_line(workspace: Workspace, tmp_path: Path, qtbot: Any) -> None:
    project = Project.create(tmp_path / "project")
    hostile = '<img src="file:///etc/hostname">\u202e\n' + "x" * 400
    project.add_run()
    project.add_run(1, (Change("data.target", "a", hostile),))
    workspace.project = project
    workspace.runs.open(project)
    panel = _panel(workspace, qtbot)
    change = panel.model.index_of(2).data(RunRole.ROW).change
    assert "\n" not in change
    assert "\u202e" not in change
    assert len(change) < 300
    assert not panel.view.grab().isNull()


def test_that_an_empty_list_says_what_will_stand_there(workspace: Workspace, qtbot: Any) -> None:
    panel = _panel(workspace, qtbot)
    assert panel.empty.isVisible()
    assert not panel.view.isVisible()
    assert not panel.new.isEnabled()


def test_that_the_list_takes_five_hundred_runs_with_long_names(
    workspace: Workspace, tmp_path: Path, qtbot: Any
) -> None:
    project = Project.create(tmp_path / "project")
    entry = project.add_run()
    told = json.dumps([["data.target", "a", "y" * 200]])
    with project._database.transaction() as connection:
        for number in range(2, 501):
            connection.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, 'finished', '', ?, 0)",
                (number, 1, 0.0, told, json.dumps(_ERRORS)),
            )
    workspace.project = project
    workspace.runs.open(project)
    panel = _panel(workspace, qtbot)
    assert entry.number == 1
    assert panel.view.proxy.rowCount() == 500
    assert panel.panel.note() == "500"
    panel.view.scrollToBottom()
    assert not panel.view.grab().isNull()
    panel.filter.setText("run 499")
    assert panel.view.proxy.rowCount() == 1
