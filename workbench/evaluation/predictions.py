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
SPLITS: tuple[SetName, ...] = ("train", "dev", "test")


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for N examples.

    Attributes:
        y_true: class numbers, int64 ``(N,)``, -1 where unknown; for regression float64 ``(N,)``, NaN where unknown.
        y_pred: the same of what the model says, never unknown.
        classes: the names behind the numbers; empty for regression.
        probabilities: float64 ``(N, classes)``, or None. A column of NaN is a class the model knows nothing of.
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
            y_true, y_pred: class numbers if there are ``classes``, values otherwise.
            classes: their names; none for regression.
            probabilities, split, distribution, weight, id: see the attributes.
        """
        kind: Any = np.int64 if classes else np.float64
        n = len(y_true)
        return cls(
            np.asarray(y_true, dtype=kind),
            np.asarray(y_pred, dtype=kind),
            tuple(classes),
            None if probabilities is None else np.asarray(probabilities, dtype=np.float64),
            _texts(split, n),
            _texts(distribution, n),
            None if weight is None else np.asarray(weight, dtype=np.float64),
            _texts([str(number) for number in range(1, n + 1)] if id is None else id, n),
        )

    @property
    def n(self) -> int:
        """How many examples."""
        return len(self.y_true)

    @property
    def task(self) -> Task:
        """What kind of prediction it is."""
        return "classification" if self.classes else "regression"

    @property
    def known(self) -> Flags:
        """Where the truth is known."""
        return self.y_true >= 0 if self.classes else np.isfinite(self.y_true)

    @property
    def wrong(self) -> Flags:
        """Where a class is not the true one; meant for examples whose truth is known."""
        return np.asarray(self.y_true != self.y_pred)

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
