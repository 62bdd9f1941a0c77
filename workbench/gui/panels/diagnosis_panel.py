"""The diagnosis at one glance: verdict, ladder, and which knob to turn next."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.diagnosis.rule import Knob
from workbench.errors import WorkbenchError
from workbench.gui.diagnose.knob_list import KnobList
from workbench.gui.diagnose.knobs import KnobViews, views_of
from workbench.gui.diagnose.rungs import rows_of
from workbench.gui.diagnose.settle_box import SettleBox
from workbench.gui.diagnose.stage import Stage, can_resume, ladder_so_far, said_before, said_of, stage_of
from workbench.gui.diagnose.words import run_name
from workbench.gui.figures import grouped
from workbench.gui.run_desk import RunDesk, RunResult
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.ladder import Ladder
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import INSIDE, Panel, Scroll
from workbench.gui.widgets.verdict_box import VerdictBox


class DiagnosisPanel(QWidget):
    """The compact diagnosis of the run that is looked at.

    Signals:
        navigate: leads to another step: ``diagnose`` for the whole story, ``export`` for the report.
    """

    navigate = Signal(str)

    def __init__(self, runs: RunDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._errors: dict[int, WorkbenchError] = {}
        self.panel, self.note = Panel(self.tr("Diagnosis")), Label("", "note")
        self.panel.add_control(self.note)
        self.empty = EmptyState(
            self.tr("The diagnosis will appear here"),
            self.tr("Train a run: its errors, what limits it, and which single knob to turn next."),
        )
        self.verdict, self.ladder, self.settle, self.knobs = VerdictBox(), Ladder(), SettleBox(), KnobList()
        self.message = InlineMessage("error", closable=True)
        self.message.hide()
        self.resume = Button(self.tr("Resume"), clicked=self._go_on)
        self._scroll = Scroll(self._content(), least=280)
        self._lay_out()
        self._connect()
        self.refresh()

    def _content(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(INSIDE, 0, INSIDE, INSIDE)
        column.setSpacing(INSIDE)
        for widget in (self.verdict, self.message, self.ladder, self.settle, self.resume, self.knobs):
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
        runs = self._runs
        runs.selected.connect(self._on_selected)
        runs.listChanged.connect(self.refresh)
        runs.updated.connect(self._on_update)
        runs.resultReady.connect(self._on_result)
        runs.resultFailed.connect(self._on_failure)
        self.settle.goalsGiven.connect(lambda goals: runs.set_goals(runs.current, goals))
        self.knobs.tryAsked.connect(self._try)
        self.knobs.runAsked.connect(runs.select)

    def _on_selected(self, number: int) -> None:
        self.message.hide()
        self.refresh()
        self._scroll.verticalScrollBar().setValue(0)

    def _on_update(self, number: int) -> None:
        if number == self._runs.current and self._runs.is_live(number):
            self.refresh()

    def _on_result(self, number: int) -> None:
        self._errors.pop(number, None)
        if number == self._runs.current:
            self.refresh()

    def _on_failure(self, number: int, error: WorkbenchError) -> None:
        self._errors[number] = error
        if number == self._runs.current:
            if self._runs.result(number) is not None:
                # What is shown still holds; what was asked for could not be done.
                self.message.show_error(error)
            self.refresh()

    def _try(self, knob: Knob) -> None:
        try:
            self._runs.try_knob(self._runs.current, knob)
        except WorkbenchError as error:
            self.message.show_error(error)

    def _go_on(self) -> None:
        try:
            self._runs.go_on(self._runs.current)
        except WorkbenchError as error:
            self.message.show_error(error)

    def refresh(self) -> None:
        """Show the run that is looked at as it stands now."""
        number = self._runs.current
        stage = stage_of(self._runs, number, self._errors.get(number))
        result = self._runs.result(number) if stage == "ready" else None
        self.empty.setVisible(stage == "none")
        self._scroll.setVisible(stage != "none")
        self.panel.foot_frame().setVisible(result is not None)
        self.resume.setVisible(stage == "failed" and can_resume(self._runs, number))
        self.note.setText(_note(number, result))
        if result is None:
            self._show_stage(number, stage)
        else:
            self._show_result(number, result)

    def _show_stage(self, number: int, stage: Stage) -> None:
        said = said_before(self._runs, number, stage, self._errors.get(number))
        self.verdict.set_verdict(said.kind, said.headline, said.sentence)
        rows = ladder_so_far(self._runs, number) if stage == "training" else ()
        self.ladder.set_rows(rows, provisional=True)
        self.ladder.setVisible(bool(rows))
        self.settle.hide()
        self.knobs.show_views(KnobViews(), "")

    def _show_result(self, number: int, result: RunResult) -> None:
        diagnosis = result.diagnosis
        said = said_of(diagnosis)
        self.verdict.set_verdict(said.kind, said.headline, said.sentence)
        self.ladder.set_rows(rows_of(diagnosis))
        self.ladder.show()
        self.settle.setVisible(self.settle.show_diagnosis(diagnosis, result.goals))
        self.knobs.show_views(views_of(self._runs, number, result), diagnosis.focus)


def _note(number: int, result: RunResult | None) -> str:
    """``run 6 · dev n = 5 000``."""
    if not number:
        return ""
    dev = result.diagnosis.levels.dev if result else None
    size = f" · dev n = {grouped(dev.n)}" if dev is not None and dev.n else ""
    return run_name(number) + size
