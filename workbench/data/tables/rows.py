"""Whether all rows of a text table have as many cells as the first: counted on bytes, a million rows a second."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from workbench.data.content import Array, listed
from workbench.data.tables.dialect import SPACE, split_lines
from workbench.errors import InputError

_PIECE = 2**25
_NEWLINE, _QUOTE, _BLANK, _TAB = 10, 34, 32, 9


def count_cells(data: bytes, separator: str) -> Array:
    """The number of cells of each record that is not blank, int ``(rows,)``.

    Line ends and separators within quotes do not count.

    Args:
        data: a table in UTF-8.
        separator: between cells; a space stands for runs of spaces and tabs.
    """
    if not data.endswith(b"\n"):
        data += b"\n"
    ends, counts = [], []
    offset = counted = inside = 0
    after_cell, last = False, _NEWLINE
    for start in range(0, len(data), _PIECE):
        piece = np.frombuffer(data, np.uint8, min(_PIECE, len(data) - start), start)
        quoted = _quoted(piece, inside) if b'"' in data[start : start + _PIECE] or inside else None
        if quoted is not None and _opens_within_a_cell(piece, quoted, last, separator):
            return _counted_exactly(data, separator)
        inside, last = int(quoted[-1]) if quoted is not None else 0, int(piece[-1])
        line_ends = np.flatnonzero(_unquoted(piece == _NEWLINE, quoted))
        marks, after_cell = _marks(piece, separator, quoted, after_cell)
        counts.append(np.searchsorted(marks, line_ends) + counted)
        ends.append(line_ends + offset + 1)
        offset, counted = offset + len(piece), counted + len(marks)
    if inside:
        return _counted_exactly(data, separator)
    return _without_blanks(np.concatenate(ends), np.concatenate(counts), separator)


def _counted_exactly(data: bytes, separator: str) -> Array:
    return np.array([len(cells) for _, cells in records(data, separator)], np.int64)


def _without_blanks(ends: Array, counts: Array, separator: str) -> Array:
    marks = np.diff(counts, prepend=0)
    if separator == SPACE:
        return marks[marks > 0]
    return (marks + 1)[np.diff(ends, prepend=0) > 1]


def _quoted(piece: Array, inside: int) -> Array:
    """Where a position stands within quotes: a doubled quote leaves and enters again, so counting parity is enough."""
    quotes = piece == _QUOTE
    quotes[0] ^= bool(inside)
    return np.logical_xor.accumulate(quotes)


def _opens_within_a_cell(piece: Array, quoted: Array, last: int, separator: str) -> bool:
    """Whether a quote opens in the middle of a cell, where it is a plain character: parity is then wrong."""
    openers = np.flatnonzero((piece == _QUOTE) & quoted)
    before = np.where(openers > 0, piece[openers - 1], last)
    gaps = [_BLANK, _TAB] if separator == SPACE else [ord(separator)]
    return not np.isin(before, [*gaps, _NEWLINE, _QUOTE]).all()


def _unquoted(mask: Array, quoted: Array | None) -> Array:
    return mask if quoted is None else mask & ~quoted


def _marks(piece: Array, separator: str, quoted: Array | None, after_cell: bool) -> tuple[Array, bool]:
    """Where separators stand; for runs of spaces, where cells begin, and whether the piece ends within a cell."""
    if separator != SPACE:
        return np.flatnonzero(_unquoted(piece == ord(separator), quoted)), False
    gap = _unquoted((piece == _BLANK) | (piece == _TAB) | (piece == _NEWLINE), quoted)
    before = np.concatenate([[not after_cell], gap[:-1]])
    return np.flatnonzero(~gap & before), not bool(gap[-1])


def first_end(data: bytes, separator: str) -> int:
    """The position after the first record that is not blank."""
    for _, cells, last_line in _numbered(data, separator):
        if cells:
            position = 0
            for _ in range(last_line):
                position = data.find(b"\n", position) + 1 or len(data)
            return position
    return len(data)


def check_widths(data: bytes, widths: Array, expected: int, separator: str, where: str) -> None:
    """See that all records have ``expected`` cells.

    Raises:
        InputError: names the lines that have not, with what they have.
    """
    if (widths == expected).all():
        return
    # A line of spaces counts as a cell there; what seems wrong is looked at again, exactly.
    wrong = [(line, width) for line, width in record_widths(data, separator) if width != expected]
    if not wrong:
        return
    shown = listed([f"line {line:,} has {width}" for line, width in wrong])
    raise InputError(
        f"rows differ in their number of cells; {expected} are expected: {shown}",
        where=where,
        mend="Put cells that hold the separator in double quotes, or fill the missing cells.",
    )


def record_widths(data: bytes, separator: str) -> Iterator[tuple[int, int]]:
    """The line (from 1) at which each record starts, and its number of cells."""
    for line, cells in records(data, separator):
        yield line, len(cells)


def records(data: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The line (from 1) at which each record that is not blank starts, and its cells; slow and exact."""
    return ((line, cells) for line, cells, _ in _numbered(data, separator) if cells)


def _numbered(data: bytes, separator: str) -> Iterator[tuple[int, list[str], int]]:
    """The first line of each record, its cells (none where it is blank), and its last line."""
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="replace", newline="\n")
    if separator == SPACE:
        for number, text in enumerate(lines, 1):
            yield number, split_lines([text], separator)[0] if text.strip() else [], number
        return
    last = ""

    def noted() -> Iterator[str]:
        nonlocal last
        for text in lines:
            last = text
            yield text

    reader = csv.reader(noted(), delimiter=separator, skipinitialspace=True)
    line = 1
    # The table's own reader says what is wrong with a cell that this one does not take.
    with suppress(csv.Error):
        for cells in reader:
            # A lone pair of quotes is a row with an empty cell; a line of spaces is none.
            yield line, cells if len(cells) > 1 or last.strip() else [], reader.line_num
            line = reader.line_num + 1


def lines_of(data: bytes, separator: str, rows: Array, has_header: bool) -> list[int]:
    """The line (from 1) of some data rows (from 0, ascending)."""
    wanted = set((rows + has_header).tolist())
    last = max(wanted, default=-1)
    found = []
    for number, (line, _) in enumerate(records(data, separator)):
        if number > last:
            break
        if number in wanted:
            found.append(line)
    return found
