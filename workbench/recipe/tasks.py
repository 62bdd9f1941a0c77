"""What can be learned, and what follows from it for losses, outputs and errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Task = Literal["classification", "multilabel", "regression"]


@dataclass(frozen=True)
class TaskFacts:
    """What a task means for everything that is not its data.

    Attributes:
        loss: the kind of loss to begin with.
        named: whether outputs have names, those of classes or labels, and what is predicted are probabilities of
            these; else the outputs are values in the target's unit.
        rate: whether its error is a share of wrong answers, from 0 to 1; else it is the share of variance that is left
            unexplained, which has no upper end.
        scaled: whether the target may be trained on in deviations from its mean.
        outputs: what the network's outputs stand for, in a word.
    """

    loss: str
    named: bool
    rate: bool
    scaled: bool
    outputs: str


TASKS: Mapping[Task, TaskFacts] = {
    "classification": TaskFacts("cross_entropy", named=True, rate=True, scaled=False, outputs="classes"),
    "multilabel": TaskFacts("sigmoid_cross_entropy", named=True, rate=True, scaled=False, outputs="labels"),
    "regression": TaskFacts("mean_squared_error", named=False, rate=False, scaled=True, outputs="outputs"),
}
