"""What readers gave, kept as plain arrays, so that the same files need not be read twice.

An entry is a folder: ``content.json`` and arrays, ``numbers.npy``, ``codes.npy``, ``pictures.npy``, ``sequences.npy``,
``sets.npy``. It is written beside its place and renamed, so that it is there wholly or not at all; one that is damaged
is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.content import Array, Column, Content
from workbench.data.readers.base import Hints, Reader, source_path
from workbench.engine.folders import user_cache
from workbench.errors import InputError
from workbench.recipe.data import Source

_VERSION = 1
_LARGEST_DESCRIPTION = 2**28
_MOST_BYTES = 20 * 2**30
_PIECE = 2**24
_ARRAYS = ("numbers", "codes", "pictures", "sequences", "sets")


def default_folder() -> Path:
    """Where the cache lies by default."""
    return user_cache() / "datasets"


class Cache:
    """A folder of entries by key.

    Args:
        folder: is made when the first entry is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, reader: Reader, source: Source, hints: Hints) -> str:
        """A key that changes when a file, an option of reading, or the reader changes."""
        files = [_stamp(path) for path in reader.files(source)]
        options = [source.separator, source.decimal, source.encoding, source.labels, source.examples]
        used = None if hints.used is None else sorted(hints.used)
        told = [sorted(hints.types.items()), sorted(hints.ignored), used, hints.examples]
        facts = [_VERSION, reader.kind, reader.version, str(source_path(source).resolve()), files, options, told]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:40]

    def load(self, key: str) -> Content | None:
        """The content of an entry, its arrays mapped from disk; None where there is none, or it is damaged."""
        entry = self.folder / key
        try:
            content = _read_entry(entry)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
            shutil.rmtree(entry, ignore_errors=True)
            return None
        with suppress(OSError):
            os.utime(entry)
        return content

    def keep(self, key: str, content: Content) -> Content:
        """Write an entry and give its mapped content; where that fails, the content as it is."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=self.folder) as made:
                _write_entry(Path(made) / "entry", content)
                with suppress(OSError):
                    # Another process may have been first; its entry is as good.
                    os.rename(Path(made) / "entry", self.folder / key)
            self._prune(key)
        except OSError:
            return content
        return self.load(key) or content

    def _prune(self, newest: str) -> None:
        """Remove the entries that were not used for longest, down to the size that a cache may have."""
        entries = []
        for entry in self.folder.iterdir():
            with suppress(OSError):
                size = sum(file.stat().st_size for file in entry.iterdir())
                entries.append((entry.name == newest, entry.stat().st_mtime, size, entry))
        total = sum(size for _, _, size, _ in entries)
        for is_newest, _, size, entry in sorted(entries):
            if total <= _MOST_BYTES or is_newest:
                return
            shutil.rmtree(entry, ignore_errors=True)
            total -= size


def _stamp(path: Path) -> list[object]:
    try:
        facts = path.stat()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    return [str(path.resolve()), facts.st_size, facts.st_mtime_ns]


def _write_entry(entry: Path, content: Content) -> None:
    entry.mkdir()
    arrays = {
        "numbers": _stacked(content, "number", np.float64),
        "codes": _stacked(content, "category", np.int32),
        "pictures": content.pictures,
        "sequences": content.sequences,
        "sets": content.sets,
    }
    sums = {name: _write_array(entry / f"{name}.npy", array) for name, array in arrays.items() if array is not None}
    description = {
        "version": _VERSION,
        "rows": content.rows,
        "columns": [[column.name, column.type, column.categories] for column in content.columns],
        "notes": content.notes,
        "label": content.label,
        "sums": sums,
    }
    text = json.dumps(description)
    (entry / "content.json").write_text(json.dumps({"sum": zlib.crc32(text.encode()), "content": text}))


def _stacked(content: Content, kind: str, dtype: Any) -> Array | None:
    values = [column.values for column in content.columns if column.type == kind]
    return np.stack(values).astype(dtype, copy=False) if values else None


def _write_array(path: Path, array: Array) -> int:
    with path.open("wb") as file:
        # Not flushed to the disk itself: what a power cut spoils, the sums show.
        np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    return _sum_of(path)


def _sum_of(path: Path) -> int:
    total = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            total = zlib.crc32(piece, total)
    return total


def _read_entry(entry: Path) -> Content:
    description = _read_description(entry / "content.json")
    arrays = {name: _mapped(entry / f"{name}.npy", value) for name, value in description["sums"].items()}
    if not set(arrays) <= set(_ARRAYS):
        raise ValueError("unknown arrays")
    counters = {"number": iter(arrays.get("numbers", ())), "category": iter(arrays.get("codes", ()))}
    columns = tuple(
        Column(name, kind, next(counters[kind]), tuple(categories)) for name, kind, categories in description["columns"]
    )
    return Content(
        columns, arrays.get("pictures"), tuple(description["notes"]), arrays.get("sets"), description["label"],
        arrays.get("sequences"),
    )  # fmt: skip


def _read_description(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LARGEST_DESCRIPTION:
        raise ValueError("too large")
    outer = json.loads(path.read_bytes())
    if zlib.crc32(outer["content"].encode()) != outer["sum"]:
        raise ValueError("damaged")
    description: dict[str, Any] = json.loads(outer["content"])
    if description["version"] != _VERSION:
        raise ValueError("another version")
    return description


def _mapped(path: Path, expected: int) -> Array:
    if _sum_of(path) != expected:
        raise ValueError("damaged")
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
