"""What is not needed every day, behind one line that opens."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.icons import icon
from workbench.gui.widgets.buttons import Button


class Fold(QWidget):
    """A line of words with a chevron; its content shows when it is open.

    Signals:
        toggled: whether it is open now.
    """

    toggled = Signal(bool)

    def __init__(self, title: str, content: QWidget, *, open_: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._content = title, content
        self._button = Button(title, "quiet", clicked=lambda: self.set_open(self._content.isHidden()))
        self._button.setStyleSheet("text-align: left; padding: 0 4px 0 0; margin-left: -4px;")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._button)
        column.addWidget(content)
        content.setVisible(open_)
        self._show_state()

    def is_open(self) -> bool:
        """Whether the content shows."""
        return not self._content.isHidden()

    def set_open(self, open_: bool) -> None:
        """Open or close it."""
        if open_ == self.is_open():
            return
        self._content.setVisible(open_)
        self._show_state()
        self.toggled.emit(open_)

    def set_title(self, title: str) -> None:
        """Change the words."""
        self._title = title
        self._show_state()

    def _show_state(self) -> None:
        self._button.setIcon(icon("chevron-down" if self.is_open() else "chevron-right", "muted"))
        self._button.setText(self._title)
        state = self.tr("open") if self.is_open() else self.tr("closed")
        self._button.setAccessibleName(f"{self._title}, {state}")
