"""Labelled values: side by side as under a plot, or below each other as in a column of costs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui.widgets.labels import ElidedLabel, Label


class FactsRow(QWidget):
    """``status``, ``epoch``, ``step``... each over its value, in columns of equal width."""

    def __init__(self, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(8)
        self._values: dict[str, ElidedLabel] = {}
        for name in names:
            column = QVBoxLayout()
            column.setSpacing(0)
            self._values[name] = ElidedLabel("—")
            column.addWidget(ElidedLabel(name, "note"))
            column.addWidget(self._values[name])
            row.addLayout(column, 1)

    def set_value(self, name: str, text: str) -> None:
        """Change one value."""
        self._values[name].set_name(text)
        self._values[name].setAccessibleName(f"{name} {text}")


class FactsList(QWidget):
    """Names at the left, values and muted notes at the right, a line each.

    Args:
        label_width: the least width of the names, in pixels.
        gap: between values and notes; little where notes are units.
    """

    def __init__(self, label_width: int = 120, *, gap: int = 4, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(gap)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, label_width)
        self._grid.setColumnStretch(2, 1)

    def set_rows(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Show (name, value, note) rows instead of what was there."""
        while item := self._grid.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        for number, (name, value, note) in enumerate(rows):
            self._grid.addWidget(Label(name, "muted"), number, 0, Qt.AlignmentFlag.AlignTop)
            shown = Label(value)
            shown.setAccessibleName(f"{name} {value} {note}".strip())
            self._grid.addWidget(shown, number, 1, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(Label(note, "muted", wrap=True), number, 2, Qt.AlignmentFlag.AlignTop)
