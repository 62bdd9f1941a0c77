"""The figures of each class or label: as many columns as there is room for, the names never squeezed away."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from workbench.evaluation.intervals import Estimate
from workbench.evaluation.predictions import THRESHOLD
from workbench.export.report.text import fixed
from workbench.gui.figures import DASH, SPACE, grouped, percent
from workbench.gui.results.rows_model import RowsModel
from workbench.gui.results.views import SetView
from workbench.gui.text import safe, tip
from workbench.gui.widgets.table import SIDE, CellDelegate, Table

Index = QModelIndex | QPersistentModelIndex
NAME, SUPPORT, ERROR, PRECISION, RECALL, F1, AUC = range(7)
_BESIDE = 4
"""Pixels beside a number: half of what other tables have, for the sake of the names."""
_FULL = {SUPPORT: 66, ERROR: 62, PRECISION: 70, RECALL: 62, F1: 62, AUC: 48}
_SHORT = {SUPPORT: 46, ERROR: 38, PRECISION: 38, RECALL: 40, F1: 38, AUC: 38}
_NAME, _SHORT_NAME = 110, 84
"""What a name gets at least, beside full and beside short figures."""
_GIVEN_UP = (SUPPORT, AUC, PRECISION, RECALL)
"""What makes room first where there is little; the tip of a name tells all."""


class ClassesModel(RowsModel):
    """The figures of each class or label, with the intervals as tips. Short ones do without their units."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: SetView | None = None
        self._classes: list[str] = []
        self._short = False
        self._name_columns()

    def show_view(self, view: SetView | None) -> None:
        """Show another set."""
        self.beginResetModel()
        self._view, self._classes = view, list(view.by_class) if view else []
        self._name_columns()
        self.endResetModel()

    def set_short(self, short: bool) -> None:
        """Write short figures, or full ones."""
        if short != self._short:
            self._short = short
            self._name_columns()
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.names) - 1)
            if self._classes:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self._classes) - 1, len(self.names) - 1))

    @property
    def labels(self) -> bool:
        """Whether these are labels, of which each has an error of its own."""
        return self._view is not None and self._view.labels

    def _name_columns(self) -> None:
        first = (self.tr("class"), self.tr("examples"))
        if self.labels:
            # What is said at another threshold would be another model's figures.
            first = (self.tr("label, p > {0}").format(f"{THRESHOLD:g}"), self.tr("present"))
        precision = self.tr("prec.") if self._short else self.tr("precision")
        self.names = (*first, self.tr("error"), precision, self.tr("recall"), "F1", "AUC")

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._classes)

    def text(self, row: int, column: int) -> str:
        assert self._view is not None
        name = self._classes[row]
        figures = self._view.by_class[name]
        if column == NAME:
            return safe(name)
        if column == SUPPORT:
            return grouped(round(figures.support))
        if column == AUC:
            return fixed(self._view.areas.get(name), 2 if self._short else 3)
        found = self._view.errors.get(name) if column == ERROR else None
        key = {PRECISION: "precision", RECALL: "recall", F1: "f1"}.get(column)
        share = figures.ratios[key] if key else found.value if found else None
        return _bare(share) if self._short else percent(share)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole and orientation == Qt.Orientation.Horizontal:
            return tip(self._meaning(section))
        return super().headerData(section, orientation, role)

    def _meaning(self, column: int) -> str:
        threshold = f"{THRESHOLD:g}"
        first = self.tr("A label is said to be there where its probability is above {0}.").format(threshold)
        return {
            NAME: first if self.labels else self.tr("The true class"),
            SUPPORT: self.tr("Examples that have it"),
            ERROR: self.tr("The share of examples whose label is wrong, in %"),
            PRECISION: self.tr("Of those said to have it, the share that has it, in %"),
            RECALL: self.tr("Of those that have it, the share that was found, in %"),
            F1: self.tr("The harmonic mean of precision and recall, in %"),
            AUC: self.tr("The area under the ROC curve, which no threshold is needed for"),
        }[column]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(self._tip(index.row(), index.column()))
        return super().data(index, role)

    def _tip(self, row: int, column: int) -> str:
        assert self._view is not None
        name = self._classes[row]
        figures = self._view.by_class[name]
        if column == NAME:
            return "\n".join([safe(name), self._all_of(row)])
        intervals = {ERROR: self._view.errors.get(name), PRECISION: figures.precision, RECALL: figures.recall}
        return _ends(self.tr("{0}, 95 % interval: {1} – {2}"), intervals.get(column))

    def _all_of(self, row: int) -> str:
        """Every figure of a row, also those that there is no room for."""
        short, self._short = self._short, False
        columns = range(SUPPORT, AUC + 1) if self.labels else (SUPPORT, PRECISION, RECALL, F1)
        whole = {PRECISION: self.tr("precision")}
        told = [f"{whole.get(column, self.names[column])} {self.text(row, column)}" for column in columns]
        self._short = short
        return " · ".join(told)


def _bare(share: float | None) -> str:
    """``22.2`` of 0.222: per cent without the sign, and without a decimal where all of it is meant."""
    text = percent(share).removesuffix(f"{SPACE}%")
    return "100" if text == "100.0" else text


def _ends(words: str, found: Estimate | None) -> str:
    if found is None or found.exact:
        return percent(found.value) if found else DASH
    return words.format(percent(found.value), percent(found.lower), percent(found.upper))


class ClassTable(Table):
    """``ClassesModel`` as a table that fits its columns into its width."""

    def __init__(self, name: str, model: ClassesModel, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._classes = model
        self.setModel(model)
        self.setUniformRowHeights(True)
        self.setEditTriggers(Table.EditTrigger.NoEditTriggers)
        self.setItemDelegate(CellDelegate(self, _BESIDE))
        self.setItemDelegateForColumn(NAME, CellDelegate(self, _BESIDE, left=SIDE))
        self.header().setProperty("look", "tight")
        model.modelReset.connect(self._fit)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Full figures where they leave the names room, else short ones, else fewer."""
        width = self.viewport().width()
        wanted = [column for column in _FULL if self._classes.labels or column not in (ERROR, AUC)]
        few = [column for column in wanted if column != SUPPORT]
        for sizes, columns, name in ((_FULL, wanted, _NAME), (_FULL, few, _NAME), (_SHORT, wanted, _SHORT_NAME)):
            if sum(sizes[column] for column in columns) + name <= width:
                break
        else:
            sizes, columns = _SHORT, wanted
            for gone in _GIVEN_UP:
                if sum(sizes[column] for column in columns) + _SHORT_NAME > width and gone in columns:
                    columns = [column for column in columns if column != gone]
        self._classes.set_short(sizes is _SHORT)
        for column in _FULL:
            self.setColumnHidden(column, column not in columns)
        self.size_columns({NAME: None, **{column: sizes[column] for column in columns}})
