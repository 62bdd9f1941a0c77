"""A table of ready cells: figures that were worked out before, each with what it is sorted by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.gui.text import safe, tip
from workbench.gui.widgets.table import CellRole

Index = QModelIndex | QPersistentModelIndex
KEY_ROLE = Qt.ItemDataRole.UserRole
"""What a row stands for: whatever its first cell has as ``key``."""
_ROOT = QModelIndex()


@dataclass(frozen=True)
class Heading:
    """A column's head: its words, whether it holds numbers, what it means."""

    text: str
    right: bool = False
    tip: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: what it shows; may come from data.
        key: what it is sorted by; the text where None and ``unknown`` is not set.
        tone: a tone of ``CellRole.TONE``.
        strong: whether it is semibold.
        tip: its tool tip.
        unknown: whether there is no value: sorted last.
    """

    text: str
    key: Any = None
    tone: str = "text"
    strong: bool = False
    tip: str = ""
    unknown: bool = False


Cells = tuple[Cell, ...]


class RowsModel(QAbstractTableModel):
    """Rows of cells; sorts itself, what is unknown last."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._headings: tuple[Heading, ...] = ()
        self._rows: list[Cells] = []
        self._sorted_by: tuple[int, Qt.SortOrder] | None = None

    def show(self, headings: Sequence[Heading], rows: Sequence[Cells]) -> None:
        """Show other rows, sorted as before where the columns are the same."""
        if (tuple(headings), list(rows)) == (self._headings, self._rows):
            return
        self.beginResetModel()
        if len(headings) != len(self._headings):
            self._sorted_by = None
        self._headings, self._rows = tuple(headings), list(rows)
        if self._sorted_by:
            self._rows = self._in_order(*self._sorted_by)
        self.endResetModel()

    def row(self, number: int) -> Cells:
        """The cells of a row."""
        return self._rows[number]

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._headings)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Vertical or not 0 <= section < len(self._headings):
            return None
        heading = self._headings[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return safe(heading.text)
            case Qt.ItemDataRole.ToolTipRole:
                return heading.tip or None
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(heading)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        cell = self._rows[index.row()][index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return safe(cell.text)
            case Qt.ItemDataRole.ToolTipRole:
                return tip(cell.tip) if cell.tip else None
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(self._headings[index.column()])
            case CellRole.TONE:
                return cell.tone
            case CellRole.STRONG:
                return cell.strong
        return cell.key if role == KEY_ROLE else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if not 0 <= column < len(self._headings):
            return
        self._sorted_by = column, order
        self.layoutAboutToBeChanged.emit()
        before, kept = self._rows, self.persistentIndexList()
        self._rows = self._in_order(column, order)
        place = {id(row): number for number, row in enumerate(self._rows)}
        for old in kept:
            self.changePersistentIndex(old, self.index(place[id(before[old.row()])], old.column()))
        self.layoutChanged.emit()

    def _in_order(self, column: int, order: Qt.SortOrder) -> list[Cells]:
        known = [row for row in self._rows if not row[column].unknown]
        unknown = [row for row in self._rows if row[column].unknown]
        return sorted(known, key=lambda row: _key(row[column]), reverse=order == Qt.SortOrder.DescendingOrder) + unknown


def _key(cell: Cell) -> Any:
    return cell.text.lower() if cell.key is None or isinstance(cell.key, tuple) else cell.key


def _alignment(heading: Heading) -> int:
    side = Qt.AlignmentFlag.AlignRight if heading.right else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
