"""A project: a folder with the recipe being worked on, and the runs that were made of it.

project.sqlite     the list of runs, each with its parent and what it came to
recipe.toml        the recipe being worked on
runs/run-1/ ...    run folders; of a run that was made elsewhere, the list names the folder instead
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from workbench.errors import InputError, StoreError, WorkbenchError
from workbench.recipe.paths import Change
from workbench.recipe.recipe import Recipe
from workbench.store.database import Database
from workbench.store.files import make_folder, move_folder, write_file
from workbench.store.lock import FolderLock
from workbench.store.run_folder import require_empty
from workbench.store.standing import RunStatus, Standing, standing_of

_SCHEMA = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, parent INTEGER, created REAL NOT NULL, changes TEXT NOT NULL,
    status TEXT NOT NULL, message TEXT NOT NULL, figures TEXT NOT NULL, hidden INTEGER NOT NULL DEFAULT 0)
"""
# Made when it is first needed: projects without such runs stay as earlier versions made them.
_LINKS = "CREATE TABLE IF NOT EXISTS links (number INTEGER PRIMARY KEY, folder TEXT NOT NULL)"
_FILE = "project.sqlite"


@dataclass(frozen=True)
class RunEntry:
    """A run in the list.

    Attributes:
        number: from 1.
        folder: its run folder.
        parent: the number of the run it was made from; None for a first one.
        created: seconds since 1970.
        changes: what is different from its parent.
        status: how it stands.
        message: why it failed, where it did.
        figures: what it came to, ``RunEnded.summary``; empty before.
        linked: whether it was made elsewhere, and its folder stands there.
    """

    number: int
    folder: Path
    parent: int | None
    created: float
    changes: tuple[Change, ...]
    status: RunStatus
    message: str
    figures: dict[str, Any]
    linked: bool = False

    @property
    def name(self) -> str:
        """What it is called in events and lists."""
        return f"run-{self.number}"

    @property
    def ended_well(self) -> bool:
        """Whether it has results."""
        return self.status in ("finished", "early_stopping", "stopped")


