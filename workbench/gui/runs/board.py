"""What the plots of the page share: the runs shown, the view, the horizontal axis, and the moment of redrawing.

Events come up to thirty times a second. Painting happens under the interpreter's lock and on a core that training could
use, so the plots are redrawn as seldom as their cost asks for: together they take a bounded share of the time.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.diagnosis.health import Alarm
from workbench.gui.plots.link import PlotLink
from workbench.gui.run_desk import RunDesk
from workbench.gui.runs.comparison import Comparison
from workbench.gui.runs.curve_lines import ShownRun
from workbench.gui.runs.signals import alarms_in
from workbench.gui.runs.view import Axis, ViewState, axis_of
from workbench.gui.theme import theme

_FASTEST_MS, _SLOWEST_MS = 33, 1000
_SHARE = 0.15
"""Of the time, at most, that goes into drawing plots while a run goes on."""


class Board(QObject):
    """The state that the page's plots are drawn from.

    Attributes:
        layer: the layer that is looked at; empty before one was chosen.

    Signals:
        redrawn: the plots are to be drawn anew, now.
    """

    redrawn = Signal()

    def __init__(self, runs: RunDesk, comparison: Comparison, view: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.runs, self.comparison, self.view = runs, comparison, view
        self.link = PlotLink(self)
        self.axis = Axis()
        self.layer = ""
        self._alarms: tuple[object, tuple[Alarm, ...]] = (None, ())
        self.redraws = 0
        self._active, self._dirty = False, True
        self._cost = 0.0
        self._drawn_at = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.redraw)
        runs.updated.connect(self._on_update)
        runs.selected.connect(lambda _: self.ask(soon=True))
        runs.listChanged.connect(self.ask)
        comparison.changed.connect(lambda: self.ask(soon=True))
        view.changed.connect(lambda: self.ask(soon=True))
        theme().changed.connect(lambda: self.ask(soon=True))

    @property
    def selected(self) -> ShownRun | None:
        """The run that is looked at; None for none."""
        return next((run for run in self.shown() if run.selected), None)

    def shown(self) -> list[ShownRun]:
        """The runs in the plots, the selected one first."""
        found = []
        for number in self.comparison.shown():
            entry, curves = self.runs.entry(number), self.runs.curves_if_known(number)
            if entry is not None and curves is not None:
                marker = self.comparison.marker(number)
                found.append(ShownRun(entry, curves, marker, number == self.runs.current))
        return found

    def alarms(self) -> tuple[Alarm, ...]:
        """What is wrong with the training of the run that is looked at; worked out once for all that show it."""
        run = self.selected
        if run is None:
            return ()
        recipe = self.runs.recipe(run.entry.number)
        clip_norm = recipe.training.clip_norm if recipe else None
        version = id(run.curves), run.curves.series.version, len(run.curves.layers), clip_norm
        if version != self._alarms[0]:
            self._alarms = version, alarms_in(run.curves, clip_norm)
        return self._alarms[1]

    def set_layer(self, layer: str) -> None:
        """Look at a layer."""
        if layer != self.layer:
            self.layer = layer
            self.ask(soon=True)

    def set_active(self, active: bool) -> None:
        """Whether anybody can see the plots; what happens meanwhile is drawn when they can."""
        self._active = active
        if active and self._dirty:
            self.redraw()
        elif not active:
            self._timer.stop()

    def ask(self, *, soon: bool = False) -> None:
        """Have the plots redrawn when it is their turn, or at once after what the user did."""
        self._dirty = True
        if not self._active:
            return
        wait = 0 if soon else self._wait()
        if not self._timer.isActive() or wait < self._timer.remainingTime():
            self._timer.start(wait)

    def redraw(self) -> None:
        """Draw the plots now."""
        self._timer.stop()
        began = time.perf_counter()
        self._dirty, self._drawn_at = False, began
        self.redraws += 1
        self.axis = axis_of([run.curves for run in self.shown()], self.view.view.across)
        self.redrawn.emit()
        self._cost = time.perf_counter() - began
        if any(plot.behind for plot in self.link.plots):
            self.ask(soon=True)

    def _on_update(self, number: int) -> None:
        if self.comparison.is_shown(number):
            self.ask()

    def _wait(self) -> int:
        """Milliseconds until the next turn. What painting took is only known afterwards: of the time before."""
        painting = sum(plot.paint_seconds for plot in self.link.plots if plot.isVisible())
        pause = min(_SLOWEST_MS, max(_FASTEST_MS, 1000 * (self._cost + painting) / _SHARE))
        return max(0, int(pause - 1000 * (time.perf_counter() - self._drawn_at)))
