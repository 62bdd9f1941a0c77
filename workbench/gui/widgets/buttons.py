"""Buttons, 28 pixels high. One ``primary`` button a screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from workbench.gui.icons import icon

Look = Literal["secondary", "primary", "quiet", "link", "menu"]


_TARGET = 24
"""Pixels: the smallest thing to be clicked."""


class Button(QPushButton):
    """A button in one of the window's looks.

    Args:
        text: its words.
        look: ``primary`` (accent), ``secondary`` (line), ``quiet`` (muted, without a line) or ``link``.
        icon_name: a name of ``icons.NAMES``, before the text.
        clicked: called without arguments.
        tip: its tool tip, and its accessible name where there is no text.
    """

    def __init__(
        self,
        text: str = "",
        look: Look = "secondary",
        *,
        icon_name: str = "",
        clicked: Callable[[], object] | None = None,
        tip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setProperty("look", look)
        # By Tab only: a ring around what was just clicked says nothing.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if look == "link" else Qt.CursorShape.ArrowCursor)
        self.setAutoDefault(False)
        if icon_name:
            self.setIcon(
                icon(icon_name, {"primary": "on_accent", "quiet": "muted", "link": "accent"}.get(look, "text"))
            )
            self.setIconSize(QSize(16, 16))
        if icon_name and not text:
            self.setFixedWidth(28)
            self.setStyleSheet("padding: 0;")
            self.setAccessibleName(tip)
        if tip:
            self.setToolTip(tip)
        if clicked:
            self.clicked.connect(lambda: clicked())

    def sizeHint(self) -> QSize:
        # Wide enough to be hit. As a style's min-width this would let layouts squeeze longer words, too.
        return super().sizeHint().expandedTo(QSize(_TARGET, 0))

    def minimumSizeHint(self) -> QSize:
        return super().minimumSizeHint().expandedTo(QSize(_TARGET, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Qt takes Enter for buttons in dialogs only.
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)

    def set_menu(self, menu: QMenu) -> None:
        """Open a menu below the button when it is pressed."""
        self.setMenu(menu)
