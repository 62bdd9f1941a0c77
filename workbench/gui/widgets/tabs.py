"""Choices side by side where there is room, in a drop-down list where there is not."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.segmented import Segmented


class Tabs(QWidget):
    """A ``Segmented`` that can be folded into a ``Combo``.

    Signals:
        valueChanged: the key that the user took.
    """

    valueChanged = Signal(object)

    def __init__(self, options: Sequence[tuple[object, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.wide, self.narrow = Segmented(), Combo()
        self.narrow.setFixedWidth(112)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for part in (self.wide, self.narrow):
            row.addWidget(part)
            part.valueChanged.connect(self._take)
        self.narrow.hide()
        self.set_options(options)

    def set_name(self, name: str) -> None:
        """What is chosen, for assistive tools."""
        self.wide.setAccessibleName(name)
        self.narrow.setAccessibleName(name)

    def set_options(self, options: Sequence[tuple[object, str]]) -> None:
        """Show other choices; the first is taken."""
        self.wide.set_options(options)
        self.narrow.set_options(options)
        if options:
            self.setValue(options[0][0])

    def set_narrow(self, narrow: bool) -> None:
        """Fold it, or lay it out again."""
        if narrow == self.narrow.isHidden():
            self.wide.setVisible(not narrow)
            self.narrow.setVisible(narrow)

    def wanted(self) -> int:
        """The width that it needs laid out."""
        return self.wide.sizeHint().width()

    def value(self) -> object:
        """The key of what is taken."""
        return self.wide.value()

    def setValue(self, key: object) -> None:
        """Take a choice, silently."""
        self.wide.setValue(key)
        if key in self.narrow.offered():
            self.narrow.setValue(key)

    def _take(self, key: object) -> None:
        self.setValue(key)
        self.valueChanged.emit(key)
