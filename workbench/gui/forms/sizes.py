"""An editor of a few whole numbers in one line: the shape of an example, the zeros on each side of a picture."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QWidget

from workbench.gui.forms.editor import Editor, mark
from workbench.gui.forms.simple import in_a_row
from workbench.gui.forms.step_field import StepField
from workbench.gui.parsing import parse_sizes, sizes_text
from workbench.recipe.fields import FieldFacts

SIZES, SIDES = " × ", ", "
"""What stands between the numbers of a shape, and between those of the sides of one."""


class SizesEditor(Editor):
    """``-1 × 2``, or ``1, 1, 2, 0``; typed with any of ``x × * , ;`` or a space between.

    Args:
        field: its facts.
        joint: what is written between the numbers.
        counts: how many numbers there may be; any number of them where empty.
        alone: whether a single number is no list of one but stands for all.
        parent: the widget that it is part of.
    """

    def __init__(
        self,
        field: FieldFacts,
        joint: str,
        counts: tuple[int, ...] = (),
        *,
        alone: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._joint, self._counts, self._alone = joint, counts, alone
        self._value: Any = None
        self.line = StepField(field.unit)
        self.line.set_arrows(False)
        self.line.setPlaceholderText(field.placeholder)
        in_a_row(self, self.line)
        self.line.editingFinished.connect(self._on_finish)

    def value(self) -> Any:
        return self._value

    def setValue(self, value: Any) -> None:
        self._value = tuple(value) if isinstance(value, list) else value
        self.line.setText(sizes_text(self._value, self._joint))
        self.line.setCursorPosition(0)

    def set_wrong(self, wrong: bool) -> None:
        mark(self.line, wrong)

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self.line.setAccessibleName(label)
        self.line.setAccessibleDescription(field.help)

    def _on_finish(self) -> None:
        try:
            typed = parse_sizes(self.line.text(), self._counts)
        except ValueError as error:
            self._refuse(str(error))
            return
        self._refuse("")
        value = typed[0] if self._alone and len(typed) == 1 else typed
        if value != self._value:
            self.setValue(value)
            self.valueChanged.emit("", value)
