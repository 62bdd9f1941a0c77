"""Files that are dragged over the window: what dropping them will do, or why it will do nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMimeData

from workbench.data.readers.base import Reader, readers
from workbench.data.reading import mend_for
from workbench.errors import WorkbenchError
from workbench.gui.text import safe
from workbench.store.project import is_project
from workbench.store.run_folder import is_run
from workbench.store.weight_files import is_weight_file


@dataclass(frozen=True)
class Drop:
    """What is being dragged.

    Attributes:
        paths: files and folders to import or open; none where they are refused.
        text: what will happen, or why nothing will; empty where no files are dragged at all.
    """

    paths: tuple[Path, ...]
    text: str

    @property
    def welcome(self) -> bool:
        """Whether it can be dropped."""
        return bool(self.paths)


class _Refused(Exception):
    """Why a file cannot be dropped."""


def drop_of(mime: QMimeData) -> Drop:
    """What a drag holds."""
    if not mime.hasUrls():
        return Drop((), "")
    urls = mime.urls()
    if not all(url.isLocalFile() for url in urls):
        return Drop((), _tr("Only files and folders of this computer: download it first."))
    return drop_of_paths([Path(url.toLocalFile()) for url in urls])


def drop_of_paths(paths: Sequence[Path]) -> Drop:
    """What dropping some files and folders will do."""
    try:
        kinds = [_kind_of(path, alone=len(paths) == 1) for path in paths]
    except _Refused as error:
        return Drop((), str(error))
    if not paths:
        return Drop((), "")
    return Drop(tuple(paths), _sentence(paths, kinds))


def opens(path: Path) -> bool:
    """Whether a path leads to a project, a run or a recipe: such are opened, everything else is imported."""
    return bool(_opened_as(path))


def begins_with(path: Path) -> bool:
    """Whether a file holds weights that a training can begin with, and no data: an .npz is taken for data."""
    return is_weight_file(path) and path.suffix.lower() != ".npz"


def file_filter() -> str:
    """The kinds of files that can be imported, for a file dialog."""
    patterns = [f"*{suffix}" for reader in readers() for suffix in reader.suffixes]
    return _tr("Data ({0})").format(" ".join(patterns)) + ";;" + _tr("All files (*)")


def _opened_as(path: Path) -> str:
    """``project``, ``run`` or ``recipe``; empty for data."""
    if path.suffix.lower() == ".toml" and path.is_file():
        return "recipe"
    if is_project(path):
        return "project"
    if is_run(path):
        return "run"
    return "recipe" if (path / "recipe.toml").is_file() else ""


def _kind_of(path: Path, *, alone: bool) -> str:
    """The kind of the reader that will read it, or what it is opened as; ``weights`` to begin with.

    Raises:
        _Refused: it cannot be read.
    """
    if not path.exists():
        raise _Refused(_tr("{0} is not there any more.").format(safe(path.name)))
    opened = "weights" if begins_with(path) else _opened_as(path)
    if opened and not alone:
        raise _Refused(_tr("{0} is opened by itself: drop it alone.").format(safe(path.name)))
    return opened or _reader_kind(path)


def _reader_kind(path: Path) -> str:
    name = safe(path.name)
    try:
        if path.is_dir() and not os.listdir(path):
            raise _Refused(_tr("{0} is an empty folder.").format(name))
        reader = next((reader for reader in readers() if reader.sniff(path)), None)
    except OSError as error:
        raise _Refused(f"{name}: {error.strerror}.") from None
    except WorkbenchError as error:
        raise _Refused(f"{name}: {error.problems[0].what}.") from None
    if path.is_dir():
        if reader is None:
            raise _Refused(_tr("{0} holds neither pictures in folders of their classes nor MNIST files.").format(name))
        return "folder"
    return _file_kind(path, reader)


def _file_kind(path: Path, reader: Reader | None) -> str:
    name, mend = safe(path.name), mend_for(path)
    if mend:
        raise _Refused(_tr("{0} cannot be read. {1}").format(name, mend))
    if reader is None:
        what = path.suffix or name
        raise _Refused(_tr("{0} is none of CSV, folder of pictures, .npz, .npy and MNIST files.").format(safe(what)))
    if reader.kind == "images":
        raise _Refused(
            _tr("{0} has no class by itself: drop the folder that holds a subfolder for each class.").format(name)
        )
    return reader.kind


def _sentence(paths: Sequence[Path], kinds: Sequence[str]) -> str:
    if len(paths) == 1:
        words = {
            "project": _tr("Open the project {0}"),
            "run": _tr("Open the run {0}"),
            "recipe": _tr("Open the recipe {0}"),
            "weights": _tr("Begin the next run with the weights in {0}"),
            "folder": _tr("Import the folder {0}"),
        }
        return words.get(kinds[0], _tr("Import {0}")).format(safe(paths[0].name))
    folders = kinds.count("folder")
    files = [kind for kind in kinds if kind != "folder"]
    parts = [_files(files)] if files else []
    if folders:
        parts.append(_tr("the folder") if folders == 1 else _tr("{0} folders").format(folders))
    return _tr("Import {0}").format(_tr(" and ").join(parts))


def _files(kinds: Sequence[str]) -> str:
    words = {"idx": _tr("{0} IDX files"), "table": _tr("{0} tables"), "numpy": _tr("{0} NumPy files")}
    if len(kinds) == 1:
        return _tr("1 file")
    alike = words.get(kinds[0]) if len(set(kinds)) == 1 else None
    return (alike or _tr("{0} files")).format(len(kinds))


def _tr(text: str) -> str:
    return QCoreApplication.translate("drops", text)
