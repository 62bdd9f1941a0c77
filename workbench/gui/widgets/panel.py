"""Panels and cards: white, a 1-pixel line, 8-pixel corners; no frame within a frame."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from workbench.gui.widgets.labels import ElidedLabel, Label

GAP, INSIDE = 8, 12
"""Pixels between panels and inside them."""


class Panel(QFrame):
    """A panel: a head row (title, muted note, controls at the right), a body, and a foot row where one is asked for.

    The body reaches the panel's sides, as tables do; ``add(..., padded=True)`` keeps 12 pixels.
    """

    def __init__(self, title: str = "", note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # Names of its own: panels are subclassed, and a subclass has a column or a note of its own too.
        self.setProperty("look", "panel")
        self.setAccessibleName(title)
        self.__column = QVBoxLayout(self)
        self.__column.setContentsMargins(1, 1, 1, 1)
        self.__column.setSpacing(0)
        self.__title = ElidedLabel(title, "title")
        self.__title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.__note = ElidedLabel(note, "note")
        self.__note.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.__controls = QHBoxLayout()
        self.__controls.setSpacing(GAP)
        self.__column.addWidget(self._head())
        self.__body = QVBoxLayout()
        self.__body.setSpacing(GAP)
        self.__column.addLayout(self.__body, 1)
        self.__foot_frame = QFrame()
        self.__foot: QHBoxLayout | None = None

    def _head(self) -> QWidget:
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(INSIDE, 10, INSIDE, 6)
        row.setSpacing(GAP)
        row.addWidget(self.__title)
        # Empty it would take room from the controls.
        self.__title.setHidden(not self.__title.text())
        row.addWidget(self.__note, 1)
        row.addLayout(self.__controls)
        head.setMinimumHeight(44)
        head.setMaximumHeight(44)
        self.head = head
        return head

    def set_title(self, title: str) -> None:
        """Change the title."""
        self.__title.set_name(title)
        self.__title.setHidden(not title)
        self.__title.updateGeometry()
        self.setAccessibleName(self.__title.text())

    def set_note(self, note: str) -> None:
        """Change the muted words beside the title."""
        self.__note.set_name(note)

    def note(self) -> str:
        """The muted words beside the title."""
        return self.__note.text()

    def add_control(self, widget: QWidget) -> None:
        """Put a control at the right of the head row."""
        self.__controls.addWidget(widget)

    def add(self, widget: QWidget, *, stretch: int = 0, padded: bool = False) -> None:
        """Put a widget at the end of the body."""
        if not padded:
            self.__body.addWidget(widget, stretch)
            return
        row = QHBoxLayout()
        row.setContentsMargins(INSIDE, 0, INSIDE, 0)
        row.addWidget(widget)
        self.__body.addLayout(row, stretch)

    def add_space(self, pixels: int) -> None:
        """Leave some room at the end of the body."""
        self.__body.addSpacing(pixels)

    def add_stretch(self) -> None:
        """Let the rest of the body stay empty."""
        self.__body.addStretch(1)

    def add_layout(self, layout: QLayout, *, stretch: int = 0) -> None:
        """Put a layout at the end of the body."""
        self.__body.addLayout(layout, stretch)

    def foot(self) -> QHBoxLayout:
        """The row at the bottom, under a line; made at the first call."""
        if self.__foot is None:
            self.__foot_frame.setProperty("look", "foot")
            self.__foot = QHBoxLayout(self.__foot_frame)
            self.__foot.setContentsMargins(INSIDE, 10, INSIDE, 10)
            self.__foot.setSpacing(GAP)
            self.__column.addWidget(self.__foot_frame)
        return self.__foot

    def foot_frame(self) -> QFrame:
        """What holds the foot row, to show and hide it."""
        return self.__foot_frame


class Card(QFrame):
    """A small box on a panel or on the window: a knob, a sample."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(INSIDE, INSIDE, INSIDE, INSIDE)
        self.column.setSpacing(4)


class Scroll(QScrollArea):
    """What is too high for its panel scrolls; never sideways.

    Args:
        content: what scrolls.
        least: the least width; what the content needs now where it is 0. Given for content that arranges itself anew.
    """

    def __init__(self, content: QWidget, *, least: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content, self._least = content, least
        content.setProperty("look", "clear")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setWidget(content)
        # The viewport's own background would hide the panel's.
        self.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)

    def minimumSizeHint(self) -> QSize:
        # As it never scrolls sideways, it must be as wide as its content needs.
        return QSize(self._least or self._content.minimumSizeHint().width() + 10, 64)


def heading(text: str, note: str = "") -> QWidget:
    """A title within a panel's body, with muted words beside it."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 8, 0, 0)
    row.setSpacing(GAP)
    row.addWidget(Label(text, "strong"))
    row.addWidget(ElidedLabel(note, "note"), 1)
    return holder
