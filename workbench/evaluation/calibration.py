"""Whether a model is right as often as it says: reliability and its expected error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.evaluation.intervals import Estimate, weighted_rate
from workbench.evaluation.predictions import Predictions

BINS = 15


@dataclass(frozen=True)
class Bin:
    """Examples whose confidence lies in ``(low, high]``.

    Attributes:
        low, high: the bin's range.
        count: examples in it.
        weight: their share of all examples, by weight.
        confidence: their mean confidence; None in an empty bin.
        accuracy: the share of them that is right, with its interval; None in an empty bin.
    """

    low: float
    high: float
    count: int
    weight: float
    confidence: float | None
    accuracy: Estimate | None

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        accuracy = self.accuracy.to_json() if self.accuracy else None
        return {**self.__dict__, "accuracy": accuracy}


@dataclass(frozen=True)
class Calibration:
    """The points of a reliability plot and their expected distance from the diagonal.

    Attributes:
        error: the expected calibration error (ECE).
        bins: equally wide, from 0 to 1.
    """

    error: float
    bins: tuple[Bin, ...]


def calibration_of(predictions: Predictions, bins: int = BINS) -> Calibration | None:
    """The expected calibration error (Naeini et al., AAAI 2015; Guo et al., ICML 2017).

    ``sum over bins of share * |accuracy - confidence|``, where an example's confidence is the probability that was
    given to the predicted class.

    Args:
        predictions: with known truth.
        bins: of equal width; ``(low, high]``, the first with its low end.

    Returns:
        None without probabilities of all predicted classes.
    """
    confidence = confidence_of(predictions)
    if confidence is None or not predictions.n or np.isnan(confidence).any():
        return None
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    weight = np.ones(predictions.n) if predictions.weight is None else predictions.weight
    if not weight.sum() > 0:
        return None
    listed = tuple(_bin(predictions, confidence, weight, place == index, index, bins) for index in range(bins))
    error = sum(
        b.weight * abs(b.accuracy.value - b.confidence) for b in listed if b.accuracy and b.confidence is not None
    )
    return Calibration(error, listed)


def confidence_of(predictions: Predictions) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """The probability given to each predicted class, ``(N,)``; None without probabilities."""
    if predictions.probabilities is None:
        return None
    picked: np.ndarray[Any, np.dtype[np.float64]] = predictions.probabilities[
        np.arange(predictions.n), predictions.y_pred
    ]
    return picked


def _bin(predictions: Predictions, confidence: Any, weight: Any, chosen: Any, index: int, bins: int) -> Bin:
    inside = weight[chosen]
    accuracy = weighted_rate(~predictions.wrong[chosen], None if predictions.weight is None else inside)
    mean = float(confidence[chosen] @ inside / inside.sum()) if accuracy else None
    share = float(inside.sum() / weight.sum())
    return Bin(index / bins, (index + 1) / bins, int(chosen.sum()), share, mean, accuracy)
