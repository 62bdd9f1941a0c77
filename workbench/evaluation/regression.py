"""Figures of predicted numbers, with bootstrap intervals.

The error that stands for a regression model's quality is its relative squared error, ``sum (y - prediction)² /
sum (y - baseline)²``: the share of variance it leaves unexplained, 1 - R². The baseline is the training set's mean, the
best guess of a model without inputs; 0 is perfect, 1 no better than that guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.evaluation.bootstrap import Resampled, Statistic
from workbench.evaluation.intervals import Estimate
from workbench.evaluation.predictions import Predictions

Floats = NDArray[np.float64]

# Columns that all figures are made of: weight, squared error, absolute error, distance to the center and its square,
# squared distance to the baseline.
_WEIGHT, _SQUARED, _ABSOLUTE, _DISTANCE, _SPREAD, _BASE = range(6)


@dataclass(frozen=True)
class RegressionFigures:
    """Figures of a set of predicted numbers; each None where it is undefined.

    Attributes:
        n: examples.
        error: the relative squared error, see the module.
        mse, rmse, mae: mean squared, root mean squared and mean absolute error, in the target's unit.
        r2: ``1 - sum (y - prediction)² / sum (y - mean y)²`` with the set's own mean, the usual coefficient.
    """

    n: int
    error: Estimate | None
    mse: Estimate | None
    rmse: Estimate | None
    mae: Estimate | None
    r2: Estimate | None

    def to_json(self) -> dict[str, Any]:
        """Each figure as a number, and its interval under ``intervals``."""
        names = ("mse", "rmse", "mae", "r2")
        estimates: dict[str, Estimate | None] = {name: getattr(self, name) for name in names}
        return {
            "n": self.n,
            "error": self.error.to_json() if self.error else None,
            **{name: estimate.value if estimate else None for name, estimate in estimates.items()},
            "intervals": {name: [e.low, e.high] if e else None for name, e in estimates.items()},
        }


def training_mean(predictions: Predictions) -> float | None:
    """The weighted mean of the training examples' true values; None without any."""
    train = predictions.of_split("train").labeled()
    return _mean(train) if train.n else None


def regression_figures(predictions: Predictions, baseline: float | None = None) -> RegressionFigures:
    """The figures of predictions whose truth is known.

    Args:
        predictions: of numbers.
        baseline: the training set's mean; where it is not known the set's own mean stands for it.
    """
    if not predictions.n or _mean(predictions) is None:
        return RegressionFigures(predictions.n, None, None, None, None, None)
    sums = Resampled(_columns(predictions, baseline), "regression")
    return RegressionFigures(
        predictions.n,
        _estimate(sums, lambda s: s[:, _SQUARED] / _positive(s[:, _BASE])),
        _estimate(sums, lambda s: s[:, _SQUARED] / s[:, _WEIGHT]),
        _estimate(sums, lambda s: np.sqrt(s[:, _SQUARED] / s[:, _WEIGHT])),
        _estimate(sums, lambda s: s[:, _ABSOLUTE] / s[:, _WEIGHT]),
        _estimate(sums, lambda s: 1.0 - s[:, _SQUARED] / _positive(_own_spread(s))),
    )


def relative_error(predictions: Predictions, baseline: float | None = None) -> Estimate | None:
    """The relative squared error alone, see ``regression_figures``; None where all true values equal the baseline."""
    return regression_figures(predictions, baseline).error


def paired_relative_difference(
    before: Predictions, after: Predictions, baseline: float | None = None
) -> Estimate | None:
    """The change of the relative squared error, ``after - before``, measured on the same examples in the same order."""
    if before.n != after.n or not np.array_equal(before.y_true, after.y_true):
        raise ValueError("a paired difference needs the same examples on both sides")
    if not before.n or _mean(before) is None:
        return None
    first, second = _columns(before, baseline), _columns(after, baseline)
    columns = np.column_stack([second[:, _SQUARED] - first[:, _SQUARED], first[:, _BASE]])
    return _estimate(Resampled(columns, "paired regression"), lambda s: s[:, 0] / _positive(s[:, 1]))


def _mean(predictions: Predictions) -> float | None:
    if predictions.weight is None:
        return float(predictions.y_true.mean())
    total = float(predictions.weight.sum())
    return float(predictions.y_true @ predictions.weight) / total if total > 0 else None


def _columns(predictions: Predictions, baseline: float | None) -> Floats:
    # Distances are taken from the mean, not from 0: sums of large squares would lose the digits that count.
    center = _mean(predictions) or 0.0
    weight = np.ones(predictions.n) if predictions.weight is None else predictions.weight
    miss = predictions.y_pred - predictions.y_true
    distance = predictions.y_true - center
    base = predictions.y_true - (center if baseline is None else baseline)
    columns = [np.ones(predictions.n), miss**2, abs(miss), distance, distance**2, base**2]
    return np.column_stack(columns) * weight[:, None]


def _own_spread(sums: Floats) -> Floats:
    spread = sums[:, _SPREAD] - sums[:, _DISTANCE] ** 2 / sums[:, _WEIGHT]
    # A constant sample has no spread; what is left of it after rounding would give any ratio.
    return np.where(spread > 1e-12 * sums[:, _SPREAD], spread, 0.0)


def _positive(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)


def _estimate(sums: Resampled, statistic: Statistic) -> Estimate | None:
    value = sums.value(statistic)
    if value is None:
        return None
    low, high = sums.interval(statistic) or (None, None)
    return Estimate(value, sums.n, low, high)
