"""IDX, the format of MNIST and its kin, plain or packed with gzip; pictures and labels find each other by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from workbench.data.capped import check_unpacked, friendly, head_of, is_gzip, open_plain, read_up_to
from workbench.data.content import (
    Array,
    Content,
    Progress,
    coded_column,
    concatenate,
    number_column,
    number_text,
    too_large,
)
from workbench.data.pictures import pictures_of
from workbench.data.readers.base import Hints, Reader, source_path
from workbench.errors import InputError
from workbench.recipe.data import Source

_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_IMAGES = re.compile(r"images?[-_.]idx[2-4]|images?", re.IGNORECASE)
_TEST = re.compile(r"(^|[-_.])(t10k|test)([-_.]|$)", re.IGNORECASE)
_DEV = re.compile(r"(^|[-_.])(dev|val|valid|validation)([-_.]|$)", re.IGNORECASE)
_MOST_AXES = 4


class IdxReader(Reader):
    """Pictures in one file, labels in another; a folder that holds such pairs is read as a whole."""

    kind: ClassVar[str] = "idx"
    title: ClassVar[str] = "IDX (MNIST)"
    suffixes: ClassVar[tuple[str, ...]] = ("-ubyte", "-ubyte.gz", ".idx", ".idx.gz")
    rank: ClassVar[int] = 10
    takes_labels: ClassVar[bool] = True

    def sniff(self, path: Path) -> bool:
        if path.is_dir():
            return bool(_picture_files(path))
        return idx_axes(path) > 0

    def files(self, source: Source) -> list[Path]:
        path = source_path(source)
        pictures = _picture_files(path) if path.is_dir() else [path]
        found = [(file, _labels_of(file, source)) for file in pictures]
        return [file for pair in found for file in pair if file is not None]

    def read(self, source: Source, hints: Hints, progress: Progress) -> Content:
        path = source_path(source)
        pictures = _picture_files(path) if path.is_dir() else [path]
        contents = [_pair(file, _labels_of(file, source), progress) for file in pictures]
        return concatenate(contents, [str(file) for file in pictures], optional=("label",))


def label_file(pictures: Path) -> Path | None:
    """The file with the labels of a file of pictures, where it stands beside it: ``images`` becomes ``labels``."""
    match = list(_IMAGES.finditer(pictures.name))
    if not match:
        return None
    start, end = match[-1].span()
    swapped = re.sub(r"(?i)images", "labels", re.sub(r"(?i)image(?!s)", "label", match[-1].group()))
    for digits in (r"idx1", r"\g<0>"):
        name = pictures.name[:start] + re.sub(r"(?i)idx[2-4]", digits, swapped) + pictures.name[end:]
        for variant in (name, name.removesuffix(".gz"), name + ".gz"):
            found = pictures.with_name(variant)
            if found != pictures and found.is_file():
                return found
    return None


def picture_file(labels: Path) -> Path | None:
    """The file of pictures that a file of labels belongs to."""
    if not labels.parent.is_dir():
        return None
    return next((file for file in _picture_files(labels.parent) if label_file(file) == labels), None)


def idx_axes(path: Path) -> int:
    """How many axes an IDX file has, by its first bytes; 0 where it is none."""
    head = head_of(path, 4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES or head[3] > _MOST_AXES:
        return 0
    return head[3]


def _picture_files(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    pictures = [file for file in files if "idx" in file.name.lower() and idx_axes(file) > 1]
    # A file and its packed twin hold the same.
    names = {file.name for file in pictures}
    single = [file for file in pictures if file.suffix != ".gz" or file.name.removesuffix(".gz") not in names]
    return sorted(single, key=_set_code)


def _set_code(path: Path) -> int:
    return 2 if _TEST.search(path.name) else 1 if _DEV.search(path.name) else -1


def _labels_of(pictures: Path, source: Source) -> Path | None:
    return Path(source.labels).expanduser() if source.labels else label_file(pictures)


def _pair(path: Path, labels: Path | None, progress: Progress) -> Content:
    data = read_idx(path, progress)
    notes: list[str] = []
    if not len(data):
        raise InputError("holds no examples", where=str(path))
    if data.ndim == 1:
        raise InputError(
            "holds labels, not pictures", where=str(path), mend="Name the file of pictures; labels go under `labels`."
        )
    if data.ndim == 2:
        columns = [number_column(f"x{i}", values) for i, values in enumerate(data.T, 1)]
        pictures = None
    else:
        columns, pictures = [], pictures_of(data, str(path), notes)
    if labels is not None:
        columns.append(_label_column(read_idx(labels, progress), len(data), path, labels))
        notes.append(f"labels from {labels.name}")
    problems = too_large(columns, str(path))
    if problems:
        raise InputError.of(problems)
    code = _set_code(path)
    sets = np.full(len(data), code, np.int8) if code > 0 else None
    return Content(tuple(columns), pictures, tuple(notes), sets, "label" if labels is not None else None)


def _label_column(values: Array, examples: int, pictures: Path, labels: Path) -> Any:
    if values.ndim != 1:
        raise InputError(f"has {values.ndim} axes; labels have one", where=str(labels))
    if len(values) != examples:
        raise InputError(
            f"holds {len(values):,} labels for the {examples:,} examples of {pictures.name}", where=str(labels)
        )
    distinct, codes = np.unique(values, return_inverse=True)
    return coded_column("label", codes, [number_text(float(value)) for value in distinct])


@dataclass(frozen=True)
class _Head:
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def read_idx(path: Path, progress: Progress) -> Array:
    """The array of an IDX file, in the machine's byte order.

    Raises:
        InputError: it is no IDX, is cut off, or declares another size than it has.
    """
    with friendly(path, "as a gzip file"), open_plain(path) as file:
        head = _head(file, path)
        packed = path.stat().st_size
        if not is_gzip(path) and head.nbytes + 4 + 4 * len(head.shape) != packed:
            raise _wrong_length(path, head, packed - 4 - 4 * len(head.shape))
        check_unpacked(head.nbytes, packed, path)
        data = read_up_to(file, head.nbytes, lambda done: progress(f"reading {path.name}", done, head.nbytes))
        if len(data) < head.nbytes or file.read(1):
            raise _wrong_length(path, head, len(data) if len(data) < head.nbytes else None)
    return np.frombuffer(data, head.dtype).reshape(head.shape).astype(head.dtype.newbyteorder("="), copy=False)


def _head(file: Any, path: Path) -> _Head:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or not 1 <= start[3] <= _MOST_AXES:
        raise InputError("is no IDX file: it does not start as one", where=str(path))
    sizes = file.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise InputError("is cut off within its header", where=str(path), mend="Get it again.")
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    return _Head(np.dtype(_TYPES[start[2]]), shape)


def _wrong_length(path: Path, head: _Head, there: int | None) -> InputError:
    size = " × ".join(f"{count:,}" for count in head.shape)
    held = "more" if there is None else f"{max(0, there):,}"
    return InputError(
        f"declares {size} values, {head.nbytes:,} bytes, and holds {held}",
        where=str(path),
        mend="It is cut off or damaged: get it again.",
    )
