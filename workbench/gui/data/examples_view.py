"""All examples, filtered by set and class; selected ones can be given a strength."""

from __future__ import annotations

from typing import cast

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.data.content import SET_NAMES, Array
from workbench.gui.data.drawing import drawing_of
from workbench.gui.data.editor import DataEditor
from workbench.gui.data.examples import Examples
from workbench.gui.data.picture_grid import PictureGrid
from workbench.gui.data.rows_table import RowsTable
from workbench.gui.data_desk import DataState
from workbench.gui.figures import grouped
from workbench.gui.forms.number import NumberEditor
from workbench.gui.text import safe
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.labels import ElidedLabel
from workbench.gui.widgets.panel import GAP, INSIDE
from workbench.recipe.data import RowWeight
from workbench.recipe.fields import facts

_IN_NONE = -1


class ExamplesView(QWidget):
    """A filter above, the examples, and below what can be done to the selected ones.

    Args:
        editor: writes strengths.
        shown: the examples as a table or as pictures.
    """

    def __init__(self, editor: DataEditor, shown: RowsTable | PictureGrid, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor, self.shown = editor, shown
        self._state: DataState | None = None
        self._examples: Examples | None = None
        self._sets, self._classes = Combo(), Combo()
        self._sets.setAccessibleName(self.tr("Set"))
        self._classes.setAccessibleName(self.tr("Class"))
        self._count, self._chosen = ElidedLabel("", "muted"), ElidedLabel("", "muted")
        weight = facts(RowWeight)["weight"]
        self._number = NumberEditor(weight, whole=False)
        self._number.name(weight, self.tr("Strength of the selected rows"))
        self._number.setValue(2.0)
        self._set = Button(self.tr("Set strength"), clicked=self._set_strength)
        self._clear = Button(self.tr("Clear"), clicked=lambda: self._give(1.0), tip=self.tr("Back to strength 1"))
        self._lay_out()
        for combo in (self._sets, self._classes):
            combo.valueChanged.connect(lambda _: self._filter())
        shown.selectionSet.connect(self._on_selection)
        self._number.refused.connect(lambda why: self._set.setEnabled(not why and self._any()))
        self._on_selection()

    def _lay_out(self) -> None:
        top, bottom = QHBoxLayout(), QHBoxLayout()
        for row, margins in ((top, (INSIDE, 0, INSIDE, GAP)), (bottom, (INSIDE, GAP, INSIDE, GAP))):
            row.setContentsMargins(*margins)
            row.setSpacing(GAP)
        for combo, width in ((self._sets, 120), (self._classes, 160)):
            combo.setFixedWidth(width)
            top.addWidget(combo)
        top.addWidget(self._count, 1)
        bottom.addWidget(self._chosen, 1)
        self._number.setFixedWidth(88)
        for widget in (self._number, self._set, self._clear):
            bottom.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.shown, 1)
        column.addLayout(bottom)
        self.setFocusProxy(self.shown)

    def show_state(self, state: DataState | None) -> None:
        """Show imported data; filters and selection stay where they still mean the same."""
        if state is self._state:
            return
        self._state, self._examples = state, Examples.of(state) if state else None
        self._offer_filters()
        self._filter()

    def select_rows(self, rows: Array) -> None:
        """Select examples by row number from 0; filters that hide them are lifted."""
        self._sets.setValue(None)
        self._classes.setValue(None)
        self._filter()
        self.shown.select_rows(rows)

    def _offer_filters(self) -> None:
        examples = self._examples
        sets: list[tuple[object, str]] = [(None, self.tr("all sets"))]
        if examples is not None:
            sets += [(code, name) for code, name in enumerate(SET_NAMES) if (examples.set_of == code).any()]
            if (examples.set_of == _IN_NONE).any() and len(sets) > 1:
                sets.append((_IN_NONE, self.tr("in no set")))
        classes = examples.classes if examples else ()
        self._sets.set_options(sets)
        self._classes.set_options(
            [(None, self.tr("all classes")), *((number, safe(name)) for number, name in enumerate(classes))]
        )
        self._classes.setVisible(len(classes) > 0)

    def _filter(self) -> None:
        examples = self._examples
        if examples is None:
            rows = np.zeros(0, np.int64)
        else:
            rows = examples.rows(cast("int | None", self._sets.value()), cast("int | None", self._classes.value()))
        if isinstance(self.shown, PictureGrid):
            draw = drawing_of(self._state.content, self._state.profile) if self._state else None
            self.shown.show_examples(examples, rows, draw)
        else:
            self.shown.show_examples(examples, rows)
        total = examples.count if examples else 0
        words = self.tr("{0} of {1} rows") if len(rows) < total else self.tr("all {0} rows")
        self._count.set_name(words.format(grouped(len(rows)), grouped(total)))

    def _any(self) -> bool:
        return len(self.shown.selected_rows()) > 0

    def _on_selection(self) -> None:
        count = len(self.shown.selected_rows())
        hint = (
            self.tr("Select examples to give them a strength")
            if isinstance(self.shown, PictureGrid)
            else self.tr("Select rows to give them a strength")
        )
        self._chosen.set_name(self.tr("{0} selected").format(grouped(count)) if count else hint)
        for widget in (self._number, self._set, self._clear):
            widget.setEnabled(count > 0)

    def _set_strength(self) -> None:
        value = self._number.value()
        if isinstance(value, int | float):
            self._give(float(value))

    def _give(self, strength: float) -> None:
        rows = self.shown.selected_rows()
        if len(rows):
            self._editor.set_row_strength(rows, strength)
