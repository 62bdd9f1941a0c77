"""The table of all examples' raw values."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QRect, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyleOptionViewItem, QTableView, QWidget

from workbench.data.content import Array
from workbench.gui.data.examples import Examples
from workbench.gui.models.examples_model import NUMBER, OWN, SET, STRENGTH, ExamplesModel
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.table import SIDE, CellDelegate, CellRole, Index, tone_color

_HIGH = 28
_FIXED = {NUMBER: 76, SET: 60, STRENGTH: 84}
_WIDE, _WIDER, _WIDEST = 104, 148, 240
_LABEL = 112
"""Of several labels each is a 0 or 1: the more of them are seen at once, the better."""
_MEASURED = 60
"""Columns whose header is measured; beyond that measuring takes longer than it is worth."""


class _RowDelegate(CellDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        colors, rect = tokens(), QRect(option.rect)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, color(colors.accent_soft))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, color(colors.row_line))
        painter.save()
        painter.setFont(font(13))
        painter.setPen(tone_color(index.data(CellRole.TONE)))
        room = rect.adjusted(SIDE, 0, -SIDE, -1)
        text = painter.fontMetrics().elidedText(str(index.data() or ""), Qt.TextElideMode.ElideRight, room.width())
        align = Qt.AlignmentFlag(index.data(Qt.ItemDataRole.TextAlignmentRole))
        painter.drawText(room, align | Qt.AlignmentFlag.AlignVCenter, text)
        if option.state & QStyle.StateFlag.State_HasFocus and index.column() == NUMBER:
            painter.fillRect(rect.left(), rect.top(), 2, rect.height() - 1, color(colors.accent))
        painter.restore()


class RowsTable(QTableView):
    """Only what is in view is ever asked for: a million rows scroll as ten do.

    Signals:
        selectionSet: other rows are selected.
    """

    selectionSet = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._examples_model = ExamplesModel(self)
        self.setAccessibleName(self.tr("Rows"))
        self.setModel(self._examples_model)
        self.setItemDelegate(_RowDelegate(self))
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self._set_headers()
        self.selectionModel().selectionChanged.connect(lambda *_: self.selectionSet.emit())

    def _set_headers(self) -> None:
        sides = self.verticalHeader()
        sides.hide()
        sides.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        sides.setMinimumSectionSize(_HIGH)
        sides.setDefaultSectionSize(_HIGH)
        header = self.horizontalHeader()
        header.setFixedHeight(32)
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(48)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)

    def show_examples(self, examples: Examples | None, rows: Array) -> None:
        """Show some of the examples; the selection is given up where others are shown than before."""
        model = self._examples_model
        if examples is not None and self._same(examples, rows):
            model.update_examples(examples)
            return
        model.show(examples, rows)
        self._size_columns(examples)
        self.selectionSet.emit()

    def _same(self, examples: Examples, rows: Array) -> bool:
        shown = self._examples_model.examples
        alike = shown is not None and (shown.key, shown.targets) == (examples.key, examples.targets)
        return alike and np.array_equal(rows, self._examples_model.rows)

    def _size_columns(self, examples: Examples | None) -> None:
        header = self.horizontalHeader()
        header.setDefaultSectionSize(_WIDE)
        model = self._examples_model
        for fixed, width in _FIXED.items():
            header.resizeSection(model.section_of(fixed), width)
        for section in range(min(model.columnCount(), _MEASURED)):
            shown = model.shown_at(section)
            if examples is not None and shown >= OWN:
                least = _WIDE if examples.content.columns[shown - OWN].type == "number" else _WIDER
                most = _LABEL if len(examples.targets) > 1 and shown - OWN in examples.targets else _WIDEST
                header.resizeSection(section, min(most, max(least, header.sectionSizeHint(section) + 8)))

    def selected_rows(self) -> Array:
        """The selected examples' row numbers from 0, ascending."""
        shown, chosen = self._examples_model.rows, self.selectionModel().selection()
        parts = [chosen.at(number) for number in range(chosen.count())]
        pieces = [shown[part.top() : part.bottom() + 1] for part in parts]
        return np.unique(np.concatenate([np.zeros(0, np.int64), *pieces]))

    def select_rows(self, rows: Array) -> None:
        """Select examples by row number, as far as they are shown."""
        model, places = self._examples_model, np.flatnonzero(np.isin(self._examples_model.rows, rows))
        chosen, last = QItemSelection(), model.columnCount() - 1
        for run in np.split(places, np.flatnonzero(np.diff(places) != 1) + 1):
            if len(run):
                chosen.select(model.index(int(run[0]), 0), model.index(int(run[-1]), last))
        self.selectionModel().select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if len(places):
            self.scrollTo(model.index(int(places[0]), 0))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.viewport().update()
