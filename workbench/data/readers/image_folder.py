"""Folders of pictures: a subfolder a class, perhaps below train, dev and test; or pictures alone, to be predicted."""

from __future__ import annotations

import logging
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from workbench.data.capped import MOST_BYTES, head_of
from workbench.data.content import Array, Column, Content, Progress, coded_column, names_listed
from workbench.data.readers.base import Hints, Reader, source_path
from workbench.errors import InputError, Problem
from workbench.recipe.data import Source

if TYPE_CHECKING:
    from PIL.Image import Image

In = TypeVar("In")
Out = TypeVar("Out")

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"GIF8", b"II*\0", b"MM\0*", b"RIFF")
_SETS = {"train": -1, "training": -1, "dev": 1, "val": 1, "valid": 1, "validation": 1, "test": 2, "testing": 2}
_SKIPPED = {"thumbs.db", "desktop.ini", "__macosx"}
_MOST_PIXELS = 64 * 10**6
_MOST_FILES = 5_000_000
_DEEPEST = 8
_THREADS = 4
_PIECE = 256
_ORIENTATION = 0x0112
_GREY = {"1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I;16N"}


class ImageFolderReader(Reader):
    """Pictures in folders named after their classes; other sizes are scaled to the most frequent one."""

    kind: ClassVar[str] = "images"
    title: ClassVar[str] = "folder of pictures"
    rank: ClassVar[int] = 40

    def sniff(self, path: Path) -> bool:
        if path.is_dir():
            return _holds_pictures(path)
        return path.name.lower().endswith(_SUFFIXES) and head_of(path, 4).startswith(_MAGIC)

    def files(self, source: Source) -> list[Path]:
        return [item.path for item in _survey(source_path(source)).items]

    def read(self, source: Source, hints: Hints, progress: Progress) -> Content:
        path = source_path(source)
        survey = _survey(path)
        if survey.problems:
            raise InputError.of(survey.problems)
        if not survey.items:
            raise InputError(
                "holds no pictures", where=str(path), mend="It needs a subfolder for each class, with pictures in it."
            )
        pictures, notes = _load([item.path for item in survey.items], path, progress)
        return _content(survey, pictures, path, notes)


@dataclass(frozen=True)
class _Item:
    path: Path
    label: str
    set: int


@dataclass
class _Survey:
    """The files below a folder, in order, and what was met on the way."""

    items: list[_Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _survey(root: Path) -> _Survey:
    survey = _Survey()
    if not root.is_dir():
        survey.items.append(_Item(root, "", -1))
        return survey
    folders = [entry for entry in _entries(root, root, survey) if entry.is_dir()]
    if folders and all(folder.name.lower() in _SETS and _has_folders(folder) for folder in folders):
        for folder in folders:
            _classes(folder, root, _SETS[folder.name.lower()], survey)
    else:
        _classes(root, root, -1, survey)
    return survey


def _classes(folder: Path, root: Path, code: int, survey: _Survey) -> None:
    entries = _entries(folder, root, survey)
    folders = [entry for entry in entries if entry.is_dir()]
    loose = [entry for entry in entries if entry.is_file()]
    if not folders:
        survey.items += [_Item(file, "", code) for file in loose if file.name.lower().endswith(_SUFFIXES)]
        return
    if loose:
        survey.notes.append(
            f"left out, as they stand in no class folder: {names_listed([file.name for file in loose], 5)}"
        )
    for name in folders:
        survey.items += [_Item(file, name.name, code) for file in _files_below(name, root, survey, 1)]


def _files_below(folder: Path, root: Path, survey: _Survey, depth: int) -> Iterator[Path]:
    if depth > _DEEPEST:
        survey.problems.append(Problem("is nested too deep", str(folder)))
        return
    for entry in _entries(folder, root, survey):
        if entry.is_dir():
            yield from _files_below(entry, root, survey, depth + 1)
        elif entry.is_file():
            yield entry
    if len(survey.items) > _MOST_FILES:
        raise InputError(f"holds more than {_MOST_FILES:,} pictures", where=str(root))


def _entries(folder: Path, root: Path, survey: _Survey) -> list[Path]:
    """What stands in a folder, by name; hidden things are passed over, links that lead out of the root are refused."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        survey.problems.append(Problem(f"cannot be read ({error.strerror})", str(folder)))
        return []
    kept = []
    for name in names:
        entry = folder / name
        if name.startswith(".") or name.lower() in _SKIPPED:
            continue
        if entry.is_symlink() and (entry.is_dir() or not entry.resolve().is_relative_to(root.resolve())):
            what = "is a link to a folder" if entry.is_dir() else "is a link that leads out of the folder"
            survey.problems.append(Problem(what, str(entry), "Put the pictures themselves there."))
            continue
        kept.append(entry)
    return kept


def _has_folders(folder: Path) -> bool:
    try:
        return any(entry.is_dir() and not entry.name.startswith(".") for entry in folder.iterdir())
    except OSError:
        return False


def _holds_pictures(folder: Path) -> bool:
    for place, (_, folders, files) in enumerate(os.walk(folder)):
        folders.sort()
        if any(name.lower().endswith(_SUFFIXES) for name in files):
            return True
        if place > 200:
            return False
    return False


@dataclass(frozen=True)
class _Facts:
    size: tuple[int, int]
    grey: bool
    problem: str = ""


def _load(files: list[Path], root: Path, progress: Progress) -> tuple[Array, list[str]]:
    """Decode all pictures to one size and one number of channels, uint8 ``(N, H, W, C)``."""
    with ThreadPoolExecutor(_THREADS) as pool, _quiet_pillow():
        facts = _each(pool, _facts, files, f"looking at {root.name}", progress)
        sound = [fact for fact in facts if not fact.problem]
        size, notes = _common_size([fact.size for fact in sound])
        channels = 1 if all(fact.grey for fact in sound) else 3
        _check_memory(len(files) * size[0] * size[1] * channels, root)
        pictures = np.empty((len(files), size[1], size[0], channels), np.uint8)

        def decode(number: int) -> str:
            # What cannot be read is listed as a whole: the others are decoded although this one is known to fail.
            return facts[number].problem or _decode(files[number], size, pictures[number])

        found = _each(pool, decode, range(len(files)), f"reading {root.name}", progress)
        _raise_unreadable(files, found, root)
    if channels == 3 and any(fact.grey for fact in sound):
        notes.append("grey and colored pictures: all as RGB")
    return pictures, notes


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Pillow warns of large pictures and logs damaged ones; here both are refused by name, in one message."""
    logger = logging.getLogger("PIL")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)


