"""Everything that is measured on predictions: per set, per distribution and overall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.evaluation.calibration import Calibration, calibration_of
from workbench.evaluation.confusion import (
    Average,
    ClassFigures,
    averages_of,
    averages_to_json,
    class_figures,
    confusion_matrix,
)
from workbench.evaluation.intervals import Estimate, weighted_rate
from workbench.evaluation.labels import MultilabelFigures, multilabel_figures
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.ranking import roc_areas, roc_auc
from workbench.evaluation.regression import RegressionFigures, regression_figures, training_mean
from workbench.recipe.tasks import Task


@dataclass(frozen=True, eq=False)
class ClassificationFigures:
    """Figures of a set of predicted classes.

    Attributes:
        n: examples.
        error: the share of wrong ones, with Wilson's interval; None for an empty set.
        classes: names, in the order of the confusion matrix.
        confusion: ``(K, K)``, rows true, columns predicted; sums of weights where there are weights.
        by_class: each class against the rest.
        averages: means over the classes where a ratio is defined.
        log_loss: mean of ``-log p(true class)``; None without probabilities of all true classes.
        calibration: None without probabilities.
        roc_auc, roc_by_class: see ``ranking``; None where undefined.
    """

    n: int
    error: Estimate | None
    classes: tuple[str, ...]
    confusion: NDArray[Any]
    by_class: dict[str, ClassFigures]
    averages: dict[str, Average]
    log_loss: float | None
    calibration: Calibration | None
    roc_auc: float | None
    roc_by_class: dict[str, float | None]

    @property
    def accuracy(self) -> float | None:
        """The share of right predictions."""
        return None if self.error is None else 1.0 - self.error.value

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it; numbers that are undefined are None."""
        bins = [b.to_json() for b in self.calibration.bins] if self.calibration else None
        return {
            "n": self.n,
            "error": self.error.to_json() if self.error else None,
            "accuracy": self.accuracy,
            "classes": list(self.classes),
            "confusion": self.confusion.tolist(),
            "per_class": {
                name: {**figure.to_json(), "roc_auc": self.roc_by_class[name]} for name, figure in self.by_class.items()
            },
            **averages_to_json(self.averages),
            "log_loss": self.log_loss,
            "calibration_error": self.calibration.error if self.calibration else None,
            "calibration_bins": bins,
            "roc_auc": self.roc_auc,
        }


Figures = ClassificationFigures | MultilabelFigures | RegressionFigures


@dataclass(frozen=True, eq=False)
class Metrics:
    """Figures of all examples, of each set, and of each set's part from each distribution.

    Attributes:
        task: what was predicted.
        beta: of F_beta.
        overall: of all examples.
        splits: by set.
        distributions: by distribution, then by set, with ``overall`` for all of the distribution.
        unknown: examples left out because their truth is not known.
    """

    task: Task
    beta: float
    overall: Figures
    splits: dict[str, Figures]
    distributions: dict[str, dict[str, Figures]]
    unknown: int

    def to_json(self) -> dict[str, Any]:
        """The tree that the command line prints: ``overall``, ``splits`` and ``by_distribution`` hold figures."""
        return {
            "task": self.task,
            "beta": self.beta,
            "unknown": self.unknown,
            "overall": self.overall.to_json(),
            "splits": {name: figures.to_json() for name, figures in self.splits.items()},
            "by_distribution": {
                name: {split: figures.to_json() for split, figures in parts.items()}
                for name, parts in self.distributions.items()
            },
        }


def measure(predictions: Predictions, beta: float = 1.0) -> Metrics:
    """All metrics of predictions; those whose truth is not known are left out.

    Args:
        predictions: of classes, labels or numbers.
        beta: how many times recall matters more than precision in F_beta.

    Raises:
        InputError: beta is no number above 0.
    """
    if not (isfinite(beta) and beta > 0):
        raise InputError(f"beta must be a number above 0, not {beta}", where="--beta", mend="1 gives F1.")
    known = predictions.labeled()
    figures = _figures_of(known, beta)
    splits = {str(name): figures(known.of_split(name)) for name in known.splits()}
    distributions = {name: _by_split(known.of_distribution(name), figures) for name in known.distributions()}
    return Metrics(known.task, beta, figures(known), splits, distributions, predictions.n - known.n)


def _figures_of(known: Predictions, beta: float) -> Callable[[Predictions], Figures]:
    if known.task == "multilabel":
        return lambda part: multilabel_figures(part, beta)
    if known.task == "classification":
        return lambda part: classification_figures(part, beta)
    baseline = training_mean(known)
    return lambda part: regression_figures(part, baseline)


def _by_split(part: Predictions, figures: Callable[[Predictions], Figures]) -> dict[str, Figures]:
    return {"overall": figures(part), **{str(name): figures(part.of_split(name)) for name in part.splits()}}


def classification_figures(predictions: Predictions, beta: float = 1.0) -> ClassificationFigures:
    """The figures of predictions of classes whose truth is known."""
    matrix = confusion_matrix(predictions)
    by_class = class_figures(predictions, matrix, beta)
    return ClassificationFigures(
        predictions.n,
        weighted_rate(predictions.wrong, predictions.weight),
        predictions.classes,
        matrix,
        by_class,
        averages_of(by_class),
        log_loss(predictions),
        calibration_of(predictions),
        roc_auc(predictions),
        roc_areas(predictions),
    )


def log_loss(predictions: Predictions) -> float | None:
    """The mean of ``-log p(true class)``; probabilities of 0 count as the smallest step above it, 2.2e-16.

    Returns:
        None for an empty set, and where a true class has no probability at all.
    """
    if predictions.probabilities is None or not predictions.n:
        return None
    given = predictions.probabilities[np.arange(predictions.n), predictions.y_true]
    if np.isnan(given).any() or (predictions.weight is not None and not predictions.weight.sum() > 0):
        return None
    step = np.finfo(np.float64).eps
    return float(np.average(-np.log(np.clip(given, step, 1.0 - step)), weights=predictions.weight))
