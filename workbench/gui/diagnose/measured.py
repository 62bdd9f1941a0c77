"""The figures of one set of a run, all worked out at once, in the background."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.diagnosis.mistakes import ClassMistakes, Confusion, mistakes_by_class, most_confused
from workbench.evaluation.metrics import ClassificationFigures, Figures, classification_figures
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.regression import RegressionFigures, regression_figures, training_mean

MOST_PAIRS = 200


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured on a set.

    Attributes:
        split: ``train``, ``dev`` or ``test``.
        part: its examples whose truth is known.
        figures: all figures.
        mistakes: by class, the most frequent first; empty for regression.
        pairs: which class was taken for which, the most frequent first.
    """

    split: str
    part: Predictions
    figures: Figures
    mistakes: tuple[ClassMistakes, ...] = ()
    pairs: tuple[Confusion, ...] = ()

    @property
    def classes(self) -> ClassificationFigures | None:
        """The figures of predicted classes; None for regression."""
        return self.figures if isinstance(self.figures, ClassificationFigures) else None

    @property
    def numbers(self) -> RegressionFigures | None:
        """The figures of predicted numbers; None for classification."""
        return self.figures if isinstance(self.figures, RegressionFigures) else None


def measured(predictions: Predictions, split: str) -> Measured:
    """Measure a set in full; takes a moment for a large one."""
    part = predictions.of_split(split).labeled()
    if predictions.task == "regression":
        return Measured(split, part, regression_figures(part, training_mean(predictions)))
    figures = classification_figures(part)
    return Measured(split, part, figures, tuple(mistakes_by_class(part)), tuple(most_confused(part, MOST_PAIRS)))
