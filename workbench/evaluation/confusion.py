"""The confusion matrix and the ratios that are read from it, class by class and on average.

A ratio whose denominator is 0 is undefined and None, never a made-up 0 or 1. So are the likelihood ratios and the odds
ratio where they would be infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.evaluation.intervals import Estimate, effective_size, rate_of
from workbench.evaluation.predictions import Predictions

AVERAGED = ("precision", "recall", "specificity", "npv", "fpr", "fnr", "fdr", "for", "f1", "fbeta")
"""Ratios of which the mean over the classes is given."""
HARMONIC = ("precision", "recall", "specificity", "npv", "f1", "fbeta")
"""Ratios of which the harmonic mean is given too: those where more is better."""

Number = int | float


@dataclass(frozen=True)
class ClassFigures:
    """One class against the rest. Counts are sums of weights where examples have weights.

    Attributes:
        tp, fp, tn, fn: true and false positives and negatives, "positive" meaning this class.
        ratios: the measures by their usual short names, see ``ratios_of``.
        precision, recall: with Wilson's interval; None where undefined.
    """

    tp: Number
    fp: Number
    tn: Number
    fn: Number
    ratios: dict[str, float | None]
    precision: Estimate | None
    recall: Estimate | None

    @property
    def support(self) -> Number:
        """Examples of this class."""
        return self.tp + self.fn

    def to_json(self) -> dict[str, Any]:
        """Counts, ratios, support, and the intervals of precision and recall."""
        counts = {"tp": self.tp, "fp": self.fp, "tn": self.tn, "fn": self.fn}
        pair = {"precision": self.precision, "recall": self.recall}
        intervals = {name: [e.lower, e.upper] if e else None for name, e in pair.items()}
        return {**counts, **self.ratios, "support": self.support, "intervals": intervals}


@dataclass(frozen=True)
class Average:
    """Means of a ratio over the classes where it is defined.

    Attributes:
        mean: the arithmetic mean (macro average).
        harmonic: the harmonic mean, 0 if any value is; None for ratios where less is better.
        undefined: classes left out because the ratio is undefined for them.
    """

    mean: float | None
    harmonic: float | None
    undefined: int


def confusion_matrix(predictions: Predictions) -> NDArray[Any]:
    """``(K, K)``: rows are true classes, columns predicted ones; counts, or sums of weights."""
    k = len(predictions.classes)
    place = predictions.y_true * k + predictions.y_pred
    matrix: NDArray[Any] = np.bincount(place, weights=predictions.weight, minlength=k * k)
    return matrix.reshape(k, k)


def class_figures(predictions: Predictions, matrix: NDArray[Any], beta: float) -> dict[str, ClassFigures]:
    """The figures of each class."""
    total, hits = matrix.sum(), np.diag(matrix)
    supports, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    figures = {}
    for index, name in enumerate(predictions.classes):
        tp = hits[index]
        counts = (tp, predicted[index] - tp, total - supports[index] - predicted[index] + tp, supports[index] - tp)
        # Differences of weight sums may miss 0 by a rounding error.
        tp, fp, tn, fn = (max(type(count.item())(0), count.item()) for count in counts)
        recall = _estimate(tp, tp + fn, predictions, predictions.y_true == index)
        precision = _estimate(tp, tp + fp, predictions, predictions.y_pred == index)
        figures[name] = ClassFigures(tp, fp, tn, fn, ratios_of(tp, fp, tn, fn, beta), precision, recall)
    return figures


def _estimate(part: Number, whole: Number, predictions: Predictions, rows: NDArray[np.bool_]) -> Estimate | None:
    if whole <= 0:
        return None
    if predictions.weight is None:
        return rate_of(part / whole, int(whole))
    weight = predictions.weight[rows]
    return rate_of(min(1.0, part / whole), len(weight), effective=effective_size(weight, len(weight)))


def ratios_of(tp: Number, fp: Number, tn: Number, fn: Number, beta: float = 1.0) -> dict[str, float | None]:
    """All ratios of a 2 × 2 table (the lecture's "most popular measures"; its prevalence corrected to P / ALL).

    F is taken in the form with counts, ``(1 + b²) TP / ((1 + b²) TP + b² FN + FP)``, which is also defined (0) where a
    class that exists is never predicted.
    """
    positive, negative, said, unsaid = tp + fn, fp + tn, tp + fp, fn + tn
    square = beta * beta
    tpr, fpr = _ratio(tp, positive), _ratio(fp, negative)
    fnr, tnr = _ratio(fn, positive), _ratio(tn, negative)
    return {
        "precision": _ratio(tp, said),
        "recall": tpr,
        "specificity": tnr,
        "npv": _ratio(tn, unsaid),
        "fpr": fpr,
        "fnr": fnr,
        "fdr": _ratio(fp, said),
        "for": _ratio(fn, unsaid),
        "f1": _ratio(2 * tp, 2 * tp + fn + fp),
        "fbeta": _ratio((1 + square) * tp, (1 + square) * tp + square * fn + fp),
        "lr_plus": _ratio(tpr, fpr),
        "lr_minus": _ratio(fnr, tnr),
        "dor": _ratio(tp * tn, fp * fn),
        "prevalence": _ratio(positive, positive + negative),
    }


def averages_of(figures: dict[str, ClassFigures]) -> dict[str, Average]:
    """The mean of each ratio over the classes where it is defined."""
    averages = {}
    for name in AVERAGED:
        values = [value for figure in figures.values() if (value := figure.ratios[name]) is not None]
        mean = sum(values) / len(values) if values else None
        averages[name] = Average(mean, _harmonic(values) if name in HARMONIC else None, len(figures) - len(values))
    return averages


def _harmonic(values: list[float]) -> float | None:
    if not values:
        return None
    return 0.0 if min(values) <= 0 else len(values) / sum(1.0 / value for value in values)


def _ratio(part: Number | None, whole: Number | None) -> float | None:
    return None if part is None or not whole else float(part / whole)


def averages_to_json(averages: dict[str, Average]) -> dict[str, dict[str, Any]]:
    """``macro`` and ``harmonic`` means by ratio, and how many classes each left out."""
    return {
        "macro": {name: average.mean for name, average in averages.items()},
        "harmonic": {name: averages[name].harmonic for name in HARMONIC},
        "undefined": {name: average.undefined for name, average in averages.items()},
    }
