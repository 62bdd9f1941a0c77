"""What a finished run's predictions amount to for one set: matrix, ratios by class, mistakes. Made in a thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from workbench.evaluation.confusion import ClassFigures, class_figures, confusion_matrix
from workbench.evaluation.intervals import Estimate
from workbench.evaluation.labels import multilabel_figures
from workbench.evaluation.predictions import Predictions
from workbench.recipe.tasks import Task

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class SetView:
    """Predictions for the examples of one set whose truth is known.

    Attributes:
        set: ``train``, ``dev`` or ``test``.
        predictions: of its examples.
        matrix: counts ``(K, K)``, rows true, columns predicted; empty for labels and for regression.
        by_class: the figures of classes or labels, in order; empty for regression.
        worst: places in ``predictions``, the worst first: of wrong classes the most confident ones; for regression
            all, by the size of the error. Of labels each wrong one has a place of its own, ``example * K + label``.
        error, any_wrong: of labels the share that is wrong, and the share of examples with any wrong one.
        errors, areas: each label's error and area under its ROC curve; empty for classes and regression.
    """

    set: str
    predictions: Predictions
    matrix: Numbers
    by_class: dict[str, ClassFigures]
    worst: Numbers
    error: Estimate | None = None
    any_wrong: Estimate | None = None
    errors: dict[str, Estimate | None] = field(default_factory=dict)
    areas: dict[str, float | None] = field(default_factory=dict)

    @property
    def task(self) -> Task:
        """What was predicted."""
        return self.predictions.task

    @property
    def regression(self) -> bool:
        """Whether numbers were predicted."""
        return self.task == "regression"

    @property
    def labels(self) -> bool:
        """Whether labels were predicted, of which an example may have several."""
        return self.task == "multilabel"

    def example_at(self, place: int) -> tuple[int, int]:
        """The example of a place, and its label; of classes and numbers the label is 0."""
        return divmod(place, len(self.predictions.classes)) if self.labels else (place, 0)

    def confidence(self) -> Numbers:
        """The probability that the model gave to what it says, by place ``(n,)``; NaN where it gave none."""
        given = self.predictions
        if given.probabilities is None:
            return np.full(given.y_pred.size, np.nan)
        if self.labels:
            return np.where(given.y_pred > 0, given.probabilities, 1.0 - given.probabilities).ravel()
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
    if part.task == "multilabel":
        return _of_labels(name, part)
    if part.task == "regression":
        off = np.abs(part.y_true - part.y_pred)
        return SetView(name, part, np.zeros((0, 0)), {}, np.argsort(-off, kind="stable"))
    matrix = confusion_matrix(part)
    view = SetView(name, part, matrix, class_figures(part, matrix, 1.0), np.zeros(0, np.int64))
    return replace(view, worst=_surest_first(view, np.flatnonzero(part.wrong)))


def _of_labels(name: str, part: Predictions) -> SetView:
    figures = multilabel_figures(part)
    wrong = np.flatnonzero(part.wrong_labels.ravel())
    view = SetView(name, part, np.zeros((0, 0)), figures.by_label, wrong, figures.error, figures.any_wrong)
    worst = _surest_first(view, wrong)
    return replace(view, worst=worst, errors=figures.errors, areas=figures.roc_by_label)


def _surest_first(view: SetView, places: Numbers) -> Numbers:
    return places[np.argsort(-view.confidence()[places], kind="stable")]
