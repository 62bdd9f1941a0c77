"""What a run is measured by, to be changed without training anew."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from workbench.errors import RecipeError
from workbench.gui.forms.form import tip
from workbench.gui.forms.number import NumberEditor
from workbench.gui.widgets.labels import Label
from workbench.gui.wording import translated_label
from workbench.recipe.fields import facts
from workbench.recipe.paths import split_path
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import Goals

_FIRST = ("human_error", "bayes_error", "tolerance")
_EXPERT = ("human_examples", "max_latency_ms")
_COLUMNS = 3


class GoalsForm(QWidget):
    """Human level, Bayes error and tolerance side by side, in expert mode also what they rest on.

    Signals:
        goalsGiven: ``Goals`` that hold together, as soon as a field is left or Enter is pressed.
    """

    goalsGiven = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._goals = Goals()
        self._unreadable: set[str] = set()
        known = facts(Goals)
        self.editors: dict[str, NumberEditor] = {}
        self._labels: dict[str, Label] = {}
        for name in (*_FIRST, *_EXPERT):
            field = known[name]
            title = translated_label(field)
            editor = NumberEditor(field, whole=name == "human_examples")
            editor.name(field, title)
            self.editors[name] = editor
            self._labels[name] = Label(title, "note")
            self._labels[name].setBuddy(editor)
            for widget in (editor, self._labels[name]):
                widget.setToolTip(tip(field))
            editor.refused.connect(lambda why, name=name: self._on_refused(name, why))
            editor.line.editingFinished.connect(lambda name=name: self._give(name))
            editor.line.stepped.connect(lambda _, name=name: self._give(name))
        self.wrong = Label("", "error", wrap=True)
        self.wrong.hide()
        self._lay_out()
        self.set_expert(False)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        for place, name in enumerate((*_FIRST, *_EXPERT)):
            row, column = divmod(place, _COLUMNS)
            grid.addWidget(self._labels[name], 3 * row, column)
            grid.addWidget(self.editors[name], 3 * row + 1, column)
            grid.setColumnStretch(column, 1)
        grid.setRowMinimumHeight(2, 4)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(0, 0, 0, 0)
        column_.setSpacing(4)
        column_.addLayout(grid)
        column_.addWidget(self.wrong)

    def set_expert(self, expert: bool) -> None:
        """Show or hide what most people leave alone."""
        for name in _EXPERT:
            self.editors[name].setVisible(expert)
            self._labels[name].setVisible(expert)

    def show_goals(self, goals: Goals) -> None:
        """Show what a run is measured by; what is being typed or corrected stays."""
        if self.wrong.isVisibleTo(self) and goals == self._goals:
            return
        self._goals = goals
        self._say("")
        for name, editor in self.editors.items():
            editor.setValue(getattr(goals, name))

    def _say(self, text: str, at: Collection[str] = ()) -> None:
        self.wrong.setText(text[:1].upper() + text[1:])
        self.wrong.setVisible(bool(text))
        for name, editor in self.editors.items():
            editor.set_wrong(name in at)

    def _on_refused(self, name: str, why: str) -> None:
        if why:
            self._unreadable.add(name)
        else:
            self._unreadable.discard(name)
        self._say(f"{self._labels[name].text()} {why}" if why else "", {name} if why else ())

    def _give(self, name: str) -> None:
        """Take over what was typed, all fields together: a Bayes error above the human level is refused with both."""
        if self._unreadable:
            return
        values: dict[str, Any] = {f"goals.{each}": editor.value() for each, editor in self.editors.items()}
        try:
            goals = Recipe().replace(values).goals
        except RecipeError as error:
            places = {split_path(problem.where)[-1] if problem.where else name for problem in error.problems}
            self._say("\n".join(problem.what for problem in error.problems), places & set(self.editors) or {name})
            return
        self._say("")
        if goals != self._goals:
            self._goals = goals
            self.goalsGiven.emit(goals)
