"""A run's folder: what ran, what happened, and the numbers it led to.

    recipe.toml            exactly what ran, every default written out
    encoder.json           how data becomes the network's input
    run.sqlite             the events, and the checkpoints with their SHA-256
    checkpoints/*.safetensors
    predictions.safetensors, summary.json     at the end
    goals.json             what it is measured by, where that was changed after it had ended

A checkpoint's file is on disk before the row that names it is committed, so whatever the log names can be opened.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from workbench.errors import InputError, StoreError
from workbench.events import Event, event_of_json
from workbench.recipe.recipe import Recipe
from workbench.store import tensors as tensor_files
from workbench.store.database import Database
from workbench.store.files import make_folder, read_file, remove_file, write_file
from workbench.store.lock import FolderLock
from workbench.store.tensors import Tensors

_SCHEMA = """
CREATE TABLE events (number INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE checkpoints (
    number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, step INTEGER NOT NULL, reason TEXT NOT NULL,
    best INTEGER NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE files (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL)
"""


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training.

    Attributes:
        tensors: the network's numbers under ``<layer>.<parameter>`` in the ecosystem's layout, and the optimizer's
            under ``optimizer.<vector>``.
        facts: everything else that the training needs to go on, as JSON.
    """

    tensors: Tensors
    facts: dict[str, Any]


@dataclass(frozen=True)
class CheckpointRow:
    """A checkpoint on disk."""

    number: int
    epoch: int
    step: int
    reason: str
    best: bool
    file: str
    sha256: str


class RunFolder:
    """An open run folder. Made by ``create`` or ``open``; ``close`` it, or use it in a ``with``."""

    def __init__(self, path: Path, recipe: Recipe, database: Database, lock: FolderLock | None) -> None:
        self.path, self.recipe = path, recipe
        self._database, self._lock = database, lock

    @classmethod
    def create(cls, path: Path, recipe: Recipe) -> Self:
        """Make a run folder.

        Raises:
            InputError: the folder exists and is not empty.
            StoreError: it cannot be written.
        """
        require_empty(path)
        make_folder(path / "checkpoints")
        lock = FolderLock(path)
        lock.acquire()
        try:
            write_file(path / "recipe.toml", recipe.toml().encode())
            return cls(path, recipe, Database(path / "run.sqlite", _SCHEMA, write=True), lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Self:
        """Open a run folder.

        Raises:
            InputError: there is no run there.
            StoreError: it is damaged, or another process writes to it.
        """
        if not is_run(path):
            raise InputError("is no run folder", where=str(path), mend="Give the folder that `train --run` wrote.")
        recipe = Recipe.load(path / "recipe.toml")
        lock = FolderLock(path) if write else None
        if lock:
            lock.acquire()
        try:
            return cls(path, recipe, Database(path / "run.sqlite", _SCHEMA, write=write), lock)
        except BaseException:
            if lock:
                lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the log and give the lock back."""
        self._database.close()
        if self._lock:
            self._lock.release()

    # --- what happened -------------------------------------------------------------------------------------------

    def commit(
        self,
        events: Sequence[Event],
        checkpoint: Checkpoint | None = None,
        *,
        reason: str = "epoch",
        best: bool = False,
    ) -> CheckpointRow | None:
        """Save events, and a checkpoint with them; when it returns, all of it survives a kill and a power cut.

        Args:
            events: what happened since the last commit.
            checkpoint: the state after them.
            reason: why it is saved; see ``events.CheckpointSaved``.
            best: whether it is the best so far.

        Raises:
            StoreError: nothing of it was saved.
        """
        row = self._write_checkpoint(checkpoint, reason, best) if checkpoint else None
        with self._database.transaction() as connection:
            connection.executemany("INSERT INTO events (text) VALUES (?)", [(e.to_json(),) for e in events])
            if row:
                if best:
                    connection.execute("UPDATE checkpoints SET best = 0")
                connection.execute(
                    "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (*_values(row), (self.path / row.file).stat().st_size),
                )
        if row:
            self._drop_old()
        return row

    def _write_checkpoint(self, checkpoint: Checkpoint, reason: str, best: bool) -> CheckpointRow:
        facts = checkpoint.facts
        last = self._database.rows("SELECT max(number) FROM checkpoints")[0][0]
        number = int(str(last)) + 1 if last is not None else 1
        name = f"checkpoints/{number:06d}-epoch-{facts['epoch']}.safetensors"
        data = tensor_files.to_bytes(checkpoint.tensors, {"facts": json.dumps(facts)})
        digest = write_file(self.path / name, data)
        return CheckpointRow(number, facts["epoch"], facts["step"], reason, best, name, digest)

    def _drop_old(self) -> None:
        """Keep the last checkpoint, the best one, and those saved before a change."""
        rows = self.checkpoints()
        old = [row for row in rows[:-1] if not row.best and row.reason != "change"]
        if not old:
            return
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM checkpoints WHERE number = ?", [(row.number,) for row in old])
        for row in old:
            remove_file(self.path / row.file)

    def events(self) -> list[Event]:
        """All saved events in order; kinds of a newer version are passed over."""
        found = []
        for (text,) in self._database.rows("SELECT text FROM events ORDER BY number"):
            try:
                found.append(event_of_json(str(text)))
            except ValueError:
                continue
        return found

    def event_at(self, end: Literal["first", "last"]) -> Event | None:
        """The first or the last event, without reading those between; None where there is none that is understood."""
        queries = {
            "first": "SELECT text FROM events ORDER BY number LIMIT 1",
            "last": "SELECT text FROM events ORDER BY number DESC LIMIT 1",
        }
        rows = self._database.rows(queries[end])
        try:
            return event_of_json(str(rows[0][0])) if rows else None
        except ValueError:
            return None

    def checkpoints(self) -> list[CheckpointRow]:
        """All checkpoints, the oldest first."""
        rows = self._database.rows(
            "SELECT number, epoch, step, reason, best, file, sha256 FROM checkpoints ORDER BY number"
        )
        return [_row(*row) for row in rows]

    def checkpoint(self, which: str) -> CheckpointRow:
        """The checkpoint that a model is taken from: ``kept``, ``best``, ``last``, or a number.

        Raises:
            InputError: there is no such checkpoint.
            StoreError: there is none yet.
        """
        rows = self.checkpoints()
        if not rows:
            raise StoreError("has no checkpoint", where=str(self.path), mend="Train it first.")
        which = self.recipe.training.kept if which == "kept" else which
        if which == "best":
            return next((row for row in rows if row.best), rows[-1])
        found = [row for row in rows if which in ("last", str(row.number))]
        if not found:
            numbers = "".join(f", {row.number} (epoch {row.epoch})" for row in rows)
            mend = f"Name kept, best, last{numbers}."
            raise InputError(f"has no checkpoint {which!r}", where=str(self.path), mend=mend)
        return found[-1]

    def load(self, which: str = "last") -> Checkpoint:
        """A checkpoint: ``last``, ``best``, or a number as in ``checkpoints``.

        Raises:
            StoreError: there is none, or it is damaged; where the last one is, the one before is tried.
        """
        rows = self.checkpoints()
        if which == "best":
            rows = [row for row in rows if row.best] or rows[-1:]
        elif which != "last":
            rows = [row for row in rows if str(row.number) == which]
        for row in reversed(rows):
            try:
                return self._read_checkpoint(row)
            except (StoreError, InputError):
                if row is rows[0]:
                    raise
        raise StoreError("has no checkpoint", where=str(self.path), mend="Train it first.")

    def _read_checkpoint(self, row: CheckpointRow) -> Checkpoint:
        path = _inside(self.path, row.file)
        tensors, metadata = tensor_files.from_bytes(read_file(path, row.sha256), str(path))
        return Checkpoint(tensors, json.loads(metadata["facts"]))

    def verify(self) -> None:
        """Check the log and every file against its SHA-256.

        Raises:
            StoreError: something is damaged.
        """
        self._database.check()
        for row in self.checkpoints():
            read_file(_inside(self.path, row.file), row.sha256)
        for name, digest in self._database.rows("SELECT name, sha256 FROM files"):
            read_file(_inside(self.path, str(name)), str(digest))

    # --- what goes with it ---------------------------------------------------------------------------------------

    def write(self, name: str, data: bytes) -> None:
        """Save a file of the run under its SHA-256.

        Raises:
            StoreError: it could not be saved.
        """
        digest = write_file(self.path / name, data)
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (name, digest))

    def read(self, name: str) -> bytes | None:
        """A file that ``write`` saved; None where there is none.

        Raises:
            StoreError: it is damaged.
        """
        rows = self._database.rows("SELECT sha256 FROM files WHERE name = ?", (name,))
        return read_file(_inside(self.path, name), str(rows[0][0])) if rows else None

    def summary(self) -> dict[str, Any] | None:
        """What the run came to; None while it is unfinished."""
        data = self.read("summary.json")
        return dict(json.loads(data)) if data is not None else None

    def write_predictions(self, arrays: dict[str, np.ndarray[Any, Any]]) -> None:
        """Save predictions as named arrays."""
        self.write("predictions.safetensors", tensor_files.to_bytes(arrays, {}))

    def read_predictions(self) -> Tensors | None:
        """The saved predictions; None where there are none."""
        data = self.read("predictions.safetensors")
        return tensor_files.from_bytes(data, str(self.path))[0] if data is not None else None


def is_run(path: Path) -> bool:
    """Whether a folder holds a run."""
    return (path / "recipe.toml").is_file() and (path / "run.sqlite").is_file()


def require_empty(path: Path) -> None:
    """A new run's folder must not exist or be empty.

    Raises:
        InputError: it is not.
    """
    try:
        taken = path.exists() and (not path.is_dir() or any(path.iterdir()))
    except OSError as error:
        raise InputError(f"cannot be used ({error.strerror})", where=str(path)) from None
    if taken:
        raise InputError(
            "exists and is not empty", where=str(path), mend="Choose a new folder, or continue with `workbench resume`."
        )


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise StoreError(f"names a file outside of it: {name[:80]!r}", where=str(folder))
    return path


def _row(number: Any, epoch: Any, step: Any, reason: Any, best: Any, file: Any, digest: Any) -> CheckpointRow:
    return CheckpointRow(int(number), int(epoch), int(step), str(reason), bool(best), str(file), str(digest))


def _values(row: CheckpointRow) -> tuple[object, ...]:
    return row.number, row.epoch, row.step, row.reason, int(row.best), row.file, row.sha256
