"""How all plots look: no frame, horizontal grid only, muted labels; and the pens of lines.

pyqtgraph paints under the interpreter's lock and is slow with wide antialiased pens: long lines are one pixel wide.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, log10
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QWidget

from workbench.gui.theme import SMALL, color, font, theme, tokens

SOLID, DASHED, DOTTED = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine
"""Train, dev, test."""

_LONG = 2_000
"""Points from which a line counts as long."""
_LABEL_ROOM = 30
"""Pixels that a label of a logarithmic axis takes at least."""


class Axis(pg.AxisItem):  # type: ignore[misc]
    """An axis without a line of its own; its labels are written by a function."""

    def __init__(self, side: str, text: Callable[[float], str] | None = None) -> None:
        super().__init__(side)
        self._text = text
        self.setStyle(tickLength=0, tickAlpha=255, maxTickLevel=0, tickTextOffset=8)
        self.setStyle(hideOverlappingLabels=side == "bottom")
        self.enableAutoSIPrefix(False)
        self.restyle()

    def restyle(self) -> None:
        """Take the colors in force."""
        if self.label is None:
            # The plot has been closed and waits for its end.
            return
        self.setStyle(tickFont=font(SMALL))
        self.setPen(None)
        self.setTickPen(color(tokens().row_line))
        self.setTextPen(color(tokens().muted))

    def tickStrings(self, values: Any, scale: float, spacing: float) -> list[str]:
        """The labels of some positions."""
        if self.logMode:
            return [self._written(10.0**value) for value in values]
        return [self._written(value * scale, spacing) for value in values]

    def logTickStrings(self, values: Any, scale: float, spacing: float) -> list[str]:
        """As ``tickStrings``, where the axis is logarithmic."""
        return [self._written(10.0**value) for value in values]

    def logTickValues(self, low: float, high: float, size: float, ticks: Any) -> list[tuple[None, list[float]]]:
        """Exponents to label: decades, and within them 2 and 5 or more where there is room."""
        return [(None, log_ticks(low, high, max(2, int(size / _LABEL_ROOM))))]

    def _written(self, value: float, spacing: float = 0.0) -> str:
        if abs(value) < abs(spacing) * 1e-9:
            value = 0.0
        return self._text(value) if self._text else f"{value:g}"


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Positions to label on a logarithmic axis.

    Args:
        low, high: exponents of 10.
        most: how many labels there is room for.

    Returns:
        Exponents: those of 1, 2, 3 and 5, or 1, 2 and 5, or 1 and 3, or 1 times powers of 10, or of every nth power.
    """
    first, last = floor(low), ceil(high)
    for digits in ((1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        found = [power + log10(digit) for power in range(first, last + 1) for digit in digits]
        found = [value for value in found if low - 1e-9 <= value <= high + 1e-9]
        if len(found) <= most:
            return found
    stride = ceil((last - first + 1) / most)
    return [float(power) for power in range(first, last + 1) if power % stride == 0 and low <= power <= high]


class Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot in the window's look. Use ``line_pen`` for lines and redraw them on ``theme().changed``.

    Args:
        name: what it shows, in one sentence, for assistive tools.
        x_text, y_text: write the labels of the axes.
        fixed: whether it is a drawing that cannot be moved.
    """

    def __init__(
        self,
        name: str,
        *,
        x_text: Callable[[float], str] | None = None,
        y_text: Callable[[float], str] | None = None,
        fixed: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        self._axes = {"left": Axis("left", y_text), "bottom": Axis("bottom", x_text)}
        super().__init__(parent, background=None, axisItems=self._axes)
        self.setAccessibleName(name)
        self.setFrameShape(pg.PlotWidget.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self._axes["left"].setGrid(255)
        for axis in self._axes.values():
            # The grid belongs behind the curves; pyqtgraph puts its axes before them.
            axis.setZValue(-1)
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.getViewBox().setDefaultPadding(0.02)
        item.setContentsMargins(4, 8, 12, 4)
        if fixed:
            item.setMouseEnabled(False, False)
            self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        theme().changed.connect(self._restyle)

    def sizeHint(self) -> QSize:
        # pyqtgraph's own is that of a whole window.
        return QSize(240, 160)

    def _restyle(self) -> None:
        for axis in self._axes.values():
            axis.restyle()


def line_pen(ink: str, *, style: Qt.PenStyle = SOLID, points: int = 0, faint: bool = False) -> QPen:
    """The pen of a line.

    Args:
        ink: a token's value.
        style: ``SOLID``, ``DASHED`` or ``DOTTED``.
        points: how many it has; a long line is one pixel wide.
        faint: the raw values behind a smoothed line.
    """
    width = 1.0 if points >= _LONG or faint else 1.6
    pen = pg.mkPen(color(ink, 0.25 if faint else 1.0), width=width, style=style)
    pen.setCosmetic(True)
    return pen  # type: ignore[no-any-return]
