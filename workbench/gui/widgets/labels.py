"""Labels: always plain text, since what they show may come from data."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from workbench.gui.text import safe, tip

Look = Literal[
    "text", "strong", "muted", "note", "title", "verdict", "page", "error", "good",
    "effect", "effect-good", "effect-warning",
]  # fmt: skip


class Label(QLabel):
    """A text in one of the window's looks.

    Args:
        text: what it says.
        look: ``text``, ``strong`` (semibold), ``muted``, ``note`` (small and muted), ``title`` (of a panel),
            ``verdict``, ``page``, ``error``, ``good``, ``effect`` (small and semibold: what a change moved),
            ``effect-good``, ``effect-warning``.
        wrap: whether it may take several lines.
    """

    def __init__(
        self, text: str = "", look: Look = "text", *, wrap: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("look", look)
        self.setWordWrap(wrap)
        self.setText(text)


class ElidedLabel(Label):
    """One line that ends in … where the room ends; the whole text is its tool tip then. Made for names from data."""

    def __init__(self, text: str = "", look: Look = "text", *, parent: QWidget | None = None) -> None:
        super().__init__("", look, parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._own_tip = ""
        self.set_name(text)

    def set_name(self, name: str) -> None:
        """Show a name as one line of at most 200 characters."""
        self.setText(safe(name))
        self.setAccessibleName(self.text())
        self._set_tip()

    def set_tip(self, text: str) -> None:
        """What its tool tip says instead of the whole text; nothing for the text again."""
        self._own_tip = text
        self._set_tip()

    def minimumSizeHint(self) -> QSize:
        least = min(32, super().sizeHint().width()) if self.text() else 0
        return QSize(least, super().minimumSizeHint().height())

    def resizeEvent(self, event: object) -> None:
        self._set_tip()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        room = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(self.alignment() | Qt.TextFlag.TextSingleLine), text)

    def _set_tip(self) -> None:
        cut = self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()
        self.setToolTip(tip(self._own_tip or self.text()) if self._own_tip or (cut and self.width() > 0) else "")
