"""The message above the pages: errors that arose nowhere in particular, and questions that need no dialog."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from workbench.errors import WorkbenchError
from workbench.gui.widgets.message import InlineMessage, Kind


class Notice(InlineMessage):
    """A message that can be put away, and that may offer one thing to do."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(closable=True, parent=parent)
        self._do: Callable[[], object] | None = None
        self.actionClicked.connect(self._take_offer)
        self.closed.connect(self._forget)
        self.hide()

    def offer(self, kind: Kind, title: str, text: str, action: str, do: Callable[[], object]) -> None:
        """Say something and offer to do something about it; the message goes away with the click."""
        self.set_message(kind, title, text, action=action)
        self._do = do
        self.show()

    def tell(self, error: WorkbenchError) -> None:
        """Show an error."""
        self._forget()
        self.show_error(error)

    def put_away(self) -> None:
        """Say nothing any more."""
        self._forget()
        self.hide()

    def _take_offer(self) -> None:
        do = self._do
        self.put_away()
        if do is not None:
            do()

    def _forget(self) -> None:
        self._do = None
