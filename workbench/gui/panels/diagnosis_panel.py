"""The diagnosis at one glance: verdict, ladder, and which knob to turn next."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.diagnose.change_line import ChangeLine
from workbench.gui.diagnose.knob_list import KnobList
from workbench.gui.diagnose.knobs import KnobViews, views_of
from workbench.gui.diagnose.settle_box import SettleBox
from workbench.gui.diagnose.watch import RunWatch
from workbench.gui.diagnose.words import run_note
from workbench.gui.run_desk import RunDesk, RunResult
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.ladder import Ladder
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import INSIDE, Panel, Scroll
from workbench.gui.widgets.verdict_box import VerdictBox


class DiagnosisPanel(QWidget):
    """The compact diagnosis of the run that is looked at.

    Signals:
        navigate: leads to another step: ``diagnose`` for the whole story, ``export`` for the report,
            ``network`` or ``data`` where advice is followed.
    """

    navigate = Signal(str)

    def __init__(self, runs: RunDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._watch = RunWatch(runs, self, self.refresh)
        self.panel = Panel(self.tr("Diagnosis"))
        self.empty = EmptyState(
            self.tr("The diagnosis will appear here"),
            self.tr("Train a run: its errors, what limits it, and which single knob to turn next."),
        )
        self.verdict, self.change, self.ladder = VerdictBox(), ChangeLine(), Ladder()
        self.settle, self.knobs = SettleBox(), KnobList()
        self.message = InlineMessage("error", closable=True)
        self.message.hide()
        self.resume = Button(self.tr("Resume"), clicked=self._watch.go_on)
        self._scroll = Scroll(self._content(), least=280)
        self._lay_out()
        self._connect()
        self.refresh()

    def _content(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(INSIDE, 0, INSIDE, INSIDE)
        column.setSpacing(INSIDE)
        parts = (self.verdict, self.change, self.message, self.ladder, self.settle, self.resume, self.knobs)
        for widget in parts:
            column.addWidget(widget)
        column.addStretch(1)
        return content

    def _lay_out(self) -> None:
        self.panel.add(self.empty, stretch=1)
        self.panel.add(self._scroll, stretch=1)
        foot = self.panel.foot()
        self.why = Button(self.tr("Why this verdict"), clicked=lambda: self.navigate.emit("diagnose"))
        self.report = Button(self.tr("Report…"), clicked=lambda: self.navigate.emit("export"))
        foot.addWidget(self.why)
        foot.addWidget(self.report)
        foot.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.panel)

    def _connect(self) -> None:
        runs, watch = self._runs, self._watch
        watch.turned.connect(self._on_turn)
        for failed in (watch.denied, watch.refused):
            failed.connect(self.message.show_error)
        self.settle.goalsGiven.connect(lambda goals: runs.set_goals(runs.current, goals))
        self.knobs.tryAsked.connect(watch.try_knob)
        self.knobs.runAsked.connect(runs.select)
        self.knobs.openAsked.connect(self.navigate)

    def _on_turn(self) -> None:
        self.message.hide()
        self._scroll.verticalScrollBar().setValue(0)

    def refresh(self) -> None:
        """Show the run that is looked at as it stands now."""
        watch, number = self._watch, self._watch.number
        stage, result = watch.stage, watch.result
        self.empty.setVisible(stage == "none")
        self._scroll.setVisible(stage != "none")
        self.panel.foot_frame().setVisible(result is not None)
        self.resume.setVisible(watch.can_resume)
        self.panel.set_note(run_note(number, result.diagnosis if result else None))
        said, rows = watch.said(), watch.rows()
        self.verdict.set_verdict(said.kind, said.headline, said.sentence)
        self.change.show_entry(self._runs.entry(number), self._runs.recipe(number))
        self.ladder.set_rows(rows, provisional=result is None)
        self.ladder.setVisible(bool(rows))
        self._show_advice(number, result)

    def _show_advice(self, number: int, result: RunResult | None) -> None:
        if result is None:
            self.settle.hide()
            self.knobs.show_views(KnobViews(), "")
            return
        self.settle.setVisible(self.settle.show_diagnosis(result.diagnosis, result.goals))
        self.knobs.show_views(views_of(self._runs, number, result), result.diagnosis.focus)
