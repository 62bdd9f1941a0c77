"""What was tried so far, as a table: each change with what it moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QWidget

from workbench.diagnosis.compare import Move
from workbench.diagnosis.context import Tried
from workbench.gui.diagnose import words
from workbench.gui.figures import DASH
from workbench.gui.run_desk import RunResult
from workbench.gui.text import safe, tip
from workbench.gui.widgets.table import CellRole, Table
from workbench.store.project import RunEntry

Index = QModelIndex | QPersistentModelIndex
_TONES = {"better": "good", "worse": "warning", "same": "muted", "unknown": "faint"}
_RIGHT = int(Qt.AlignmentFlag.AlignRight)


@dataclass(frozen=True)
class TriedRow:
    """A try.

    Attributes:
        run: its number.
        where: ``1 → 2``: parent and run.
        change: in plain words.
        moves: by name, where it is known.
        tip: everything that moved, with intervals.
    """

    run: int
    where: str
    change: str
    moves: dict[str, Move]
    tip: str


def tried_rows(result: RunResult) -> tuple[TriedRow, ...]:
    """All tries of a run's line of ancestors and their children, the latest first."""
    return tuple(_row(entry, tried, result) for entry, tried in reversed(result.tried))


def _row(entry: RunEntry, tried: Tried, result: RunResult) -> TriedRow:
    change = safe(words.change_of(result.recipe, entry.changes[0]))
    moves = {move.name: move for move in tried.effect.moves}
    return TriedRow(
        entry.number, f"{entry.parent} → {entry.number}", change, moves, f"{change}\n\n{words.effect_tip(tried)}"
    )


class TriedModel(QAbstractTableModel):
    """Run, change, and the moves of bias, variance and dev error; of the training error where bias is not known."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[TriedRow, ...] = ()
        self._measured = ("bias", "variance", "dev")

    def set_rows(self, rows: Sequence[TriedRow]) -> None:
        """Show other tries."""
        self.beginResetModel()
        self.rows = tuple(rows)
        first = "bias" if any("bias" in row.moves for row in self.rows) else "train"
        self._measured = (first, "variance", "dev")
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else 2 + len(self._measured)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            first = self.tr("Bias") if self._measured[0] == "bias" else self.tr("Train")
            return [self.tr("Runs"), self.tr("Change"), first, self.tr("Variance"), self.tr("Dev")][section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section > 1:
            return _RIGHT | int(Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        move = row.moves.get(self._measured[column - 2]) if column > 1 else None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return (row.where, row.change)[column] if column < 2 else words.before_after(move) if move else DASH
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if column > 1 else None
            case Qt.ItemDataRole.ToolTipRole:
                return tip(row.tip)
            case CellRole.TONE:
                return ("muted", "text")[column] if column < 2 else _TONES[move.direction if move else "unknown"]
            case CellRole.STRONG:
                return move is not None and move.direction in ("better", "worse")
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{words.move_line(move)} ({move.direction})" if move else None
        return None


class TriedTable(Table):
    """The tries; a double click or Enter leads to the run.

    Signals:
        runAsked: the number of a run to be looked at.
    """

    runAsked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("What was tried so far"), parent)
        self.tries = TriedModel(self)
        self.setModel(self.tries)
        self.size_columns({0: 60, 1: None, 2: 104, 3: 104, 4: 104})
        self.setEditTriggers(Table.EditTrigger.NoEditTriggers)
        self.activated.connect(lambda index: self.runAsked.emit(self.tries.rows[index.row()].run))
