"""What a finished run's predictions amount to for one set: matrix, ratios by class, mistakes. Made in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.evaluation.confusion import ClassFigures, class_figures, confusion_matrix
from workbench.evaluation.predictions import Predictions

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class SetView:
    """Predictions for the examples of one set whose truth is known.

    Attributes:
        set: ``train``, ``dev`` or ``test``.
        predictions: of its examples.
        matrix: counts ``(K, K)``, rows true, columns predicted; empty for regression.
        by_class: the classes' figures, in order; empty for regression.
        worst: places in ``predictions``, the worst first: of wrong classes the most confident ones; for regression
            all, by the size of the error.
    """

    set: str
    predictions: Predictions
    matrix: Numbers
    by_class: dict[str, ClassFigures]
    worst: Numbers

    @property
    def regression(self) -> bool:
        """Whether numbers were predicted."""
        return not self.predictions.classes

    def confidence(self) -> Numbers:
        """The probability that the model gave to what it says ``(n,)``; NaN where it gave none."""
        given = self.predictions
        if given.probabilities is None:
            return np.full(given.n, np.nan)
        return given.probabilities[np.arange(given.n), given.y_pred.astype(np.int64)]

    def of_cell(self, cell: tuple[int, int] | None) -> Numbers:
        """Places of the examples of a cell (true class, predicted class), right ones too; the worst where None."""
        if cell is None:
            return self.worst
        given = self.predictions
        rows = np.flatnonzero((given.y_true == cell[0]) & (given.y_pred == cell[1]))
        return rows[np.argsort(-self.confidence()[rows], kind="stable")]


def view_of(predictions: Predictions, name: str) -> SetView:
    """The view of one set."""
    part = predictions.of_split(name).labeled()
    if not part.classes:
        off = np.abs(part.y_true - part.y_pred)
        return SetView(name, part, np.zeros((0, 0)), {}, np.argsort(-off, kind="stable"))
    matrix = confusion_matrix(part)
    view = SetView(name, part, matrix, class_figures(part, matrix, 1.0), np.zeros(0, np.int64))
    wrong = np.flatnonzero(part.wrong)
    worst = wrong[np.argsort(-view.confidence()[wrong], kind="stable")]
    return SetView(name, part, matrix, view.by_class, worst)
