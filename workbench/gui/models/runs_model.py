"""The runs as a list, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.gui.document import Document
from workbench.gui.figures import percent
from workbench.gui.run_desk import RunDesk
from workbench.gui.runs.comparison import Comparison
from workbench.gui.runs.markers import Marker
from workbench.gui.runs.words import change_text, error_of, interval_of, run_name, state_text
from workbench.gui.text import safe, tip
from workbench.store.project import RunEntry

Index = QModelIndex | QPersistentModelIndex


class RunRole(IntEnum):
    """What the model says besides Qt's own roles."""

    ROW = Qt.ItemDataRole.UserRole + 1
    """A ``RunRow``."""
    NUMBER = Qt.ItemDataRole.UserRole + 2
    FILTER = Qt.ItemDataRole.UserRole + 3
    """All words of a run, to search in."""


@dataclass(frozen=True)
class RunRow:
    """What the list shows of a run.

    Attributes:
        name, state, change, error: words; ``error`` with its unit.
        interval: the ends of the error's 95 % interval; empty where it is not known.
        on: the set that the error was measured on where it is not the dev set.
        marker: its sign; without color where it is not in the plots.
        tone: ``text``, ``muted`` for a run that led to nothing, ``busy`` for one that goes on.
    """

    name: str
    state: str
    change: str
    error: str
    interval: str
    on: str
    marker: Marker
    tone: str


class RunsModel(QAbstractListModel):
    """The runs of the desk. Checked are those in the plots."""

    def __init__(
        self, document: Document, runs: RunDesk, comparison: Comparison, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._runs, self._comparison = document, runs, comparison
        self._entries: list[RunEntry] = []
        self._changes: dict[int, tuple[RunEntry, str]] = {}
        self._shown: dict[int, RunRow] = {}
        runs.listChanged.connect(self._on_list)
        runs.updated.connect(self._on_update)
        comparison.changed.connect(self._tell_all)
        self._on_list()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._entries)

    def entry(self, index: Index) -> RunEntry | None:
        """The run of a row."""
        return self._entries[index.row()] if 0 <= index.row() < len(self._entries) else None

    def index_of(self, number: int) -> QModelIndex:
        """A run's row; an invalid index where it is not listed."""
        for row, entry in enumerate(self._entries):
            if entry.number == number:
                return self.index(row, 0)
        return QModelIndex()

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable if index.isValid() else super().flags(index)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self.entry(index)
        if entry is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return run_name(entry.number)
            case Qt.ItemDataRole.CheckStateRole:
                shown = self._comparison.is_shown(entry.number)
                return Qt.CheckState.Checked if shown else Qt.CheckState.Unchecked
            case RunRole.NUMBER:
                return entry.number
            case RunRole.ROW:
                return self._row(entry)
            case RunRole.FILTER | Qt.ItemDataRole.AccessibleTextRole:
                row = self._row(entry)
                return " ".join(part for part in (row.name, row.state, row.change, row.on, row.error) if part)
            case Qt.ItemDataRole.ToolTipRole:
                return self._tip(entry)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        entry = self.entry(index)
        if entry is None or role != Qt.ItemDataRole.CheckStateRole:
            return False
        self._comparison.toggle(entry.number)
        return True

    def _row(self, entry: RunEntry) -> RunRow:
        number, runs = entry.number, self._runs
        curves = runs.curves_if_known(number)
        live = runs.is_live(number)
        error, on = error_of(entry, curves)
        tone = "busy" if live else "text" if entry.ended_well and entry.status != "stopped" else "muted"
        row = RunRow(
            run_name(number),
            state_text(runs, entry, curves),
            self._change(entry),
            percent(error) if error is not None else "",
            _ends(interval_of(entry)),
            on if on != "dev" else "",
            self._comparison.marker(number),
            tone,
        )
        self._shown[number] = row
        return row

    def _change(self, entry: RunEntry) -> str:
        """Putting a change into words takes a while: once for each run."""
        known = self._changes.get(entry.number)
        if known is None or (known[0].folder, known[0].changes) != (entry.folder, entry.changes):
            known = self._changes[entry.number] = entry, change_text(entry, self._document.recipe)
        return known[1]

    def _tip(self, entry: RunEntry) -> str:
        row = self._row(entry)
        lines = [f"{row.name} {row.state}".strip(), row.change]
        if row.error:
            span = f" ({row.interval})" if row.interval else ""
            lines.append(self.tr("{0} error {1}").format(row.on or self.tr("dev"), row.error) + span)
        if entry.linked:
            lines.append(self.tr("Its folder is {0}.").format(safe(entry.folder)))
        return tip("\n".join([*lines, *([entry.message] if entry.message else [])]))

    def _on_list(self) -> None:
        new = list(reversed(self._runs.entries))
        numbers, before = [entry.number for entry in new], [entry.number for entry in self._entries]
        added = len(numbers) - len(before)
        if numbers == before:
            self._entries = new
            self._tell_all()
        elif added > 0 and numbers[added:] == before:
            self.beginInsertRows(QModelIndex(), 0, added - 1)
            self._entries = new
            self.endInsertRows()
            self._tell_all()
        else:
            self.beginResetModel()
            self._entries = new
            self.endResetModel()

    def _tell_all(self) -> None:
        if self._entries:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._entries) - 1, 0))

    def _on_update(self, number: int) -> None:
        """A run says something thirty times a second; most of it changes nothing in the list."""
        before, index = self._shown.get(number), self.index_of(number)
        entry = self.entry(index)
        if entry is not None and self._row(entry) != before:
            self.dataChanged.emit(index, index)


def _ends(interval: tuple[float, float] | None) -> str:
    """``3.1–4.2``, in percent."""
    return "" if interval is None else "–".join(f"{100 * end:.1f}" for end in interval)
