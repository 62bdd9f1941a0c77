"""Intervals of figures that are ratios of sums over examples: squared errors and what is made of them.

The expanded percentile bootstrap (Hesterberg, The American Statistician 69:371, 2015): the percentile interval, taken
further out to make up for small sets. In simulations of a relative squared error it held the true value for 92 to 94 %
of sets of 15 to 400 examples with normal or heavy-tailed errors, and for 88 to 90 % where a few examples hold most of
the variance; there it did better than BCa, the bootstrap-t and the delta method. Random numbers are counter-based, so
the same data always give the same interval.

A figure is a function of column sums. Sets of more than ``_BLOCKS`` examples are first added up in that many blocks of
examples drawn at random: resampling blocks then gives the same spread as resampling examples, at a bounded cost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from workbench.engine.random import bits, key_of, permutation
from workbench.evaluation.intervals import CONFIDENCE

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""From column sums ``(R, C)`` to the figure ``(R,)``; not finite where it is undefined."""

RESAMPLES = 2_000
_BLOCKS = 1_024
_CHUNK = 64


class Resampled:
    """Column sums of a set of examples and of its bootstrap samples; makes intervals of any figure of them.

    Args:
        columns: ``(n, C)`` values to be summed; for weighted examples each multiplied by its weight.
        purpose: part of the random numbers' key.
    """

    def __init__(self, columns: Floats, purpose: str = "bootstrap") -> None:
        self.n = len(columns)
        blocks = _in_blocks(columns, purpose)
        self._blocks = len(blocks)
        self._total: Floats = blocks.sum(axis=0, keepdims=True)
        self._samples = _sums_of_samples(blocks, purpose)

    def value(self, statistic: Statistic) -> float | None:
        """The figure of the whole set; None where it is undefined."""
        value = float(_quietly(statistic, self._total)[0])
        return value if np.isfinite(value) else None

    def interval(self, statistic: Statistic, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """The figure's interval; None where it is undefined for the set, or for more than half of its samples."""
        value = self.value(statistic)
        drawn = _quietly(statistic, self._samples)
        drawn = drawn[np.isfinite(drawn)]
        if value is None or self.n < 2 or len(drawn) < RESAMPLES // 2:
            return None
        level = _expanded_level(confidence, self._blocks)
        low, high = (float(end) for end in np.quantile(drawn, [1.0 - level, level]))
        return min(low, value), max(high, value)


def _in_blocks(columns: Floats, purpose: str) -> Floats:
    n = len(columns)
    if n <= _BLOCKS:
        return columns
    order = permutation(np, key_of(purpose, "blocks", n), n)
    return np.add.reduceat(columns[order], np.arange(_BLOCKS) * n // _BLOCKS, axis=0)


def _sums_of_samples(blocks: Floats, purpose: str) -> Floats:
    size = len(blocks)
    sums = np.zeros((RESAMPLES, blocks.shape[1]))
    key = key_of(purpose, "samples", size)
    for start in range(0, RESAMPLES if size else 0, _CHUNK):
        rows = min(_CHUNK, RESAMPLES - start)
        index = np.arange(start * size, (start + rows) * size, dtype=np.uint64)
        # The upper half of the random bits, scaled: a block's number without a slow division.
        drawn = ((bits(np, key, index) >> np.uint64(32)) * np.uint64(size) >> np.uint64(32)).astype(np.int64)
        places = drawn.reshape(rows, size) + np.arange(rows)[:, None] * size
        counts = np.bincount(places.ravel(), minlength=rows * size).reshape(rows, size)
        sums[start : start + rows] = counts @ blocks
    return sums


def _quietly(statistic: Statistic, sums: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return np.asarray(statistic(sums), dtype=np.float64)


@lru_cache(maxsize=256)
def _expanded_level(confidence: float, size: int) -> float:
    from scipy.special import stdtrit

    reach = float(stdtrit(size - 1, 0.5 + confidence / 2.0)) * sqrt(size / (size - 1))
    return NormalDist().cdf(reach)
