"""The bars at the top and the bottom of the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QSizePolicy, QWidget

from workbench.gui.theme import color, tokens
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import ElidedLabel, Label
from workbench.gui.widgets.painting import box, painter_on
from workbench.gui.widgets.status_pill import StatusPill
from workbench.gui.widgets.step_bar import StepBar

_SIDE = 16


class Logo(QWidget):
    """The sign of the program: a mark in a square, as the desktop's icon."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(20, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        box(painter, QRectF(0, 0, 20, 20), 5, fill=colors.accent)
        painter.setPen(QPen(color(colors.on_accent), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(10, 6, 10, 10)


class SearchField(QWidget):
    """Looks like a field and opens the command palette."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumWidth(140)
        self.setAccessibleName(self.tr("Search or run a command"))
        row = QHBoxLayout(self)
        row.setContentsMargins(11, 0, 11, 0)
        row.addWidget(ElidedLabel(self.tr("Search or run a command"), "muted"), 1)
        row.addWidget(Label(self.tr("Ctrl K"), "muted"))

    def sizeHint(self) -> QSize:
        return QSize(260, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, focused = tokens(), self.hasFocus()
        box(
            painter_on(self), QRectF(self.rect()), 6, fill=colors.window if not colors.dark else colors.panel,
            line=colors.accent if focused else colors.line, width=2 if focused else 1,
        )  # fmt: skip

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()

    def keyPressEvent(self, event: object) -> None:
        key = getattr(event, "key", lambda: 0)()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]


class TopBar(QFrame):
    """Sign and name, the steps, the search field, the device."""

    def __init__(self, name: str, steps: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "bar-top")
        self.setFixedHeight(48)
        self.steps, self.search, self.device = StepBar(steps), SearchField(), StatusPill()
        row = QHBoxLayout(self)
        row.setContentsMargins(_SIDE, 0, _SIDE, 1)
        row.setSpacing(0)
        row.addWidget(Logo())
        row.addSpacing(8)
        self.name = Button(name, "menu", tip=self.tr("Menu"))
        self.name.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        row.addWidget(self.name)
        row.addSpacing(12)
        row.addWidget(self.steps)
        row.addStretch(1)
        row.addSpacing(12)
        row.addWidget(self.search)
        row.addSpacing(16)
        row.addWidget(self.device)

    def set_menu(self, menu: QMenu) -> None:
        """Let the name open a menu."""
        self.name.set_menu(menu)


class BottomBar(QFrame):
    """What just happened at the left; estimates and the screen's one accent button at the right.

    ``middle`` and ``right`` are rows for further widgets: a progress bar, Pause, Stop.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "bar-bottom")
        self.setFixedHeight(44)
        self._left, self._note = ElidedLabel("", "muted"), ElidedLabel("", "muted")
        self._left.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.action = Button("", "primary")
        self.action.hide()
        self.middle, self.right = QHBoxLayout(), QHBoxLayout()
        self.right.setSpacing(8)
        row = QHBoxLayout(self)
        row.setContentsMargins(_SIDE, 1, _SIDE, 0)
        row.setSpacing(12)
        # The message takes all the room there is; without one, what stands in the middle begins at the left.
        row.addWidget(self._left, 1000)
        row.addLayout(self.middle)
        row.addStretch(1)
        row.addWidget(self._note)
        row.addLayout(self.right)
        row.addWidget(self.action)

    def set_message(self, text: str) -> None:
        """What just happened."""
        self._left.set_name(text)
        self._left.setVisible(bool(text))

    def set_note(self, text: str) -> None:
        """Estimates, beside the button."""
        self._note.set_name(text)

    def set_action(self, text: str, *, accent: bool = True) -> None:
        """The words of the button; empty hides it.

        Args:
            text: what it says.
            accent: whether it is the one thing to do now; a plain button where the page has a better offer.
        """
        self.action.setText(text)
        self.action.setVisible(bool(text))
        look = "primary" if accent else "secondary"
        if self.action.property("look") != look:
            self.action.setProperty("look", look)
            self.action.style().unpolish(self.action)
            self.action.style().polish(self.action)
