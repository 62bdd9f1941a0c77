"""All examples as a table of their raw values; nothing is read before it is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.data.content import Array
from workbench.gui.data.examples import Examples
from workbench.gui.figures import DASH, grouped
from workbench.gui.text import safe, tip
from workbench.gui.widgets.table import CellRole

Index = QModelIndex | QPersistentModelIndex
NUMBER, SET, STRENGTH = range(3)
OWN = 3
"""What a column shows: one of these three, or from here on a column of the data."""
_ROOT = QModelIndex()


class ExamplesModel(QAbstractTableModel):
    """A row an example: its number, what is predicted, its set and strength, then the other values, all as read."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._examples: Examples | None = None
        self._rows: Array = np.zeros(0, np.int64)
        self._shown: tuple[int, ...] = ()

    def show(self, examples: Examples | None, rows: Array) -> None:
        """Show some of the examples, by row number from 0."""
        self.beginResetModel()
        self._examples, self._rows = examples, rows
        self._shown = _order(examples) if examples else (NUMBER, SET, STRENGTH)
        self.endResetModel()

    def update_examples(self, examples: Examples) -> None:
        """Take over other strengths and sets of the same rows."""
        self._examples = examples
        if len(self._rows):
            first, last = self.section_of(SET), self.section_of(STRENGTH)
            self.dataChanged.emit(self.index(0, first), self.index(len(self._rows) - 1, last))

    def section_of(self, shown: int) -> int:
        """Where something is shown: ``NUMBER``, ``SET``, ``STRENGTH``, or ``OWN`` and the number of a column."""
        return self._shown.index(shown)

    def shown_at(self, section: int) -> int:
        """What is shown there."""
        return self._shown[section]

    @property
    def examples(self) -> Examples | None:
        """What is shown some of."""
        return self._examples

    @property
    def rows(self) -> Array:
        """The row numbers that are shown, from 0."""
        return self._rows

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Vertical or not 0 <= section < len(self._shown):
            return None
        shown = self._shown[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(shown)
        if role == Qt.ItemDataRole.ToolTipRole:
            predicted = self._examples is not None and shown - OWN in self._examples.targets
            return tip(f"{self._header(shown)}: {self.tr('predicted')}" if predicted else self._header(shown))
        return self._header(shown) if role == Qt.ItemDataRole.DisplayRole else None

    def _header(self, shown: int) -> str:
        if self._examples is not None and shown >= OWN:
            return safe(self._examples.content.names[shown - OWN])
        return (self.tr("row"), self.tr("set"), self.tr("strength"))[shown]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self._examples is None or not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = int(self._rows[index.row()]), self._shown[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(self._examples, row, column)
            case Qt.ItemDataRole.ToolTipRole if column >= OWN:
                text = self._text(self._examples, row, column)
                return text if len(text) > 12 else None
            case Qt.ItemDataRole.TextAlignmentRole:
                return self._alignment(column)
            case CellRole.TONE:
                return self._tone(self._examples, row, column)
        return None

    def _text(self, examples: Examples, row: int, column: int) -> str:
        if column == NUMBER:
            return grouped(row + 1)
        if column == SET:
            return examples.set_name(row) or DASH
        if column == STRENGTH:
            return f"{float(examples.strengths[row]):.4g}"
        return safe(examples.content.columns[column - OWN].text(row)) or DASH

    def _tone(self, examples: Examples, row: int, column: int) -> str:
        if column in (NUMBER, SET):
            return "muted"
        if column == STRENGTH:
            return "faint" if examples.strengths[row] == 1 else "accent"
        return "text"

    def _alignment(self, column: int) -> int:
        number = column in (NUMBER, STRENGTH)
        if self._examples is not None and column >= OWN:
            number = self._examples.content.columns[column - OWN].type == "number"
        side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
        return int(side | Qt.AlignmentFlag.AlignVCenter)


def _order(examples: Examples) -> tuple[int, ...]:
    """What is predicted stands before everything else: in a wide table it would be out of sight."""
    others = (place for place in range(len(examples.content.columns)) if place not in examples.targets)
    return (NUMBER, *(OWN + place for place in examples.targets), SET, STRENGTH, *(OWN + place for place in others))
