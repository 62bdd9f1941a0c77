"""Sums of vectors that lie some way apart: columns of a matrix, channels of many places."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.kernels.lanes import WIDTH, load, plus, splat, store
from workbench.engine.kernels.native import part

_FEW = 4
"""Vectors of columns that are summed up one after the other."""


@part
def vector_sum(x: int, count: int, step: int, left: int) -> Any:
    """Of ``count`` vectors, ``step`` bytes apart. Four sums side by side: one would wait for itself."""
    a = b = c = d = splat(np.float32(0))
    for four in range(count // 4):
        at = x + 4 * four * step
        a, b = plus(a, load(at, left)), plus(b, load(at + step, left))
        c, d = plus(c, load(at + 2 * step, left)), plus(d, load(at + 3 * step, left))
    for number in range(count // 4 * 4, count):
        a = plus(a, load(x + number * step, left))
    return plus(plus(a, b), plus(c, d))


@part
def _add_rows(source: int, step: int, columns: int, target: int) -> None:
    """Add four rows to what lies there."""
    for column in range(0, columns, WIDTH):
        left, at = columns - column, 4 * column
        here = source + at
        some = plus(load(here, left), load(here + step, left))
        more = plus(load(here + 2 * step, left), load(here + 3 * step, left))
        store(plus(load(target + at, left), plus(some, more)), target + at, left)


@part
def column_sums(source: int, row_step: int, rows: int, columns: int, target: int) -> None:
    """The sum of each column of a matrix, whose rows are ``row_step`` elements apart."""
    # Of many columns the sums stay in the level-1 cache, and memory is read in the order in which it lies.
    fours = rows // 4 if columns > _FEW * WIDTH else 0
    for column in range(0, columns, WIDTH):
        left, at = columns - column, 4 * column
        first = source + 4 * (4 * fours * row_step + column)
        store(vector_sum(first, rows - 4 * fours, 4 * row_step, left), target + at, left)
    for four in range(fours):
        _add_rows(source + 16 * four * row_step, 4 * row_step, columns, target)
