"""The document that the window edits: a recipe, what is known of its data, and the way back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from workbench.engine.layer import Loss, ShapeError
from workbench.engine.network import Network, inspect_network
from workbench.errors import Problem, RecipeError, StoreError
from workbench.gui.data_facts import DataFacts
from workbench.gui.values import plain
from workbench.gui.wording import describe
from workbench.recipe.recipe import Recipe
from workbench.session.lookups import lookups_checked
from workbench.store.files import write_file

MERGE_SECONDS = 1.0
"""Changes of the same fields that follow each other faster than this are one step of Undo."""


class Document(QObject):
    """A recipe that is changed by replacing it, so that every change can be undone.

    Signals:
        recipeChanged: the recipe is another one now: it, and the paths that differ.
        factsChanged: the data was imported anew or is gone: ``DataFacts`` or None.
        networkChanged: the shapes were worked out anew: ``Network`` or None.
        problemsChanged: what keeps the recipe from being trained: a tuple of ``Problem``.
        memoryChanged: what memory training would need was worked out, or is no longer known: bytes or None.
        dirtyChanged: whether there is something to save.
    """

    recipeChanged = Signal(object, tuple)
    factsChanged = Signal(object)
    networkChanged = Signal(object)
    problemsChanged = Signal(tuple)
    memoryChanged = Signal(object)
    dirtyChanged = Signal(bool)

    def __init__(
        self,
        recipe: Recipe | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._recipe = recipe or Recipe()
        self._facts: DataFacts | None = None
        self._network: Network | None = None
        self._problems: tuple[Problem, ...] = ()
        self._memory: int | None = None
        self._clock = clock
        self.file: Path | None = None
        self.undo_stack = QUndoStack(self)
        self.undo_stack.cleanChanged.connect(self._on_clean)
        self._inspect()

    @property
    def recipe(self) -> Recipe:
        """The current recipe; always a valid one."""
        return self._recipe

    @property
    def facts(self) -> DataFacts | None:
        """What is known of the data; None before it is imported."""
        return self._facts

    @property
    def network(self) -> Network | None:
        """The layers with their shapes; None while the data or the number of outputs is not known."""
        return self._network

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps the recipe from being trained, each with its path."""
        return self._problems

    @property
    def memory(self) -> int | None:
        """Bytes that training would need beside the data; None where it has not been worked out."""
        return self._memory

    @property
    def dirty(self) -> bool:
        """Whether there is something to save."""
        return not self.undo_stack.isClean()

    def undo_text(self) -> str:
        """``Undo: filters 32 → 64``; empty where there is nothing to undo."""
        return self.tr("Undo: {0}").format(self.undo_stack.undoText()) if self.undo_stack.canUndo() else ""

    def set(self, path: str, value: Any, text: str = "") -> tuple[Problem, ...]:
        """Put a value at a path.

        Args:
            path: as in ``Recipe.replace``.
            value: plain data or recipe models.
            text: what Undo calls it; told from the change where empty.

        Returns:
            Nothing where it was done; otherwise what is wrong with it, and the recipe stays as it was.
        """
        return self.set_many({path: value}, text)

    def set_many(self, changes: Mapping[str, Any], text: str = "", *, about: str = "") -> tuple[Problem, ...]:
        """As ``set``, for several values that only make sense together. One step of Undo.

        Args:
            changes: values by path.
            text: as for ``set``.
            about: what is being changed: quick changes of the same thing are one step of Undo. By default the paths
                that differ, which vary where one drag adds an entry to a table and then changes it.
        """
        try:
            recipe = self._recipe.replace({path: plain(value) for path, value in changes.items()})
        except RecipeError as error:
            return tuple(_relative(problem) for problem in error.problems)
        self._push(recipe, text, merge=True, about=about)
        return ()

    def replace(self, recipe: Recipe, text: str = "") -> None:
        """Take another recipe. One step of Undo."""
        self._push(recipe, text, merge=False)

    def set_memory(self, size: int | None) -> None:
        """Take note of what memory training would need."""
        if size != self._memory:
            self._memory = size
            self.memoryChanged.emit(size)

    def set_facts(self, facts: DataFacts | None) -> None:
        """Take note of imported data."""
        if facts == self._facts:
            return
        self._facts = facts
        tell = self._inspect()
        self.factsChanged.emit(facts)
        tell()

    def open(self, file: Path) -> None:
        """Read a recipe; the way back starts anew.

        Raises:
            RecipeError: the file cannot be read or is no recipe. The document stays as it was.
        """
        self.start(Recipe.load(file), file)

    def start(self, recipe: Recipe, file: Path | None = None) -> None:
        """Begin with a recipe; the way back starts anew."""
        self.undo_stack.clear()
        self.undo_stack.setClean()
        self.file = file
        self._put(recipe)

    def save(self, file: Path | None = None) -> None:
        """Write the recipe, every default written out, to a file or to where it came from.

        Raises:
            StoreError: it cannot be written; the file is as it was.
        """
        target = file or self.file
        if target is None:
            raise StoreError("there is no file to save to", mend="Choose one.")
        write_file(target, self._recipe.toml().encode())
        self.file = target
        self.undo_stack.setClean()

    def _on_clean(self, clean: bool) -> None:
        self.dirtyChanged.emit(not clean)

    def _push(self, recipe: Recipe, text: str, *, merge: bool, about: str = "") -> None:
        if recipe == self._recipe:
            return
        paths = (about,) if about else _changed(self._recipe, recipe) if merge else ()
        self.undo_stack.push(PutRecipe(self, recipe, text, paths, self._clock()))

    def _put(self, recipe: Recipe) -> None:
        paths = _changed(self._recipe, recipe)
        self._recipe = recipe
        # Whoever hears of the recipe may ask for its shapes: they are worked out before anyone is told.
        tell = self._inspect()
        self.recipeChanged.emit(recipe, paths)
        tell()

    def _inspect(self) -> Callable[[], None]:
        """Work out shapes and problems; calling the result tells of what is new in them."""
        before = self._network, self._problems
        self._network, self._problems = _inspected(self._recipe, self._facts)

        def tell() -> None:
            if self._network != before[0]:
                self.networkChanged.emit(self._network)
            if self._problems != before[1]:
                self.problemsChanged.emit(self._problems)

        return tell


