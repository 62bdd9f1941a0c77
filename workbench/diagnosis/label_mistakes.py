"""Error analysis of several labels an example: which labels are wrong, missed or named for nothing, and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.evaluation.intervals import Estimate, proportion
from workbench.evaluation.predictions import Predictions


@dataclass(frozen=True)
class LabelMistakes:
    """The mistakes on one label.

    Attributes:
        name: the label.
        known: examples where it is known.
        there: those of them that have it.
        missed: how many of these are not said to.
        named_wrongly: how many are said to have it and do not.
        rate: the share of wrong answers where it is known, with its interval; None where it never is.
        share: of all wrong labels.
        ceiling: by how much the error would fall if all of them were mended: the most that work on this label can give.
    """

    name: str
    known: int
    there: int
    missed: int
    named_wrongly: int
    rate: Estimate | None
    share: float
    ceiling: float

    @property
    def mistakes(self) -> int:
        """Missed and wrongly named ones."""
        return self.missed + self.named_wrongly

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return {**self.__dict__, "rate": self.rate.to_json() if self.rate else None}


@dataclass(frozen=True)
class SureLabelMistake:
    """A label of an example that the model got wrong.

    Attributes:
        row: the example's place among the predictions, from 0.
        id: its name.
        label: the label's name.
        there: whether the example has it.
        confidence: the probability given to the wrong answer.
    """

    row: int
    id: str
    label: str
    there: bool
    confidence: float

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return dict(self.__dict__)


def mistakes_by_label(predictions: Predictions) -> tuple[LabelMistakes, ...]:
    """The mistakes on each label that is known anywhere, the most numerous first.

    Args:
        predictions: of labels, of one set, of each example one label known at least. Examples count alike, weighted or
            not.
    """
    truth, wrong = predictions.y_true, predictions.wrong_labels
    total, parts = max(1, int(wrong.sum())), wrong / np.maximum(predictions.known_labels, 1)[:, None]
    found = []
    for number, name in enumerate(predictions.classes):
        known, there = truth[:, number] >= 0, truth[:, number] > 0
        missed = int((wrong[:, number] & there).sum())
        count = int(wrong[:, number].sum())
        if known.any():
            rate, ceiling = proportion(count, int(known.sum())), float(parts[:, number].mean())
            sizes = int(known.sum()), int(there.sum()), missed, count - missed
            found.append(LabelMistakes(name, *sizes, rate, count / total, ceiling))
    return tuple(sorted(found, key=lambda one: (-one.mistakes, one.name)))


def surest_label_mistakes(predictions: Predictions, most: int = 20) -> tuple[SureLabelMistake, ...]:
    """The wrong labels that the model was surest of, the surest first; none without probabilities.

    A mislabeled example is often among them.
    """
    if predictions.probabilities is None:
        return ()
    rows, labels = np.nonzero(predictions.wrong_labels)
    chances, there = predictions.probabilities[rows, labels], predictions.y_true[rows, labels] > 0
    confidence = np.where(there, 1.0 - chances, chances)
    order = np.argsort(-confidence, kind="stable")[:most].tolist()
    return tuple(
        SureLabelMistake(
            int(rows[at]),
            str(predictions.id[rows[at]]),
            predictions.classes[labels[at]],
            bool(there[at]),
            float(confidence[at]),
        )
        for at in order
    )
