"""What stands over the lines of a plot: levels, marks at a moment, signs of runs, the crosshair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from workbench.gui.plots.plot import DASHED, DOTTED
from workbench.gui.runs.markers import marker_path
from workbench.gui.theme import SMALL, color, font, tokens

_LINE = 15
"""Pixels from one label to the next below it."""


@dataclass(frozen=True)
class Level:
    """A dotted line at a height that does not change."""

    y: float
    text: str
    tone: str


@dataclass(frozen=True)
class Moment:
    """A dashed line at something that happened."""

    x: float
    text: str
    tone: str = "warning"


@dataclass(frozen=True)
class Sign:
    """A run's shape at a point: hollow for the best epoch, filled for the test set."""

    x: float
    y: float
    shape: str
    ink: str
    filled: bool = False
    size: float = 9.0


class Overlay(pg.GraphicsObject):  # type: ignore[misc]
    """One item for all of it, painted in pixels: labels can make room for each other.

    Args:
        box: the plot's view box.
    """

    def __init__(self, box: Any) -> None:
        super().__init__()
        self._box = box
        self.levels: tuple[Level, ...] = ()
        self.moments: tuple[Moment, ...] = ()
        self.signs: tuple[Sign, ...] = ()
        self.cursor: float | None = None
        self.setParentItem(box)
        self.setZValue(100)
        # Otherwise pyqtgraph counts it among what can be clicked.
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        box.sigRangeChanged.connect(lambda *_: self.update())
        box.sigResized.connect(lambda *_: self.prepareGeometryChange())

    def show_marks(
        self, levels: tuple[Level, ...] = (), moments: tuple[Moment, ...] = (), signs: tuple[Sign, ...] = ()
    ) -> None:
        """Show other ones."""
        if (levels, moments, signs) != (self.levels, self.moments, self.signs):
            self.levels, self.moments, self.signs = levels, moments, signs
            self.update()

    def set_cursor(self, x: float | None) -> None:
        """Draw the crosshair's line at a position, or none."""
        if x != self.cursor:
            self.cursor = x
            self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.rect())

    def paint(self, painter: QPainter, *_: Any) -> None:
        room = self.boundingRect()
        painter.save()
        painter.setClipRect(room)
        painter.setFont(font(SMALL))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        taken: list[QRectF] = []
        for level in self.levels:
            self._paint_level(painter, room, level, taken)
        self._paint_moments(painter, room)
        if self.cursor is not None:
            x = round(self._place(self.cursor, 0).x()) + 0.5
            painter.setPen(_pen(tokens().muted, Qt.PenStyle.SolidLine))
            painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for sign in self.signs:
            self._paint_sign(painter, sign)
        painter.restore()

    def _place(self, x: float, y: float) -> QPointF:
        return QPointF(self._box.mapFromView(QPointF(x, y)))

    def _paint_level(self, painter: QPainter, room: QRectF, level: Level, taken: list[QRectF]) -> None:
        y = self._place(0, level.y).y()
        if not room.top() <= y <= room.bottom():
            return
        painter.setPen(_pen(getattr(tokens(), level.tone), DOTTED))
        painter.drawLine(QPointF(room.left(), y), QPointF(room.right(), y))
        painter.setPen(color(tokens().muted))
        above = y - _LINE - 1 >= room.top()
        width = QFontMetricsF(painter.font()).horizontalAdvance(level.text) + 2
        box = QRectF(room.right() - 4 - width, y - _LINE - 1 if above else y + 2, width, _LINE)
        while any(box.intersects(other) for other in taken) and box.left() > room.left():
            box.translate(-width - 8, 0)
        taken.append(box)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, level.text)

    def _paint_moments(self, painter: QPainter, room: QRectF) -> None:
        taken: list[QRectF] = []
        measure = QFontMetricsF(painter.font())
        for moment in self.moments:
            x = round(self._place(moment.x, 0).x()) + 0.5
            if not room.left() <= x <= room.right():
                continue
            painter.setPen(_pen(getattr(tokens(), moment.tone), DASHED))
            painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))
            width = measure.horizontalAdvance(moment.text) + 8
            left = x + 5 if x + 5 + width <= room.right() else max(room.left(), x - 5 - width)
            box = QRectF(left, room.top() + 1, width, _LINE)
            while any(box.intersects(other) for other in taken) and box.bottom() + _LINE < room.center().y():
                box.translate(0, _LINE)
            taken.append(box)
            painter.setPen(color(tokens().muted))
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, moment.text)

    def _paint_sign(self, painter: QPainter, sign: Sign) -> None:
        path = marker_path(sign.shape, self._place(sign.x, sign.y), sign.size)
        painter.setPen(QPen(color(sign.ink), 1.6))
        painter.setBrush(color(sign.ink if sign.filled else tokens().panel))
        painter.drawPath(path)


def _pen(ink: str, style: Qt.PenStyle) -> QPen:
    pen = QPen(color(ink), 1, style)
    pen.setCosmetic(True)
    return pen
