"""What the cells of a column are: numbers, dates, or texts that name categories."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.data.content import Array, Column, coded_column, listed, names_listed, number_column, toml_text
from workbench.data.readers.base import Hints
from workbench.data.tables.dialect import MISSING
from workbench.errors import Problem

if TYPE_CHECKING:
    from pandas import Series

_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?")
_MICROSECONDS_A_DAY = 86_400 * 10**6


@dataclass(frozen=True)
class Found:
    """What became of a column: the column or a problem, and a note where something was decided."""

    column: Column | None
    note: str = ""
    problem: Problem | None = None


@dataclass(frozen=True)
class Cells:
    """The cells of a column that are no plain numbers.

    Attributes:
        codes: the number of each cell's text, int64 ``(N,)``; -1 where missing.
        texts: the distinct texts, without space around them.
        numbers: the texts as numbers, NaN where they are none, float64.
        counts: how many cells have each text.
    """

    codes: Array
    texts: list[str]
    numbers: Array
    counts: Array

    @property
    def numeric_share(self) -> float:
        """The share of cells that are numbers."""
        return float(self.counts[~np.isnan(self.numbers)].sum() / max(1, self.counts.sum()))


def cells_of(series: Series, decimal: str) -> Cells:
    """Take the cells of a text column apart."""
    import pandas as pd

    codes, uniques = pd.factorize(series)
    texts = [str(text).strip() for text in uniques.tolist()]
    gone = np.array([text in MISSING for text in texts] + [True])
    codes = np.where(gone[codes], -1, codes)
    plain = [text.replace(decimal, ".") for text in texts] if decimal != "." else texts
    numbers = pd.to_numeric(pd.Series(plain, dtype=object), errors="coerce").to_numpy(np.float64)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    return Cells(codes, texts, numbers, counts)


def column_of(
    name: str, series: Series, decimal: str, hints: Hints, where: str, lines: Callable[[Array], list[int]]
) -> Found:
    """Decide what a column is.

    Args:
        name: its name.
        series: its cells, as pandas read them.
        decimal: the decimal mark.
        hints: the declared types.
        where: the file, for messages.
        lines: gives the file lines of data rows.
    """
    declared = hints.types.get(name)
    if declared != "category" and series.dtype.kind in "iuf":
        return Found(number_column(name, series.to_numpy(np.float64)))
    cells = cells_of(series, decimal)
    if declared == "category":
        return Found(coded_column(name, cells.codes, cells.texts))
    if not cells.counts.sum():
        return Found(number_column(name, np.full(len(series), np.nan)))
    share = cells.numeric_share
    strict = hints.minds(name)
    if share == 1 or (strict and (share >= 0.5 or declared == "number")):
        return _numbers(name, cells, declared == "number", where, lines)
    days = _days(cells) if share == 0 else None
    if days is not None:
        return Found(number_column(name, days), f"column {name!r}: dates, as days since 1970-01-01")
    note = f"column {name!r} holds numbers and texts: its cells are taken as categories" if share > 0.1 else ""
    return Found(coded_column(name, cells.codes, cells.texts), note)


def _numbers(name: str, cells: Cells, declared: bool, where: str, lines: Callable[[Array], list[int]]) -> Found:
    table = np.append(cells.numbers, np.nan)
    values = table[cells.codes]
    bad = np.flatnonzero(np.isnan(values) & (cells.codes >= 0))
    if not len(bad):
        return Found(number_column(name, values))
    shown = bad[:10]
    texts = [repr(cells.texts[code]) for code in cells.codes[shown]]
    places = zip(shown.tolist(), lines(shown), texts, strict=False)
    cells_shown = listed([f"row {row + 1:,} (line {line:,}) {text}" for row, line, text in places])
    more = f" and {len(bad) - len(shown):,} more" if len(bad) > len(shown) else ""
    said = "is declared a column of numbers" if declared else "is a column of numbers"
    what = f"column {name!r} {said}, but {_cells_hold(len(bad))} text: {cells_shown}{more}"
    declare = f'data.columns = {{ {toml_text(name)} = "category" }} (for `workbench new`: --column COL=category)'
    other = "remove the declaration" if declared else f"declare the column: {declare}"
    mend = f"Mend the cells, or {other}."
    return Found(None, problem=Problem(what, where, mend))


def _cells_hold(count: int) -> str:
    return "1 cell holds" if count == 1 else f"{count:,} cells hold"


def _days(cells: Cells) -> Array | None:
    """ISO 8601 dates and times as days since 1970-01-01 UTC, or None where not all texts are such."""
    import pandas as pd

    used = np.flatnonzero(cells.counts > 0)
    if not all(_DATE.fullmatch(cells.texts[code]) for code in used):
        return None
    try:
        moments = pd.to_datetime([cells.texts[code] for code in used], format="ISO8601", utc=True)
    except ValueError:
        return None
    table = np.full(len(cells.texts) + 1, np.nan)
    # In microseconds, which reach from year 0 to 9999; nanoseconds end in 2262.
    table[used] = moments.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64) / _MICROSECONDS_A_DAY
    return table[cells.codes]


def unique_names(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Column names without gaps and repetitions, and notes on what was changed."""
    taken = {name for name in header if name}
    names: list[str] = []
    empty: list[str] = []
    twice: list[str] = []
    for place, name in enumerate(header, 1):
        chosen = name or f"column_{place}"
        if not name or chosen in names:
            chosen = _free_name(chosen, taken | set(names))
            (twice if name else empty).append(chosen)
        names.append(chosen)
    notes = [f"columns without a name are called {names_listed(empty)}"] if empty else []
    notes += [f"columns with a name that stands twice are called {names_listed(twice)}"] if twice else []
    return names, notes


def _free_name(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
