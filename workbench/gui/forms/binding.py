"""Joins a form to a place in the document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject

from workbench.errors import Problem, RecipeError
from workbench.gui.document import Document
from workbench.gui.forms.form import Form
from workbench.gui.values import object_at
from workbench.recipe.paths import split_path
from workbench.recipe.recipe import Recipe

Writer = Callable[[object], tuple[Problem, ...]]
"""Puts a value into the document, or says why not."""


class Binding(QObject):
    """What the user edits goes to the document; what the document becomes is shown.

    A refused value stays in its field with the reason, and is offered again together with the next change: so that
    shares that must add up to 1 can be changed one after the other.

    Args:
        form: shows the model at ``path``.
        path: where it stands in the recipe, ``training``.
        writers: who writes a field that takes more than putting its value in place: the name of a layer.
    """

    def __init__(self, form: Form, document: Document, path: str, writers: Mapping[str, Writer] | None = None) -> None:
        super().__init__(form)
        self._form, self._document, self._path = form, document, path
        self._writers = dict(writers or {})
        self._pending: dict[str, Any] = {}
        self._editing = False
        form.valueChanged.connect(self._on_edit)
        document.recipeChanged.connect(self._on_recipe)
        form.setValue(object_at(document.recipe, path))

    @property
    def path(self) -> str:
        """Where the form's model stands."""
        return self._path

    def move(self, path: str) -> None:
        """The model stands elsewhere now."""
        self._path = path

    def release(self) -> None:
        """Join no longer: the form is about to go."""
        self._document.recipeChanged.disconnect(self._on_recipe)
        self._form.valueChanged.disconnect(self._on_edit)

    def _on_edit(self, path: str, value: object) -> None:
        if path in self._writers:
            problems = self._writers[path](value)
            self._form.show_problem(path, problems[0].what if problems else "")
            return
        self._pending[path] = value
        self._editing = True
        try:
            self._try(path)
        finally:
            self._editing = False

    def _try(self, path: str) -> None:
        problems = self._offer(self._pending)
        if not problems:
            self._pending.clear()
            self._form.clear_problems()
        elif len(self._pending) > 1 and not self._offer({path: self._pending[path]}):
            del self._pending[path]
            self._form.show_problem(path, "")
        else:
            self._show(path, problems)
            return
        self._form.refresh(object_at(self._document.recipe, self._path))

    def _offer(self, changes: dict[str, Any]) -> tuple[Problem, ...]:
        return self._document.set_many({f"{self._path}.{path}": value for path, value in changes.items()})

    def _show(self, path: str, problems: tuple[Problem, ...]) -> None:
        """Each problem at its own field, where it is one that was just edited; else at the field being edited."""
        for problem in problems:
            at = self._within(problem.where)
            place = at if at in self._pending else path
            self._form.show_problem(place, problem.what)

    def _within(self, where: str) -> str:
        own, steps = split_path(self._path), split_path(where)
        return ".".join(steps[len(own) :]) if steps[: len(own)] == own else ""

    def _on_recipe(self, recipe: Recipe, paths: tuple[str, ...]) -> None:
        if self._editing or not any(_touches(path, self._path) for path in paths):
            return
        try:
            value = object_at(recipe, self._path)
        except RecipeError:
            return
        if type(value) is not self._form.model:
            # Something else stands there now; whoever shows the form will take another one.
            return
        self._pending.clear()
        self._form.setValue(value)


def _touches(path: str, place: str) -> bool:
    """Whether a change at a path changes what is at the place."""
    left, right = split_path(path), split_path(place)
    shared = min(len(left), len(right))
    return left[:shared] == right[:shared]
