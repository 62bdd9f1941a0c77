"""What the bottom bar says: the run that is going on, what is being read, the last change, and the way forward."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.events import COMPILING
from workbench.gui import figures
from workbench.gui.runs.words import run_name
from workbench.gui.text import tip
from workbench.gui.widgets.bars import BottomBar
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.progress import ProgressBar
from workbench.gui.workspace import Workspace
from workbench.session.curves import RunCurves

_LATE = 1000
"""Milliseconds before a bar is shown for reading: what is over sooner needs none."""


class BottomStatus(QObject):
    """Keeps the bottom bar in step with the workspace.

    Args:
        bar: the bar.
        workspace: what it tells of.
        train: called by the accent button.
        go_on: called by the button beside it, which leads to the next step.
    """

    def __init__(
        self, bar: BottomBar, workspace: Workspace, train: Callable[[], object], go_on: Callable[[], object]
    ) -> None:
        super().__init__(bar)
        self._bar, self._workspace = bar, workspace
        self._step = "data"
        self._reading: tuple[str, int, int] = ("", 0, 0)
        self._told, self._ended = "", False
        self.name, self.where = Label("", "strong"), Label("")
        self.progress, self.left, self.saved = ProgressBar(), Label(""), Label("", "muted")
        self.pause = Button(self.tr("Pause"), clicked=workspace.runs.toggle_pause)
        self.stop = Button(self.tr("Stop"), clicked=self.ask_stop)
        self.next = Button("", clicked=go_on)
        _fill(bar.middle, self.name, self.where, self.progress, self.left)
        _fill(bar.right, self.pause, self.stop, self.saved, self.next)
        bar.action.clicked.connect(train)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(_LATE)
        self._late.timeout.connect(self.refresh)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self.refresh)
        self._clock.start()
        workspace.data.busyChanged.connect(self._on_reading)
        workspace.data.changed.connect(self.refresh)
        workspace.runs.updated.connect(self._on_run)
        workspace.runs.listChanged.connect(self.refresh)
        workspace.runs.selected.connect(self.refresh)
        workspace.runs.resultReady.connect(self.refresh)
        workspace.document.undo_stack.indexChanged.connect(self.refresh)
        workspace.document.problemsChanged.connect(self.refresh)
        self.refresh()

    def set_step(self, step: str) -> None:
        """Another step is open."""
        self._step = step
        self.refresh()

    def set_estimate(self, text: str) -> None:
        """What an epoch will take."""
        self._told = text
        self.refresh()

    def close(self) -> None:
        """Say nothing any more: the window is going, and what it tells of after it."""
        self._ended = True
        self._clock.stop()
        self._late.stop()

    def live_run(self) -> int:
        """The run that Pause and Stop are for: the one that computes, 0 for none."""
        return next(iter(self._workspace.runs.busy()), 0)

    def ask_stop(self) -> None:
        """Stop after this batch; the second time, end the process at once."""
        number = self.live_run()
        if not number:
            return
        if self._workspace.runs.is_stopping(number):
            self._workspace.runs.kill(number)
        else:
            self._workspace.runs.stop(number)
        self.refresh()

    def _on_reading(self, stage: str, done: int, total: int) -> None:
        began = bool(stage) and not self._reading[0]
        self._reading = (stage, done, total)
        if began:
            self._late.start()
        elif not stage:
            self._late.stop()
            self.refresh()
        elif not self._late.isActive():
            self.refresh()

    def _on_run(self, number: int) -> None:
        if number == self.live_run():
            self.refresh()

    def refresh(self) -> None:
        """Show what there is to tell now."""
        if self._ended:
            return
        number = self.live_run()
        reading = bool(self._reading[0]) and not self._late.isActive()
        for widget in (self.name, self.where, self.progress, self.left, self.pause, self.stop, self.saved):
            widget.setVisible(False)
        if reading:
            self._show_reading()
        if number:
            self._show_run(number, self._workspace.runs.curves(number))
        self._show_words(number, reading)

    def _show_reading(self) -> None:
        stage, done, total = self._reading
        self.where.setText(stage)
        self.progress.set_share(done / total if total else None)
        self.where.show()
        self.progress.show()

    def _show_run(self, number: int, curves: RunCurves) -> None:
        self.name.setText(run_name(number))
        started = curves.started
        if started is None or curves.stage not in ("", "paused"):
            self.where.setText(self._starting(curves.stage))
            self.progress.set_share(None)
        else:
            epoch = min(started.epochs, int(curves.position) + 1)
            text = self.tr("Epoch {0} of {1}").format(figures.grouped(epoch), figures.grouped(started.epochs))
            self.where.setText(text if not curves.stage else f"{text} · {self.tr('paused')}")
            share = curves.position / started.epochs if started.epochs else 1.0
            self.progress.set_share(share)
            self.left.setText(f"{figures.percent(share, 0)}{_left_text(curves, self.tr('left'))}")
            self.left.show()
        if curves.saved_at is not None:
            ago = max(0.0, time.time() - curves.saved_at)
            self.saved.setText(self.tr("saved {0} ago").format(figures.duration(ago)) + " ✓")
            self.saved.setVisible(self._bar.width() > 900)
        stopping = self._workspace.runs.is_stopping(number)
        if stopping:
            self.where.setText(self.tr("stopping: the batch ends, the checkpoint is saved, the results are measured"))
            self.left.hide()
        self.pause.setText(self.tr("Go on") if curves.stage == "paused" else self.tr("Pause"))
        self.stop.setText(self.tr("Kill") if stopping else self.tr("Stop"))
        for widget in (self.name, self.where, self.progress, self.stop):
            widget.show()
        self.pause.setVisible(not stopping)

    def _starting(self, stage: str) -> str:
        if stage == COMPILING:
            return self.tr("Compiling for this machine (first run only)…")
        return stage or self.tr("starting")

    def _show_words(self, number: int, reading: bool) -> None:
        bar, workspace = self._bar, self._workspace
        busy = bool(number) or reading
        forward = {"data": self.tr("Network"), "network": "", "train": "", "diagnose": self.tr("Export"), "export": ""}
        has_data = workspace.data.state is not None
        self.next.setText(forward[self._step])
        self.next.setVisible(bool(forward[self._step]) and has_data and not number)
        can_train = self._step in ("data", "network", "train") and has_data and not number
        # A run with a verdict comes with a knob to try: that is the better offer then.
        better = self._step == "train" and workspace.runs.result(workspace.runs.current) is not None
        bar.set_action(self.tr("Train F5") if can_train else "", accent=not better)
        reason = workspace.why_not_train() if can_train else ""
        bar.action.setEnabled(not reason)
        bar.action.setToolTip(tip(reason))
        bar.set_message("" if busy else workspace.document.undo_text() or self._resting_words())
        bar.set_note("" if busy or self._step not in ("network", "train") else self._told)

    def _resting_words(self) -> str:
        project = self._workspace.project
        if project is None:
            return ""
        if not project.writable:
            return self.tr("read-only: open in {0}").format(project.owner)
        if self._step == "data" and self._workspace.data.state is not None:
            return self.tr("Nothing was changed on disk · project {0}").format(project.name)
        return self.tr("project {0}").format(project.name)


def _fill(row: QHBoxLayout, *widgets: QWidget) -> None:
    for widget in widgets:
        row.addWidget(widget)


def _left_text(curves: RunCurves, word: str) -> str:
    span = curves.seconds_left()
    if span is None:
        return ""
    low, high = (figures.duration(seconds) for seconds in span)
    return f" · {low} {word}" if low == high else f" · {low} – {high} {word}"
