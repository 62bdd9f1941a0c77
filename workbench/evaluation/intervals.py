"""Measured values with their 95 % intervals: of one error rate, and of the difference of two.

Every interval is a score interval or is built from two of them, because error rates near 0 on a few hundred examples
are the usual case here and the textbook's ``p ± 1.96 s`` is wrong there: it has no width at 0 errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
"""The share of intervals that hold the true value."""

_DIGITS = 12
"""Differences are rounded to this many decimals, so that 0.035 - 0.02 is 0.015 and not a rounding error above it."""


@dataclass(frozen=True)
class Estimate:
    """A value and how well it is known.

    Attributes:
        value: the point estimate.
        n: on how many examples it was measured; None where that is not known, or for a difference.
        low, high: the ends of the 95 % interval; None where the value is taken as exact.
    """

    value: float
    n: int | None = None
    low: float | None = None
    high: float | None = None

    @property
    def lower(self) -> float:
        """The interval's low end; of an exact value the value itself."""
        return self.value if self.low is None else self.low

    @property
    def upper(self) -> float:
        """The interval's high end; of an exact value the value itself."""
        return self.value if self.high is None else self.high

    @property
    def exact(self) -> bool:
        """Whether the value is taken as it is."""
        return self.low is None or self.high is None

    def to_json(self) -> dict[str, Any]:
        """``{value, n, low, high}``."""
        return {"value": self.value, "n": self.n, "low": self.low, "high": self.high}


@lru_cache(maxsize=64)
def z_of(confidence: float = CONFIDENCE) -> float:
    """The normal distribution's two-sided quantile: 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + confidence / 2.0)


def wilson_ends(rate: float, n: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson, JASA 22, 1927).

    All rates that a score test would not reject: the solutions ``q`` of ``(rate - q)² = z² q (1 - q) / n``. For a fixed
    rate the interval for a larger ``n`` lies within that for a smaller one.

    Args:
        rate: the measured share, 0 to 1.
        n: examples, above 0; an effective number need not be whole.
        confidence: the share of intervals that hold the true value.
    """
    if not (0.0 <= rate <= 1.0 and n > 0):
        raise ValueError(f"no proportion: {rate} of {n}")
    z2 = z_of(confidence) ** 2 / n
    center = (rate + z2 / 2.0) / (1.0 + z2)
    half = sqrt(z2 * rate * (1.0 - rate) + z2 * z2 / 4.0) / (1.0 + z2)
    # The ends meet 0 and 1 exactly there, which rounding would miss; nor may it push an end past the value.
    low = 0.0 if rate == 0.0 else min(rate, max(0.0, center - half))
    high = 1.0 if rate == 1.0 else max(rate, min(1.0, center + half))
    return low, high


def proportion(count: float, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """``count`` of ``n`` examples, with Wilson's interval."""
    return rate_of(count / n if n else float("nan"), n, confidence=confidence)


def rate_of(rate: float, n: int | None, *, effective: float | None = None, confidence: float = CONFIDENCE) -> Estimate:
    """A rate measured on ``n`` examples, with Wilson's interval; exact where ``n`` is not known.

    Args:
        rate: 0 to 1; rounded as people report it, ``rate * n`` need not be whole.
        n: examples, or None.
        effective: the effective number behind the interval where examples have weights, see ``effective_size``.
        confidence: the share of intervals that hold the true value.
    """
    if n is None:
        return Estimate(rate)
    return Estimate(rate, n, *wilson_ends(rate, effective or n, confidence))


def effective_size(weights: NDArray[np.float64] | None, n: int) -> float:
    """How many equally weighted examples are worth as much: ``(sum w)² / sum w²`` (Kish, Survey Sampling, 1965)."""
    if weights is None:
        return float(n)
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def weighted_rate(wrong: NDArray[np.bool_], weights: NDArray[np.float64] | None = None) -> Estimate | None:
    """The share of True, each with its weight; None where there is nothing to share.

    Args:
        wrong: ``(n,)``.
        weights: ``(n,)``, at least 0, or None for equal ones. The interval then goes by ``effective_size``, which
            holds where weights and mistakes are not strongly related.
    """
    n = len(wrong)
    effective = effective_size(weights, n)
    if effective <= 0:
        return None
    rate = float(wrong.mean()) if weights is None else float(wrong @ weights / weights.sum())
    return rate_of(min(1.0, max(0.0, rate)), n, effective=effective)


def mean_share(
    shares: NDArray[np.float64], weights: NDArray[np.float64] | None = None, decisions: float = 1.0
) -> Estimate | None:
    """The mean over examples of a share of wrong decisions each, such as of wrong labels; None where there are none.

    Decisions on one example are not independent, so the interval goes by examples: it is Wilson's for the number of
    independent decisions that would vary as much, ``p (1 - p) / variance of the mean`` (Korn and Graubard, Survey
    Methodology 24:193, 1998; Dean and Pagano, Journal of Survey Statistics and Methodology 3:484, 2015), less for a
    variance measured on few examples, and never more than if all decisions were independent. Where nothing or
    everything is wrong no variance can be measured, and each example counts as one decision.

    In simulations with 3 and 14 labels and 20 to 1,000 examples it held the true value for 92 to 98 % of sets, whether
    an example's labels were independent or all wrong together; for 88 to 91 % where an error of at most 2 % came from
    a few wrong examples.

    Args:
        shares: ``(n,)``, 0 to 1.
        weights: ``(n,)``, at least 0, or None for equal ones.
        decisions: how many an example has on average.
    """
    n = len(shares)
    size = effective_size(weights, n)
    if size <= 0:
        return None
    parts = np.full(n, 1.0 / n) if weights is None else weights / weights.sum()
    mean = min(1.0, max(0.0, float(shares @ parts)))
    effective = size
    variance = float((parts**2) @ (shares - mean) ** 2) * size / max(size - 1.0, 1e-9)
    if size > 1.0 and variance > _NO_VARIANCE:
        certain = (z_of() / _student(size - 1.0)) ** 2
        effective = min(mean * (1.0 - mean) / variance * certain, size * decisions)
    return rate_of(mean, n, effective=effective)


_NO_VARIANCE = 1e-24
"""What rounding leaves of a variance of 0."""


@lru_cache(maxsize=256)
def _student(freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2.0))


