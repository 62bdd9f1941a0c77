"""The lecture's exponentially weighted average, for curves."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]

_FIRST = 64


class Average:
    """The bias-corrected exponentially weighted average of values that come one after another.

    ``v_t = beta v_(t-1) + (1 - beta) x_t`` with ``v_0 = 0``; shown is ``v_t / (1 - beta^t)``. Source: the lecture,
    "Exponentially Weighted Averages". The correction acts on what is shown, not on the recursion: the printed formula,
    taken literally, grows without bound. Values that are not finite stand as NaN in the result and do not count.

    Args:
        beta: at least 0 (no smoothing) and below 1.
    """

    def __init__(self, beta: float) -> None:
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"beta must be in [0, 1), not {beta}")
        self.beta = beta
        self._values = np.empty(_FIRST)
        self._count = 0
        self._average, self._weight = 0.0, 1.0

    def follow(self, values: Numbers) -> Numbers:
        """The averages of all values ``(n,)``, of which those given before are not looked at again.

        Args:
            values: ``(n,)``, the ones of the call before at its beginning.
        """
        if len(values) > len(self._values):
            grown = np.empty(max(len(values), 2 * len(self._values)))
            grown[: self._count] = self._values[: self._count]
            self._values = grown
        for value in values[self._count :].tolist():
            self._values[self._count] = self._next(value)
            self._count += 1
        return self._values[: len(values)]

    def _next(self, value: float) -> float:
        if not isfinite(value):
            return float("nan")
        self._average = self.beta * self._average + (1.0 - self.beta) * value
        self._weight *= self.beta
        return self._average / (1.0 - self._weight)


def smoothed(values: Numbers, beta: float) -> Numbers:
    """``Average`` of a whole array."""
    return Average(beta).follow(np.asarray(values, dtype=np.float64))