class PutRecipe(QUndoCommand):
    """Puts another recipe into the document, and the one before back.

    Args:
        document: whose recipe it is.
        recipe: the new one.
        text: what Undo calls it; told from the change where empty.
        paths: the changed paths; a change of the same paths soon after is merged into this one. Empty: never.
        time: when it was made, in seconds.
    """

    def __init__(self, document: Document, recipe: Recipe, text: str, paths: tuple[str, ...], time: float) -> None:
        super().__init__(text or describe(document.recipe, recipe))
        self._document, self._before, self._after = document, document.recipe, recipe
        self._given, self._paths, self._time = text, paths, time

    def redo(self) -> None:
        self._document._put(self._after)

    def undo(self) -> None:
        self._document._put(self._before)

    def id(self) -> int:
        return 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        same = isinstance(other, PutRecipe) and other._paths and other._paths == self._paths
        if not same or cast(PutRecipe, other)._time - self._time > MERGE_SECONDS:
            return False
        later = cast(PutRecipe, other)
        self._after, self._time = later._after, later._time
        self.setText(later._given or describe(self._before, self._after))
        # Back where it began: there is nothing to undo.
        self.setObsolete(self._after == self._before)
        return True


def _changed(before: Recipe, after: Recipe) -> tuple[str, ...]:
    name = ("name",) if before.name != after.name else ()
    return (*(change.path for change in before.diff(after)), *name)


def _relative(problem: Problem) -> Problem:
    """Without the word ``recipe`` before the path."""
    where = problem.where.removeprefix("recipe").removeprefix(": ")
    return Problem(problem.what, where, problem.mend)


def _inspected(recipe: Recipe, facts: DataFacts | None) -> tuple[Network | None, tuple[Problem, ...]]:
    if facts is None:
        return None, ()
    loss = cast(Loss, recipe.training.loss)
    if loss.task != facts.task:
        known = Problem(f"{loss.human_name()} is for {loss.task}, the data is for {facts.task}", "training.loss")
        return None, (known,)
    try:
        outputs = loss.outputs(facts.outputs)
    except ShapeError as error:
        return None, (Problem(str(error), "training.loss"),)
    network = inspect_network(recipe.network, facts.input_shape, outputs, recipe.training.dropout)
    if not network.nodes:
        return network, (Problem("the network has no layers", "network.layers"),)
    network = lookups_checked(recipe, network)
    return network, tuple(network.problems())
