"""The augmentations of the recipe side by side, as many in a line as fit."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from workbench.gui.data.dial_row import WIDTH, DialRow
from workbench.gui.data.editor import DataEditor
from workbench.recipe.kinds import AugmentSpec

_LINE, _GAP = 30, 24


class DialGrid(QWidget):
    """A row for each entry; built anew only where kinds or their order change, so that a dragged slider stays."""

    def __init__(self, editor: DataEditor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self._rows: list[DialRow] = []
        self._key: tuple[object, ...] = ()
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(_GAP)
        self._grid.setVerticalSpacing(2)

    def rows(self) -> list[DialRow]:
        """The entries, in the order in which they are applied."""
        return list(self._rows)

    def show_specs(self, specs: Sequence[AugmentSpec], shape: tuple[int, ...]) -> None:
        """Show the recipe's augmentations."""
        key = (shape, *(type(spec) for spec in specs))
        if key != self._key:
            self._key = key
            self._build(specs, shape)
        for row, spec in zip(self._rows, specs, strict=True):
            row.show_spec(spec)

    def _build(self, specs: Sequence[AugmentSpec], shape: tuple[int, ...]) -> None:
        for row in self._rows:
            row.hide()
            self._grid.removeWidget(row)
            row.deleteLater()
        self._rows = [DialRow(self._editor, place, spec, shape) for place, spec in enumerate(specs)]
        self._columns = 0
        self._arrange()

    def columns(self) -> int:
        """How many stand side by side."""
        return max(1, (self.width() + _GAP) // (WIDTH + _GAP))

    def lines(self) -> int:
        """How many lines there are."""
        return -(-len(self._rows) // self.columns())

    def minimumSizeHint(self) -> QSize:
        return QSize(WIDTH, _LINE * self.lines())

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        columns = self.columns()
        if columns == self._columns:
            return
        self._columns = columns
        for number, row in enumerate(self._rows):
            self._grid.addWidget(row, number // columns, number % columns)
        for number in range(max(columns, self._grid.columnCount())):
            self._grid.setColumnStretch(number, 1 if number < columns else 0)
        self.updateGeometry()
