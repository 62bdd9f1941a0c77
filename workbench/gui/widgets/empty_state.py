"""What an empty panel says: what will appear here, and the button that fills it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from workbench.gui.icons import draw_icon
from workbench.gui.theme import tokens
from workbench.gui.widgets.buttons import Button, Look
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.painting import painter_on


class _Picture(QWidget):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(32, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        draw_icon(painter_on(self), self._name, QRectF(0, 0, 32, 32), tokens().grey, 1.1)


class EmptyState(QWidget):
    """A sentence in the middle of an empty panel.

    Args:
        title: what will appear here.
        text: how.
        button, look: words and look of the button that fills the panel; none where empty.
        icon_name: an icon above the words.
        picture: what stands above them instead.

    Signals:
        clicked: the user pressed the button.
    """

    clicked = Signal()

    def __init__(
        self,
        title: str,
        text: str = "",
        *,
        button: str = "",
        look: Look = "secondary",
        icon_name: str = "",
        picture: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(6)
        column.addStretch(2)
        if icon_name or picture:
            column.addWidget(picture or _Picture(icon_name), 0, Qt.AlignmentFlag.AlignHCenter)
            column.addSpacing(16 if picture else 4)
        self._title, self._text = Label(title, "strong", wrap=True), Label(text, "note", wrap=True)
        for label in (self._title, self._text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        self._text.setVisible(bool(text))
        self.button = Button(button, look, clicked=self.clicked.emit)
        self.button.setVisible(bool(button))
        column.addSpacing(6)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        self.setAccessibleName(f"{title} {text}".strip())
