"""How far an update moves a stretch of the weights."""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.native import doubles, kernel, longs, stretch


@kernel
def add_squares(arguments: int, first: int, last: int) -> None:
    """Add the sum of squares of the weights before, and that of their changes, to two float64 numbers.

    Arguments: values a row, the weights before, the weights now, the numbers.
    """
    size, before_place, now_place, sums_place = longs(arguments, 4)
    before, now = stretch(before_place, first, last, size), stretch(now_place, first, last, size)
    sums, length, change = doubles(sums_place, 2), 0.0, 0.0
    for i in range((last - first) * size):
        moved = now[i] - before[i]
        length += np.float64(before[i]) * np.float64(before[i])
        change += np.float64(moved) * np.float64(moved)
    sums[0] += length
    sums[1] += change
