"""From sources to content: which reader is meant, and whether the cache has it already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from workbench.data.cache import Cache
from workbench.data.capped import friendly
from workbench.data.content import SET_NAMES, Content, Progress, concatenate, listed
from workbench.data.names import meant
from workbench.data.readers.base import Hints, Reader, readers, source_path
from workbench.errors import InputError, Problem
from workbench.recipe.data import Source

_ELSEWHERE = (
    ((".xlsx", ".xls", ".xlsm", ".ods"), "Save the sheet as CSV."),
    ((".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".7z", ".rar"), "Unpack it and name what is in it."),
    ((".pkl", ".pickle", ".joblib", ".pt", ".pth"), "Pickled files can run code and are never opened: save .npz."),
    ((".mat", ".h5", ".hdf5", ".parquet", ".feather", ".arrow"), "Save the data as CSV or .npz."),
)


def quiet(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def read_sources(
    sources: Sequence[Source], hints: Hints | None = None, cache: Path | None = None, progress: Progress = quiet
) -> tuple[Content, ...]:
    """The content of each source; the set that a source names goes before what its files say.

    Args:
        sources: files and folders.
        hints: what is known of the columns.
        cache: the folder of the cache, None to do without.
        progress: is told how far it is.

    Raises:
        InputError: names what is wrong with each of them.
    """
    contents: list[Content] = []
    errors: list[InputError] = []
    for source in sources:
        try:
            contents.append(read_source(source, hints or Hints(), cache, progress))
        except InputError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InputError.of(problem for error in errors for problem in with_heading(error))
    return _leaving_some_to_train(sources, contents)


def _leaving_some_to_train(sources: Sequence[Source], contents: list[Content]) -> tuple[Content, ...]:
    """Contents without the sets that files' names speak of, where all of them would leave nothing to train on."""
    if any(content.sets is None or bool((content.sets <= 0).any()) for content in contents):
        return tuple(contents)
    note = "all of it is divided, as there is nothing else to train on"
    return tuple(
        replace(content, sets=None, notes=(*content.notes, note)) if source.set == "any" else content
        for source, content in zip(sources, contents, strict=True)
    )


def read_one(
    sources: Sequence[Source], hints: Hints | None = None, cache: Path | None = None, progress: Progress = quiet
) -> Content:
    """The content of all sources, one after the other.

    Raises:
        InputError: names what is wrong with each of them, or how they do not fit together.
    """
    hints = hints or Hints()
    contents = read_sources(sources, hints, cache, progress)
    return concatenate(contents, [source.path for source in sources], hints.ignored)


def with_heading(error: InputError) -> list[Problem]:
    """What an error names, its heading first where it has one, to be listed among others."""
    heading = str(error).split("\n", 1)[0]
    plain = len(error.problems) == 1 or heading == f"{len(error.problems)} problems:"
    return list(error.problems) if plain else [Problem(heading.removesuffix(":")), *error.problems]


def read_source(source: Source, hints: Hints, cache: Path | None, progress: Progress) -> Content:
    """The content of one source.

    Raises:
        InputError: what is wrong with it.
    """
    path = source_path(source)
    with friendly(path, ""):
        _check_there(path)
        if source.labels:
            _check_there(Path(source.labels).expanduser())
        reader = _reader_for(source, path)
        if source.labels and not reader.takes_labels:
            what = f"is a {reader.title}, whose labels stand in itself"
            raise InputError(what, where=str(path), mend="Leave `labels` empty and name the target.")
        content = _cached(reader, source, hints, cache, progress)
    if source.set == "any":
        return content
    code = SET_NAMES.index(source.set)
    return replace(content, sets=np.full(content.rows, code, np.int8))


def mend_for(path: Path) -> str:
    """What to do with a file that is known and cannot be read, by its name; empty for all others."""
    return next((mend for suffixes, mend in _ELSEWHERE if path.name.lower().endswith(suffixes)), "")


def _cached(reader: Reader, source: Source, hints: Hints, cache: Path | None, progress: Progress) -> Content:
    if cache is None:
        return reader.read(source, hints, progress)
    store = Cache(cache)
    keys = [store.key(reader, source, known) for known in (hints.strict(), hints)]
    for key in dict.fromkeys(keys):
        found = store.load(key)
        if found is not None:
            return found
    return store.keep(keys[-1], reader.read(source, hints, progress))


def _check_there(path: Path) -> None:
    if not path.exists():
        raise InputError("there is no such file or folder" + _near_file(path), where=str(path))


def _near_file(path: Path) -> str:
    try:
        return meant(path.name, [file.name for file in path.parent.iterdir()], 0.8)
    except OSError:
        return ""


def _reader_for(source: Source, path: Path) -> Reader:
    known = {reader.kind: reader for reader in readers()}
    if source.format != "auto":
        if source.format not in known:
            text = f"{source.format!r} is no format{meant(source.format, known)} (known: {', '.join(known)})"
            raise InputError(text, where="data.sources.format")
        return known[source.format]
    for reader in known.values():
        if reader.sniff(path):
            return reader
    raise _unknown_format(path, list(known.values()))


def _unknown_format(path: Path, known: list[Reader]) -> InputError:
    if not path.is_dir():
        titles = listed([reader.title for reader in known])
        mend = mend_for(path) or f"Formats: {titles}."
        return InputError("is in no format that can be read", where=str(path), mend=mend)
    if not any(path.iterdir()):
        return InputError("is an empty folder", where=str(path))
    return InputError(
        "holds neither folders of pictures nor IDX files",
        where=str(path),
        mend="Name a file in it, or a folder with a subfolder for each class.",
    )
