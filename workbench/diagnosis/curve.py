"""What the learning curve did: whether training was still getting somewhere when it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log
from typing import Literal, Protocol

Trend = Literal["falling", "flat", "oscillating", "diverging", "unknown"]

_LEAST_POINTS = 5
_WORTH = 0.03
"""A curve counts as falling if going on like this for a third as long would take at least this share off the loss."""
_ROUGH = 0.08
"""A curve counts as oscillating if it jumps by at least this share of the loss from epoch to epoch around its trend."""


class Point(Protocol):
    """An epoch's figures, as in ``events.EpochDone``."""

    @property
    def epoch(self) -> int:
        """Epochs done."""

    @property
    def train_loss(self) -> float:
        """On training examples."""

    @property
    def dev_loss(self) -> float | None:
        """On the dev set; None without one."""


@dataclass(frozen=True)
class Curve:
    """The shape of a learning curve.

    Attributes:
        trend: of the training loss over the last third of the epochs (at least five). Falling: a straight line
            through its logarithm falls beyond twice its standard error, and worth the while. Oscillating: the jumps
            around that line are large. Diverging: not finite, or at the end twice the lowest.
        epochs: done.
        overfits_since: the epoch with the lowest dev loss if the dev loss has since risen by a tenth while the training
            loss fell; None otherwise.
    """

    trend: Trend
    epochs: int
    overfits_since: int | None


def curve_of(points: Sequence[Point]) -> Curve:
    """The shape of a learning curve; the initial weights (epoch 0) do not count."""
    trained = sorted((point for point in points if point.epoch > 0), key=lambda point: point.epoch)
    epochs = trained[-1].epoch if trained else 0
    return Curve(_trend([point.train_loss for point in trained]), epochs, _overfits_since(trained))


def _trend(losses: Sequence[float]) -> Trend:
    if any(not isfinite(loss) for loss in losses):
        return "diverging"
    if len(losses) >= 3 and losses[-1] > 2.0 * min(losses) and losses[-1] > losses[0]:
        return "diverging"
    if len(losses) < _LEAST_POINTS:
        return "unknown"
    count = max(_LEAST_POINTS, len(losses) // 3)
    slope, slope_error, roughness = _line([log(max(loss, 1e-12)) for loss in losses[-count:]])
    if slope < -2.0 * slope_error and -slope * count >= _WORTH:
        return "falling"
    return "oscillating" if roughness > _ROUGH else "flat"


def _line(values: Sequence[float]) -> tuple[float, float, float]:
    """The least-squares line through equally spaced values: slope, its standard error, spread around it."""
    n = len(values)
    mid, mean = (n - 1) / 2.0, sum(values) / n
    spread = sum((x - mid) ** 2 for x in range(n))
    slope = sum((x - mid) * (value - mean) for x, value in enumerate(values)) / spread
    rest = sum((value - mean - slope * (x - mid)) ** 2 for x, value in enumerate(values)) / (n - 2)
    return slope, (rest / spread) ** 0.5, rest**0.5


def _overfits_since(points: Sequence[Point]) -> int | None:
    dev = [(point.dev_loss, point) for point in points if point.dev_loss is not None and isfinite(point.dev_loss)]
    if len(dev) < _LEAST_POINTS:
        return None
    lowest, best = min(dev, key=lambda pair: pair[0])
    last_loss, last = dev[-1]
    return best.epoch if last_loss > 1.1 * lowest and last.train_loss < best.train_loss else None
