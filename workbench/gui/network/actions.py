"""The commands on the selected layer, with their keys; one set for the table, the diagram and the menu."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from workbench.gui.icons import icon
from workbench.gui.network.editor import NetworkEditor


class LayerActions(QObject):
    """Actions on layers. ``attach`` makes their keys work while a widget has the focus.

    Args:
        editor: what they act through.
        places: the places of the selected layers.
        start_rename: opens the field for the name.
    """

    def __init__(
        self,
        editor: NetworkEditor,
        places: Callable[[], list[int]],
        start_rename: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._places = editor, places
        self.duplicate = self._action(self.tr("Duplicate"), "Ctrl+D", "duplicate", self._duplicate)
        self.remove = self._action(self.tr("Delete"), "Del", "trash", lambda: editor.remove(places()))
        self.up = self._action(self.tr("Move up"), "Alt+Up", "arrow-up", lambda: self._move(-1))
        self.down = self._action(self.tr("Move down"), "Alt+Down", "arrow-down", lambda: self._move(1))
        self.freeze = self._action(self.tr("Freeze"), "F", "freeze", lambda: self._toggle("frozen"))
        self.enable = self._action(self.tr("Turn off"), "O", "enabled", lambda: self._toggle("enabled"))
        self.rename = self._action(self.tr("Rename"), "F2", "", start_rename)

    def all(self) -> tuple[QAction, ...]:
        """In the order of the menu."""
        return (self.duplicate, self.remove, self.up, self.down, self.freeze, self.enable, self.rename)

    def attach(self, widget: QWidget) -> None:
        """Let the keys work in a widget."""
        widget.addActions(list(self.all()))

    def menu(self, parent: QWidget) -> QMenu:
        """The actions as a menu that knows the state of the selected layer."""
        menu = QMenu(parent)
        for number, action in enumerate(self.all()):
            if number in (2, 4, 6):
                menu.addSeparator()
            menu.addAction(action)
        menu.aboutToShow.connect(self.update_state)
        return menu

    def update_state(self) -> None:
        """Name and enable what fits the selected layer."""
        place, layers = self._editor.place(), self._editor.layers
        for action in self.all():
            action.setEnabled(place >= 0)
        if place >= 0:
            self.freeze.setText(self.tr("Unfreeze") if layers[place].frozen else self.tr("Freeze"))
            self.enable.setText(self.tr("Turn off") if layers[place].enabled else self.tr("Turn on"))
            self.up.setEnabled(place > 0)
            self.down.setEnabled(place < len(layers) - 1)

    def _action(self, text: str, key: str, picture: str, run: Callable[[], None]) -> QAction:
        action = QAction(text, self)
        if picture:
            action.setIcon(icon(picture, "muted"))
        action.setShortcut(QKeySequence(key))
        # With the focus only: letters are typed in forms, and other panels have a Ctrl+D of their own.
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(lambda: run())
        return action

    def _duplicate(self) -> None:
        if self._editor.place() >= 0:
            self._editor.duplicate(self._editor.place())

    def _move(self, by: int) -> None:
        place = self._editor.place()
        if place >= 0:
            self._editor.move(place, place + by)

    def _toggle(self, flag: str) -> None:
        for place in self._places():
            self._editor.toggle(place, flag)
        self.update_state()
