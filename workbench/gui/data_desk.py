"""The data being worked on: imported in the background, and made anew whenever the recipe's data section changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.data.cache import default_folder
from workbench.data.content import Content, concatenate
from workbench.data.dataset import Dataset, dataset_of
from workbench.data.gather import sources_of
from workbench.data.labels import yes_no_columns
from workbench.data.profile import Profile, profile_of
from workbench.data.propose import propose
from workbench.data.reading import read_sources
from workbench.data.roles import hints_of, target_columns
from workbench.errors import InputError, WorkbenchError
from workbench.gui.background import Background, Report
from workbench.gui.data_facts import DataFacts
from workbench.gui.document import Document
from workbench.recipe.data import DataRecipe
from workbench.recipe.recipe import Recipe

_SETTLE_MS = 200
"""How long the data section must rest before the dataset is made anew: a slider moves through many values."""


@dataclass(frozen=True, eq=False)
class DataState:
    """What is known of the data.

    Attributes:
        content: the examples as they were read.
        dataset: what the recipe makes of them; None where it cannot.
        profile: figures for the preview.
        problem: why there is no dataset; None where there is one.
        sizes: how many examples each source has.
        yes_no: the columns that say yes or no.
        targets: the columns that are predicted.
    """

    content: Content
    dataset: Dataset | None
    profile: Profile
    problem: InputError | None
    sizes: tuple[int, ...] = ()
    yes_no: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


class DataDesk(QObject):
    """Imports data and keeps the dataset in step with the document.

    Signals:
        changed: ``state`` is another one: ``DataState`` or None.
        busyChanged: something is being done or no longer: a stage, done and total; an empty stage means nothing.
        failed: an import failed: ``WorkbenchError``. The data stay as they were.
        arriving: files were read, and the document is about to begin anew with the recipe proposed for them.
        proposed: that has happened: the reasons for the proposal.
    """

    changed = Signal(object)
    busyChanged = Signal(str, int, int)
    failed = Signal(object)
    arriving = Signal()
    proposed = Signal(tuple)

    def __init__(self, document: Document, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._background = document, background
        self._made_for: DataRecipe | None = None
        self.state: DataState | None = None
        self.reasons: tuple[str, ...] = ()
        self.importing = self._making = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._make)
        document.recipeChanged.connect(self._on_recipe)

    @property
    def dataset(self) -> Dataset | None:
        """What the recipe makes of the data; None where it cannot, or before there are any."""
        return self.state.dataset if self.state else None

    @property
    def up_to_date(self) -> bool:
        """Whether the dataset is that of the recipe as it stands."""
        return self._made_for == _without_augmentation(self._document.recipe.data)

    def import_files(self, paths: Sequence[Path], target: str | Sequence[str] | None = None) -> None:
        """Read files and propose a recipe for them; the document begins anew with it.

        Args:
            paths: files and folders of one data set.
            target: the column to predict, or several labels; found out when None.
        """
        self.importing = True
        self.busyChanged.emit(self.tr("reading data"), 0, 0)

        def work(report: Report) -> tuple[Recipe, tuple[str, ...], DataState]:
            proposal = propose(paths, target, default_folder(), report)
            return proposal.recipe, proposal.reasons, _state_of(proposal.recipe.data, report)

        def done(result: tuple[Recipe, tuple[str, ...], DataState]) -> None:
            recipe, reasons, state = result
            self.importing = False
            self._timer.stop()
            self._background.cancel("data")
            self.arriving.emit()
            self.reasons = reasons
            self._take(recipe.data, state)
            self._document.start(recipe)
            self.proposed.emit(self.reasons)

        self._background.start("import", work, done, self._on_failure, self.busyChanged.emit)

    def cancel_import(self) -> None:
        """Do not take what is being read."""
        if self.importing:
            self._background.cancel("import")
            self.importing = False
            self.busyChanged.emit("", 0, 0)

    def add_files(self, paths: Sequence[Path]) -> tuple[str, ...]:
        """Add files to the sources there are; one step of Undo.

        Returns:
            What is wrong with them, nothing where they were added.
        """
        try:
            sources, _ = sources_of(paths)
        except InputError as error:
            return tuple(str(problem) for problem in error.problems)
        known = self._document.recipe.data.sources
        text = self.tr("add %n source(s)", "", len(sources))
        return tuple(str(problem) for problem in self._document.set("data.sources", [*known, *sources], text))

    def reload(self) -> None:
        """Make the dataset of the document's recipe now."""
        self._timer.stop()
        self._make()

    def keep(self) -> tuple[DataRecipe | None, DataState | None, tuple[str, ...]]:
        """What is known, for ``put_back``."""
        return self._made_for, self.state, self.reasons

    def put_back(self, kept: tuple[DataRecipe | None, DataState | None, tuple[str, ...]]) -> None:
        """Take over what was kept before a project was opened around it."""
        recipe, state, self.reasons = kept
        if recipe is not None and state is not None:
            self._take(recipe, state)

    def clear(self) -> None:
        """Forget the data."""
        self.cancel_import()
        self._timer.stop()
        self._background.cancel("data")
        self._making = False
        self.state, self._made_for, self.reasons = None, None, ()
        self._document.set_facts(None)
        self.busyChanged.emit("", 0, 0)
        self.changed.emit(None)

    def _on_recipe(self, recipe: Recipe) -> None:
        if _without_augmentation(recipe.data) != self._made_for and recipe.data.sources:
            self._timer.start()
        elif self._timer.isActive() or self._making:
            # Back at what there is: what was being made in between is not wanted any more.
            self._timer.stop()
            self._background.cancel("data")
            self._making = False
            self.busyChanged.emit("", 0, 0)

    def _make(self) -> None:
        recipe = self._document.recipe.data
        if not recipe.sources or self.up_to_date:
            return
        self._making = True
        self.busyChanged.emit(self.tr("preparing data"), 0, 0)
        self._background.start(
            "data",
            lambda report: _state_of(recipe, report),
            lambda state: self._take(recipe, state),
            self._on_failure,
            self.busyChanged.emit,
        )

    def _take(self, recipe: DataRecipe, state: DataState) -> None:
        self._making = False
        self.state, self._made_for = state, _without_augmentation(recipe)
        self._document.set_facts(facts_of(state.dataset) if state.dataset else None)
        self.busyChanged.emit("", 0, 0)
        self.changed.emit(state)

    def _on_failure(self, error: WorkbenchError) -> None:
        self.importing = self._making = False
        self.busyChanged.emit("", 0, 0)
        self.failed.emit(error)


def _state_of(recipe: DataRecipe, report: Report) -> DataState:
    contents = read_sources(recipe.sources, hints_of(recipe), default_folder(), report)
    dataset, problem = None, None
    try:
        dataset = dataset_of(recipe, contents, report)
    except InputError as error:
        problem = error
    content = dataset.content if dataset else concatenate(contents, [source.path for source in recipe.sources])
    sizes = tuple(one.rows for one in contents)
    profile, yes_no = profile_of(content, dataset, recipe), yes_no_columns(content.columns)
    return DataState(content, dataset, profile, problem, sizes, yes_no, target_columns(recipe, content))


def facts_of(dataset: Dataset) -> DataFacts:
    """What the rest of the window needs to know of a dataset."""
    return DataFacts(
        dataset.encoder.input_shape,
        dataset.encoder.task,
        dataset.classes,
        columns=dataset.content.names,
        sizes={name: len(rows) for name, rows in dataset.sets.items()},
    )


def _without_augmentation(recipe: DataRecipe) -> DataRecipe:
    # Augmentation happens while training: the dataset is the same with any.
    return recipe.model_copy(update={"augment": ()})
