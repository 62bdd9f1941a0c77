"""What every editor of a recipe's value is: ``value()``, ``setValue()``, ``valueChanged``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from workbench.recipe.fields import FieldFacts

Choices = Mapping[str, Sequence[str]]
"""What is offered where a field says ``choices_from``, and the kinds of a family: ``{"columns": ..., "loss": ...}``."""


class Editor(QWidget):
    """Edits one value.

    ``setValue`` is silent: what comes from the document must not go back to it. An editor of several values (a nested
    model, a list) names the changed one by its path within.

    Attributes:
        block: what does not fit beside the label and goes below the row, at full width.

    Signals:
        valueChanged: the path within this editor, empty for the value itself, and what the user put there.
        refused: what was typed is no value at all: why; empty once it is one again.
    """

    valueChanged = Signal(str, object)
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.block: QWidget | None = None
        self._unreadable = False

    def _refuse(self, why: str) -> None:
        """Say why what was typed is no value; with nothing to say, take back only what was said here before."""
        if why or self._unreadable:
            self._unreadable = bool(why)
            self.refused.emit(why)

    def value(self) -> Any:
        """What is being edited."""
        raise NotImplementedError

    def setValue(self, value: Any) -> None:
        """Show a value, silently."""
        raise NotImplementedError

    def refresh(self, value: Any) -> None:
        """Show a value that the document took over; what the user is still correcting stays."""
        self.setValue(value)

    def set_choices(self, choices: Choices) -> None:
        """Take note of columns, classes, layers and allowed kinds."""

    def set_wrong(self, wrong: bool) -> None:
        """Mark the value as wrong, or not."""

    def show_problem(self, path: str, text: str) -> bool:
        """Show what is wrong with a value within; whether there is a place for it."""
        return False

    def clear_problems(self) -> None:
        """Take all marks away."""
        self.set_wrong(False)

    def name(self, field: FieldFacts, label: str) -> None:
        """Say to assistive tools what this is."""
        self.setAccessibleName(label)
        self.setAccessibleDescription(field.help)


def mark(widget: QWidget, wrong: bool) -> None:
    """Give a widget the line of something wrong, or take it away."""
    if bool(widget.property("wrong")) != wrong:
        widget.setProperty("wrong", wrong)
        # A style sheet looks at properties once; this makes it look again.
        widget.style().unpolish(widget)
        widget.style().polish(widget)
