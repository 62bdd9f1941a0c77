"""A short word in a pill: a role, a shape, a state."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.text import safe
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import box, painter_on

Tone = Literal["plain", "accent", "warning", "good"]


class Chip(QWidget):
    """A pill; its tone says what kind of word it is."""

    def __init__(
        self, text: str = "", tone: Tone = "plain", *, strong: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setFont(font(12, font().Weight.DemiBold if strong else font().Weight.Normal))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._text, self._tone = "", tone
        self.set_text(text)

    def text(self) -> str:
        """What it says."""
        return self._text

    def set_text(self, text: str, tone: Tone | None = None) -> None:
        """Change what it says."""
        self._text, self._tone = safe(text), tone or self._tone
        self.setAccessibleName(self._text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(min(240, self.fontMetrics().horizontalAdvance(self._text) + 18), 20)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(40, self.sizeHint().width()), 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        fill, ink = {
            "plain": (colors.soft, colors.muted),
            "accent": (colors.accent_soft, colors.accent),
            "warning": (colors.warning_soft, colors.warning_text),
            "good": (colors.good_soft, colors.good_text),
        }[self._tone]
        box(painter, QRectF(self.rect()), self.height() / 2, fill=fill)
        painter.setPen(color(ink))
        text = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, self.width() - 16)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
