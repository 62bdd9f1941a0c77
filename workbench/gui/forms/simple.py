"""Editors of a switch, a text and a choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from workbench.gui.forms.editor import Choices, Editor, mark
from workbench.gui.text import safe
from workbench.gui.widgets.check_box import CheckBox
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.segmented import Segmented
from workbench.recipe.fields import FieldFacts


def in_a_row(editor: QWidget, *widgets: QWidget) -> QHBoxLayout:
    """Lay widgets out in an editor."""
    row = QHBoxLayout(editor)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget)
    editor.setFocusProxy(widgets[0])
    return row


class BoolEditor(Editor):
    """A check box."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = CheckBox()
        in_a_row(self, self._box).addStretch(1)
        self._box.clicked.connect(lambda on: self.valueChanged.emit("", on))

    def value(self) -> bool:
        return self._box.isChecked()

    def setValue(self, value: Any) -> None:
        self._box.setChecked(bool(value))

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self._box.setAccessibleName(label)


class TextEditor(Editor):
    """A line of text; for an optional one, nothing typed is None."""

    def __init__(self, field: FieldFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._optional = field.optional
        self._value: Any = None
        self._line = QLineEdit()
        self._line.setPlaceholderText(field.placeholder)
        in_a_row(self, self._line)
        self._line.editingFinished.connect(self._on_finish)

    def value(self) -> Any:
        return self._value

    def setValue(self, value: Any) -> None:
        self._value = value
        if self._typed() != value:
            self._line.setText(value or "")
            self._line.setCursorPosition(0)

    def set_wrong(self, wrong: bool) -> None:
        mark(self._line, wrong)

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self._line.setAccessibleName(label)

    def _typed(self) -> str | None:
        text = self._line.text()
        return None if self._optional and not text else text

    def _on_finish(self) -> None:
        if self._typed() != self._value:
            self._value = self._typed()
            self.valueChanged.emit("", self._value)


class ChoiceEditor(Editor):
    """One of a few: side by side where there is room for that, else a list."""

    def __init__(self, field: FieldFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        empty = [(None, field.placeholder or self.tr("found out"))] if field.optional else []
        options: list[tuple[object, str]] = [*empty, *((choice, choice_text(choice)) for choice in field.choices)]
        self._widget: Segmented | Combo = Segmented(options) if _short(options) else Combo(options)
        row = in_a_row(self, self._widget)
        if isinstance(self._widget, Segmented):
            row.addStretch(1)
        self._widget.valueChanged.connect(lambda key: self.valueChanged.emit("", key))

    def value(self) -> Any:
        return self._widget.value()

    def setValue(self, value: Any) -> None:
        self._widget.setValue(value)

    def set_wrong(self, wrong: bool) -> None:
        mark(self._widget, wrong)

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self._widget.setAccessibleName(label)


class FromDataEditor(Editor):
    """A column or a class of the data, or none; what the recipe holds is offered even where the data lacks it."""

    def __init__(self, field: FieldFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = field.choices_from
        self._none: list[tuple[object, str]] = [(None, field.placeholder or self.tr("none"))] if field.optional else []
        self._combo = Combo(self._none)
        in_a_row(self, self._combo)
        self._combo.valueChanged.connect(lambda key: self.valueChanged.emit("", key))

    def value(self) -> Any:
        return self._combo.value()

    def setValue(self, value: Any) -> None:
        self._combo.setValue(value)

    def set_choices(self, choices: Choices) -> None:
        taken = self.value()
        self._combo.set_options([*self._none, *((name, safe(name)) for name in choices.get(self._source, ()))])
        if taken is not None or self._none:
            self._combo.setValue(taken)

    def set_wrong(self, wrong: bool) -> None:
        mark(self._combo, wrong)

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self._combo.setAccessibleName(label)


def choice_text(choice: object) -> str:
    """A choice for people: ``inverse frequency``."""
    text = str(choice)
    return QCoreApplication.translate("choices", text if len(text) < 2 else text.replace("_", " "))


def _short(options: Sequence[tuple[object, str]]) -> bool:
    return len(options) <= 3 and sum(len(text) for _, text in options) <= 20
