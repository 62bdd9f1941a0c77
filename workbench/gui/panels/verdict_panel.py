"""The verdict with its ladder in full: numbers, intervals, sizes, and the goals it is measured by."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.diagnose.change_line import ChangeLine
from workbench.gui.diagnose.ghost import GhostLadder
from workbench.gui.diagnose.goals_form import GoalsForm
from workbench.gui.diagnose.settle_box import SettleBox
from workbench.gui.diagnose.watch import RunWatch
from workbench.gui.run_desk import RunDesk, RunResult
from workbench.gui.runs.run_combo import RunCombo
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.gates import GateStrip
from workbench.gui.widgets.ladder import Ladder
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import INSIDE, Panel, Scroll, heading
from workbench.gui.widgets.verdict_box import VerdictBox


class VerdictPanel(Panel):
    """The run that is looked at: what holds it back, and by how much.

    Signals:
        trainAsked: there is no run yet, and the user wants one.
        importAsked: there is nothing to train on yet, and the user wants to choose data.
    """

    trainAsked = Signal()
    importAsked = Signal()

    def __init__(self, runs: RunDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Diagnosis"))
        self._runs = runs
        self._has_data = True
        self._watch = RunWatch(runs, self, self.refresh)
        self.run = RunCombo(runs)
        self.add_control(self.run)
        self.empty = EmptyState(
            self.tr("The diagnosis will appear here"),
            self.tr(
                "Once a run has ended: the ladder of its errors from Bayes to test, the gap that holds it back, "
                "and the knobs that act on it."
            ),
            button=self.tr("Go to Train"),
            look="primary",
            picture=GhostLadder(),
        )
        self.verdict, self.change, self.gates = VerdictBox(), ChangeLine(), GateStrip()
        self.ladder, self.settle, self.goals = Ladder(detailed=True), SettleBox(asking=False), GoalsForm()
        self.message = InlineMessage("error", closable=True)
        self.message.hide()
        self.resume = Button(self.tr("Resume"), clicked=self._watch.go_on)
        self._measured = heading(self.tr("Measured by"), self.tr("changes the verdict, trains nothing anew"))
        self._scroll = Scroll(self._content(), least=320)
        self.add(self.empty, stretch=1)
        self.add(self._scroll, stretch=1)
        self._connect()
        self.refresh()

    def _content(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(INSIDE, 0, INSIDE, INSIDE)
        column.setSpacing(INSIDE)
        parts = (self.verdict, self.change, self.message, self.resume, self.gates, self.ladder, self.settle)
        for widget in parts:
            column.addWidget(widget)
        column.addWidget(self._measured)
        column.addWidget(self.goals)
        column.addStretch(1)
        return content

    def _connect(self) -> None:
        watch, runs = self._watch, self._runs
        watch.turned.connect(self._on_turn)
        for failed in (watch.denied, watch.refused):
            failed.connect(self.message.show_error)
        self.empty.clicked.connect(lambda: (self.trainAsked if self._has_data else self.importAsked).emit())
        self.goals.goalsGiven.connect(lambda goals: runs.set_goals(runs.current, goals))

    def set_has_data(self, known: bool) -> None:
        """Whether there is anything to train on: where there is not, that comes first."""
        self._has_data = known
        self.empty.button.setText(self.tr("Go to Train") if known else self.tr("Import data…"))

    def set_expert(self, expert: bool) -> None:
        """Show all goals, or those that most people need."""
        self.goals.set_expert(expert)

    def _on_turn(self) -> None:
        self.message.hide()
        self._scroll.verticalScrollBar().setValue(0)

    def refresh(self) -> None:
        """Show the run that is looked at as it stands now."""
        watch, number = self._watch, self._watch.number
        stage, result = watch.stage, watch.result
        self.empty.setVisible(stage == "none")
        self._scroll.setVisible(stage != "none")
        self.resume.setVisible(watch.can_resume)
        said, rows = watch.said(), watch.rows(detailed=True)
        self.verdict.set_verdict(said.kind, said.headline, said.sentence)
        self.change.show_entry(self._runs.entry(number), self._runs.recipe(number))
        self.ladder.set_rows(rows, provisional=result is None)
        self.ladder.setVisible(bool(rows))
        self._show_result(result)

    def _show_result(self, result: RunResult | None) -> None:
        for widget in (self.gates, self._measured, self.goals):
            widget.setVisible(result is not None)
        self.settle.setVisible(result is not None)
        if result is None:
            return
        self.gates.set_gates(result.diagnosis.gates)
        self.settle.setVisible(self.settle.show_diagnosis(result.diagnosis, result.goals))
        self.goals.show_goals(result.goals)
