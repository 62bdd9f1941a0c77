"""How a text table is written: what stands between its columns, its decimal mark, whether it has a header."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from workbench.errors import InputError
from workbench.recipe.data import Source

SPACE = " "
"""Stands for any run of spaces and tabs."""

MISSING = frozenset(
    ["", "#N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "NAN", "None",
     "n/a", "nan", "null", "Null", "?"]
)  # fmt: skip
"""What stands for a value that is not known."""

_SAMPLE = 256 * 1024
_NAMES = {"\t": "tab", SPACE: "spaces"}
# In this order where several fit equally well: a comma also stands in decimals and in texts.
_CANDIDATES = ("\t", ";", "|", ",")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_DECIMAL_POINT = re.compile(r"[+-]?\d+\.\d+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Attributes:
        separator: one character; a space stands for runs of spaces and tabs.
        decimal: ``.`` or ``,``.
        header: the first row's cells where they are names, else None.
        width: cells in the first row.
        notes: what was found, in words.
    """

    separator: str
    decimal: str
    header: tuple[str, ...] | None
    width: int
    notes: tuple[str, ...]


def dialect_of(data: bytes, source: Source, where: str) -> Dialect:
    """Find out how a table is written; what the source says goes first.

    Args:
        data: the table in UTF-8.

    Raises:
        InputError: it is empty, or the separator that was given cannot be one.
    """
    lines = _sample_lines(data)
    if not lines:
        raise InputError("is empty", where=where, mend="It needs a row of column names and a row for each example.")
    separator = _given_separator(source.separator) if source.separator else _separator(lines)
    records = split_lines(lines, separator)
    decimal = source.decimal or ("," if separator != "," and _has_decimal_commas(records[1:]) else ".")
    has_header = _first_row_is_names(records, decimal)
    notes = [f"separator {_NAMES.get(separator, separator)}"] if len(records[0]) > 1 else []
    notes += ["decimal comma"] if decimal == "," else []
    notes += [] if has_header else ["no header: the columns are called column_1, column_2..."]
    header = tuple(cell.strip() for cell in records[0]) if has_header else None
    return Dialect(separator, decimal, header, len(records[0]), tuple(notes))


def split_lines(lines: Sequence[str], separator: str) -> list[list[str]]:
    """The cells of each record; blank lines are none."""
    if separator == SPACE:
        return [_spaced_cells(line) for line in lines if line.strip()]
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    records: list[list[str]] = []
    # A cell beyond the module's limit is most likely an unclosed quote: what came before it has to do.
    with suppress(csv.Error):
        records.extend(record for record in reader if record and (len(record) > 1 or record[0].strip()))
    return records or [[""]]


def _spaced_cells(line: str) -> list[str]:
    if '"' not in line:
        return line.split()
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]


def _sample_lines(data: bytes) -> list[str]:
    sample = data[:_SAMPLE]
    if len(data) > _SAMPLE:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    lines = sample.decode("utf-8", errors="replace").split("\n")
    return [line + "\n" for line in lines] if any(line.strip() for line in lines) else []


def _given_separator(separator: str) -> str:
    named = {"tab": "\t", "\\t": "\t", "space": SPACE, "spaces": SPACE, "comma": ",", "semicolon": ";"}
    separator = named.get(separator.lower(), separator)
    if len(separator) != 1 or not separator.isascii() or separator in '"\n\r\0':
        raise InputError(
            f"{separator!r} cannot separate columns", where="data.sources.separator", mend="Use one character."
        )
    return separator


def _separator(lines: Sequence[str]) -> str:
    fits = [(_fit(split_lines(lines, candidate)), candidate) for candidate in _CANDIDATES]
    best = max(share for share, _ in fits)
    if best >= 0.5:
        return next(candidate for share, candidate in fits if share == best)
    if _fit(split_lines(lines, SPACE)) >= 0.9:
        return SPACE
    return next(candidate for share, candidate in fits if share == best) if best else ","


def _fit(records: Sequence[Sequence[str]]) -> float:
    """The share of rows that have as many cells as the first; 0 where that is one."""
    width = len(records[0])
    if width < 2:
        return 0.0
    return sum(len(record) in (width, width + 1) for record in records) / len(records)


def _has_decimal_commas(records: Sequence[Sequence[str]]) -> bool:
    cells = [cell.strip() for record in records for cell in record]
    commas = sum(bool(_DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
    return commas > 0 and not any(_DECIMAL_POINT.fullmatch(cell) for cell in cells)


def is_number(text: str, decimal: str = ".") -> bool:
    """Whether a cell is a number."""
    try:
        float(text.replace(decimal, "."))
    except ValueError:
        return False
    return True


def _first_row_is_names(records: Sequence[Sequence[str]], decimal: str) -> bool:
    """Whether the first row differs in kind from the rows below it.

    A text above numbers speaks for names. A number above numbers speaks against, unless it could be a name too (a
    year, a number of a pixel); so does a text that stands below again.
    """
    first = [cell.strip() for cell in records[0]]
    votes_for = votes_against = 0
    for place, cell in enumerate(first):
        below = {record[place].strip() for record in records[1:] if place < len(record)} - MISSING
        # Most, not all: a bad cell further down must not turn the name above it into another.
        numbers = 2 * sum(is_number(text, decimal) for text in below) > len(below)
        if is_number(cell, decimal) and cell not in MISSING:
            votes_against += 1 if numbers or not below else 0
            votes_against += 1 if not cell.isdigit() else 0
        elif numbers and cell not in MISSING:
            votes_for += 2
        elif cell in below:
            votes_against += 1
    whole_names = all(cell.isdigit() for cell in first if is_number(cell, decimal))
    if votes_for and whole_names and len(set(first)) == len(first):
        return True
    return votes_for >= votes_against if votes_for else votes_against == 0
