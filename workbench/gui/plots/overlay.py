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

_OVER = 7
"""Pixels that a sign at the border may stand out of the plot."""
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
    """A shape at a point: a run's own, hollow, for its best epoch; a filled disc for the test set."""

    x: float
    y: float
    shape: str
    ink: str
    filled: bool = False
    size: float = 9.0


@dataclass(frozen=True)
class Cut:
    """A line leaves the plot at the top, and how far."""

    x: float
    text: str


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
        self.cut: Cut | None = None
        self.hint = ""
        self.setParentItem(box)
        self.setZValue(100)
        # Otherwise pyqtgraph counts it among what can be clicked.
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        box.sigRangeChanged.connect(lambda *_: self._repaint())
        box.sigResized.connect(lambda *_: self.prepareGeometryChange())

    def show_marks(
        self, levels: tuple[Level, ...] = (), moments: tuple[Moment, ...] = (), signs: tuple[Sign, ...] = ()
    ) -> None:
        """Show other ones."""
        if (levels, moments, signs) != (self.levels, self.moments, self.signs):
            self.levels, self.moments, self.signs = levels, moments, signs
            self._repaint()

    def show_words(self, cut: Cut | None, hint: str) -> None:
        """Say what the plot does not show: a line that leaves it, and why there is nothing in it."""
        if (cut, hint) != (self.cut, self.hint):
            self.cut, self.hint = cut, hint
            self.update()

    def set_cursor(self, x: float | None) -> None:
        """Draw the crosshair's line at a position, or none."""
        if x != self.cursor:
            self.cursor = x
            self.update()

    def _repaint(self) -> None:
        # An item's own update reaches no farther than its parent; signs at the border stand out over it.
        scene = self.scene()
        if scene is not None:
            scene.update(self.sceneBoundingRect())

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.rect()).adjusted(-_OVER, -_OVER, _OVER, _OVER)

    def paint(self, painter: QPainter, *_: Any) -> None:
        room = QRectF(self._box.rect())
        painter.save()
        painter.setClipRect(room)
        painter.setFont(font(SMALL))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        taken: list[QRectF] = []
        for level in self.levels:
            self._paint_level(painter, room, level, taken)
        self._paint_moments(painter, room, self._paint_cut(painter, room))
        self._paint_hint(painter, room)
        if self.cursor is not None:
            x = round(self._place(self.cursor, 0).x()) + 0.5
            painter.setPen(_pen(tokens().muted, Qt.PenStyle.SolidLine))
            painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # Those at the border, as that of the untrained network, are not cut in half.
        painter.setClipRect(self.boundingRect())
        self._paint_signs(painter, room.adjusted(-0.5, -0.5, 0.5, 0.5))
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
        # At the left: curves begin high above their levels and come down to them at the right.
        box = QRectF(room.left() + 4, y - _LINE - 1 if above else y + 2, width, _LINE)
        while any(box.intersects(other) for other in taken) and box.right() < room.right():
            box.translate(width + 8, 0)
        taken.append(box)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, level.text)

    def _paint_cut(self, painter: QPainter, room: QRectF) -> list[QRectF]:
        """Beside the line that leaves; the places that are taken then."""
        if self.cut is None:
            return []
        x = min(max(room.left(), self._place(self.cut.x, 0).x()), room.right())
        width = QFontMetricsF(painter.font()).horizontalAdvance(self.cut.text) + 4
        box = QRectF(x + 7 if x + 7 + width <= room.right() else x - 7 - width, room.top() + 1, width, _LINE)
        painter.setPen(color(tokens().muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.cut.text)
        return [box]

    def _paint_hint(self, painter: QPainter, room: QRectF) -> None:
        if self.hint:
            painter.setPen(color(tokens().muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room.adjusted(8, 0, -8, 0), flags, self.hint)

    def _paint_moments(self, painter: QPainter, room: QRectF, taken: list[QRectF]) -> None:
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

    def _paint_signs(self, painter: QPainter, room: QRectF) -> None:
        """Grounds of hollow ones first, then filled ones, outlines last: where some coincide, each can be told."""
        placed = [(sign, self._place(sign.x, sign.y)) for sign in self.signs]
        paths = [(sign, marker_path(sign.shape, at, sign.size)) for sign, at in placed if room.contains(at)]
        hollow = [(sign, path) for sign, path in paths if not sign.filled]
        for _, path in hollow:
            painter.fillPath(path, color(tokens().panel))
        for sign, path in paths:
            if sign.filled:
                painter.fillPath(path, color(sign.ink))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # The run looked at comes first, and is on top.
        for sign, path in reversed(hollow):
            painter.setPen(QPen(color(sign.ink), 1.6))
            painter.drawPath(path)


def _pen(ink: str, style: Qt.PenStyle) -> QPen:
    pen = QPen(color(ink), 1, style)
    pen.setCosmetic(True)
    return pen
