"""From files that were dropped together to sources: pictures find their labels, a test file its set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from workbench.data.capped import friendly, head_of
from workbench.data.npformat import Header, is_npy, npy_header
from workbench.data.readers.arrays import Key
from workbench.data.readers.base import readers
from workbench.data.readers.idx import idx_axes, picture_file
from workbench.errors import InputError
from workbench.recipe.data import Source

_TEST = re.compile(r"(^|[-_. ])(test|testing|t10k|holdout)([-_. ]|$)", re.IGNORECASE)
_DEV = re.compile(r"(^|[-_. ])(dev|val|valid|validation)([-_. ]|$)", re.IGNORECASE)


def sources_of(paths: Sequence[Path]) -> tuple[list[Source], list[str]]:
    """The sources that some files and folders stand for, and what was paired.

    Raises:
        InputError: labels without what they belong to.
    """
    files = [
        file for path in dict.fromkeys(path.expanduser().absolute() for path in paths) for file in _arrays_in(path)
    ]
    if not files:
        raise InputError("no data are named", mend="Name at least one file or folder.")
    pictures = _without_idx_labels(files)
    sources, reasons = _with_npy_labels(pictures)
    if any(_set_by_name(source) == "any" for source in sources):
        sources = [_in_its_set(source, reasons) for source in sources]
    return sources, reasons


def _arrays_in(path: Path) -> list[Path]:
    """The .npy files of a folder that is nothing else; any other path as it is."""
    if not path.is_dir() or any(reader.sniff(path) for reader in readers()):
        return [path]
    with friendly(path, ""):
        files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        return [file for file in files if is_npy(head_of(file, 8))] or [path]


def _without_idx_labels(files: list[Path]) -> list[Path]:
    """A file of IDX labels is replaced by its file of pictures, whose reader finds the labels itself."""
    found: dict[Path, None] = {}
    for file in files:
        if not file.is_file() or idx_axes(file) != 1:
            found[file] = None
            continue
        pictures = picture_file(file)
        if pictures is None:
            raise InputError("holds labels; the file of pictures is missing beside it", where=str(file))
        found[pictures] = None
    return list(found)


def _with_npy_labels(files: list[Path]) -> tuple[list[Source], list[str]]:
    arrays = {file: _header(file) for file in files if file.is_file() and is_npy(head_of(file, 8))}
    labels = [file for file, header in arrays.items() if _are_labels(file, header)]
    examples = [file for file in arrays if file not in labels]
    pairs = {file: _labels_for(file, arrays[file], labels, arrays) for file in examples}
    unpaired = set(labels) - set(pairs.values())
    if examples and unpaired:
        raise InputError("holds labels that belong to none of the other files", where=str(sorted(unpaired)[0]))
    reasons = [f"{found.name} holds the labels of {file.name}." for file, found in pairs.items() if found]
    kept = [file for file in files if file not in labels or not examples]
    return [_source(file, pairs.get(file)) for file in kept], reasons


def _source(file: Path, labels: Path | None) -> Source:
    return Source(path=str(file), labels=None if labels is None else str(labels))


def _header(file: Path) -> Header:
    with friendly(file, ""):
        return npy_header(file)


def _are_labels(file: Path, header: Header) -> bool:
    role = Key.of(file.stem).role
    return role == "labels" or (role == "" and len(header.shape) == 1)


def _labels_for(file: Path, header: Header, labels: list[Path], arrays: dict[Path, Header]) -> Path | None:
    """The labels of the same set by name, else the only ones of the same length."""
    fitting = [other for other in labels if arrays[other].shape[:1] == header.shape[:1]]
    same_set = [other for other in fitting if Key.of(other.stem).set == Key.of(file.stem).set]
    chosen = same_set or fitting
    return chosen[0] if len(chosen) == 1 else None


def _set_by_name(source: Source) -> str:
    name = Path(source.path).name
    return "test" if _TEST.search(name) else "dev" if _DEV.search(name) else "any"


def _in_its_set(source: Source, reasons: list[str]) -> Source:
    chosen = _set_by_name(source)
    if chosen == "any":
        return source
    reasons.append(f"{Path(source.path).name} is kept as the {chosen} set, by its name.")
    return Source.model_validate({**source.model_dump(), "set": chosen})
