"""The columns of the data as a table: type, role, values by class, missing ones, strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.data.profile import ColumnProfile
from workbench.gui.data.editor import DataEditor
from workbench.gui.data.roles import Role, role_of, strength_of
from workbench.gui.data_desk import DataDesk, DataState
from workbench.gui.figures import DASH, grouped, short
from workbench.gui.parsing import parse_number
from workbench.gui.text import safe, wrapped
from workbench.gui.widgets.table import CellRole
from workbench.recipe.data import ColumnType

Index = QModelIndex | QPersistentModelIndex
NAME, TYPE, ROLE, VALUES, MISSING, STRENGTH = range(6)
ROW_FACTS = Qt.ItemDataRole.UserRole + 20
"""The row's ``ColumnFacts``, for what is painted and not written."""
_ROOT = QModelIndex()
_SHOWN_CLASSES = 6


@dataclass(frozen=True, eq=False)
class ColumnFacts:
    """A row.

    Attributes:
        profile: of the column.
        type: as the recipe says, where it says so already.
        role: as the recipe has it.
        strength: of an attribute; None for columns that are none.
        rows: how many examples there are.
        classes: how many classes the values are told apart by; 0 where they are not.
    """

    profile: ColumnProfile
    type: ColumnType
    role: Role
    strength: float | None
    rows: int
    classes: int

    @property
    def name(self) -> str:
        """The column's name."""
        return self.profile.name

    @property
    def adjustable(self) -> bool:
        """Whether it has a strength that a slider changes."""
        return self.strength is not None


class ColumnsModel(QAbstractTableModel):
    """A row a column, in the order of the data. Strengths can be typed in."""

    def __init__(self, editor: DataEditor, desk: DataDesk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editor, self._desk = editor, desk
        self._rows: list[ColumnFacts] = []
        self._headers = (
            self.tr("column"),
            self.tr("type"),
            self.tr("role"),
            self.tr("values by class"),
            self.tr("missing"),
            self.tr("strength"),
        )
        desk.changed.connect(self.update_rows)
        editor.document.recipeChanged.connect(self.update_rows)
        self.update_rows()

    def facts(self, row: int) -> ColumnFacts:
        """A row."""
        return self._rows[row]

    def place(self, name: str) -> int:
        """A column's row; -1 where there is none."""
        return next((row for row, facts in enumerate(self._rows) if facts.name == name), -1)

    def update_rows(self) -> None:
        """Take the columns over from the data, and what they are for from the document."""
        rows = self._facts(self._desk.state) if self._desk.state else []
        if [row.name for row in rows] != [row.name for row in self._rows]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
        elif rows:
            self._rows = rows
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, STRENGTH))

    def _facts(self, state: DataState) -> list[ColumnFacts]:
        data, content = self._editor.recipe, state.content
        classes = len(state.profile.classes) if data.task == "classification" else 0
        found = []
        for profile in state.profile.columns:
            role = role_of(data, content, profile.name)
            strength = strength_of(data, profile.name) if role in ("feature", "left out") else None
            kind = data.columns.get(profile.name, profile.type)
            # The target's own classes are what it is: one bar a class, nothing to compare.
            told = classes if 0 < classes <= _SHOWN_CLASSES and role != "target" else 0
            found.append(ColumnFacts(profile, kind, role, strength, content.rows, told))
        return found

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._headers)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Vertical or not 0 <= section < len(self._headers):
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        by_class = section != VALUES or any(facts.classes for facts in self._rows)
        return self._headers[section] if by_class else self.tr("values")

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        facts, column = self._rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(facts, column)
            case Qt.ItemDataRole.EditRole if column == STRENGTH and facts.adjustable:
                return f"{facts.strength:g}"
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ToolTipRole:
                return self._tip(facts, column)
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(facts) if column == NAME else self._text(facts, column)
            case CellRole.TONE:
                return self._tone(facts, column)
            case CellRole.STRONG:
                return column == NAME
        return facts if role == ROW_FACTS else None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if index.column() != STRENGTH or role != Qt.ItemDataRole.EditRole:
            return False
        try:
            strength = float(parse_number(str(value)))
        except ValueError as error:
            self._editor.failed.emit(self.tr("The strength {0}.").format(error))
            return False
        self._editor.set_strength(self._rows[index.row()].name, strength)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        editable = index.isValid() and index.column() == STRENGTH and self._rows[index.row()].adjustable
        return flags | Qt.ItemFlag.ItemIsEditable if editable else flags

    def _text(self, facts: ColumnFacts, column: int) -> str:
        match column:
            case 0:
                return safe(facts.name)
            case 1:
                return facts.type
            case 2:
                return facts.role
            case 4:
                return grouped(facts.profile.missing)
            case 5:
                return DASH if facts.strength is None else f"{facts.strength:.2f}"
        return ""

    def _tone(self, facts: ColumnFacts, column: int) -> str:
        if column == TYPE:
            return "muted"
        if column == MISSING:
            return "warning" if facts.profile.missing else "muted"
        return "faint" if column == NAME and facts.role in ("left out", "not used") else "text"

    def _tip(self, facts: ColumnFacts, column: int) -> str:
        match column:
            case 0:
                return wrapped(safe(facts.name)) if len(facts.name) > 24 else ""
            case 1:
                return self.tr("Read as number or category")
            case 2:
                return self.tr("What the column is for")
            case 3:
                return wrapped(self.values_text(facts))
            case 5 if facts.adjustable:
                return self.tr("Its normalized values are multiplied by this; 0 leaves it out")
        return ""

    def values_text(self, facts: ColumnFacts) -> str:
        """The values in a sentence, as the little picture has no numbers."""
        profile, distinct = facts.profile, grouped(facts.profile.distinct)
        if profile.top:
            most = ", ".join(f"{safe(top.name)[:24]} {grouped(top.count)}" for top in profile.top[:4])
            return self.tr("{0} different: {1}").format(distinct, most + (" …" if profile.distinct > 4 else ""))
        if profile.low is None or profile.high is None or profile.mean is None:
            return self.tr("no values")
        spread = (self.tr("from {0} to {1}"), self.tr("mean {0}"), self.tr("deviation {0}"), self.tr("{0} different"))
        values = ((profile.low, profile.high), (profile.mean,), (profile.deviation or 0.0,))
        told = [words.format(*map(short, part)) for words, part in zip(spread, values, strict=False)]
        return ", ".join([*told, spread[3].format(distinct)])

    def _spoken(self, facts: ColumnFacts) -> str:
        words = [safe(facts.name), facts.type, facts.role, self.values_text(facts)]
        if facts.profile.missing:
            words.append(self.tr("{0} missing").format(grouped(facts.profile.missing)))
        if facts.strength is not None:
            words.append(self.tr("strength {0}").format(f"{facts.strength:.2f}"))
        return ", ".join(words)


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignRight if column == MISSING else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
