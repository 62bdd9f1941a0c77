"""What a schedule is: a factor on the learning rate, as a function of epoch and step."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from workbench.recipe.kinds import ScheduleSpec


@dataclass(frozen=True)
class Moment:
    """A point of the training.

    Attributes:
        epoch: counted from 0.
        step: within the whole run, counted from 0.
        epochs: of the whole run; what a warm-up leaves of it may end in a fraction.
        steps_per_epoch: of one epoch.
    """

    epoch: int
    step: int
    epochs: float
    steps_per_epoch: int

    @property
    def total_steps(self) -> int:
        """Of the whole run."""
        return round(self.epochs * self.steps_per_epoch)


class Schedule(ScheduleSpec):
    """A kind of schedule."""

    @abstractmethod
    def factor(self, at: Moment) -> float:
        """What the learning rate alpha0 is multiplied by."""
