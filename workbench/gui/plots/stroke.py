"""Lines of a live plot, cheap to redraw.

A pen wider than one pixel costs Qt's rasterizer ten to fifty times as much as one of one pixel, most of all where a
line is rough or dashed (see docs/performance.md). A strong line is therefore one pixel wide and drawn twice, a little
apart.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QTransform

from workbench.gui.plots.plot import SOLID
from workbench.gui.theme import color

Numbers = np.ndarray[Any, Any]
Weight = Literal["strong", "plain", "raw"]

_APART = 0.55
"""Pixels between the two passes of a strong line; together they look 1.6 pixels wide."""
_DOT = 5
"""Pixels that a point takes which has no other yet to be joined to."""
_SOFT = 20_000
"""Points up to which edges are antialiased."""


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a live plot.

    Attributes:
        key: tells it from the plot's other lines.
        name: for readout, table and CSV.
        x, y: its points ``(n,)``; those that are not finite, or not positive on a logarithmic axis, are left out.
        ink: its color, ``#RRGGBB``.
        version: another one whenever points are others.
        style: ``SOLID`` or ``DASHED``.
        weight: ``strong``, ``plain``, or ``raw`` (at 25 %, behind).
        short: its name where the rest is known: ``train``.
    """

    key: str
    name: str
    x: Numbers
    y: Numbers
    ink: str
    version: Hashable
    style: Qt.PenStyle = SOLID
    weight: Weight = "plain"
    short: str = ""


class _Curve(pg.PlotCurveItem):  # type: ignore[misc]
    """A curve that is drawn a second time beside itself where it is strong."""

    strong = False

    def paint(self, painter: QPainter, option: Any, widget: Any) -> None:
        super().paint(painter, option, widget)
        if self.strong:
            painter.save()
            painter.setWorldTransform(painter.worldTransform() * QTransform.fromTranslate(_APART, _APART))
            super().paint(painter, option, widget)
            painter.restore()


class Stroke(pg.PlotDataItem):  # type: ignore[misc]
    """Draws a ``Line``; what a pixel cannot show is thinned to its lowest and highest value."""

    def __init__(self) -> None:
        super().__init__(antialias=True)
        self.curve.setParentItem(None)
        self.curve: Any = _Curve()
        self.curve.setParentItem(self)
        self.opts["autoDownsampleFactor"] = 1.0
        self.setDownsampling(auto=True, method="peak")
        self.setClipToView(True)
        self._shown: tuple[Hashable, ...] = ()
        self._look: tuple[Any, ...] = ()

    def show_line(self, line: Line, log: bool) -> bool:
        """Draw a line; whether anything had to be done."""
        look, shown = (line.ink, line.style, line.weight), (line.version, log)
        if look != self._look:
            self._look = look
            self._restyle(line)
        if shown == self._shown:
            return False
        self._shown = shown
        x, y = plotted(line, log)
        self.opts["antialias"] = len(x) <= _SOFT
        self.setData(x, y, symbol="o" if len(x) == 1 else None)
        return True

    def _restyle(self, line: Line) -> None:
        pen = pg.mkPen(color(line.ink, 0.25 if line.weight == "raw" else 1.0), width=1, style=line.style)
        pen.setCosmetic(True)
        self.setPen(pen)
        self.setSymbolSize(_DOT)
        self.setSymbolPen(None)
        self.setSymbolBrush(pen.color())
        self.curve.strong = line.weight == "strong"
        self.setZValue({"raw": 0, "plain": 1, "strong": 2}[line.weight])


def in_view(line: Line, log: bool, x: tuple[float, float], y: tuple[float, float]) -> bool:
    """Whether some of a line runs through a window of the plot's plane (y as exponents on a logarithmic axis)."""
    first, last = int(np.searchsorted(line.x, x[0])), int(np.searchsorted(line.x, x[1], "right"))
    if first == last and not 0 < first < len(line.x):
        return False
    # Also the points before and behind, to which lines are drawn.
    values = line.y[max(0, first - 1) : last + 1]
    values = values[np.isfinite(values) & (values > 0)] if log else values[np.isfinite(values)]
    if not len(values):
        return False
    low, high = float(values.min()), float(values.max())
    return (np.log10(low) if log else low) <= y[1] and (np.log10(high) if log else high) >= y[0]


def cut_at(lines: Iterable[Line], x: tuple[float, float], top: float) -> tuple[float, float] | None:
    """Where lines that leave a plot at the top are back in it, and how high they come; None where none leaves."""
    backs, heights = [], []
    for line in lines:
        first, last = int(np.searchsorted(line.x, x[0])), int(np.searchsorted(line.x, x[1], "right"))
        values = np.where(np.isfinite(line.y[first:last]), line.y[first:last], -np.inf)
        if len(values) and values.max() > top:
            # To the first point after the highest one that lies below the top, or to the last of all.
            behind = values[int(values.argmax()) :] <= top
            back = int(values.argmax()) + int(behind.argmax()) if behind.any() else len(values) - 1
            backs.append(float(line.x[first + back]))
            heights.append(float(values.max()))
    return (max(backs), max(heights)) if backs else None


def plotted(line: Line, log: bool) -> tuple[Numbers, Numbers]:
    """The points of a line that can be drawn, in the plane of the plot: on a logarithmic axis as exponents."""
    x, y = line.x, line.y
    fit = np.isfinite(x) & np.isfinite(y)
    if log:
        fit &= y > 0
    if not fit.all():
        x, y = x[fit], y[fit]
    return np.array(x), np.log10(y) if log else np.array(y)
