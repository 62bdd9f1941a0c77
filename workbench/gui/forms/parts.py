"""Editors of models within models: a part that is always there, one that can be off, one that can be automatic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui.forms.editor import Choices, Editor
from workbench.gui.forms.simple import in_a_row
from workbench.gui.widgets.check_box import CheckBox
from workbench.gui.widgets.segmented import Segmented
from workbench.recipe.fields import FieldFacts, Frozen

FormMaker = Callable[[type[Frozen]], Editor]
"""Makes the form of a model. Handed in, since a form is itself made of these editors."""


class PartEditor(Editor):
    """A nested model: its form goes below the row."""

    def __init__(self, model: type[Frozen], form: FormMaker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._form = form(model)
        self._form.valueChanged.connect(self.valueChanged)
        self.block = self._form

    def value(self) -> Any:
        return self._form.value()

    def setValue(self, value: Any) -> None:
        self._form.setValue(value)

    def refresh(self, value: Any) -> None:
        self._form.refresh(value)

    def set_choices(self, choices: Choices) -> None:
        self._form.set_choices(choices)

    def show_problem(self, path: str, text: str) -> bool:
        return self._form.show_problem(path, text)

    def clear_problems(self) -> None:
        self._form.clear_problems()


class OptionalPartEditor(PartEditor):
    """A nested model that may be off: a check box, and the form where it is on."""

    def __init__(self, model: type[Frozen], form: FormMaker, parent: QWidget | None = None) -> None:
        super().__init__(model, form, parent)
        self._box = CheckBox()
        in_a_row(self, self._box).addStretch(1)
        self._form.setValue(model())
        self._form.setVisible(False)
        self._box.clicked.connect(self._on_switch)

    def value(self) -> Any:
        return self._form.value() if self._box.isChecked() else None

    def setValue(self, value: Any) -> None:
        self._show(value is not None)
        if value is not None:
            self._form.setValue(value)

    def refresh(self, value: Any) -> None:
        self._show(value is not None)
        if value is not None:
            self._form.refresh(value)

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self._box.setAccessibleName(label)

    def _show(self, on: bool) -> None:
        self._box.setChecked(on)
        self._form.setVisible(on)

    def _on_switch(self, on: bool) -> None:
        self._show(on)
        self.valueChanged.emit("", self.value())


class AutoPartEditor(PartEditor):
    """A nested model that may be left to the program: ``auto`` or one's own."""

    def __init__(self, model: type[Frozen], word: str, form: FormMaker, parent: QWidget | None = None) -> None:
        super().__init__(model, form, parent)
        self._word = word
        self._mode = Segmented([(word, word), ("own", self.tr("own"))])
        in_a_row(self, self._mode).addStretch(1)
        self._form.setValue(model())
        self._form.setVisible(False)
        self._mode.valueChanged.connect(self._on_mode)

    def value(self) -> Any:
        return self._word if self._mode.value() == self._word else self._form.value()

    def setValue(self, value: Any) -> None:
        self._show(value != self._word)
        if value != self._word:
            self._form.setValue(value)

    def refresh(self, value: Any) -> None:
        self._show(value != self._word)
        if value != self._word:
            self._form.refresh(value)

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self._mode.setAccessibleName(label)

    def _show(self, own: bool) -> None:
        self._mode.setValue("own" if own else self._word)
        self._form.setVisible(own)

    def _on_mode(self, mode: object) -> None:
        self._form.setVisible(mode != self._word)
        self.valueChanged.emit("", self.value())


def below(*widgets: QWidget) -> QWidget:
    """Widgets under each other, as an editor's block."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    for widget in widgets:
        column.addWidget(widget)
    return holder


def beside(*widgets: QWidget) -> QWidget:
    """Widgets side by side."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget)
    return holder
