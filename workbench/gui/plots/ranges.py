"""What part of the plane a live plot shows: ranges that change seldom, so that a curve grows into a frame at rest."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, log10
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]

_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_GROWTH = (1.0, 2.0, 4.0, 10.0)
_SMALLEST = 1e-300
"""Below it numbers lose their digits, and there is nothing to draw."""
_AHEAD = 1.1
"""How much of the axis lies before a curve that still grows, at least."""
_EXTREME = 4.0
"""Times all the rest: a beginning that is higher leaves the plot at the top."""
_BEGINNING, _FEW = 20, 5
"""A curve's beginning is one in so many of its points, or one; with fewer than that many points it has none."""
_STEEP = 3.0
"""Times all the rest: how much of such a beginning is shown nevertheless."""


def round_up(value: float, steps: Iterable[float] = _STEPS) -> float:
    """The next round number that is not below a positive one."""
    if not _SMALLEST < value < float("inf"):
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in steps if step * power >= value * (1 - 1e-9))


def growing_end(reached: float, end: float | None) -> float:
    """Where the axis ends for a curve that has come to ``reached`` and will end at ``end`` (None: not known)."""
    ahead = round_up(max(reached, 1e-9) * _AHEAD, _GROWTH)
    if end is None:
        return ahead
    # Close to the end the axis need not change a last time.
    return end if ahead >= 0.8 * end else min(ahead, end)


def linear_range(columns: Iterable[Numbers]) -> tuple[float, float]:
    """From 0 to a round number above the highest value."""
    tops = [float(np.max(finite)) for column in columns if len(finite := column[np.isfinite(column)])]
    return 0.0, round_up(1.02 * max(tops)) if tops and max(tops) > 0 else 1.0


def calm_range(columns: Iterable[Numbers]) -> tuple[float, float]:
    """As ``linear_range``, but without an extreme beginning that would press all the rest to the floor."""
    finite = [column[np.isfinite(column)] for column in columns]
    finite = [column for column in finite if len(column)]
    if not finite:
        return linear_range(())
    rest = max(float(column[len(column) // _BEGINNING or len(column) >= _FEW :].max()) for column in finite)
    if rest <= 0 or max(float(column.max()) for column in finite) <= _EXTREME * rest:
        return linear_range(finite)
    return linear_range([column[column <= _STEEP * rest] for column in finite])


def log_range(columns: Iterable[Numbers]) -> tuple[float, float]:
    """Exponents of 10 around all positive values: of 1, 2 or 5 times a power of 10, at least a decade apart."""
    lows, highs = [], []
    for column in columns:
        finite = column[np.isfinite(column) & (column > 0)]
        if len(finite):
            lows.append(float(finite.min()))
            highs.append(float(finite.max()))
    if not lows:
        return -2.0, 0.0
    low, high = _round_down(min(lows)), log10(round_up(max(highs), (1.0, 2.0, 5.0, 10.0)))
    return (low, high) if high - low >= 1 else (min(low, high - 1), high)


def _round_down(value: float) -> float:
    power = 10.0 ** floor(log10(value))
    return log10(max(step * power for step in (1.0, 2.0, 5.0) if step * power <= value * (1 + 1e-9)))
