"""What there is to show of the run that is looked at, and when it is something else."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QWidget

from workbench.diagnosis.rule import Knob
from workbench.errors import WorkbenchError
from workbench.gui.diagnose.rungs import rows_of
from workbench.gui.diagnose.stage import Said, Stage, can_resume, ladder_so_far, said_before, said_of, stage_of
from workbench.gui.run_desk import RunDesk, RunResult
from workbench.gui.widgets.ladder import Row


class RunWatch(QObject):
    """Follows the current run of the desk for a widget, which is told to refresh only while it is seen.

    Args:
        runs: the desk.
        owner: the widget.
        refresh: shows what there is to show; called when that has changed, or when it is seen again after that.

    Signals:
        turned: another run is looked at; comes before the refresh.
        denied: a run could not be started or resumed: the ``WorkbenchError``.
        refused: what was asked for could not be done, but what is shown still holds: the ``WorkbenchError``.
    """

    turned = Signal()
    denied = Signal(object)
    refused = Signal(object)

    def __init__(self, runs: RunDesk, owner: QWidget, refresh: Callable[[], None]) -> None:
        super().__init__(owner)
        self.runs, self._owner, self._refresh = runs, owner, refresh
        self._stale = False
        owner.installEventFilter(self)
        self._errors: dict[int, WorkbenchError] = {}
        self._seen: object = None
        runs.opened.connect(self._on_opened)
        runs.selected.connect(self._on_selected)
        runs.listChanged.connect(self.change)
        runs.updated.connect(self._on_update)
        runs.resultReady.connect(self._on_result)
        runs.resultFailed.connect(self._on_failure)

    def change(self) -> None:
        """Something else is to be shown."""
        self._stale = not self._owner.isVisible()
        if not self._stale:
            self._refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and watched is self._owner and self._stale:
            self._stale = False
            self._refresh()
        return super().eventFilter(watched, event)

    @property
    def number(self) -> int:
        """The run; 0 for none."""
        return self.runs.current

    @property
    def stage(self) -> Stage:
        """How far it is on the way to its diagnosis."""
        return stage_of(self.runs, self.number, self._errors.get(self.number))

    @property
    def result(self) -> RunResult | None:
        """What it came to; None as long as there is no verdict."""
        return self.runs.result(self.number) if self.stage == "ready" else None

    @property
    def can_resume(self) -> bool:
        """Whether it was cut off and can go on."""
        return self.stage == "failed" and can_resume(self.runs, self.number)

    def go_on(self) -> None:
        """Resume it."""
        try:
            self.runs.go_on(self.number)
        except WorkbenchError as error:
            self.denied.emit(error)

    def try_knob(self, knob: Knob) -> None:
        """Turn a knob of it in a child run."""
        try:
            self.runs.try_knob(self.number, knob)
        except WorkbenchError as error:
            self.denied.emit(error)

    def said(self) -> Said:
        """The verdict, or what there is to say before there is one."""
        result = self.result
        if result is not None:
            return said_of(result.diagnosis)
        return said_before(self.runs, self.number, self.stage, self._errors.get(self.number))

    def rows(self, *, detailed: bool = False) -> tuple[Row, ...]:
        """The ladder: of the result, or so far while it trains."""
        result = self.result
        if result is not None:
            return rows_of(result.diagnosis, detailed=detailed)
        return ladder_so_far(self.runs, self.number) if self.stage == "training" else ()

    def _on_opened(self) -> None:
        self._errors = {}

    def _on_selected(self, number: int) -> None:
        self._seen = None
        self.turned.emit()
        self.change()

    def _on_update(self, number: int) -> None:
        """A run says something thirty times a second; the ladder moves once an epoch."""
        if number != self.number or not self.runs.is_live(number):
            return
        curves = self.runs.curves(number)
        seen = (number, len(curves.epochs), curves.started is not None, curves.stage == "paused")
        if seen != self._seen:
            self._seen = seen
            self.change()

    def _on_result(self, number: int) -> None:
        self._errors.pop(number, None)
        if number == self.number:
            self.change()

    def _on_failure(self, number: int, error: WorkbenchError) -> None:
        self._errors[number] = error
        if number == self.number:
            if self.runs.result(number) is not None:
                self.refused.emit(error)
            self.change()