class Project:
    """An open project. Made by ``create`` or ``open``; ``close`` it, or use it in a ``with``.

    Attributes:
        path: its folder.
        writable: whether this process may change it; False where another one holds it.
        owner: who holds it then.
    """

    def __init__(self, path: Path, database: Database, lock: FolderLock | None, owner: str = "") -> None:
        self.path, self.owner = path, owner
        self.writable = lock is not None
        self._database, self._lock = database, lock

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a project.

        Raises:
            InputError: the folder exists and is not empty.
            StoreError: it cannot be written.
        """
        require_empty(path)
        make_folder(path / "runs")
        lock = FolderLock(path)
        lock.acquire()
        try:
            return cls(path, Database(path / _FILE, _SCHEMA, write=True), lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path, *, write: bool = True) -> Self:
        """Open a project; read-only where another process has it open, or where that is all that is wanted.

        Raises:
            InputError: there is none.
            StoreError: it is damaged.
        """
        if not is_project(path):
            raise InputError("is no project", where=str(path))
        lock, owner = _try_lock(path) if write else (None, "")
        try:
            project = cls(path, Database(path / _FILE, _SCHEMA, write=lock is not None), lock, owner)
        except BaseException:
            if lock:
                lock.release()
            raise
        project._mark_interrupted()
        return project

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the list and give the lock back."""
        self._database.close()
        if self._lock:
            self._lock.release()

    def moved(self, path: Path) -> Self:
        """The same project in a folder that is not there yet; where it is, if it cannot be moved. Closes this one.

        Raises:
            StoreError: it cannot be opened again.
        """
        self.close()
        return type(self).open(path if move_folder(self.path, path) else self.path)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def draft(self) -> Recipe | None:
        """The recipe being worked on; None in a new project.

        Raises:
            RecipeError: its file has mistakes.
        """
        path = self.path / "recipe.toml"
        return Recipe.load(path) if path.exists() else None

    def save_draft(self, recipe: Recipe) -> None:
        """Save the recipe being worked on.

        Raises:
            StoreError: it could not be saved.
        """
        write_file(self.path / "recipe.toml", recipe.toml().encode())

    def runs(self) -> list[RunEntry]:
        """All runs, the oldest first."""
        rows = self._database.rows(
            "SELECT number, parent, created, changes, status, message, figures FROM runs"
            " WHERE NOT hidden ORDER BY number"
        )
        links = self._links()
        return [self._entry(row, links.get(int(str(row[0])))) for row in rows]

    def run(self, number: int) -> RunEntry:
        """A run by number.

        Raises:
            InputError: there is none.
        """
        for entry in self.runs():
            if entry.number == number:
                return entry
        raise InputError(f"has no run {number}", where=str(self.path))

    def add_run(self, parent: int | None = None, changes: Sequence[Change] = ()) -> RunEntry:
        """A new run in the list; its folder is made when it starts.

        Raises:
            StoreError: the list could not be saved.
        """
        number = self._next_number()
        told = json.dumps([[change.path, change.before, change.after] for change in changes])
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, 'running', '', '{}', 0)", (number, parent, time.time(), told)
            )
        return self.run(number)

    def link_run(self, folder: Path) -> RunEntry:
        """A run in the list that was made elsewhere; its folder stays where it is, and as it is.

        Raises:
            InputError: there is no run there.
            StoreError: it is damaged, or the list could not be saved.
        """
        stands, number = standing_of(folder), self._next_number()
        with self._database.transaction() as connection:
            connection.execute(_LINKS)
            connection.execute("INSERT INTO links VALUES (?, ?)", (number, str(folder.resolve())))
            connection.execute(
                "INSERT INTO runs VALUES (?, NULL, ?, '[]', ?, ?, ?, 0)",
                (number, stands.created, stands.status, stands.message, json.dumps(stands.figures)),
            )
        return self.run(number)

    def look_at_links(self) -> None:
        """See how those runs stand that were made elsewhere: they may have gone on there. Lost ones stay as they were.

        Raises:
            StoreError: the list could not be saved.
        """
        for number, folder in self._links().items():
            stands: Standing | None = None
            with suppress(WorkbenchError):
                stands = standing_of(folder)
            if stands is not None:
                self._note(number, stands.status, stands.message, stands.figures)

    def number_of(self, folder: Path) -> int:
        """The number of the run in a folder; 0 where it is not listed."""
        sought = folder.resolve()
        return next((entry.number for entry in self.runs() if entry.folder.resolve() == sought), 0)

    def note(
        self, number: int, status: RunStatus, message: str = "", figures: dict[str, Any] | None = None
    ) -> RunEntry:
        """Save how a run stands.

        Raises:
            StoreError: it could not be saved.
        """
        self._note(number, status, message, figures or {})
        return self.run(number)

    def _note(self, number: int, status: RunStatus, message: str, figures: dict[str, Any]) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE runs SET status = ?, message = ?, figures = ? WHERE number = ?",
                (status, message, json.dumps(figures), number),
            )

    def hide(self, number: int, hidden: bool = True) -> None:
        """Take a run off the list, or put it back; its folder stays.

        Raises:
            StoreError: it could not be saved.
        """
        with self._database.transaction() as connection:
            connection.execute("UPDATE runs SET hidden = ? WHERE number = ?", (int(hidden), number))

    def _mark_interrupted(self) -> None:
        # Runs end before the project is closed: one that still counts as running was cut off with its app.
        if self.writable:
            with self._database.transaction() as connection:
                connection.execute("UPDATE runs SET status = 'interrupted' WHERE status = 'running'")
            self.look_at_links()

    def _next_number(self) -> int:
        last = self._database.rows("SELECT max(number) FROM runs")[0][0]
        number = int(str(last)) + 1 if last is not None else 1
        while (self.path / "runs" / f"run-{number}").exists():
            number += 1
        return number

    def _links(self) -> dict[int, Path]:
        """The folders of the runs that were made elsewhere, by number."""
        if not self._database.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'links'"):
            return {}
        rows = self._database.rows("SELECT number, folder FROM links")
        return {int(str(number)): Path(str(folder)) for number, folder in rows}

    def _entry(self, row: tuple[Any, ...], link: Path | None) -> RunEntry:
        number, parent, created, changes, status, message, figures = row
        told = tuple(Change(*change) for change in json.loads(changes))
        folder = link or self.path / "runs" / f"run-{number}"
        figures = json.loads(figures)
        return RunEntry(number, folder, parent, created, told, status, message, figures, link is not None)


def _try_lock(path: Path) -> tuple[FolderLock | None, str]:
    """The lock, or who holds it."""
    lock = FolderLock(path)
    try:
        lock.acquire()
    except StoreError as error:
        return None, error.problems[0].what.removeprefix("is in use by ")
    return lock, ""


def is_project(path: Path) -> bool:
    """Whether a folder holds a project."""
    return (path / _FILE).is_file()
