"""Figures of several labels an example.

The error that stands for such a model is the share of wrong labels: of each example among those that are known, and
their mean over examples (the Hamming loss where all are known). It is what the errors of single labels add up to, and
it means the same whether or not some labels are unknown. The share of examples with any wrong label, which is 1 less
the exact match ratio, stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.evaluation.bootstrap import Resampled
from workbench.evaluation.confusion import (
    Average,
    ClassFigures,
    averages_of,
    averages_to_json,
    class_figures,
    confusion_matrix,
    ratios_of,
)
from workbench.evaluation.intervals import Estimate, mean_share, weighted_rate
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.ranking import roc_curve

MICRO = ("precision", "recall", "f1", "fbeta")


@dataclass(frozen=True, eq=False)
class MultilabelFigures:
    """Figures of a set of predicted labels.

    Attributes:
        n: examples.
        error: the mean share of an example's labels that is wrong, with an interval over examples; None for an empty
            set.
        any_wrong: the share of examples with any wrong label, with Wilson's interval.
        always_no: the error of saying that no label is ever there, which a model must beat.
        labels: names.
        by_label: each label's figures over the examples where it is known.
        errors: each label's error, with Wilson's interval; None where it is never known.
        averages: means over the labels where a ratio is defined.
        micro: ratios of all labels' decisions counted together.
        log_loss: mean over examples of the known labels' ``-log p(truth)``; None without probabilities.
        roc_auc: the mean of the labels' areas; None unless all have one.
        roc_by_label: the area under each label's ROC curve; None where it is undefined.
    """

    n: int
    error: Estimate | None
    any_wrong: Estimate | None
    always_no: float | None
    labels: tuple[str, ...]
    by_label: dict[str, ClassFigures]
    errors: dict[str, Estimate | None]
    averages: dict[str, Average]
    micro: dict[str, float | None]
    log_loss: float | None
    roc_auc: float | None
    roc_by_label: dict[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it; numbers that are undefined are None."""
        return {
            "n": self.n,
            "error": _tree(self.error),
            "any_wrong": _tree(self.any_wrong),
            "accuracy": None if self.error is None else 1.0 - self.error.value,
            "exact_match": None if self.any_wrong is None else 1.0 - self.any_wrong.value,
            "always_no": self.always_no,
            "classes": list(self.labels),
            "per_class": {
                name: {**figure.to_json(), "error": _tree(self.errors[name]), "roc_auc": self.roc_by_label[name]}
                for name, figure in self.by_label.items()
            },
            **averages_to_json(self.averages),
            "micro": self.micro,
            "log_loss": self.log_loss,
            "roc_auc": self.roc_auc,
        }


def _tree(estimate: Estimate | None) -> dict[str, Any] | None:
    return estimate.to_json() if estimate else None


def wrong_shares(predictions: Predictions) -> NDArray[np.float64]:
    """The share of each example's known labels that is wrong, ``(N,)``."""
    shares: NDArray[np.float64] = predictions.wrong_labels.sum(axis=1) / np.maximum(predictions.known_labels, 1)
    return shares


def label_error(predictions: Predictions) -> Estimate | None:
    """The mean share of wrong labels, with its interval; of examples of which one label at least is known."""
    labels = float(predictions.known_labels.mean()) if predictions.n else 1.0
    return mean_share(wrong_shares(predictions), predictions.weight, labels)


def paired_label_difference(before: Predictions, after: Predictions) -> Estimate | None:
    """The change of the share of wrong labels, ``after - before``, on the same examples in the same order."""
    if before.n != after.n or not np.array_equal(before.y_true, after.y_true):
        raise ValueError("a paired difference needs the same examples on both sides")
    weight = np.ones(before.n) if before.weight is None else before.weight
    if not weight.sum() > 0:
        return None
    change = (wrong_shares(after) - wrong_shares(before)) * weight
    sums = Resampled(np.column_stack([change, weight]), "paired labels")
    value, ends = sums.value(_mean), sums.interval(_mean)
    return None if value is None else Estimate(value, before.n, *(ends or (None, None)))


def _mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(sums[:, 0] / sums[:, 1])


def multilabel_figures(predictions: Predictions, beta: float = 1.0) -> MultilabelFigures:
    """The figures of predictions of labels, of examples of which one label at least is known."""
    singles = {name: predictions.label(number) for number, name in enumerate(predictions.classes)}
    by_label = {name: figures_of_label(single, beta) for name, single in singles.items()}
    areas = {name: _area(single) for name, single in singles.items()}
    defined = [area for area in areas.values() if area is not None]
    tp, fp, tn, fn = (sum(getattr(one, name) for one in by_label.values()) for name in ("tp", "fp", "tn", "fn"))
    ratios = ratios_of(tp, fp, tn, fn, beta)
    return MultilabelFigures(
        predictions.n,
        label_error(predictions),
        weighted_rate(predictions.wrong, predictions.weight),
        _always_no(predictions),
        predictions.classes,
        by_label,
        {name: weighted_rate(single.wrong, single.weight) for name, single in singles.items()},
        averages_of(by_label),
        {name: ratios[name] for name in MICRO},
        label_log_loss(predictions),
        sum(defined) / len(defined) if defined and len(defined) == len(areas) else None,
        areas,
    )


def figures_of_label(single: Predictions, beta: float = 1.0) -> ClassFigures:
    """The figures of one label: how well it is found."""
    return class_figures(single, confusion_matrix(single), beta)["yes"]


def _area(single: Predictions) -> float | None:
    if single.probabilities is None or np.isnan(single.probabilities).any():
        return None
    curve = roc_curve(single.probabilities[:, 1], single.y_true == 1, single.weight)
    return curve.area if curve else None


def _always_no(predictions: Predictions) -> float | None:
    weight = np.ones(predictions.n) if predictions.weight is None else predictions.weight
    if not weight.sum() > 0:
        return None
    shares = (predictions.y_true > 0).sum(axis=1) / np.maximum(predictions.known_labels, 1)
    return float(shares @ weight / weight.sum())


def label_log_loss(predictions: Predictions) -> float | None:
    """The mean over examples of the mean over known labels of ``-log p(truth)``.

    Returns:
        None for an empty set, and without probabilities.
    """
    chances, weight = predictions.probabilities, predictions.weight
    if chances is None or not predictions.n or (weight is not None and not weight.sum() > 0):
        return None
    known = predictions.y_true >= 0
    given = np.where(predictions.y_true == 1, chances, 1.0 - chances)
    if np.isnan(given[known]).any():
        return None
    step = np.finfo(np.float64).eps
    losses = np.where(known, -np.log(np.clip(given, step, 1.0 - step)), 0.0)
    return float(np.average(losses.sum(axis=1) / np.maximum(known.sum(axis=1), 1), weights=weight))
