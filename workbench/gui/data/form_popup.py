"""The settings that are seldom needed, in a small window over the button that asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui.document import Document
from workbench.gui.forms.binding import Binding
from workbench.gui.forms.form import Form
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import ElidedLabel, Label
from workbench.recipe.fields import Frozen

_WIDTH = 340


@dataclass(frozen=True)
class Act:
    """A button of the window: its words, what it does, and whether it can."""

    text: str
    do: Callable[[], object]
    enabled: bool = True


class FormPopup(QFrame):
    """A form of one model of the document, and buttons for what can be done with it as a whole.

    Args:
        title: whose settings they are; may come from data.
        about: a sentence; may be empty.
        document: where the model stands.
        path: of the model in the recipe.
        model: its type.
        fields: those that are shown.
        acts: each closes the window and then acts; the last one stands at the right.
    """

    def __init__(
        self,
        title: str,
        about: str,
        document: Document,
        path: str,
        model: type[Frozen],
        fields: Sequence[str],
        acts: Sequence[Act],
        parent: QWidget,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("look", "card")
        self.form = Form(model, only=fields, expert=True)
        self._binding = Binding(self.form, document, path)
        name = ElidedLabel(title, "title")
        self.setAccessibleName(self.tr("Settings of {0}").format(name.text()))
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        column.addWidget(name)
        if about:
            column.addWidget(Label(about, "note", wrap=True))
        column.addWidget(self.form)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.buttons = [self._button(act) for act in acts]
        for number, button in enumerate(self.buttons):
            if number == len(acts) - 1:
                row.addStretch(1)
            row.addWidget(button)
        column.addLayout(row)
        self.setFixedWidth(_WIDTH)

    def _button(self, act: Act) -> Button:
        def run() -> None:
            # Closed first: what the form shows may be gone after it.
            self.close()
            act.do()

        button = Button(act.text, clicked=run)
        button.setEnabled(act.enabled)
        return button

    def open_below(self, anchor: QWidget) -> None:
        """Show it at a button, inside the screen."""
        self.adjustSize()
        room = anchor.screen().availableGeometry()
        corner = anchor.mapToGlobal(QPoint(anchor.width() - _WIDTH, anchor.height() + 4))
        above = anchor.mapToGlobal(QPoint(0, -4)).y() - self.height()
        y = corner.y() if corner.y() + self.height() <= room.bottom() else max(room.top(), above)
        self.move(max(room.left() + 4, min(corner.x(), room.right() - _WIDTH - 4)), y)
        self.show()
        self.form.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._binding.release()
        super().closeEvent(event)
