"""A run's row in the list, as it is painted: sign, name, state and error; below, what it changed."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from workbench.gui.models.runs_model import Index, RunRole, RunRow
from workbench.gui.runs.markers import marker_path
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import box

ROW, SIGN = 49, 38
"""Pixels: a row's height, and the room at the left that belongs to the sign."""
_SIDE = 12


class RunDelegate(QStyledItemDelegate):
    """Paints a ``RunRow``. The sign is filled for a run that is in the plots."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(160, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(RunRole.ROW)
        if not isinstance(row, RunRow):
            return
        area: QRect = option.rect
        painter.save()
        self._paint_ground(painter, area, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        _paint_sign(painter, area, row, hovered=hovered)
        room = area.adjusted(SIGN, 7, -_SIDE, 0)
        _paint_first_line(painter, QRect(room.left(), room.top(), room.width(), 18), row)
        _paint_second_line(painter, QRect(room.left(), room.top() + 18, room.width(), 17), row)
        painter.restore()

    def _paint_ground(self, painter: QPainter, area: QRect, option: QStyleOptionViewItem) -> None:
        colors, state = tokens(), option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, color(colors.accent_soft))
            painter.fillRect(area.left(), area.top(), 3, area.height(), color(colors.accent))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, color(colors.hover))
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            box(painter, QRectF(area).adjusted(1, 1, -1, -1), 4, line=colors.accent, width=2.0)


def _paint_sign(painter: QPainter, area: QRect, row: RunRow, *, hovered: bool) -> None:
    colors = tokens()
    center = QPointF(area.left() + 22.5, area.top() + 16.5)
    if hovered:
        box(painter, QRectF(center.x() - 11, center.y() - 11, 22, 22), 5, fill=colors.soft)
    shown = row.marker.ink is not None
    painter.setPen(QPen(color(row.marker.color), 1.4))
    painter.setBrush(color(row.marker.color) if shown else Qt.BrushStyle.NoBrush)
    painter.drawPath(marker_path(row.marker.shape, center, 10.0))


def _paint_first_line(painter: QPainter, room: QRect, row: RunRow) -> None:
    colors = tokens()
    ink = colors.muted if row.tone == "muted" else colors.text
    painter.setFont(font(13))
    painter.setPen(color(ink))
    painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, row.error)
    left = room.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(row.error) - 8, 0)
    painter.drawText(left, Qt.AlignmentFlag.AlignVCenter, row.name)
    left.setLeft(left.left() + painter.fontMetrics().horizontalAdvance(row.name) + 5)
    painter.setFont(font(11))
    painter.setPen(color(colors.accent if row.tone == "busy" else colors.muted))
    words = " · ".join(part for part in (row.state, row.on) if part)
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, left.width())
    painter.drawText(left, Qt.AlignmentFlag.AlignVCenter, shown)


def _paint_second_line(painter: QPainter, room: QRect, row: RunRow) -> None:
    painter.setFont(font(11))
    painter.setPen(color(tokens().muted))
    painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, row.interval)
    taken = painter.fontMetrics().horizontalAdvance(row.interval) + 8 if row.interval else 0
    painter.setFont(font(12))
    left = room.adjusted(0, 0, -taken, 0)
    shown = painter.fontMetrics().elidedText(row.change, Qt.TextElideMode.ElideRight, left.width())
    painter.drawText(left, Qt.AlignmentFlag.AlignVCenter, shown)
