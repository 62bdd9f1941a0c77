"""Why the data are treated as they are: a small window over the link that asks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from workbench.gui.figures import regrouped
from workbench.gui.text import visible
from workbench.gui.widgets.labels import Label

_WIDTH = 520


class ReasonsPopup(QFrame):
    """Headings with sentences below them. Any key or a click elsewhere closes it.

    Args:
        groups: each heading with its sentences; they may quote the data.
        parent: what it belongs to.
    """

    def __init__(self, groups: Sequence[tuple[str, Sequence[str]]], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("look", "card")
        self._texts: list[str] = []
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 14)
        column.setSpacing(6)
        for heading, sentences in groups:
            if not sentences:
                continue
            column.addWidget(Label(heading, "strong"))
            for sentence in map(visible, sentences):
                column.addWidget(Label(regrouped(sentence), "muted", wrap=True))
                self._texts.append(sentence)
            column.addSpacing(4)
        self.setAccessibleName(" ".join(self._texts))
        self.setFixedWidth(_WIDTH)

    def text(self) -> str:
        """All sentences."""
        return "\n".join(self._texts)

    def open_above(self, anchor: QWidget) -> None:
        """Show it above a button, right edges aligned, inside the screen."""
        self.setFixedHeight(self._column.heightForWidth(_WIDTH))
        room = anchor.screen().availableGeometry()
        corner = anchor.mapToGlobal(QPoint(anchor.width() - _WIDTH, -self.height() - 4))
        self.move(max(room.left() + 4, corner.x()), max(room.top() + 4, corner.y()))
        self.show()
        self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.close()
