"""The values at the crosshair, in a small card beside it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from workbench.gui.plots.plot import SOLID
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import box, painter_on

_LINE, _SIDE, _SAMPLE, _GAP = 17, 9, 22, 14
_MOST = 14
"""Lines that are listed; how many more there are is said below."""


@dataclass(frozen=True)
class Reading:
    """One line's value at the crosshair."""

    name: str
    value: str
    ink: str
    style: Qt.PenStyle = SOLID


class Readout(QWidget):
    """A card with a heading and a row for each line. The mouse passes through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._within = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._title = ""
        self._rows: list[Reading] = []
        self._more = ""
        self.hide()

    def text(self) -> str:
        """All it says, for assistive tools and tests."""
        return "\n".join([self._title, *(f"{row.name} {row.value}" for row in self._rows), self._more]).strip()

    def show_values(self, title: str, rows: list[Reading], at: QPointF) -> None:
        """Show values beside a place in the parent; nothing where there are none."""
        self._title, self._rows = title, rows[:_MOST]
        left = len(rows) - len(self._rows)
        self._more = self.tr("%n more", "", left) if left else ""
        if not rows:
            self.hide()
            return
        self._place(at)
        self.setAccessibleName(self.text())
        self.show()
        self.update()

    def _place(self, at: QPointF) -> None:
        measure, room = QFontMetrics(font(12)), self._within.rect()
        names = max(measure.horizontalAdvance(row.name) for row in self._rows)
        values = max(measure.horizontalAdvance(row.value) for row in self._rows)
        width = max(_SAMPLE + names + _GAP + values, measure.horizontalAdvance(self._title)) + 2 * _SIDE
        width = min(width, room.width() - 8)
        height = _LINE * (1 + len(self._rows) + bool(self._more)) + 12
        right = at.x() + 12 + width <= room.right()
        x = at.x() + 12 if right else max(4.0, at.x() - 12 - width)
        y = min(max(4.0, at.y() - height / 2), max(4.0, room.height() - height - 4.0))
        self.setGeometry(int(x), int(y), int(width), int(height))

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        box(painter, QRectF(self.rect()), 6, fill=colors.panel, line=colors.line)
        painter.setFont(font(12, font().Weight.DemiBold))
        painter.setPen(color(colors.text))
        line = QRectF(_SIDE, 6, self.width() - 2 * _SIDE, _LINE)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, self._title)
        painter.setFont(font(12))
        for row in self._rows:
            line.translate(0, _LINE)
            self._paint_row(painter, line, row)
        painter.setPen(color(colors.muted))
        painter.drawText(line.translated(0, _LINE), Qt.AlignmentFlag.AlignVCenter, self._more)

    def _paint_row(self, painter: QPainter, line: QRectF, row: Reading) -> None:
        middle = line.center().y()
        painter.setPen(QPen(color(row.ink), 2, row.style))
        painter.drawLine(QPointF(line.left(), middle), QPointF(line.left() + _SAMPLE - 7, middle))
        painter.setPen(color(tokens().text))
        value = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(line, value, row.value)
        room = line.adjusted(_SAMPLE, 0, -painter.fontMetrics().horizontalAdvance(row.value) - _GAP, 0)
        name = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideRight, int(room.width()) + 1)
        painter.setPen(color(tokens().muted))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)
