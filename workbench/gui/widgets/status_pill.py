"""A dot and a word: the device, the state of a run."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.text import safe
from workbench.gui.theme import color, tokens
from workbench.gui.widgets.painting import box, painter_on

State = Literal["good", "busy", "warning", "idle"]


class StatusPill(QWidget):
    """``● CPU · 2 threads``. The word says the state; the dot's color only repeats it."""

    def __init__(self, text: str = "", state: State = "good", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._text: str = ""
        self._state: State = state
        self.set_status(text, state)

    def text(self) -> str:
        """What it says."""
        return self._text

    def set_status(self, text: str, state: State = "good") -> None:
        """Say something else."""
        self._text, self._state = safe(text), state
        self.setAccessibleName(self._text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(min(280, self.fontMetrics().horizontalAdvance(self._text) + 38), 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(64, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        box(painter, QRectF(self.rect()), 14, fill=colors.panel, line=colors.line)
        dots = {"good": colors.good, "busy": colors.accent, "warning": colors.warning, "idle": colors.grey}
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color(dots[self._state]))
        painter.drawEllipse(QPointF(15, self.height() / 2), 4, 4)
        painter.setPen(color(colors.text))
        room = self.rect().adjusted(25, 0, -11, 0)
        text = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
