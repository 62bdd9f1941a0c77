"""The learning rate range test: the loss while the rate rises, and which rate that speaks for.

Source: L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section 3.3. The two readings of
the curve, its steepest fall and a tenth of the rate of its minimum, are those in common use since.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import isfinite, log10, sqrt
from typing import Any, Literal

import numpy as np

from workbench.engine.backend import Backend
from workbench.engine.device import one_blas_thread
from workbench.engine.shards import ShardPool
from workbench.errors import InputError, RunError
from workbench.session.experiment import job_of
from workbench.session.failures import smaller_batch
from workbench.session.prepare import Prepared, ProgressCallback
from workbench.session.smoothing import Average, Numbers
from workbench.training.rates import losses_at

LOW, HIGH, STEPS = 1e-6, 10.0, 200
BETA = 0.9
"""Of the average that the loss is smoothed by: it looks back about ten steps."""
EXPLODED = 4.0
"""The test ends where the smoothed loss is so many times its best, or the one before the first step."""
_FIRST = round(1 / (1 - BETA))
"""Steps before the average has something to average."""
_FEWEST, _MOST = 3 * _FIRST, 100_000
_CLEAR = 1.6
"""How many times the noise of a batch the loss must fall by: four times that of a difference of two averages."""
_SIZABLE = 0.02
"""And by what share of itself."""
_BEGUN = 0.1
"""The share of its whole fall after which the loss counts as falling: what comes before is mostly noise."""

Ended = Literal["range", "exploded", "not finite"]


@dataclass(frozen=True)
class RangeTest:
    """What a test gave.

    Attributes:
        rates: as far as it got.
        losses: after the step with each rate, raw.
        smoothed: the lecture's bias-corrected average of them.
        ended: why it ended: all of the range was tried, the loss exploded, or was no number any more.
        steepest: the rate where the loss falls fastest by the rate's logarithm; None where that cannot be told.
        minimum: the rate of the lowest loss; None likewise.
        doubt: why it cannot be told, a sentence; empty where it can.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    ended: Ended
    steepest: float | None
    minimum: float | None
    doubt: str

    @property
    def tenth(self) -> float | None:
        """A tenth of the rate of the lowest loss."""
        return None if self.minimum is None else self.minimum / 10

    @property
    def suggestion(self) -> float | None:
        """The more careful of the two, to two figures; None where it cannot be told."""
        known = [rate for rate in (self.steepest, self.tenth) if rate is not None]
        return float(f"{min(known):.1e}") if known else None

    def to_json(self) -> dict[str, Any]:
        """What ``workbench rates --json`` prints."""
        points = zip(self.rates, self.losses, self.smoothed, strict=True)
        return {
            "suggested": self.suggestion,
            "steepest": self.steepest,
            "minimum": self.minimum,
            "minimum_tenth": self.tenth,
            "ended": self.ended,
            "doubt": self.doubt,
            "curve": [{"rate": rate, "loss": loss, "smoothed": smooth} for rate, loss, smooth in points],
        }


def range_test(
    prepared: Prepared,
    *,
    low: float = LOW,
    high: float = HIGH,
    steps: int = STEPS,
    progress: ProgressCallback | None = None,
    compiles: bool = True,
) -> RangeTest:
    """Train a copy of what was prepared while the learning rate rises exponentially from low to high.

    Args:
        prepared: what would be trained; stays as it is.
        low, high: the range.
        steps: how many.
        progress: called with (stage, done, total) after each; what it raises ends the test.
        compiles: whether kernels that are not there yet may be compiled; plain NumPy computes without them else.

    Raises:
        InputError: the range is none.
        RunError: memory ran out.
    """
    _check(low, high, steps)
    rates = np.geomspace(low, high, steps).tolist()
    pool = ShardPool(prepared.threads)
    try:
        with one_blas_thread():
            until_ready = None if compiles else Backend()
            found = losses_at(job_of(prepared, "rates"), pool, rates, until_ready)
            losses, ended = _followed(found, rates, progress or (lambda *_: None))
    except Exception as error:
        if not prepared.backend.is_out_of_memory(error):
            raise
        prepared.backend.release()
        half = smaller_batch(prepared)
        mend = f"Try training.batch_size = {half}." if half else "Make the network or its input smaller."
        raise RunError("memory ran out", mend=mend) from None
    finally:
        pool.close()
    return judged(rates[: len(losses)], losses, ended)


