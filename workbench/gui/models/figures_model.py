"""The numbers behind a plot as a table."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.gui.plots.figures import Figures
from workbench.gui.text import safe

Index = QModelIndex | QPersistentModelIndex
_NONE = Figures(("",), np.empty(0), np.empty((0, 0)))


class FiguresModel(QAbstractTableModel):
    """``Figures``, the last position first: of a run that goes on, the newest numbers stand at the top."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._figures = _NONE

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self._figures.columns

    def show_figures(self, figures: Figures) -> None:
        """Show other ones."""
        if figures.columns == self._figures.columns and len(figures.x) == len(self._figures.x):
            self._figures = figures
            self.dataChanged.emit(self.index(0, 0), self.index(len(figures.x) - 1, len(figures.columns) - 1))
            return
        self.beginResetModel()
        self._figures = figures
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._figures.x)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._figures.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        row = len(self._figures.x) - 1 - index.row()
        value = self._figures.x[row] if index.column() == 0 else self._figures.values[row, index.column() - 1]
        return f"{float(value):.6g}" if isfinite(value) else ""

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return safe(self._figures.columns[section])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None