def difference(first: Estimate, second: Estimate) -> Estimate:
    """``first - second`` where the two were measured on different examples, or one of them is exact.

    Newcombe's hybrid score interval (Statistics in Medicine 17:873, 1998, method 10): the distances from each value to
    its own interval's ends, squared, added and rooted. It needs nothing but the two intervals, so it also serves for
    values that are no proportions (Zou and Donner, Statistics in Medicine 27:1693, 2008).
    """
    value = first.value - second.value
    if first.exact and second.exact:
        return Estimate(round(value, _DIGITS))
    down = sqrt((first.value - first.lower) ** 2 + (second.upper - second.value) ** 2)
    up = sqrt((first.upper - first.value) ** 2 + (second.value - second.lower) ** 2)
    return _rounded(value, value - down, value + up)


def total(first: Estimate, second: Estimate) -> Estimate:
    """``first + second`` where the two were measured on different examples."""
    mirrored = Estimate(-second.value, second.n, _negated(second.high), _negated(second.low))
    return difference(first, mirrored)


def paired_difference(
    before: NDArray[np.bool_], after: NDArray[np.bool_], weights: NDArray[np.float64] | None = None
) -> Estimate | None:
    """The change of an error rate, ``after - before``, where both were measured on the same examples.

    Newcombe's hybrid score interval for paired proportions (Statistics in Medicine 17:2635, 1998, method 10): as
    ``difference``, less what the two have in common by their correlation phi, which is taken a little towards 0.

    Args:
        before, after: which examples were wrong, ``(n,)`` in the same order.
        weights: ``(n,)`` or None.
    """
    if before.shape != after.shape:
        raise ValueError("a paired difference needs the same examples on both sides")
    n = len(before)
    effective = effective_size(weights, n)
    if effective <= 0:
        return None
    shares = np.full(n, 1.0 / n) if weights is None else weights / weights.sum()
    cells = np.bincount(before * 2 + after, weights=shares, minlength=4) * effective
    right, broken, mended, wrong = (float(cell) for cell in cells)
    return _paired(right, broken, mended, wrong, n)


def _paired(right: float, broken: float, mended: float, wrong: float, n: int) -> Estimate:
    size = right + broken + mended + wrong
    first, second = min(1.0, (mended + wrong) / size), min(1.0, (broken + wrong) / size)
    low1, high1 = wilson_ends(first, size)
    low2, high2 = wilson_ends(second, size)
    phi = _phi(right, broken, mended, wrong)
    value = (broken - mended) / size
    down = _joined(second - low2, high1 - first, phi)
    up = _joined(high2 - second, first - low1, phi)
    estimate = _rounded(value, value - down, value + up)
    return Estimate(estimate.value, n, estimate.low, estimate.high)


def _phi(right: float, broken: float, mended: float, wrong: float) -> float:
    size = right + broken + mended + wrong
    margins = (wrong + mended) * (broken + right) * (wrong + broken) * (mended + right)
    if margins <= 0:
        return 0.0
    product = wrong * right - mended * broken
    if product > 0:
        product = max(product - size / 2.0, 0.0)
    return product / sqrt(margins)


def _joined(one: float, other: float, phi: float) -> float:
    return sqrt(max(0.0, one * one - 2.0 * phi * one * other + other * other))


def _rounded(value: float, low: float, high: float) -> Estimate:
    ends = [round(number, _DIGITS) for number in (value, low, high)]
    if not all(isfinite(number) for number in ends):
        raise ValueError("no finite interval")
    return Estimate(ends[0], None, min(ends[0], ends[1]), max(ends[0], ends[2]))


def _negated(value: float | None) -> float | None:
    return None if value is None else -value
