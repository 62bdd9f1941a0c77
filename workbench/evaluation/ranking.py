"""How well scores put positive examples above negative ones: ROC curve and the area under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.evaluation.predictions import Predictions

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RocCurve:
    """True against false positive rate, a point for each different score and the origin.

    Attributes:
        false_positive_rate, true_positive_rate: ``(points,)``, rising from 0 to 1.
        thresholds: positive are scores of at least this, ``(points,)``; infinite at the origin.
    """

    false_positive_rate: Floats
    true_positive_rate: Floats
    thresholds: Floats

    @property
    def area(self) -> float:
        """The share of pairs of a positive and a negative example that the scores order right; a tie counts half."""
        return float(np.trapezoid(self.true_positive_rate, self.false_positive_rate))


def roc_curve(scores: Floats, positive: NDArray[np.bool_], weight: Floats | None = None) -> RocCurve | None:
    """The ROC curve of scores ``(N,)``; equal scores make one point, so their order does not matter.

    Returns:
        None where all examples are positive, or none.
    """
    order = np.argsort(-scores, kind="stable")
    weights = np.ones(len(scores)) if weight is None else weight
    hits = np.cumsum((weights * positive)[order])
    misses = np.cumsum((weights * ~positive)[order])
    if not len(scores) or hits[-1] <= 0 or misses[-1] <= 0:
        return None
    ordered = scores[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    return RocCurve(
        np.append(0.0, misses[last] / misses[-1]),
        np.append(0.0, hits[last] / hits[-1]),
        np.append(np.inf, ordered[last]),
    )


def roc_areas(predictions: Predictions) -> dict[str, float | None]:
    """The area under each class's ROC curve, that class against the rest; None where it is undefined."""
    probabilities = predictions.probabilities
    areas: dict[str, float | None] = {}
    for index, name in enumerate(predictions.classes):
        scores: Any = None if probabilities is None else probabilities[:, index]
        usable = scores is not None and not np.isnan(scores).any()
        curve = roc_curve(scores, predictions.y_true == index, predictions.weight) if usable else None
        areas[name] = curve.area if curve else None
    return areas


def roc_auc(predictions: Predictions) -> float | None:
    """The area under the ROC curve: for two classes of the second one, for more the mean of one against the rest.

    Returns:
        None without probabilities, or where a class has no examples or no others (the mean over the rest would be
        another figure).
    """
    areas = list(roc_areas(predictions).values())
    if len(areas) == 2:
        return areas[1]
    defined = [area for area in areas if area is not None]
    return sum(defined) / len(defined) if len(areas) > 2 and len(defined) == len(areas) else None
