"""The numbers of a plot as a table: to read without eyes on the curves, and to take along."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from workbench.gui.plots.stroke import Line

Numbers = np.ndarray[Any, Any]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, eq=False)
class Figures:
    """Numbers by position.

    Attributes:
        columns: the name of the position, then of each line.
        x: positions where at least one line has a point ``(n,)``, ascending.
        values: ``(n, lines)``; NaN where a line has none.
    """

    columns: tuple[str, ...]
    x: Numbers
    values: Numbers


def figures_of(lines: Sequence[Line], x_name: str) -> Figures:
    """All points of some lines, none left out."""
    x = np.unique(np.concatenate([line.x for line in lines])) if lines else np.empty(0)
    x = x[np.isfinite(x)]
    values = np.full((len(x), len(lines)), np.nan)
    for place, line in enumerate(lines):
        known = np.isfinite(line.x)
        values[np.searchsorted(x, line.x[known]), place] = line.y[known]
    return Figures((x_name, *(line.name for line in lines)), x, values)


def csv_text(figures: Figures) -> str:
    """As CSV. What a spreadsheet would take for a formula gets an apostrophe in front."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_cell(name) for name in figures.columns])
    for x, row in zip(figures.x.tolist(), figures.values.tolist(), strict=True):
        writer.writerow([_number(x), *(_number(value) for value in row)])
    return file.getvalue()


def _number(value: float) -> str:
    if not isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
