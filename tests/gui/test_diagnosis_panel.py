"""The compact diagnosis: verdict, ladder, cards, and a knob that is really turned."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from support.small_project import copied, make_project

from workbench.gui.diagnose.knob_card import KnobCard
from workbench.gui.panels.diagnosis_panel import DiagnosisPanel
from workbench.gui.widgets.ladder import Between, Rung
from workbench.gui.workspace import Workspace


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace, project: Path, tmp_path: Path) -> DiagnosisPanel:
    """A panel on run 1."""
    workspace.open_project(copied(project, tmp_path))
    workspace.runs.select(1)
    shown = DiagnosisPanel(workspace.runs)
    qtbot.addWidget(shown)
    shown.resize(348, 900)
    shown.show()
    qtbot.waitUntil(lambda: workspace.runs.result(1) is not None, timeout=20_000)
    return shown


def test_that_an_empty_project_says_what_will_appear(qtbot: QtBot, workspace: Workspace) -> None:
    panel = DiagnosisPanel(workspace.runs)
    qtbot.addWidget(panel)
    panel.show()
    assert panel.empty.isVisible()
    assert not panel.verdict.isVisible()
    assert not panel.why.isVisible()


def test_that_the_verdict_is_said_in_words_and_by_a_shape(panel: DiagnosisPanel, workspace: Workspace) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    assert panel.verdict.headline.text() == result.diagnosis.headline
    assert result.diagnosis.summary in panel.verdict.accessibleName()
    assert panel.verdict.kind == {"good": "good", "undecided": "undecided"}.get(result.diagnosis.verdict, "warning")


def test_that_the_ladder_has_every_measured_level_and_marks_only_the_gap_in_focus(
    panel: DiagnosisPanel, workspace: Workspace
) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    rungs = [row for row in panel.ladder.rows() if isinstance(row, Rung)]
    assert [rung.label for rung in rungs] == ["human", "train", "dev", "test"]
    assert [rung.error for rung in rungs] == [result.diagnosis.levels.get(rung.label) for rung in rungs]
    limiting = [row.told for row in panel.ladder.rows() if isinstance(row, Between) and row.limiting]
    focus, high = result.diagnosis.focus, "high" in result.diagnosis.states.values()
    assert all(focus in told for told in limiting)
    assert bool(limiting) == (high and focus in ("bias", "variance"))


def test_that_at_most_three_knobs_are_offered_first_and_all_act_on_the_gap_in_focus(
    panel: DiagnosisPanel, workspace: Workspace
) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    offered = [card.view for card in panel.knobs.cards() if card.view.state in ("offered", "advice")]
    first = [view for view in offered if view.knob and not view.knob.later]
    assert 1 <= len(first) <= 3
    assert {view.knob.gap for view in first if view.knob} == {result.diagnosis.focus}
    assert panel.knobs.later is not None
    assert not panel.knobs.later.is_open()


def test_that_only_one_button_has_the_accent(panel: DiagnosisPanel) -> None:
    looks = [card.button.property("look") for card in panel.knobs.cards() if card.button is not None]
    assert looks.count("primary") == 1


def test_that_a_tried_knob_tells_what_it_moved_with_an_interval(panel: DiagnosisPanel, workspace: Workspace) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    ((entry, tried),) = result.tried
    (card,) = [card for card in panel.knobs.cards() if card.view.state == "done"]
    assert card.view.run == entry.number == 2
    move = next(move for move in tried.effect.moves if move.name == "bias")
    assert f"bias {100 * move.before:.1f} → {100 * move.after:.1f}" in card.view.effect.replace("−", "-")
    spans = {part.text.partition(" ")[0]: part.span.replace("−", "-") for part in card.view.parts}
    assert set(spans) == {"bias", "variance", "dev"}
    assert f"{100 * move.change.lower:+.1f}" in spans["bias"]
    shown = "\n".join(label.text() for label in card.findChildren(QLabel))
    assert all(part.text in shown and part.span in shown for part in card.view.parts)


def test_that_a_tried_card_leads_to_its_run_by_the_keyboard(
    qtbot: QtBot, panel: DiagnosisPanel, workspace: Workspace
) -> None:
    (card,) = [card for card in panel.knobs.cards() if card.view.state == "done"]
    qtbot.keyClick(card, Qt.Key.Key_Return)
    assert workspace.runs.current == 2


def _first_offer(panel: DiagnosisPanel) -> KnobCard:
    return next(card for card in panel.knobs.cards() if card.button is not None and card.view.state == "offered")


def test_that_trying_a_knob_makes_a_child_that_differs_in_just_that_setting(
    qtbot: QtBot, panel: DiagnosisPanel, workspace: Workspace
) -> None:
    card = _first_offer(panel)
    knob = card.view.knob
    assert knob is not None
    assert card.button is not None
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    child = workspace.runs.entry(3)
    assert child is not None
    assert child.parent == 1
    assert {change.path: change.after for change in child.changes} == dict(knob.patch)
    assert workspace.runs.current == 3
    # The new run is looked at; in what it differs is said at once.
    assert panel.change.isVisible()
    assert panel.change.chip.text() == "one change"
    assert panel.verdict.kind == "busy"
    qtbot.waitUntil(lambda: workspace.runs.result(3) is not None, timeout=60_000)
    assert panel.verdict.kind != "busy"
    workspace.runs.select(1)

    def tried() -> bool:
        return any(card.view.run == 3 and card.view.effect for card in panel.knobs.cards())

    qtbot.waitUntil(tried, timeout=20_000)


def test_that_a_waiting_try_is_said_on_the_card_of_its_parent(
    qtbot: QtBot, panel: DiagnosisPanel, workspace: Workspace
) -> None:
    key = _first_offer(panel).view.key
    knob = _first_offer(panel).view.knob
    assert knob is not None
    result = workspace.runs.result(1)
    assert result is not None
    workspace.runs.train(result.recipe.replace("training.epochs", 400))
    workspace.runs.try_knob(1, knob)
    workspace.runs.select(1)
    qtbot.waitUntil(lambda: bool(panel.knobs.cards()))
    card = next(card for card in panel.knobs.cards() if card.view.key == key)
    assert card.view.state == "waiting"
    assert card.button is not None
    qtbot.mouseClick(card.button, Qt.MouseButton.LeftButton)
    assert workspace.runs.current == 4
    assert panel.verdict.headline.text() == "Waiting"
    for number in (4, 3):
        workspace.runs.stop(number)
    qtbot.waitUntil(lambda: not workspace.runs.busy(), timeout=30_000)


def test_that_a_training_run_shows_a_provisional_ladder(
    qtbot: QtBot, panel: DiagnosisPanel, workspace: Workspace
) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    workspace.runs.train(result.recipe.replace("training.epochs", 60), 1)

    def provisional() -> bool:
        rungs = [row.label for row in panel.ladder.rows() if isinstance(row, Rung)]
        return panel.verdict.kind == "busy" and {"human", "train", "dev"} <= set(rungs)

    qtbot.waitUntil(provisional, timeout=30_000)
    assert "test" not in [row.label for row in panel.ladder.rows() if isinstance(row, Rung)]
    assert panel.knobs.cards() == []
    workspace.runs.stop(3)
    qtbot.waitUntil(lambda: not workspace.runs.busy(), timeout=30_000)


def test_that_a_missing_human_level_is_asked_for_and_changes_the_verdict_without_training(
    qtbot: QtBot, panel: DiagnosisPanel, workspace: Workspace
) -> None:
    result = workspace.runs.result(1)
    assert result is not None
    workspace.runs.set_goals(1, result.goals.model_copy(update={"human_error": None}))
    qtbot.waitUntil(lambda: panel.settle.human.isVisible(), timeout=20_000)
    runs = len(workspace.runs.entries)
    panel.settle.human.line.setFocus()
    qtbot.keyClicks(panel.settle.human.line, "1.5")
    qtbot.keyClick(panel.settle.human.line, Qt.Key.Key_Return)

    def given() -> bool:
        found = workspace.runs.result(1)
        return found is not None and found.goals.human_error == 0.015

    qtbot.waitUntil(given, timeout=20_000)
    assert len(workspace.runs.entries) == runs
    assert "human" in [row.label for row in panel.ladder.rows() if isinstance(row, Rung)]


def test_that_a_hidden_panel_is_right_when_it_is_seen_again(panel: DiagnosisPanel, workspace: Workspace) -> None:
    panel.hide()
    workspace.runs.select(2)
    assert not panel.change.isVisibleTo(panel)
    panel.show()
    assert "run 2" in panel.panel.note()
    assert panel.change.isVisible()


def test_that_the_buttons_below_lead_to_the_whole_story_and_to_the_report(qtbot: QtBot, panel: DiagnosisPanel) -> None:
    for button, step in ((panel.why, "diagnose"), (panel.report, "export")):
        with qtbot.waitSignal(panel.navigate) as caught:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert caught.args == [step]
