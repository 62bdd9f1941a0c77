"""The diagnosis in full: reasons, goals, tries, and all knobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from support.small_project import copied, make_project
from support.small_runs import table_recipe, write_table

from workbench.diagnosis.advice import merged
from workbench.diagnosis.diagnose import diagnose
from workbench.diagnosis.levels import Levels
from workbench.evaluation.intervals import Estimate, rate_of
from workbench.gui.diagnose.reasons import conclusions, gap_reasons
from workbench.gui.figures import regrouped
from workbench.gui.pages.diagnose_page import DiagnosePage
from workbench.gui.workspace import Workspace
from workbench.recipe.training import Goals


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace, project: Path, tmp_path: Path) -> DiagnosePage:
    """The page on run 1, wide enough for all panels."""
    workspace.open_project(copied(project, tmp_path))
    workspace.runs.select(1)
    shown = DiagnosePage(workspace)
    qtbot.addWidget(shown)
    shown.resize(1440, 808)
    shown.show()
    qtbot.waitUntil(lambda: workspace.runs.result(1) is not None, timeout=20_000)
    return shown


def _words(widget: object) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())  # type: ignore[attr-defined]


def test_that_an_empty_project_offers_to_import_data_and_with_data_to_train(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    page = DiagnosePage(workspace)
    qtbot.addWidget(page)
    page.resize(1024, 536)
    page.show()
    assert page.verdict.empty.isVisible()
    assert not page.knobs.isVisible()
    with qtbot.waitSignal(page.importRequested):
        qtbot.mouseClick(page.verdict.empty.button, Qt.MouseButton.LeftButton)
    # Once there is something to train on, training is what is missing.
    workspace.document.replace(table_recipe(write_table(tmp_path, rows=60)))
    with qtbot.waitSignal(page.navigate) as caught:
        qtbot.mouseClick(page.verdict.empty.button, Qt.MouseButton.LeftButton)
    assert caught.args == ["train"]


def test_that_every_gap_is_told_with_its_rule_and_its_threshold(page: DiagnosePage, workspace: Workspace) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    words = _words(page.reasons)
    for reason in gap_reasons(result.diagnosis.gaps):
        assert reason.name in words
        assert reason.value in words
        assert reason.rule in words
    assert "1.5 points" in words


def test_that_the_findings_and_the_health_of_the_training_are_told(
    qtbot: QtBot, page: DiagnosePage, workspace: Workspace
) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    assert all(regrouped(finding.text) in _words(page.reasons) for finding in result.diagnosis.findings)
    qtbot.waitUntil(lambda: "Gradients" in _words(page.reasons), timeout=20_000)


def test_that_the_tries_stand_in_a_table_with_what_they_moved(page: DiagnosePage, workspace: Workspace) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    model = page.tried.table.tries
    cells = [str(model.index(0, column).data()) for column in range(model.columnCount())]
    assert cells[:2] == ["1 → 2", "epochs 4 → 12"]
    move = next(move for move in result.tried[0][1].effect.moves if move.name == "dev")
    assert cells[4] == f"{100 * move.before:.1f} → {100 * move.after:.1f}"


def test_that_without_a_human_level_the_table_tells_the_training_error_and_calls_it_so(
    qtbot: QtBot, page: DiagnosePage, workspace: Workspace
) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    model, orientation = page.tried.table.tries, Qt.Orientation.Horizontal
    assert model.headerData(2, orientation) == "Bias"
    workspace.runs.set_goals(1, result.goals.model_copy(update={"human_error": None}))
    qtbot.waitUntil(lambda: model.headerData(2, orientation) == "Train", timeout=20_000)
    found = workspace.runs.result(1)
    assert found is not None
    move = next(move for move in found.tried[0][1].effect.moves if move.name == "train")
    assert model.index(0, 2).data() == f"{100 * move.before:.1f} → {100 * move.after:.1f}"
    # New labels are shown a turn after they were laid out.
    qtbot.waitUntil(lambda: "neither a human level nor a Bayes error" in _words(page.reasons), timeout=20_000)


def test_that_enter_in_the_table_leads_to_the_run(qtbot: QtBot, page: DiagnosePage, workspace: Workspace) -> None:
    page.tried.table.setCurrentIndex(page.tried.table.tries.index(0, 0))
    qtbot.keyClick(page.tried.table, Qt.Key.Key_Return)
    assert workspace.runs.current == 2
    assert page.verdict.run.value() == 2


def test_that_other_goals_change_the_verdict_and_train_nothing(
    qtbot: QtBot, page: DiagnosePage, workspace: Workspace
) -> None:
    before = len(workspace.runs.entries)
    line = page.verdict.goals.editors["tolerance"].line
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "60")
    qtbot.keyClick(line, Qt.Key.Key_Return)

    def good() -> bool:
        result = workspace.runs.result(1)
        return result is not None and result.diagnosis.verdict == "good"

    qtbot.waitUntil(good, timeout=20_000)
    assert page.verdict.verdict.kind == "good"
    assert len(workspace.runs.entries) == before
    assert workspace.document.recipe.goals.tolerance == 0.6


def test_that_goals_that_contradict_each_other_are_refused_where_they_are_typed(
    qtbot: QtBot, page: DiagnosePage, workspace: Workspace
) -> None:
    editor = page.verdict.goals.editors["bayes_error"]
    editor.line.setFocus()
    qtbot.keyClicks(editor.line, "9")
    qtbot.keyClick(editor.line, Qt.Key.Key_Return)
    assert "Bayes" in page.verdict.goals.wrong.text()
    assert page.verdict.goals.wrong.isVisible()
    result = workspace.runs.result(1)
    assert result is not None
    assert result.goals.bayes_error is None
    editor.line.selectAll()
    qtbot.keyClicks(editor.line, "1")
    qtbot.keyClick(editor.line, Qt.Key.Key_Return)
    assert not page.verdict.goals.wrong.isVisible()

    def taken() -> bool:
        found = workspace.runs.result(1)
        return found is not None and found.goals.bayes_error == 0.01

    qtbot.waitUntil(taken, timeout=20_000)


def test_that_all_knobs_are_there_with_the_reason_for_later_ones(page: DiagnosePage, workspace: Workspace) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    later = page.knobs.knobs.later
    assert later is not None
    later.set_open(True)
    shown = {card.view.key for card in page.knobs.knobs.cards()}
    tried = {knob.id for knob in result.diagnosis.knobs if knob.patch == {"training.epochs": 12}}
    assert {knob.id for knob, _ in merged(result.diagnosis.knobs)} - tried <= shown
    titles = [card.view.title for card in page.knobs.knobs.cards()]
    assert len(set(titles)) == len(titles)


def test_that_in_a_narrow_window_one_of_three_panels_stands_beside_the_verdict(page: DiagnosePage) -> None:
    panels = (page.knobs, page.reasons, page.tried)
    assert all(panel.isVisible() for panel in panels)
    page.resize(1024, 536)
    assert [panel.isVisible() for panel in panels] == [True, False, False]
    page.show_beside("tried")
    assert [panel.isVisible() for panel in panels] == [False, False, True]
    page.resize(1440, 808)
    assert all(panel.isVisible() for panel in panels)


def test_that_the_run_chooser_lists_all_runs_and_looks_at_the_chosen_one(
    page: DiagnosePage, workspace: Workspace
) -> None:
    assert page.verdict.run.offered() == [2, 1]
    page.verdict.run.setCurrentIndex(0)
    page.verdict.run.activated.emit(0)
    assert workspace.runs.current == 2


def test_that_the_gates_mark_the_first_goal_that_is_not_reached(page: DiagnosePage, workspace: Workspace) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    assert page.verdict.gates.gates() == result.diagnosis.gates
    current = next(gate for gate in result.diagnosis.gates if gate.current)
    told = page.verdict.gates.accessibleDescription()
    assert f"{current.goal}: " in told
    assert told.count("work on this one") == 1


def test_that_an_undecided_gap_is_called_so_and_not_high() -> None:
    levels = Levels(train=rate_of(0.02, 200), dev=rate_of(0.05, 200), human=Estimate(0.01))
    reasons = {reason.name: reason for reason in gap_reasons(diagnose(levels, Goals(human_error=0.01)).gaps)}
    assert reasons["variance"].state == "undecided"
    assert "cannot be told" in reasons["variance"].rule.lower()


def test_that_a_surpassed_human_level_says_that_nothing_more_is_known_to_be_avoidable() -> None:
    levels = Levels(train=rate_of(0.001, 20_000), dev=rate_of(0.002, 20_000), human=Estimate(0.05))
    diagnosis = diagnose(levels, Goals(human_error=0.05))
    bias = gap_reasons(diagnosis.gaps)[0]
    assert bias.value == ""
    assert bias.state == "low"
    assert "below the human level" in bias.rule
    assert conclusions(diagnosis)[0].startswith("Bias is low and variance is low")
