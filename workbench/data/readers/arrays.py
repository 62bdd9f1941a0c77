"""NumPy files: .npz with arrays by name, .npy with one array and its labels in another."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from workbench.data.capped import head_of
from workbench.data.content import Array, Column, Content, Progress, coded_column, listed, number_column, too_large
from workbench.data.npformat import Header, is_npy, is_npz, load_npy, load_npz
from workbench.data.pictures import pictures_of
from workbench.data.readers.base import Hints, Reader, source_path
from workbench.data.sequences import are_sequences, sequences_of
from workbench.data.tables.columns import unique_names
from workbench.errors import InputError
from workbench.recipe.data import Source

_DATA = (
    *("x", "data", "images", "image", "pictures", "sequences", "sequence", "series", "signals", "features", "inputs"),
    "arr_0",
)
_LABELS = ("y", "labels", "label", "targets", "target", "classes", "arr_1")
_SETS = {"train": "train", "training": "train", "dev": "dev", "val": "dev", "valid": "dev", "validation": "dev",
         "test": "test", "testing": "test"}  # fmt: skip
_FEATURE_NAMES, _TARGET_NAMES = "feature_names", "target_names"
_MOST_COLUMNS = 100_000
_CONVENTION = "Call the examples x and the labels y (or x_train, y_train, x_test, y_test)."


class ArraysReader(Reader):
    """Arrays of numbers: rows of features ``(N, F)``, sequences ``(N, T, F)``, or pictures ``(N, H, W[, C])``."""

    kind: ClassVar[str] = "numpy"
    title: ClassVar[str] = "NumPy arrays"
    suffixes: ClassVar[tuple[str, ...]] = (".npz", ".npy")
    rank: ClassVar[int] = 20
    takes_labels: ClassVar[bool] = True
    version: ClassVar[int] = 2

    def sniff(self, path: Path) -> bool:
        if not path.is_file():
            return False
        return path.name.lower().endswith(self.suffixes) or is_npy(head_of(path, 8)) or is_npz(path)

    def read(self, source: Source, hints: Hints, progress: Progress) -> Content:
        path = source_path(source)
        if source.examples != "auto":
            hints = replace(hints, examples=source.examples)

        def tell(done: int, total: int) -> None:
            progress(f"reading {path.name}", done, total)

        if is_npy(head_of(path, 8)):
            return _from_npy(source, path, hints, tell)
        if source.labels:
            raise InputError("holds its labels itself", where=str(path), mend="Leave `labels` empty.")
        arrays = load_npz(path, _wanted, tell)
        return _from_arrays(arrays, path, hints)


def _from_npy(source: Source, path: Path, hints: Hints, tell: Callable[[int, int], None]) -> Content:
    arrays = {"x": load_npy(path, tell)}
    if source.labels:
        labels = Path(source.labels).expanduser()
        if not is_npy(head_of(labels, 8)):
            raise InputError("is no .npy file with labels", where=str(labels))
        arrays["label"] = load_npy(labels)
    return _from_arrays(arrays, path, hints)


def _from_arrays(arrays: Mapping[str, Array], path: Path, hints: Hints) -> Content:
    parts, names = _parts(arrays), _Names.of(arrays)
    if not parts:
        content = _columns_by_name(arrays, names, path)
    else:
        content = _joined(parts, names, path, hints)
    if not content.rows:
        raise InputError("holds no examples", where=str(path))
    problems = too_large([column for column in content.columns if hints.minds(column.name)], str(path))
    if problems:
        raise InputError.of(problems)
    return content


@dataclass(frozen=True)
class Key:
    """What an array's name stands for: ``test_images`` is the data of the test set.

    Attributes:
        role: ``data``, ``labels``, or empty where the name says nothing.
        set: ``train``, ``dev``, ``test``, or empty.
    """

    role: str
    set: str = ""

    @classmethod
    def of(cls, name: str) -> Key:
        """Take a name apart."""
        steps = re.split(r"[_\-.]", name.lower())
        sets = [_SETS[step] for step in steps if step in _SETS]
        rest = "_".join(step for step in steps if step not in _SETS)
        role = "data" if rest in _DATA else "labels" if rest in _LABELS else ""
        return cls(role, sets[0]) if len(sets) == 1 else cls(role if not sets else "")


@dataclass(frozen=True)
class _Part:
    """The examples of one set."""

    set: str
    data: Array
    labels: Array | None
    data_key: str
    label_key: str


@dataclass(frozen=True)
class _Names:
    features: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> _Names:
        return cls(_texts(arrays.get(_FEATURE_NAMES)), _texts(arrays.get(_TARGET_NAMES)))


def _texts(array: Array | None) -> tuple[str, ...]:
    if array is None or array.ndim != 1 or array.dtype.kind not in "US":
        return ()
    return tuple(_text(item) for item in array.tolist())


def _text(item: str | bytes) -> str:
    return (item.decode("utf-8", errors="replace") if isinstance(item, bytes) else item).strip()


def _wanted(headers: list[Header]) -> set[str]:
    """The arrays to read: by the convention's names, else all of them."""
    by_role = {header.name for header in headers if Key.of(header.name).role}
    if any(Key.of(name).role == "data" for name in by_role):
        return by_role | {_FEATURE_NAMES, _TARGET_NAMES}
    return {header.name for header in headers}