def _check(low: float, high: float, steps: int) -> None:
    if not (0 < low < high < 1e9 and isfinite(high)):
        raise InputError(f"the rates must rise from above 0 to below 1e9, not from {low:g} to {high:g}")
    if not _FEWEST <= steps <= _MOST:
        raise InputError(f"the test takes {_FEWEST} to {_MOST:,} steps, not {steps:,}")


def _followed(
    losses_by_rate: Generator[float], rates: list[float], progress: ProgressCallback
) -> tuple[list[float], Ended]:
    average, losses = Average(BETA), list[float]()
    progress(_STAGE, 0, len(rates))
    with closing(losses_by_rate) as found:
        best = next(found)
        for loss in found:
            if not isfinite(loss):
                return losses, "not finite"
            losses.append(loss)
            smooth = float(average.follow(np.array(losses))[-1])
            if smooth > EXPLODED * best:
                return losses, "exploded"
            best = min(best, smooth)
            progress(_STAGE, len(losses), len(rates))
    return losses, "range"


_STAGE = "trying learning rates"


def judged(rates: Sequence[float], losses: Sequence[float], ended: Ended) -> RangeTest:
    """Read a curve.

    Args:
        rates: ascending, evenly spread by their logarithms.
        losses: after the step with each; finite.
        ended: why there are no more.
    """
    smooth = Average(BETA).follow(np.array(losses)).copy()
    doubt = _doubt(np.array(losses), smooth, ended, rates)
    steepest, minimum = (None, None) if doubt else _readings(rates, smooth)
    return RangeTest(tuple(rates), tuple(losses), tuple(smooth.tolist()), ended, steepest, minimum, doubt)


def _doubt(losses: Numbers, smooth: Numbers, ended: Ended, rates: Sequence[float]) -> str:
    if len(losses) < _FEWEST:
        return "The loss exploded within the first steps: begin with a smaller rate."
    level, lowest = smooth[_FIRST - 1], _FIRST + int(smooth[_FIRST:].argmin())
    # A few steps alone may happen to lie close together.
    fall, noise = level - smooth[lowest], max(_noise(losses[: lowest + 1]), _noise(losses))
    if fall <= max(_CLEAR * noise, _SIZABLE * abs(level)):
        if ended == "range" and smooth[-1] - level <= _CLEAR * noise:
            return f"The loss hardly changes from {rates[0]:g} to {rates[-1]:g}: try larger rates, or more steps."
        return "The loss rises before it has clearly fallen: begin with a smaller rate, or take more steps."
    if ended == "range" and lowest >= len(losses) - 2:
        return f"The loss still falls at {rates[-1]:g}, the end of the range: try larger rates."
    return ""


def _noise(losses: Numbers) -> float:
    """The deviation from batch to batch, by the median difference of neighbors: a trend or a jump counts little."""
    return 1.4826 * float(np.median(np.abs(np.diff(losses)))) / sqrt(2)


def _readings(rates: Sequence[float], smooth: Numbers) -> tuple[float, float]:
    """The rates of the steepest fall before the minimum, and of the minimum."""
    lowest = _FIRST + int(smooth[_FIRST:].argmin())
    level = smooth[_FIRST - 1]
    begun = int(np.flatnonzero(smooth[:lowest] >= level - _BEGUN * (level - smooth[lowest]))[-1])
    # Over as many steps as an average looks back: neighbors differ by noise.
    falls = [smooth[place + _FIRST] - smooth[place] for place in range(begun, max(begun + 1, lowest - _FIRST + 1))
             if place + _FIRST < len(smooth)]  # fmt: skip
    steepest = begun + int(np.argmin(falls)) + _FIRST // 2 if falls else lowest
    return _rate_at(rates, min(steepest, lowest)), _rate_at(rates, lowest)


def _rate_at(rates: Sequence[float], place: int) -> float:
    """The rate that an average at a place is about: it looks back, so that its middle lies at smaller rates."""
    weights = BETA ** np.arange(place + 1)
    back = float((weights * np.arange(place + 1)).sum() / weights.sum())
    return float(10 ** np.interp(place - back, np.arange(len(rates)), [log10(rate) for rate in rates]))
