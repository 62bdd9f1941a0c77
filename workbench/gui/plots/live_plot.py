"""A plot of what is being measured just now: keys, crosshair, views tied together, no more work than needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from workbench.gui.plots.overlay import Cut, Overlay
from workbench.gui.plots.plot import Plot
from workbench.gui.plots.readout import Reading, Readout
from workbench.gui.plots.stroke import Line, Stroke, cut_at, in_view
from workbench.gui.text import safe
from workbench.gui.widgets.painting import focus_ring

Window = tuple[float, float]

_AXIS = 52
"""Width of the axis at the left: fixed, or the plot would move whenever a label is longer than those before."""
BUDGET_SECONDS = 0.006
"""For new lines in one turn; pyqtgraph takes milliseconds to make one."""
_MARGIN = 0.02
"""Room beside the curves, as a share of the plot's width."""


class LivePlot(Plot):
    """A plot that is given all its lines again and again, and draws what is new in them.

    Args:
        name: what it shows, for assistive tools.
        x_text, y_text: write the labels of the axes.
        value_text: writes a value at the crosshair.
        heading: writes the position of the crosshair.

    Signals:
        moved: the user moved or zoomed: the lowest and highest x shown.
        pointed: the mouse or the arrow keys are at this x; None when they are gone.
        resetAsked, pauseAsked, logAsked, crosshairAsked: R, Space, L and X.
        menuAsked: the context menu is wanted at this place of the screen.
    """

    moved = Signal(float, float)
    pointed = Signal(object)
    resetAsked = Signal()
    pauseAsked = Signal()
    logAsked = Signal()
    crosshairAsked = Signal()
    menuAsked = Signal(QPoint)

    def __init__(
        self,
        name: str,
        *,
        x_text: Callable[[float], str],
        y_text: Callable[[float], str],
        value_text: Callable[[float], str],
        heading: Callable[[float], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(name, x_text=x_text, y_text=y_text, parent=parent)
        self._value_text, self._heading, self._y_text = value_text, heading, y_text
        self.lines: tuple[Line, ...] = ()
        self.log = False
        self.behind = False
        self.paint_seconds = 0.0
        self._strokes: dict[str, Stroke] = {}
        self._auto: tuple[Window, Window] = ((0.0, 1.0), (0.0, 1.0))
        self._own_x: Window | None = None
        self._own_y = False
        self._waiting = ""
        self._by_key = False
        self.box = self.getPlotItem().getViewBox()
        self.box.disableAutoRange()
        self.box.setDefaultPadding(0.0)
        self.getPlotItem().getAxis("left").setWidth(_AXIS)
        self.getPlotItem().getAxis("left").setTickDensity(1.8)
        self.overlay, self.readout = Overlay(self.box), Readout(self)
        self.box.sigRangeChangedManually.connect(self._on_moved)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._apply()

    # --- what is shown -------------------------------------------------------------------------------------------

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines and no others; those that are as before cost nothing.

        Making many new ones takes too long for one turn: where ``behind`` is set afterwards, call it again.
        """
        keys = {line.key for line in lines}
        for key in [key for key in self._strokes if key not in keys]:
            self.removeItem(self._strokes.pop(key))
        end, self.behind = time.perf_counter() + BUDGET_SECONDS, False
        for line in lines:
            stroke = self._strokes.get(line.key)
            if stroke is None and time.perf_counter() > end:
                self.behind = True
                continue
            if stroke is None:
                stroke = self._strokes[line.key] = Stroke()
                self.addItem(stroke, ignoreBounds=True)
            stroke.show_line(line, self.log)
        self.lines = tuple(lines)
        self._show_words()
        if self.readout.isVisible():
            self._read()

    def set_waiting(self, text: str) -> None:
        """Say in the plot why there is nothing in it yet; nothing where empty."""
        if text != self._waiting:
            self._waiting = text
            self._show_words()

    def set_log(self, log: bool) -> None:
        """Whether equal heights are equal factors; the lines must be shown again."""
        if log != self.log:
            self.log, self._own_y = log, False
            self.getPlotItem().getAxis("left").setLogMode(False, log)

    def height_of(self, value: float) -> float:
        """A value's place on the vertical axis; NaN where a logarithmic one has none."""
        if not self.log:
            return value
        return float(np.log10(value)) if value > 0 else float("nan")

    def frame(self, x: Window, y: Window) -> None:
        """The part of the plane to show (y as exponents on a logarithmic axis), unless the user has chosen another."""
        wide = _MARGIN * (x[1] - x[0])
        auto = (x[0], x[1] + wide), (y[0], y[1])
        if auto != self._auto:
            self._auto = auto
            self._apply()

    def set_x_window(self, window: Window | None) -> None:
        """Show this part of the x axis, or again what ``frame`` says."""
        if window != self._own_x:
            self._own_x = window
            self._apply()

    def reset(self) -> None:
        """Show again what ``frame`` says."""
        self._own_x, self._own_y = None, False
        self._apply()

    @property
    def moved_away(self) -> bool:
        """Whether the user has chosen what part of the plane is shown."""
        return self._own_x is not None or self._own_y

    def shows(self, lines: Sequence[Line]) -> bool:
        """Whether any of these lines runs through the view."""
        x, y = self.box.viewRange()
        return any(in_view(line, self.log, (x[0], x[1]), (y[0], y[1])) for line in lines)

    def _show_words(self) -> None:
        hint, cut = self._waiting, None
        drawn = any(len(line.x) for line in self.lines)
        if drawn and self.moved_away and not self.shows(self.lines):
            hint = self.tr("the curve lies outside the view · R shows all")
        if not self._own_y and not self.log:
            point = cut_at(self.lines, self._own_x or self._auto[0], self._auto[1][1] * (1 + 1e-9))
            if point is not None:
                cut = Cut(point[0], self.tr("↑ to {0}").format(self._y_text(float(f"{point[1]:.2g}"))))
        self.overlay.show_words(cut, hint)

    def _apply(self) -> None:
        (x0, x1), (y0, y1) = self._auto
        left, right = self._own_x or (x0, x1)
        self.box.setXRange(left, right, padding=0.0)
        if not self._own_y:
            self.box.setYRange(y0, y1, padding=0.0)
        self._show_words()

    def _on_moved(self, *_: object) -> None:
        (left, right), _y = self.box.viewRange()
        self._own_x, self._own_y = (left, right), True
        self._show_words()
        self.moved.emit(left, right)

    # --- crosshair -----------------------------------------------------------------------------------------------

    def set_cursor(self, x: float | None, *, read: bool) -> None:
        """Draw the crosshair at a position, with the values there or without."""
        self.overlay.set_cursor(x)
        if x is None or not read:
            self.readout.hide()
        else:
            self._read()

    def _read(self) -> None:
        x = self.overlay.cursor
        if x is None:
            return
        rows, place = [], None
        for line in self.lines:
            found = value_at(line, x, self._reach()) if line.weight == "raw" or not self._has_raw(line) else None
            if found is not None and np.isfinite(found[1]):
                place = found[0] if place is None else place
                rows.append(Reading(safe(line.name), self._value_text(found[1]), line.ink, line.style))
        at = self.box.mapViewToScene(QPointF(x, self.box.viewRange()[1][1]))
        middle = QPointF(self.mapFromScene(at).x(), self.height() / 2)
        self.readout.show_values(self._heading(x if place is None else place), rows, middle)

    def _has_raw(self, line: Line) -> bool:
        return any(other.key == f"{line.key}.raw" for other in self.lines)

    def _reach(self) -> float:
        left, right = self.box.viewRange()[0]
        return 0.03 * float(right - left)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        place = self.mapToScene(event.position().toPoint())
        inside = QRectF(self.box.sceneBoundingRect()).contains(place)
        if event.buttons() == Qt.MouseButton.NoButton:
            self.pointed.emit(float(self.box.mapSceneToView(place).x()) if inside else None)

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)

    def _step_cursor(self, by: int) -> None:
        """Move the crosshair to the next point: what the mouse does, for the keyboard."""
        xs = next((line.x for line in self.lines if line.weight != "raw" and len(line.x)), None)
        if xs is None:
            return
        now = self.overlay.cursor
        place = len(xs) - 1 if now is None else int(np.argmin(np.abs(xs - now))) + by
        self.pointed.emit(float(xs[min(max(place, 0), len(xs) - 1)]))

    # --- keys, menu, focus ---------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        signals = {
            Qt.Key.Key_L: self.logAsked, Qt.Key.Key_R: self.resetAsked, Qt.Key.Key_X: self.crosshairAsked,
            Qt.Key.Key_Space: self.pauseAsked,
        }  # fmt: skip
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        key = Qt.Key(event.key())
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if key in signals and plain:
            signals[key].emit()
        elif key in steps and plain:
            self._step_cursor(steps[key])
        elif key == Qt.Key.Key_Menu:
            self.menuAsked.emit(self.mapToGlobal(self.rect().center()))
        else:
            # Not to pyqtgraph, which would move the view by keys that belong to the window.
            event.ignore()
            return
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menuAsked.emit(event.globalPos())
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        # A ring around what was just clicked says nothing.
        self._by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        began = time.perf_counter()
        super().paintEvent(event)
        if self.hasFocus() and self._by_key:
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            focus_ring(painter, QRectF(self.viewport().rect()), 6)
            painter.end()
        self.paint_seconds = time.perf_counter() - began


def value_at(line: Line, x: float, reach: float) -> tuple[float, float] | None:
    """The point of a line that is nearest to a position; None where the line has none within reach."""
    if not len(line.x):
        return None
    place = int(np.searchsorted(line.x, x))
    near = [one for one in (place - 1, place) if 0 <= one < len(line.x)]
    best = min(near, key=lambda one: abs(float(line.x[one]) - x))
    spacing = abs(float(line.x[near[-1]]) - float(line.x[near[0]]))
    if abs(float(line.x[best]) - x) > max(reach, spacing):
        return None
    return float(line.x[best]), float(line.y[best])
