"""A word with a shape: alike, or not."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.icons import draw_icon
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import painter_on


class StatusMark(QWidget):
    """``✓ alike`` or ``⚠ dev ≠ test``: told by word and shape, the color only repeats it."""

    def __init__(self, text: str, state: Literal["good", "warning"], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._state = text, state
        self.setFont(font(12))
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """What it says."""
        return self._text

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._text) + 20, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        good = self._state == "good"
        name, ink = ("check", colors.good) if good else ("warning", colors.warning)
        draw_icon(painter, name, QRectF(0, 3, 14, 14), ink)
        painter.setPen(color(colors.good_text if good else colors.warning_text))
        painter.drawText(self.rect().adjusted(18, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._text)
