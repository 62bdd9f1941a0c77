"""Error analysis: which classes are mistaken, for which, and where the model was surest of a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.evaluation.calibration import confidence_of
from workbench.evaluation.intervals import Estimate, proportion
from workbench.evaluation.predictions import Predictions


@dataclass(frozen=True)
class ClassMistakes:
    """The mistakes among one class's examples.

    Attributes:
        name: the class.
        support: its examples.
        mistakes: how many of them were taken for another class.
        rate: that share, with its interval; None without examples.
        share: of all mistakes.
        ceiling: by how much the error would fall if all of them were mended: the most that work on this class can give.
    """

    name: str
    support: int
    mistakes: int
    rate: Estimate | None
    share: float
    ceiling: float

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return {**self.__dict__, "rate": self.rate.to_json() if self.rate else None}


@dataclass(frozen=True)
class Confusion:
    """One class taken for another.

    Attributes:
        true, predicted: names.
        count: how often.
        share: of all mistakes.
        rate: of the true class's examples, with its interval.
    """

    true: str
    predicted: str
    count: int
    share: float
    rate: Estimate

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return {**self.__dict__, "rate": self.rate.to_json()}


@dataclass(frozen=True)
class SureMistake:
    """An example that the model got wrong.

    Attributes:
        row: its place among the predictions, from 0.
        id: its name.
        true, predicted: names.
        confidence: the probability given to the predicted class.
        given_to_truth: the probability given to the true class; None where it has none.
    """

    row: int
    id: str
    true: str
    predicted: str
    confidence: float
    given_to_truth: float | None

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return dict(self.__dict__)


def mistakes_by_class(predictions: Predictions) -> tuple[ClassMistakes, ...]:
    """The mistakes of each class that occurs, the most numerous first.

    Args:
        predictions: of classes, of one set, with known truth. Examples count alike, weighted or not.
    """
    k = len(predictions.classes)
    supports = np.bincount(predictions.y_true, minlength=k)
    mistakes = np.bincount(predictions.y_true[predictions.wrong], minlength=k)
    total = int(mistakes.sum())
    found = [
        ClassMistakes(
            name,
            int(support),
            int(count),
            proportion(int(count), int(support)),
            count / total if total else 0.0,
            count / predictions.n,
        )
        for name, support, count in zip(predictions.classes, supports, mistakes, strict=True)
        if support
    ]
    return tuple(sorted(found, key=lambda one: (-one.mistakes, one.name)))


def most_confused(predictions: Predictions, most: int = 10) -> tuple[Confusion, ...]:
    """The pairs of a true and a wrongly predicted class, the most frequent first."""
    k = len(predictions.classes)
    supports = np.bincount(predictions.y_true, minlength=k)
    wrong = predictions.wrong
    pairs, counts = np.unique(predictions.y_true[wrong] * k + predictions.y_pred[wrong], return_counts=True)
    total = int(counts.sum())
    order = np.argsort(-counts, kind="stable")[:most]
    return tuple(
        Confusion(
            predictions.classes[pair // k],
            predictions.classes[pair % k],
            count,
            count / total,
            proportion(count, int(supports[pair // k])),
        )
        for pair, count in zip(pairs[order].tolist(), counts[order].tolist(), strict=True)
    )


def surest_mistakes(predictions: Predictions, most: int = 20) -> tuple[SureMistake, ...]:
    """The mistakes that the model was surest of, the surest first; none without probabilities.

    A mislabeled example is often among them.
    """
    confidence = confidence_of(predictions)
    if confidence is None:
        return ()
    assert predictions.probabilities is not None
    rows = np.flatnonzero(predictions.wrong & ~np.isnan(confidence))
    rows = rows[np.argsort(-confidence[rows], kind="stable")][:most]
    given = predictions.probabilities[rows, predictions.y_true[rows]]
    return tuple(
        SureMistake(
            row,
            str(predictions.id[row]),
            predictions.classes[predictions.y_true[row]],
            predictions.classes[predictions.y_pred[row]],
            float(confidence[row]),
            None if np.isnan(truth) else float(truth),
        )
        for row, truth in zip(rows.tolist(), given, strict=True)
    )
