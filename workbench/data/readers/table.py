"""Text tables: CSV, TSV and their kin, also packed with gzip."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from workbench.data.capped import head_of, read_whole, too_big_for_memory
from workbench.data.content import Array, Content, Progress, too_large
from workbench.data.readers.base import Hints, Reader, source_path
from workbench.data.tables.columns import column_of, unique_names
from workbench.data.tables.dialect import MISSING, SPACE, Dialect, dialect_of
from workbench.data.tables.encoding import to_utf8
from workbench.data.tables.rows import check_widths, count_cells, first_end, lines_of
from workbench.errors import InputError
from workbench.recipe.data import Source

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST_COLUMNS = 100_000


class TableReader(Reader):
    """A row an example, a column an attribute; separator, decimal mark, encoding, header and types are found out."""

    kind: ClassVar[str] = "table"
    title: ClassVar[str] = "table"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data", ".csv.gz", ".tsv.gz")
    rank: ClassVar[int] = 90

    def sniff(self, path: Path) -> bool:
        if not path.is_file():
            return False
        head = head_of(path, 4096)
        wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
        return path.name.lower().endswith(self.suffixes) or wide or b"\0" not in head

    def read(self, source: Source, hints: Hints, progress: Progress) -> Content:
        path = source_path(source)
        data = read_whole(path, progress)
        try:
            return read_table(data, source, hints, progress)
        except MemoryError:
            raise too_big_for_memory(path) from None


def read_table(data: bytes, source: Source, hints: Hints, progress: Progress) -> Content:
    """Read a text table.

    Args:
        data: the bytes of the file.
        source: its path for messages; its separator, decimal mark and encoding where they are given.

    Raises:
        InputError: names every row or cell that is wrong.
    """
    where = str(source_path(source))
    text, encoding = to_utf8(data, source.encoding, where)
    dialect = dialect_of(text, source, where)
    names, notes, start = _layout(text, dialect, where)
    stage = f"parsing {source_path(source).name}"
    frame = _parse(text[start:], dialect, names, hints, where, lambda done: progress(stage, done, len(text) - start))
    if not len(frame):
        raise InputError("has a header but no rows", where=where, mend="It needs a row for each example.")

    def lines(rows: Array) -> list[int]:
        return lines_of(text, dialect.separator, rows, dialect.header is not None)

    notes = [*dialect.notes, *([] if encoding == "utf-8" else [encoding]), *notes]
    return _typed(frame, names, dialect, hints, where, lines, notes)


def _layout(text: bytes, dialect: Dialect, where: str) -> tuple[list[str], list[str], int]:
    """The columns' names, notes, and where the data start; all rows are seen to have as many cells."""
    header = dialect.header
    start = first_end(text, dialect.separator) if header is not None else 0
    if header is None:
        header = tuple(f"column_{number}" for number in range(1, dialect.width + 1))
    widths, notes = count_cells(text, dialect.separator), []
    if start and len(widths) > 1 and (widths[1:] == dialect.width + 1).all():
        header, note = _one_more(text[start : start + 2**16], header)
        notes, widths = [note], widths[1:]
    if len(header) > _MOST_COLUMNS:
        raise InputError(f"has {len(header):,} columns; up to {_MOST_COLUMNS:,} are read", where=where)
    check_widths(text, widths, len(header), dialect.separator, where)
    names, renamed = unique_names(header)
    return names, notes + renamed, start


def _one_more(text: bytes, header: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """What the extra cell of each row is: the row's name (as R writes it), or nothing after a last separator."""
    first = text.split(b"\n", 1)[0].rstrip(b" ")
    if first[-1:] in (b",", b";", b"\t", b"|"):
        return (*header, ""), "each row ends with a separator"
    return ("row", *header), "the header has no name for the first column: it is called row"


def _parse(
    text: bytes, dialect: Dialect, names: Sequence[str], hints: Hints, where: str, tell: Callable[[int], None]
) -> DataFrame:
    declared = [place for place, name in enumerate(names) if hints.types.get(name) == "category"]
    frame = _pandas(text, dialect, len(names), dict.fromkeys(declared, "str"), where, tell)
    # Pandas makes True of "yes" and "TRUE"; the words of the file are wanted as class names.
    booleans = [place for place in range(len(names)) if frame[place].dtype in (bool, object)]
    if booleans:
        again = _pandas(text, dialect, len(names), dict.fromkeys(booleans, "str"), where, tell, booleans)
        for place in booleans:
            frame[place] = again[place]
    return frame


def _pandas(
    text: bytes,
    dialect: Dialect,
    width: int,
    types: dict[int, str],
    where: str,
    tell: Callable[[int], None],
    only: list[int] | None = None,
) -> DataFrame:
    import pandas as pd

    spaced = dialect.separator == SPACE
    try:
        with warnings.catch_warnings():
            # A row that is cut is an error here, although its cells were counted before.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                _Told(text, tell),
                sep=r"\s+" if spaced else dialect.separator,
                header=None,
                names=list(range(width)),
                usecols=only,
                index_col=False,
                dtype=types,
                decimal=dialect.decimal,
                na_values=sorted(MISSING),
                keep_default_na=False,
                skipinitialspace=not spaced,
                low_memory=False,
                encoding="utf-8",
                encoding_errors="replace",
            )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(width))
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError, OverflowError) as error:
        raise _unreadable(str(error).strip(), where) from None


def _unreadable(error: str, where: str) -> InputError:
    unclosed = re.search(r"EOF inside string starting at row (\d+)", error)
    if unclosed:
        return InputError(f"a double quote in row {int(unclosed[1]) + 1:,} is never closed", where=where)
    return InputError(f"is no table that can be read: {error}", where=where)


class _Told(io.BytesIO):
    """Bytes that tell how far they have been read."""

    def __init__(self, data: bytes, tell: Callable[[int], None]) -> None:
        super().__init__(data)
        self._tell = tell

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self._tell(self.tell())
        return piece


def _typed(
    frame: DataFrame,
    names: Sequence[str],
    dialect: Dialect,
    hints: Hints,
    where: str,
    lines: Callable[[Array], list[int]],
    notes: Sequence[str],
) -> Content:
    found = [column_of(name, frame[place], dialect.decimal, hints, where, lines) for place, name in enumerate(names)]
    columns = tuple(item.column for item in found if item.column is not None)
    used = [column for column in columns if hints.minds(column.name)]
    problems = [item.problem for item in found if item.problem] + too_large(used, where)
    if problems:
        raise InputError.of(problems)
    empty = [column.name for column in columns if column.type == "number" and np.isnan(column.values).all()]
    more = [item.note for item in found if item.note] + [f"column {name!r} is empty" for name in empty]
    return Content(columns, notes=(*notes, *more))
