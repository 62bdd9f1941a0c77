"""Editors of a height and a width, and of the zeros around a picture."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QWidget

from workbench.gui.forms.editor import Editor, mark
from workbench.gui.forms.simple import in_a_row
from workbench.gui.forms.sizes import SizesEditor
from workbench.gui.forms.step_field import StepField
from workbench.gui.parsing import pair_text, parse_pair
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.segmented import Segmented
from workbench.recipe.fields import FieldFacts


class PairEditor(Editor):
    """``3`` or ``3 × 5``; one number stands for both."""

    def __init__(self, field: FieldFacts, *, least: int = 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field, self._least = field, least
        self._value: Any = None
        self.line = StepField(field.unit)
        self.line.setPlaceholderText(field.placeholder)
        in_a_row(self, self.line)
        self.line.editingFinished.connect(self._on_finish)
        self.line.stepped.connect(self._on_step)

    def value(self) -> Any:
        return self._value

    def setValue(self, value: Any) -> None:
        self._value = tuple(value) if isinstance(value, list) else value
        self.line.setText("" if value is None else pair_text(self._value))
        self.line.setCursorPosition(0)

    def set_wrong(self, wrong: bool) -> None:
        mark(self.line, wrong)

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self.line.setAccessibleName(label)
        self.line.setAccessibleDescription(field.help)

    def _on_finish(self) -> None:
        text = self.line.text().strip()
        try:
            if not text and not self._field.optional:
                raise ValueError(self.tr("is missing"))
            value = parse_pair(text) if text else None
        except ValueError as error:
            self._refuse(str(error))
            return
        self._refuse("")
        if _both(value) != _both(self._value):
            self.setValue(value)
            self.valueChanged.emit("", value)

    def _on_step(self, by: int) -> None:
        now = _both(self._value) or _both(self._field.default) or (self._least, self._least)
        sizes = tuple(max(self._least, size + by) for size in now)
        self.setValue(sizes[0] if sizes[0] == sizes[1] else sizes)
        self._refuse("")
        self.valueChanged.emit("", self._value)


class PaddingEditor(Editor):
    """``same``, ``valid``, or zeros of one's own: a number for each axis, or for a sequence one number."""

    _OWN = "own"

    def __init__(
        self, field: FieldFacts, words: tuple[str, ...], *, pairs: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._words = words
        options: list[tuple[object, str]] = [*((word, word) for word in words), (self._OWN, self.tr("own"))]
        # Four side by side and a number leave no room beside the label.
        self._mode: Segmented | Combo = Segmented(options) if len(options) <= 3 else Combo(options)
        self._pair = PairEditor(field, least=0) if pairs else SizesEditor(field, "", (1,), alone=True)
        self._pair.line.setMinimumWidth(56 if pairs else 40)
        if isinstance(self._mode, Combo):
            self._mode.setMinimumWidth(84)
        in_a_row(self, self._mode, self._pair).addStretch(0)
        self._mode.valueChanged.connect(self._on_mode)
        self._pair.valueChanged.connect(self.valueChanged)
        self._pair.refused.connect(self.refused)

    def value(self) -> Any:
        mode = self._mode.value()
        return self._pair.value() if mode == self._OWN else mode

    def setValue(self, value: Any) -> None:
        own = value not in self._words
        self._mode.setValue(self._OWN if own else value)
        self._pair.setValue(value if own else 1)
        self._pair.setVisible(own)

    def set_wrong(self, wrong: bool) -> None:
        self._pair.set_wrong(wrong)

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self._mode.setAccessibleName(label)
        self._pair.name(field, label)

    def _on_mode(self, mode: object) -> None:
        self._pair.setVisible(mode == self._OWN)
        self.valueChanged.emit("", self.value())


def _both(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    return (value, value) if isinstance(value, int) else (value[0], value[1])
