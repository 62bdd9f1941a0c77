"""Everything behind the window: document, data, runs, project and settings, joined together. No widgets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.errors import InputError, RecipeError, WorkbenchError
from workbench.gui.background import Background
from workbench.gui.data_desk import DataDesk
from workbench.gui.document import Document
from workbench.gui.inbox import Inbox
from workbench.gui.run_desk import RunDesk
from workbench.gui.settings import Settings, projects_home
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import Goals
from workbench.session.samples import Sample
from workbench.store.project import Project, is_project
from workbench.store.run_folder import is_run
from workbench.store.standing import standing_of

_SAVE_MS = 1000


class Workspace(QObject):
    """The application without its window.

    Attributes:
        document: the recipe being edited, with undo.
        data: what it makes of the data.
        runs: the project's runs.
        project: the folder everything is kept in; None before the first import.
        settings: what is remembered from one start to the next.

    Signals:
        projectChanged: another project was opened, or none.
        failed: something could not be done: ``WorkbenchError``; to be shown where it was asked for.
        trainingAsked: a sample shall be shown training at once.
    """

    projectChanged = Signal()
    failed = Signal(object)
    trainingAsked = Signal()

    def __init__(self, settings: Settings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings or Settings()
        self.inbox = Inbox(self)
        self.background = Background(self.inbox)
        self.document = Document(parent=self)
        self.data = DataDesk(self.document, self.background, self)
        self.runs = RunDesk(self.inbox, self.background, self)
        self.runs.device = self.settings.get("device", "auto")
        self.project: Project | None = None
        self._train_when_ready = self._reuse = self._ended = False
        self._name_for_project = ""
        self._named: Path | None = None
        self._saving = QTimer(self)
        self._saving.setSingleShot(True)
        self._saving.setInterval(_SAVE_MS)
        self._saving.timeout.connect(self.save)
        self.document.recipeChanged.connect(self._saving.start)
        self.data.arriving.connect(self._on_arrival)
        self.data.proposed.connect(self._on_import)
        self.data.changed.connect(self._on_data)
        self.data.failed.connect(self._on_failure)
        self.runs.failed.connect(self.failed)
        self.runs.goalsGiven.connect(self._on_goals)

    # --- beginning -----------------------------------------------------------------------------------------------

    def open_path(self, path: Path) -> None:
        """Open what a path leads to: a project, a run folder in one or by itself, a recipe, or data."""
        try:
            if is_project(path):
                self.open_project(path)
            elif is_run(path):
                self.open_run(path.resolve())
            elif path.suffix == ".toml":
                self.open_recipe(Recipe.load(path), path.stem)
            elif (path / "recipe.toml").is_file():
                self.open_recipe(Recipe.load(path / "recipe.toml"), path.name)
            else:
                self.import_files([path])
        except WorkbenchError as error:
            self.failed.emit(error)

    def import_files(self, paths: Sequence[Path], target: str | Sequence[str] | None = None) -> None:
        """Read files and begin a project with the recipe that is proposed for them."""
        self._train_when_ready = False
        self._name_for_project = Path(paths[0]).stem if paths else ""
        self.data.import_files(paths, target)

    def run_sample(self, sample: Sample) -> None:
        """Begin a project with a bundled sample, and train it as soon as its data are there."""
        try:
            recipe = sample.recipe()
            self._begin_project(sample.name)
        except WorkbenchError as error:
            self.failed.emit(error)
            return
        self._train_when_ready = True
        self.document.start(recipe)
        self.data.reload()

    def open_recipe(self, recipe: Recipe, name: str) -> None:
        """Begin a project with a recipe.

        Raises:
            StoreError: the project cannot be made.
        """
        self._begin_project(name)
        self.document.start(recipe)
        self.data.reload()

    def open_run(self, folder: Path) -> None:
        """Show a run in the project that lists it, else in a new one.

        A run that was made elsewhere stays where it is: the project only names its folder.

        Raises:
            InputError, RecipeError, StoreError: it cannot be read, or the project cannot be made.
        """
        holder = self._project_with(folder)
        if holder is not None:
            self.open_project(holder)
            number = next((entry.number for entry in self.runs.entries if entry.folder.resolve() == folder), 0)
            self.runs.look_again(number or self.runs.current)
            return
        recipe = Recipe.load(folder / "recipe.toml")
        standing_of(folder)  # A folder that cannot be read leaves no empty project behind.
        project = self._new_project(folder.name)
        project.link_run(folder)
        self._take_project(project)
        self.document.start(recipe)
        self.data.reload()

    def _project_with(self, folder: Path) -> Path | None:
        """The project that lists a run in this folder: the one that it stands in, or one that was opened lately."""
        around = folder.parent.parent
        for path in (around, *self.settings.recent()) if is_project(around) else self.settings.recent():
            with suppress(WorkbenchError), Project.open(path, write=False) as project:
                if project.number_of(folder):
                    return path
        return None

    def open_project(self, path: Path) -> None:
        """Open a project; read-only where another window holds it.

        Raises:
            InputError, StoreError: it cannot be opened.
        """
        if self.project is not None and path.resolve() == self.project.path.resolve():
            self.projectChanged.emit()
            return
        project = Project.open(path)
        try:
            recipe, problem = recipe_of(project)
        except BaseException:
            project.close()
            raise
        self._take_project(project)
        self.document.start(recipe)
        self.data.reload()
        if problem is not None:
            self.failed.emit(problem)

    def new_project(self) -> None:
        """Close what is open and begin with nothing."""
        self._close_project()
        self.document.start(Recipe())
        self.data.clear()
        self.projectChanged.emit()

    def _begin_project(self, name: str, *, saved: bool = False) -> None:
        self._take_project(self._new_project(name), saved=saved)

    def _new_project(self, name: str) -> Project:
        project = Project.create(_free_folder(name))
        self._named = project.path
        return project

    def _take_project(self, project: Project, *, saved: bool = False) -> None:
        self._close_project(saved=saved)
        self.project = project
        self.data.clear()
        self.runs.open(project)
        self.settings.add_recent(project.path)
        self.projectChanged.emit()

    def _close_project(self, *, saved: bool = False) -> None:
        if not saved:
            self.save()
        self._train_when_ready = False
        self.runs.open(None)
        if self.project:
            self.project.close()
            self.project = None

    # --- the way things hang together ----------------------------------------------------------------------------

    def _on_arrival(self) -> None:
        """Save what is open before the document begins anew, and see whether it is worth keeping."""
        self.save()
        untouched = not self.runs.entries and not self.document.undo_stack.count()
        self._reuse = self.project is not None and self.project.writable and untouched

    def _on_import(self) -> None:
        """A fresh proposal begins a project of its own, unless nothing was done in the one that is open."""
        name = self._name_for_project or self.document.recipe.name
        if self._reuse and self.project is not None:
            self._rename(self.project, name)
            return
        kept, recipe = self.data.keep(), self.document.recipe
        try:
            # What is in the document by now belongs to the new project; the old one was saved on arrival.
            self._begin_project(name, saved=True)
        except WorkbenchError as error:
            self.failed.emit(error)
            return
        self.document.start(recipe)
        self.data.put_back(kept)

    def _rename(self, project: Project, name: str) -> None:
        """Call a project in which nothing was done after what is in it now; a name that a user gave stays."""
        path = project.path
        if path == self._named and not re.fullmatch(rf"{re.escape(_plain(name))}(-\d+)?", path.name):
            try:
                self.runs.open(None)
                self.project = project.moved(_free_folder(name))
            except WorkbenchError as error:
                self.project = None
                self.failed.emit(error)
                return
            self._named = self.project.path
            self.settings.forget_recent(path)
            self.runs.open(self.project)
            self.projectChanged.emit()
        self.settings.add_recent(self.project.path if self.project else path)

    def _on_data(self) -> None:
        if self._train_when_ready and self.data.dataset is not None:
            self._train_when_ready = False
            self.trainingAsked.emit()
            self.train()

    def _on_failure(self, error: WorkbenchError) -> None:
        self._train_when_ready = False
        self.failed.emit(error)

    def _on_goals(self, number: int, goals: Goals) -> None:
        """What a run is measured by is what the next ones are measured by; can be undone."""
        self.document.set("goals", goals, self.tr("goals of run {0}").format(number))

    def why_not_train(self) -> str:
        """Why nothing can be trained now; empty where it can."""
        if self.data.importing:
            return self.tr("Data are being read.")
        if self.data.state is None:
            return self.tr("Import data first.")
        if self.data.state.problem is not None:
            return str(self.data.state.problem)
        if self.document.problems:
            first = self.document.problems[0]
            return f"{first.where}: {first.what}" if first.where else first.what
        if self.project is None or not self.project.writable:
            return self.tr("The project is read-only.")
        return ""

    def train(self) -> int:
        """Train the recipe as it stands, as a child of the run that is looked at; its number, 0 where it cannot."""
        reason = self.why_not_train()
        try:
            if reason:
                raise InputError(reason)
            self.save()
            return self.runs.train(self.document.recipe, self.runs.current or None)
        except WorkbenchError as error:
            self.failed.emit(error)
            return 0

    def edit_run(self, number: int) -> None:
        """Make a run's recipe the one being edited; can be undone."""
        try:
            recipe = self.runs.recipe_of(number)
        except WorkbenchError as error:
            self.failed.emit(error)
            return
        self.document.replace(recipe, self.tr("recipe of run {0}").format(number))

    def save(self) -> None:
        """Save the recipe being edited into the project."""
        self._saving.stop()
        if self.project and self.project.writable and self.document.recipe != Recipe():
            try:
                self.project.save_draft(self.document.recipe)
            except WorkbenchError as error:
                self.failed.emit(error)

    def shut_down(self) -> None:
        """Save, stop what runs, and end all threads. A second time does nothing."""
        if self._ended:
            return
        self._ended = True
        self._close_project()
        self.background.close()
        self.inbox.stop()


