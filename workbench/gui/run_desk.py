"""The runs of a project: the list, what each has said, those that are going on, and what they came to."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from workbench.data.cache import default_folder
from workbench.diagnosis.context import Tried
from workbench.diagnosis.diagnose import Diagnosis
from workbench.diagnosis.rule import Knob
from workbench.engine.device import cores
from workbench.errors import InputError, WorkbenchError
from workbench.evaluation.predictions import Predictions
from workbench.events import Event, RunEnded
from workbench.gui.background import Background
from workbench.gui.inbox import Channel, Inbox
from workbench.recipe.paths import Change, split_path
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import Goals
from workbench.session.curves import RunCurves
from workbench.session.history import tried_from
from workbench.session.results import diagnosis_of_run, goals_of_run, keep_goals, predictions_of_run
from workbench.session.runner import Run, RunRequest
from workbench.store.project import Project, RunEntry
from workbench.store.run_folder import RunFolder
from workbench.store.standing import RunStatus

AT_ONCE = 1
"""Runs that compute at the same time: two would only share the cores."""


@dataclass(frozen=True, eq=False)
class RunResult:
    """What a finished run came to.

    Attributes:
        recipe: what ran.
        goals: what it is measured by; those of the recipe unless others were given since.
        diagnosis: its verdict and knobs.
        predictions: for every example.
        tried: child runs that turned one knob, and what each moved.
    """

    recipe: Recipe
    goals: Goals
    diagnosis: Diagnosis
    predictions: Predictions
    tried: tuple[tuple[RunEntry, Tried], ...]


@dataclass
class _Live:
    run: Run
    channel: Channel


class RunDesk(QObject):
    """Starts runs, listens to them, and reads back what they came to.

    Signals:
        opened: these are the runs of another project now; what was known by their numbers holds no longer.
        listChanged: runs were added, ended or hidden.
        updated: a run said something: its number.
        resultReady: a run's diagnosis is there, or there anew: its number.
        resultFailed: it could not be made: the number and the ``WorkbenchError``.
        selected: another run is looked at: its number, 0 for none.
        goalsGiven: a run is measured by other goals from now on: its number and the ``Goals``.
        failed: something could not be saved: ``WorkbenchError``.
        deviceChanged: the next run may compute elsewhere than it would have before.
    """

    opened = Signal()
    listChanged = Signal()
    updated = Signal(int)
    resultReady = Signal(int)
    resultFailed = Signal(int, object)
    selected = Signal(int)
    goalsGiven = Signal(int, object)
    failed = Signal(object)
    deviceChanged = Signal()

    def __init__(self, inbox: Inbox, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._inbox, self._background = inbox, background
        self.project: Project | None = None
        self.entries: list[RunEntry] = []
        self.current = 0
        self.device, self.has_gpu = "auto", False
        self.threads = max(1, cores() - 1)
        self.spawn = True
        self._curves: dict[int, RunCurves] = {}
        self._results: dict[int, RunResult] = {}
        self._recipes: dict[int, Recipe] = {}
        self._goals: dict[int, Goals] = {}
        self._live: dict[int, _Live] = {}
        self._queue: deque[tuple[int, RunRequest]] = deque()
        self._stopping: set[int] = set()
        self._unheard: dict[int, list[Event]] = {}
        self._opened = 0
        self._reading = threading.Lock()

    # --- the list ------------------------------------------------------------------------------------------------

    def open(self, project: Project | None) -> None:
        """Show the runs of another project. What still runs of the one before is stopped."""
        self.shut_down()
        self.project, self.current = project, 0
        self._opened += 1
        self._curves, self._results, self._recipes, self._goals, self._unheard = {}, {}, {}, {}, {}
        self._stopping.clear()
        self.opened.emit()
        self._refresh()
        self.select(self.entries[-1].number if self.entries else 0)

    def entry(self, number: int) -> RunEntry | None:
        """A run of the list."""
        return next((entry for entry in self.entries if entry.number == number), None)

    def is_live(self, number: int) -> bool:
        """Whether a run is going on (or about to)."""
        return number in self._live

    def is_queued(self, number: int) -> bool:
        """Whether a run waits for others to end."""
        return any(waiting == number for waiting, _ in self._queue)

    def is_stopping(self, number: int) -> bool:
        """Whether a run was asked to end, and has not yet."""
        return number in self._stopping

    def busy(self) -> tuple[int, ...]:
        """The runs that are going on or wait."""
        return (*self._live, *(number for number, _ in self._queue))

    def select(self, number: int) -> None:
        """Look at a run."""
        self.current = number
        if number:
            self.curves(number)
            self._read_result(number)
        self.selected.emit(number)

    def hide(self, number: int) -> None:
        """Take a run off the list; its folder stays."""
        if self.project is None or not self.project.writable or number in self.busy():
            return
        self.project.hide(number)
        self._refresh()
        if self.current == number:
            self.select(self.entries[-1].number if self.entries else 0)

    def put_back(self, number: int) -> None:
        """Put a hidden run back on the list."""
        if self.project is not None and self.project.writable and number:
            self.project.hide(number, False)
            self._refresh()

    def look_again(self, number: int) -> None:
        """Look at a run that may have gone on elsewhere since it was read.

        Raises:
            StoreError: the list could not be saved.
        """
        if self.project is not None and self.project.writable and number not in self.busy():
            self.project.look_at_links()
            for known in (self._curves, self._results):
                known.pop(number, None)
            self._refresh()
        self.select(number)

    def _refresh(self) -> None:
        self.entries = self.project.runs() if self.project else []
        self.listChanged.emit()

    # --- what they said ------------------------------------------------------------------------------------------

    def curves(self, number: int) -> RunCurves:
        """What a run has said so far; of an older one what is on disk, which is there a moment later."""
        if number not in self._curves:
            self._curves[number] = RunCurves()
            entry = self.entry(number)
            if entry is not None and not self.is_live(number) and entry.folder.is_dir():
                self._read_curves(entry)
        return self._curves[number]

    def curves_if_known(self, number: int) -> RunCurves | None:
        """As ``curves``, without reading anything."""
        return self._curves.get(number)

    def _read_curves(self, entry: RunEntry) -> None:
        opened = self._opened

        def work(_: object) -> list[Event]:
            with RunFolder.open(entry.folder) as folder:
                return list(folder.events())

        def done(events: list[Event]) -> None:
            if opened != self._opened:
                return
            # A run that goes on meanwhile has said more: that comes after what was on disk.
            newest = max((event.time for event in events), default=0.0)
            later = [event for event in self._unheard.pop(entry.number, []) if event.time > newest]
            self._curves[entry.number] = RunCurves.of([*events, *later])
            self.updated.emit(entry.number)

        self._unheard[entry.number] = []
        self._background.start(f"curves {entry.number}", work, done, lambda _: done([]))

    def result(self, number: int) -> RunResult | None:
        """What a run came to; None before it is known."""
        return self._results.get(number)

    def recipe(self, number: int) -> Recipe | None:
        """What a run does; None before it was read."""
        return self._recipes.get(number)

    def recipe_of(self, number: int) -> Recipe:
        """What a run does, read from its folder where it is not known yet.

        Raises:
            InputError, RecipeError: there is no such run, or its recipe cannot be read.
        """
        if number not in self._recipes:
            entry = self.entry(number)
            if entry is None:
                raise InputError(f"there is no run {number}")
            self._recipes[number] = Recipe.load(entry.folder / "recipe.toml")
        return self._recipes[number]

    def set_goals(self, number: int, goals: Goals) -> None:
        """Measure a run by other goals, without training anew. Its folder keeps them where the project is writable."""
        if number in self._results:
            self._goals[number] = goals
            self._read_result(number, anew=True)
            self.goalsGiven.emit(number, goals)

    def _read_result(self, number: int, *, anew: bool = False) -> None:
        entry = self.entry(number)
        if entry is None or not entry.ended_well or (number in self._results and not anew):
            return
        runs, given = list(self.entries), self._goals.get(number)
        keep = self.project is not None and self.project.writable
        opened = self._opened

        def work(_: object) -> RunResult:
            # Other goals are written into the folder, which only one may do at a time.
            with self._reading:
                return _result_of(entry, runs, given, keep=keep)

        def done(result: RunResult) -> None:
            if opened == self._opened and number not in self.busy():
                self._results[number], self._recipes[number] = result, result.recipe
                self.resultReady.emit(number)

        def failed(error: WorkbenchError) -> None:
            if opened == self._opened:
                self.resultFailed.emit(number, error)

        self._background.start(f"result {number}", work, done, failed)

    # --- starting and steering -----------------------------------------------------------------------------------

    def train(self, recipe: Recipe, parent: int | None = None) -> int:
        """Start a run, or put it in the queue behind the one that is going on.

        Args:
            recipe: what to do, with absolute data paths.
            parent: the run it was made from, to tell the difference.

        Returns:
            Its number.

        Raises:
            InputError: there is no project, or it is open elsewhere.
            StoreError: the list could not be saved.
        """
        if self.project is None:
            raise InputError("there is no project to train in", mend="Import data first.")
        self._must_be_writable(self.project)
        entry = self.project.add_run(parent, self._changes(parent, recipe))
        self._recipes[entry.number] = recipe
        request = RunRequest(
            entry.name, entry.folder, recipe, self.device, self.threads, default_folder(), resume=False
        )
        self._enqueue(entry.number, request)
        return entry.number

    @staticmethod
    def _must_be_writable(project: Project) -> None:
        if not project.writable:
            raise InputError(f"the project is open elsewhere ({project.owner})", mend="Close it there first.")

    def train_again(self, number: int) -> int:
        """Start a run with the same recipe as another.

        Raises:
            InputError, RecipeError, StoreError: as for ``recipe_of`` and ``train``.
        """
        return self.train(self.recipe_of(number), number)

    @property
    def on_gpu(self) -> bool:
        """Whether the next run computes on a GPU, as far as it is known by now."""
        return self.has_gpu and self.device != "cpu"

    def train_changed(self, number: int, patch: dict[str, Any]) -> int:
        """Start a run with what is changed in another one's recipe, by path.

        Raises:
            InputError, RecipeError, StoreError: as for ``recipe_of`` and ``train``.
        """
        return self.train(self.recipe_of(number).replace(patch), number)

    def try_knob(self, number: int, knob: Knob) -> int:
        """Start a child run that differs from a run in exactly one setting; it is measured by the same goals.

        Raises:
            InputError, StoreError: as for ``train``.
        """
        result = self._results[number]
        return self.train(result.recipe.replace({"goals": result.goals, **knob.patch}), number)

    def go_on(self, number: int) -> None:
        """Resume a run that was stopped or cut off.

        Raises:
            InputError: the project is open elsewhere.
            StoreError: the list could not be saved.
        """
        entry = self.entry(number)
        if self.project is None or entry is None or number in self.busy():
            return
        self._must_be_writable(self.project)
        # What a run saved last before it was cut off may never have been heard of.
        self._curves.pop(number, None)
        self.curves(number)
        self._results.pop(number, None)
        self.project.note(number, "running", figures=entry.figures)
        request = RunRequest(entry.name, entry.folder, None, self.device, self.threads, default_folder(), resume=True)
        self._enqueue(number, request)

    def _changes(self, parent: int | None, recipe: Recipe) -> tuple[Change, ...]:
        if not parent:
            return ()
        try:
            changes = self.recipe_of(parent).diff(recipe)
        except WorkbenchError:
            return ()  # A parent that cannot be read any more is no reason not to train.
        # Goals are what runs are measured by; with other goals a run still differs in nothing but its settings.
        return tuple(change for change in changes if split_path(change.path)[0] != "goals")

    def _enqueue(self, number: int, request: RunRequest) -> None:
        self._curves.setdefault(number, RunCurves())
        self._queue.append((number, request))
        self._refresh()
        self._start_next()
        self.select(number)

    def _start_next(self) -> None:
        while self._queue and len(self._live) < AT_ONCE:
            number, request = self._queue.popleft()
            channel = self._inbox.channel(lambda events, number=number: self._take(number, events))  # type: ignore[misc]
            live = _Live(Run(request, channel.put, spawn=self.spawn), channel)
            self._live[number] = live
            live.run.start()

    def _take(self, number: int, events: list[Event]) -> None:
        if number in self._unheard:
            self._unheard[number] += events
        else:
            curves = self._curves.setdefault(number, RunCurves())
            for event in events:
                curves.take(event)
        ended = events[-1] if isinstance(events[-1], RunEnded) else None
        if ended:
            self._end(number, ended)
        self.updated.emit(number)

    def _end(self, number: int, event: RunEnded) -> None:
        self._stopping.discard(number)
        live = self._live.pop(number, None)
        if live:
            live.channel.close()
        self._note(number, event.reason, event.message, event.summary)
        self._refresh()
        self._start_next()
        entry = self.entry(number)
        self._read_result(number, anew=True)
        if entry and entry.parent in self._results:
            # The parent's cards now tell what turning this knob moved.
            self._read_result(entry.parent, anew=True)

    def _note(self, number: int, status: RunStatus, message: str = "", figures: dict[str, Any] | None = None) -> None:
        """Save how a run stands. Where that fails, the run itself has what it came to: others need not wait for it."""
        if self.project is None or not self.project.writable:
            return
        try:
            self.project.note(number, status, message, figures)
        except WorkbenchError as error:
            self.failed.emit(error)

    def pause(self, number: int) -> None:
        """Ask a run to wait after its batch."""
        if number in self._live:
            self._live[number].run.pause()

    def unpause(self, number: int) -> None:
        """Ask it to go on."""
        if number in self._live:
            self._live[number].run.resume()

    def toggle_pause(self) -> None:
        """Let the run that computes wait, or go on."""
        for number in self._live:
            (self.unpause if self.curves(number).stage == "paused" else self.pause)(number)

    def stop(self, number: int) -> None:
        """Ask it to end after its batch; one that waits is taken out of the queue."""
        if number in self._live:
            self._stopping.add(number)
            self._live[number].run.stop()
            self.updated.emit(number)
            return
        if self.is_queued(number):
            self._queue = deque(item for item in self._queue if item[0] != number)
            # It has no folder yet: there is nothing to keep.
            self.hide(number)

    def kill(self, number: int) -> None:
        """End its process at once; every finished epoch is saved."""
        if number in self._live:
            self._live[number].run.kill()

    def set_learning_rate(self, number: int, rate: float) -> None:
        """Ask for another base learning rate."""
        if number in self._live:
            self._live[number].run.set_learning_rate(rate)

    def shut_down(self, seconds: float = 3.0) -> None:
        """Stop everything, with checkpoints; kill what does not end in time."""
        for number, _ in self._queue:
            self._give_up(number)
        self._queue.clear()
        for live in self._live.values():
            live.run.stop()
        deadline = time.monotonic() + seconds
        for live in list(self._live.values()):
            if not live.run.join(max(0.1, deadline - time.monotonic())):
                live.run.kill()
                live.run.join(2)
        # The last words of those that ended in time, or had ended before and were not heard yet.
        self._inbox.fetch_events()
        for number, live in list(self._live.items()):
            live.channel.close()
            self._note(number, "interrupted")
        self._live.clear()

    def _give_up(self, number: int) -> None:
        """A run that waited: one that began before can be resumed another time, a new one has nothing to keep."""
        entry = self.entry(number)
        if entry is not None and (entry.folder / "run.sqlite").is_file():
            self._note(number, "interrupted", figures=entry.figures)
        elif self.project is not None and self.project.writable:
            self.project.hide(number)


def _result_of(entry: RunEntry, runs: list[RunEntry], given: Goals | None, *, keep: bool) -> RunResult:
    """Read a run's result, measured by its own goals or by those given, which its folder then keeps."""
    tried = tried_from(runs, entry.number, given)
    with RunFolder.open(entry.folder) as folder:
        own = goals_of_run(folder)
        goals = given or own
        diagnosis = diagnosis_of_run(folder, tuple(each for _, each in tried), goals)
        result = RunResult(folder.recipe, goals, diagnosis, predictions_of_run(folder), tried)
    if goals != own and keep:
        with RunFolder.open(entry.folder, write=True) as folder:
            keep_goals(folder, goals)
    return result
