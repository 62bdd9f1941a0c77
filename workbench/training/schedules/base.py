"""What a schedule is: a factor on the learning rate, as a function of epoch and step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.recipe.kinds import ScheduleSpec


@dataclass(frozen=True)
class Moment:
    """A point of the training.

    Attributes:
        epoch: counted from 0.
        step: update of the weights within the whole run, counted from 0.
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


@dataclass(frozen=True)
class Reaction:
    """What a schedule that watches the training has done so far.

    Attributes:
        scale: what it multiplies the rate by.
        best: the best value of what it watches; None before the first.
        waited: epochs since then, or since it last acted.
        resting: epochs left in which it looks on only.
    """

    scale: float = 1.0
    best: float | None = None
    waited: int = 0
    resting: int = 0


Watched = Mapping[str, float | None]
"""``dev_error`` and ``dev_loss`` of an epoch; None without a dev set."""


class Schedule(ScheduleSpec):
    """A kind of schedule."""

    @abstractmethod
    def factor(self, at: Moment) -> float:
        """What the learning rate alpha0 is multiplied by, as far as that is known beforehand."""

    def watches(self) -> str:
        """What of an epoch's figures it reacts to, ``dev_error`` or ``dev_loss``; empty if it is known beforehand."""
        return ""

    def react(self, past: Reaction, watched: Watched, at: Moment) -> Reaction:
        """What the next epochs' factors are multiplied by, besides.

        Args:
            past: what it said before.
            watched: measured after an epoch.
            at: the next step.
        """
        return past