def _parts(arrays: Mapping[str, Array]) -> list[_Part]:
    # Where the same examples stand as rows and as pictures, the pictures say more.
    named = sorted((name for name in arrays if Key.of(name).role == "data"), key=lambda name: arrays[name].ndim)
    data = {Key.of(name).set: name for name in named}
    labels = {Key.of(name).set: name for name in arrays if Key.of(name).role == "labels"}
    if data:
        order = sorted(data, key=["", "train", "dev", "test"].index)
        return [_part(arrays, name, data[name], labels.get(name, "")) for name in order]
    many = [name for name, array in arrays.items() if array.ndim > 1]
    if len(many) != 1:
        return []
    single = [name for name, array in arrays.items() if array.ndim == 1 and len(array) == len(arrays[many[0]])]
    return [_part(arrays, "", many[0], single[0] if len(single) == 1 else "")]


def _part(arrays: Mapping[str, Array], set_name: str, data_key: str, label_key: str) -> _Part:
    labels = arrays[label_key] if label_key else None
    return _Part(set_name, arrays[data_key], labels, data_key, label_key)


def _columns_by_name(arrays: Mapping[str, Array], names: _Names, path: Path) -> Content:
    """Arrays of one axis and one length are a table's columns."""
    single = {name: array for name, array in arrays.items() if name not in (_FEATURE_NAMES, _TARGET_NAMES)}
    lengths = {len(array) for array in single.values() if array.ndim == 1}
    if len(lengths) != 1 or any(array.ndim != 1 for array in single.values()):
        found = listed([f"{name!r} {'×'.join(map(str, array.shape))}" for name, array in arrays.items()])
        raise InputError(f"cannot tell the examples among its arrays: {found}", where=str(path), mend=_CONVENTION)
    columns = tuple(_column(name, array, names.targets if Key.of(name).role == "labels" else ())
                    for name, array in single.items())  # fmt: skip
    marked = [name for name in single if Key.of(name).role == "labels"]
    return Content(columns, label=marked[0] if len(marked) == 1 else None)


def _joined(parts: list[_Part], names: _Names, path: Path, hints: Hints) -> Content:
    for part in parts:
        _check_part(part, path)
    if len({part.data.shape[1:] for part in parts}) > 1:
        shapes = listed([f"{part.data_key!r} {'×'.join(map(str, part.data.shape))}" for part in parts])
        raise InputError(f"the sets have examples of different shapes: {shapes}", where=str(path))
    data = parts[0].data if len(parts) == 1 else np.concatenate([part.data for part in parts])
    notes: list[str] = []
    columns: list[Column] = []
    pictures = sequences = None
    if are_sequences(data, parts[0].data_key, hints.examples):
        sequences = sequences_of(data, str(path))
    elif data.ndim > 2:
        pictures = pictures_of(data, str(path), notes)
    else:
        columns = _feature_columns(data, names.features, path, notes)
    label = _label(parts, names.targets, {column.name for column in columns}, path, notes)
    kept = (*columns, *([label] if label else []))
    return Content(kept, pictures, tuple(notes), _sets(parts), label.name if label else None, sequences)