def _each(
    pool: ThreadPoolExecutor, work: Callable[[In], Out], items: Sequence[In], stage: str, progress: Progress
) -> list[Out]:
    results: list[Out] = []
    for start in range(0, len(items), _PIECE):
        results += pool.map(work, items[start : start + _PIECE])
        progress(stage, len(results), len(items))
    return results


def _common_size(sizes: list[tuple[int, int]]) -> tuple[tuple[int, int], list[str]]:
    counted = Counter(sizes or [(1, 1)])
    size = max(counted, key=lambda size: (counted[size], size[0] * size[1]))
    others = len(sizes) - counted[size]
    if not others:
        return size, []
    return size, [
        f"{others:,} of {len(sizes):,} pictures scaled to {size[0]} × {size[1]} pixels, the most frequent size"
    ]


def _check_memory(count: int, root: Path) -> None:
    if count > MOST_BYTES:
        raise InputError(
            f"would take {count / 2**30:,.1f} GiB of memory",
            where=str(root),
            mend="Make the pictures smaller, or fewer.",
        )


def _raise_unreadable(files: list[Path], problems: list[str], root: Path) -> None:
    wrong = [(file, problem) for file, problem in zip(files, problems, strict=True) if problem]
    if not wrong:
        return
    shown = [Problem(problem, _shown(file, root)) for file, problem in wrong[:20]]
    if len(wrong) > len(shown):
        shown.append(Problem(f"and {len(wrong) - len(shown):,} more"))
    count = "1 file" if len(wrong) == 1 else f"{len(wrong):,} files"
    raise InputError.of(shown, f"{root}: {count} cannot be read as pictures; remove or replace what follows")


def _shown(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file != root else file.name


def _facts(file: Path) -> _Facts:
    """What a picture's header says."""
    try:
        with _opened(file) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                return _Facts((0, 0), False, f"has more than {_MOST_PIXELS // 10**6} million pixels")
            if picture.mode in ("I", "F"):
                return _Facts((0, 0), False, "has 32-bit pixels; save it with 8 or 16 bits")
            size = (picture.height, picture.width) if _is_turned(picture) else (picture.width, picture.height)
            return _Facts(size, picture.mode in _GREY or _is_grey_palette(picture))
    except Exception as error:
        return _Facts((0, 0), False, _reason(file, error))


def _is_turned(picture: Image) -> bool:
    # Asking a PNG for what it has not said by now would decode all of it.
    if picture.format == "PNG" and "exif" not in picture.info:
        return False
    return picture.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)


def _opened(file: Path) -> Image:
    from PIL import Image

    return Image.open(file, formats=_FORMATS)


def _is_grey_palette(picture: Image) -> bool:
    colors = picture.getpalette("RGB") if picture.mode == "P" else None
    return colors is not None and colors[::3] == colors[1::3] == colors[2::3]


def _reason(file: Path, error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "is empty" if not file.stat().st_size else "is no PNG, JPEG, BMP, GIF, TIFF or WebP picture"
    if isinstance(error, Image.DecompressionBombError):
        return f"has more than {_MOST_PIXELS // 10**6} million pixels"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    return "is damaged or cut off"


def _decode(file: Path, size: tuple[int, int], place: Array) -> str:
    """Decode a picture into its place, ``(H, W, C)``; returns what is wrong with it, empty where nothing is."""
    from PIL import Image, ImageOps

    try:
        with _opened(file) as opened:
            opened.draft("RGB" if place.shape[2] == 3 else "L", size)
            picture = _flat(ImageOps.exif_transpose(opened), grey=place.shape[2] == 1)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
        place[...] = np.asarray(picture, np.uint8).reshape(place.shape)
    except Exception as error:
        return _reason(file, error)
    return ""


def _flat(picture: Image, grey: bool) -> Image:
    """Without transparency, 8 bits a channel."""
    from PIL import Image

    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        # What lies under transparent pixels is arbitrary: they are shown as on paper.
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture.convert("RGBA"))
    return picture.convert("L" if grey else "RGB")


def _content(survey: _Survey, pictures: Array, root: Path, notes: list[str]) -> Content:
    items = survey.items
    columns = [_texts("file", [_shown(item.path, root) for item in items])]
    labelled = any(item.label for item in items)
    if labelled:
        columns.insert(0, _texts("label", [item.label for item in items]))
    else:
        notes.append("no class folders: the pictures have no labels")
    codes = np.array([item.set for item in items], np.int8)
    sets = codes if (codes > 0).any() else None
    return Content(tuple(columns), pictures, (*survey.notes, *notes), sets, "label" if labelled else None)


def _texts(name: str, texts: list[str]) -> Column:
    distinct, codes = np.unique(texts, return_inverse=True)
    return coded_column(name, np.where(distinct[codes] == "", -1, codes), distinct.tolist())