def recipe_of(project: Project) -> tuple[Recipe, RecipeError | None]:
    """The recipe to go on with: the one being worked on, else that of the latest run that can be read.

    A damaged one is put aside under another name, so that nothing writes over it.

    Returns:
        The recipe, and what is wrong with the one that was being worked on.

    Raises:
        StoreError: the project is damaged.
    """
    problem = None
    try:
        draft = project.draft()
        if draft is not None:
            return draft, None
    except RecipeError as error:
        problem = error
        if project.writable:
            with suppress(OSError):
                (project.path / "recipe.toml").replace(project.path / "recipe.toml.damaged")
    for entry in reversed(project.runs()):
        with suppress(WorkbenchError):
            return Recipe.load(entry.folder / "recipe.toml"), problem
    return Recipe(), problem


def _plain(name: str) -> str:
    """A name as that of a folder."""
    return (re.sub(r"[^\w.-]+", "-", name).strip("-.") or "project")[:60]


def _free_folder(name: str) -> Path:
    """A folder for a new project: after its name, with a number where there is one already."""
    home, plain = projects_home(), _plain(name)
    number, path = 1, home / plain
    while _is_taken(path):
        number += 1
        path = home / f"{plain}-{number}"
    return path


def _is_taken(path: Path) -> bool:
    try:
        return any(path.iterdir())
    except FileNotFoundError:
        return False
    except OSError:
        return True
