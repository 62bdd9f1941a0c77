"""How strongly each example counts: by its class, by a column, by hand."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui.data.editor import DataEditor
from workbench.gui.data.rules import rows_of
from workbench.gui.data.sections.section import Section
from workbench.gui.data_desk import DataState
from workbench.gui.document import Document
from workbench.gui.figures import grouped
from workbench.gui.forms.binding import Binding
from workbench.gui.forms.form import LABELS, Form
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import ElidedLabel, Label
from workbench.recipe.data import RowWeight, Weights


class WeightsSection(Section):
    """Class balance, column and rules by hand; each strength s_i is their product.

    Signals:
        ruleClicked: the rows of a rule by hand shall be shown: their numbers from 0.
    """

    ruleClicked = Signal(object)
    paths = ("data.weights",)

    def __init__(self, document: Document, editor: DataEditor, parent: QWidget | None = None) -> None:
        super().__init__("Example weights", "the loss weighs each example by s", parent=parent)
        self._document, self._editor = document, editor
        self.form = Form(Weights, only=("class_balance", "column"))
        Binding(self.form, document, "data.weights")
        self._holder = QWidget()
        self._lines = QVBoxLayout(self._holder)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(2)
        self._shown: tuple[RowWeight, ...] | None = None
        self._spread = Label("", "note", wrap=True)
        for widget in (self.form, self._holder, self._spread):
            self.column.addWidget(widget)
        self.finish()
        document.recipeChanged.connect(self._update)
        self._update()

    def show_state(self, state: DataState | None) -> None:
        numbers = [one.name for one in state.content.columns if one.type == "number"] if state else []
        self.form.set_choices({"columns": numbers})
        dataset = state.dataset if state else None
        strengths = dataset.strengths[dataset.sets["train"]] if dataset else None
        text = ""
        if strengths is not None and len(strengths) and strengths.min() != strengths.max():
            words = self.tr("s lies between {0} and {1} in the training set")
            text = words.format(f"{float(strengths.min()):.3g}", f"{float(strengths.max()):.3g}")
        self._spread.setText(text)
        self._spread.setVisible(bool(text))
        self._update()

    def _update(self) -> None:
        data = self._document.recipe.data
        self.form.set_row_visible("class_balance", data.task == "classification")
        if data.weights.rows != self._shown:
            self._build(data.weights.rows)

    def _build(self, rules: tuple[RowWeight, ...]) -> None:
        self._shown = rules
        while item := self._lines.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        for place, rule in enumerate(rules):
            self._lines.addWidget(self._line(place, rule))
        if not rules:
            self._lines.addWidget(self._named(self.tr("by hand"), Label(self.tr("select rows in the table"), "note")))

    def _line(self, place: int, rule: RowWeight) -> QWidget:
        rows = rows_of(rule.rows, self._editor.rows)
        words = Button(self.tr("s = {0}").format(f"{rule.weight:g}"), "link")
        words.clicked.connect(lambda: self.ruleClicked.emit(rows))
        words.setToolTip(self.tr("Show these rows"))
        where = ElidedLabel(self.tr("{0} rows: {1}").format(grouped(len(rows)), rule.rows), "note")
        remove = Button(
            "", "quiet", icon_name="trash", tip=self.tr("Remove"), clicked=lambda: self._editor.remove_rule(place)
        )
        return self._named(self.tr("by hand") if not place else "", words, where, remove)

    def _named(self, name: str, *widgets: QWidget) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        label = Label(name)
        label.setFixedSize(LABELS, 28)
        row.addWidget(label)
        row.addSpacing(4)
        for widget in widgets:
            row.addWidget(widget, int(isinstance(widget, ElidedLabel)))
        if not any(isinstance(widget, ElidedLabel) for widget in widgets):
            row.addStretch(1)
        return holder