def _check_part(part: _Part, path: Path) -> None:
    if part.data.dtype.kind not in "biuf":
        raise InputError(f"{part.data_key!r} holds texts where numbers are needed", where=str(path))
    if not part.data.size:
        raise InputError(f"{part.data_key!r} holds no examples", where=str(path))
    if not 1 <= part.data.ndim <= 4:
        what = f"{part.data_key!r} has {part.data.ndim} axes; rows of features have 2, sequences 3, pictures 3 or 4"
        raise InputError(what, where=str(path))
    if part.labels is not None and len(part.labels) != len(part.data):
        counts = f"{len(part.data):,} examples and {part.label_key!r} {len(part.labels):,} labels"
        raise InputError(f"{part.data_key!r} has {counts}: they must be equally many", where=str(path))


def _sets(parts: list[_Part]) -> Array | None:
    # What is called train is the pool that a dev set may be taken from; dev and test are kept as they are.
    codes = {"": -1, "train": -1, "dev": 1, "test": 2}
    if not any(codes[part.set] > 0 for part in parts):
        return None
    return np.concatenate([np.full(len(part.data), codes[part.set], np.int8) for part in parts])


def _feature_columns(data: Array, given: tuple[str, ...], path: Path, notes: list[str]) -> list[Column]:
    data = data.reshape(len(data), -1)
    if data.shape[1] > _MOST_COLUMNS:
        raise InputError(f"has {data.shape[1]:,} columns; up to {_MOST_COLUMNS:,} are read", where=str(path))
    names = list(given) if len(given) == data.shape[1] else [f"x{i}" for i in range(1, data.shape[1] + 1)]
    if given and len(given) != data.shape[1]:
        notes.append(f"feature_names has {len(given)} names for {data.shape[1]} columns and is not used")
    unique, renamed = unique_names(names)
    notes += renamed
    wide = np.ascontiguousarray(data.T, dtype=np.float64)
    return [number_column(name, values) for name, values in zip(unique, wide, strict=True)]


def _label(
    parts: list[_Part], target_names: tuple[str, ...], taken: set[str], path: Path, notes: list[str]
) -> Column | None:
    labelled = [part for part in parts if part.labels is not None]
    if not labelled:
        return None
    key = Key.of(labelled[0].label_key)
    name = re.sub(r"[_\-.]?(train|training|dev|val|valid|validation|test|testing)[_\-.]?", "", labelled[0].label_key)
    usable = key.role and name and name not in taken and not name.startswith("arr_")
    name = name if usable else "label"
    values = [
        np.full(len(part.data), np.nan) if part.labels is None else _flat(part.labels, part.label_key, path, notes)
        for part in parts
    ]
    if any(item.dtype.kind in "US" for item in values):
        values = [item if item.dtype.kind in "US" else np.full(len(item), "") for item in values]
    return _column(name, np.concatenate(values), target_names)


def _flat(labels: Array, key: str, path: Path, notes: list[str]) -> Array:
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "biuf" and _is_one_hot(labels):
        notes.append(f"{key}: one column a class, as class numbers")
        return np.asarray(labels.argmax(axis=1))
    if labels.ndim != 1:
        raise InputError(f"{key!r} has {labels.ndim} axes; labels have one", where=str(path))
    return labels


def _is_one_hot(labels: Array) -> bool:
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())


def _column(name: str, values: Array, target_names: tuple[str, ...]) -> Column:
    if values.dtype.kind in "US":
        texts, codes = np.unique(values, return_inverse=True)
        named = [_text(text) for text in texts.tolist()]
        empty = np.array([not text for text in named])
        return coded_column(name, np.where(empty[codes], -1, codes), named)
    if values.dtype.kind == "b":
        return coded_column(name, values.astype(np.int64), ["False", "True"])
    numbers = values.astype(np.float64)
    if target_names and _are_places(numbers, len(target_names)):
        codes = np.where(np.isnan(numbers), -1, numbers).astype(np.int64)
        return coded_column(name, codes, target_names)
    return number_column(name, numbers)


def _are_places(numbers: Array, count: int) -> bool:
    known = numbers[~np.isnan(numbers)]
    return bool(len(known) and (known == np.floor(known)).all() and known.min() >= 0 and known.max() < count)
