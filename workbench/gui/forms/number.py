"""Editors of numbers."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.gui.forms.editor import Editor, mark
from workbench.gui.forms.step_field import StepField
from workbench.gui.forms.stepping import step
from workbench.gui.parsing import number_text, parse_number
from workbench.gui.widgets.buttons import Button
from workbench.recipe.fields import FieldFacts


class NumberEditor(Editor):
    """A number with its unit. What is typed counts at once where it is a value, and is judged when typing ends.

    Args:
        field: range, unit, scale and placeholder. A ``fraction`` is shown as per cent.
        whole: whether it is an integer.
    """

    def __init__(self, field: FieldFacts, *, whole: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field, self._whole, self._percent = field, whole, field.unit == "fraction"
        self._value: Any = None
        self.line = StepField("%" if self._percent else field.unit)
        self.line.setPlaceholderText(field.placeholder)
        self.setFocusProxy(self.line)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addWidget(self.line, 1)
        self.line.textEdited.connect(self._on_typing)
        self.line.editingFinished.connect(self._on_finish)
        self.line.stepped.connect(self._on_step)

    def value(self) -> Any:
        return self._value

    def setValue(self, value: Any) -> None:
        self._value = value
        if not self._says(value):
            self.line.setText(self._text(value))
            self.line.setCursorPosition(0)

    def set_wrong(self, wrong: bool) -> None:
        mark(self.line, wrong)

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self.line.setAccessibleName(label)
        self.line.setAccessibleDescription(field.help)

    def _text(self, value: Any) -> str:
        return "" if value is None else number_text(value, percent=self._percent, log=self._field.log)

    def _says(self, value: Any) -> bool:
        """Whether what the user is typing already means the value: then it is left as typed."""
        if not self.line.hasFocus():
            return False
        try:
            return bool(self._parsed() == value)
        except ValueError:
            return False

    def _parsed(self) -> Any:
        text = self.line.text().strip()
        if not text:
            if self._field.optional:
                return None
            raise ValueError(self.tr("is missing"))
        return parse_number(text, whole=self._whole, percent=self._percent)

    def _on_typing(self) -> None:
        try:
            value = self._parsed()
        except ValueError:
            return
        if _in_range(value, self._field):
            self._take(value)

    def _on_finish(self) -> None:
        try:
            value = self._parsed()
        except ValueError as error:
            self._refuse(str(error))
            return
        self._take(value)
        if self.line.property("wrong") is not True:
            self.line.setText(self._text(self._value))

    def _on_step(self, by: int) -> None:
        start = self._value if isinstance(self._value, int | float) else self._field.default
        if not isinstance(start, int | float):
            start = self._field.low or 0
        self.setValue(step(start, by, self._field, whole=self._whole))
        self.line.setText(self._text(self._value))
        self._refuse("")
        self.valueChanged.emit("", self._value)

    def _take(self, value: Any) -> None:
        self._refuse("")
        if value != self._value or type(value) is not type(self._value):
            self._value = value
            self.valueChanged.emit("", value)


class NumberOrWordEditor(NumberEditor):
    """A whole number, or one word that stands for the right one (``classes``), as a button beside it.

    The word may be shown as another one that says the same where it is used; its value stays.
    """

    def __init__(self, field: FieldFacts, word: str, parent: QWidget | None = None) -> None:
        super().__init__(field, whole=True, parent=parent)
        self._word = self._shown = word
        self._button = Button(word)
        self._button.setCheckable(True)
        self._button.setToolTip(field.help)
        self._row.addWidget(self._button)
        self._button.clicked.connect(self._on_button)

    def show_word(self, shown: str) -> None:
        """Call the word otherwise."""
        self._shown = shown
        self._button.setText(shown)
        self.line.setPlaceholderText(shown)

    def setValue(self, value: Any) -> None:
        word = value == self._word
        self._button.setChecked(word)
        self.line.setReadOnly(word)
        self.line.set_arrows(not word)
        self.line.setFocusPolicy(Qt.FocusPolicy.NoFocus if word else Qt.FocusPolicy.StrongFocus)
        super().setValue(value)

    def _text(self, value: Any) -> str:
        return "" if value == self._word else super()._text(value)

    def _parsed(self) -> Any:
        if self._button.isChecked() or self.line.text().strip().lower() in (self._word, self._shown):
            return self._word
        return super()._parsed()

    def _take(self, value: Any) -> None:
        super()._take(value)
        if value == self._word and not self._button.isChecked():
            self.setValue(value)

    def _on_button(self, word: bool) -> None:
        if not word:
            # Its own size is not known here; a round one invites to be changed.
            self._value = 64
        self.setValue(self._word if word else self._value)
        self.line.setText(self._text(self._value))
        self.valueChanged.emit("", self._value)


def _in_range(value: Any, field: FieldFacts) -> bool:
    if not isinstance(value, int | float):
        return True
    low, high = field.low, field.high
    above = low is None or value > low or (value == low and not field.open_low)
    below = high is None or value < high or (value == high and not field.open_high)
    return above and below
