"""What a model said of examples beside what is true: all that metrics, diagnosis and error analysis need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from workbench.recipe.data import SetName
from workbench.recipe.tasks import Task

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]
THRESHOLD = 0.5
"""A label is said to be there where its probability is above this."""
SPLITS: tuple[SetName, ...] = ("train", "dev", "test")


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for N examples.

    Attributes:
        y_true: class numbers, int64 ``(N,)``, -1 where unknown; of several labels 1 or 0, int64 ``(N, K)``, -1 where
            unknown; for regression float64 ``(N,)``, NaN where unknown.
        y_pred: the same of what the model says, never unknown.
        classes: the names behind the numbers, or of the labels; empty for regression.
        probabilities: float64 ``(N, classes)``, of labels each one's own, or None. A column of NaN is a class the model
            knows nothing of.
        split: ``train``, ``dev``, ``test`` or empty, ``(N,)`` texts.
        distribution: the distribution each example comes from, or empty, ``(N,)`` texts.
        weight: how much each example counts, float64 ``(N,)``, or None where all count alike.
        id: what to call each example, ``(N,)`` texts.
    """

    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    classes: tuple[str, ...]
    probabilities: Floats | None
    split: Texts
    distribution: Texts
    weight: Floats | None
    id: Texts

    def __post_init__(self) -> None:
        arrays = [self.y_pred, self.probabilities, self.split, self.distribution, self.weight, self.id]
        if any(array is not None and len(array) != len(self.y_true) for array in arrays):
            raise ValueError("predictions need arrays of one length")
        if self.y_true.shape != self.y_pred.shape:
            raise ValueError("what is true and what is predicted need one shape")
        if self.probabilities is not None and self.probabilities.shape != (self.n, len(self.classes)):
            raise ValueError("probabilities need a column for each class")

    @classmethod
    def of(
        cls,
        y_true: NDArray[Any] | Sequence[Any],
        y_pred: NDArray[Any] | Sequence[Any],
        classes: Sequence[str] = (),
        *,
        probabilities: NDArray[Any] | None = None,
        split: str | Sequence[str] | NDArray[Any] = "",
        distribution: str | Sequence[str] | NDArray[Any] = "",
        weight: NDArray[Any] | Sequence[float] | None = None,
        id: Sequence[str] | NDArray[Any] | None = None,
    ) -> Self:
        """Make predictions of arrays; a single text stands for all examples, and ids default to 1, 2, 3...

        Args:
            y_true, y_pred: class numbers, or labels in columns, if there are ``classes``, values otherwise; NaN is an
                unknown label.
            classes: their names; none for regression.
            probabilities, split, distribution, weight, id: see the attributes.
        """
        kind: Any = np.int64 if classes else np.float64
        n = len(y_true)
        truth = np.asarray(y_true)
        if truth.ndim == 2 and truth.dtype.kind == "f":
            truth = np.where(np.isnan(truth), -1, truth)
        return cls(
            truth.astype(kind),
            np.asarray(y_pred, dtype=kind),
            tuple(classes),
            None if probabilities is None else np.asarray(probabilities, dtype=np.float64),
            _texts(split, n),
            _texts(distribution, n),
            None if weight is None else np.asarray(weight, dtype=np.float64),
            _texts([str(number) for number in range(1, n + 1)] if id is None else id, n),
        )

    @classmethod
    def of_outputs(cls, truth: NDArray[Any], outputs: NDArray[Any], classes: Sequence[str] = (), **rest: Any) -> Self:
        """Make predictions of a model's outputs.

        Args:
            truth: as a dataset's targets: class numbers ``(N,)``, labels ``(N, K)``, or values ``(N, 1)``.
            outputs: probabilities ``(N, classes)``, or values ``(N, 1)``.
            classes: the names of classes or labels; none for regression.
            rest: see ``of``.
        """
        if not classes:
            return cls.of(truth[:, 0], outputs[:, 0], **rest)
        said = outputs > THRESHOLD if truth.ndim == 2 else outputs.argmax(axis=1)
        return cls.of(truth, said, classes, probabilities=outputs, **rest)

    @property
    def n(self) -> int:
        """How many examples."""
        return len(self.y_true)

    @property
    def task(self) -> Task:
        """What kind of prediction it is."""
        if not self.classes:
            return "regression"
        return "classification" if self.y_true.ndim == 1 else "multilabel"

    @property
    def known(self) -> Flags:
        """Where the truth is known, of labels one at least."""
        if self.y_true.ndim == 2:
            return np.asarray((self.y_true >= 0).any(axis=1))
        return self.y_true >= 0 if self.classes else np.isfinite(self.y_true)

    @property
    def wrong(self) -> Flags:
        """Where a class is not the true one, or any known label; meant for examples whose truth is known."""
        if self.y_true.ndim == 2:
            return np.asarray(self.wrong_labels.any(axis=1))
        return np.asarray(self.y_true != self.y_pred)

    @property
    def wrong_labels(self) -> Flags:
        """Which labels are wrong, ``(N, K)``; those that are not known never are."""
        return np.asarray((self.y_true != self.y_pred) & (self.y_true >= 0))

    @property
    def known_labels(self) -> NDArray[np.int64]:
        """How many labels of each example are known, ``(N,)``."""
        return np.asarray((self.y_true >= 0).sum(axis=1))

    def label(self, number: int) -> Self:
        """One label alone, as two classes ``no`` and ``yes``, for the examples where it is known."""
        rows = np.flatnonzero(self.y_true[:, number] >= 0)
        chance = None if self.probabilities is None else self.probabilities[rows, number]
        return type(self)(
            self.y_true[rows, number],
            self.y_pred[rows, number],
            ("no", "yes"),
            None if chance is None else np.column_stack([1.0 - chance, chance]),
            self.split[rows],
            self.distribution[rows],
            None if self.weight is None else self.weight[rows],
            self.id[rows],
        )

    def splits(self) -> tuple[SetName, ...]:
        """The sets that occur, in the order train, dev, test."""
        present = set(self.split.tolist())
        return tuple(name for name in SPLITS if name in present)

    def distributions(self) -> tuple[str, ...]:
        """The named distributions that occur, sorted."""
        return tuple(sorted({str(name) for name in self.distribution.tolist() if name}))

    def select(self, rows: NDArray[Any]) -> Self:
        """The examples of a mask or of row numbers."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        chosen = {name: value[rows] if isinstance(value, np.ndarray) else value for name, value in values.items()}
        return type(self)(**chosen)

    def of_split(self, name: str) -> Self:
        """The examples of a set; an empty name takes those of none."""
        return self.select(self.split == name)

    def of_distribution(self, name: str) -> Self:
        """The examples of a distribution."""
        return self.select(self.distribution == name)

    def labeled(self) -> Self:
        """The examples whose truth is known."""
        known = self.known
        return self if bool(known.all()) else self.select(known)


def _texts(value: str | Sequence[str] | NDArray[Any], n: int) -> Texts:
    texts = np.empty(n, dtype=object)
    texts[:] = value if isinstance(value, str) else list(value)
    return texts
