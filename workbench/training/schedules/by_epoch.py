"""The constant rate and the lecture's four decays, evaluated once an epoch."""

from __future__ import annotations

from math import exp, sqrt

from workbench.recipe.fields import knob
from workbench.training.schedules.base import Moment, Schedule


class Constant(Schedule):
    """``alpha = alpha0``."""

    kind = "constant"
    about = "The same rate all the time."

    def factor(self, at: Moment) -> float:
        return 1.0


class InverseTime(Schedule):
    """``alpha = alpha0 / (1 + decay_rate * epoch)``, epochs counted from 0 (the lecture's first)."""

    kind = "inverse_time"
    about = "Falls fast first, then ever slower."

    decay_rate: float = knob(
        0.1, help="How fast it falls: at epoch 1 / decay_rate the rate is half.", ge=0, le=1e6, log=True
    )

    def factor(self, at: Moment) -> float:
        return 1.0 / (1.0 + self.decay_rate * at.epoch)


class Exponential(Schedule):
    """``alpha = alpha0 * exp(-decay_rate * epoch)``, epochs counted from 0 (the lecture's second)."""

    kind = "exponential"
    about = "Falls by the same factor each epoch."

    decay_rate: float = knob(0.05, help="How fast it falls: at 0.05 by 5 % an epoch.", ge=0, le=100, log=True)

    def factor(self, at: Moment) -> float:
        return exp(-self.decay_rate * at.epoch)


class InverseSqrt(Schedule):
    """``alpha = k * alpha0 / sqrt(epoch)``, epochs counted from 1, as it is infinite at 0 (the lecture's third)."""

    kind = "inverse_sqrt"
    title = "inverse square root"
    about = "Falls slowly, and never quite ends."

    k: float = knob(1.0, help="A factor on the whole curve.", gt=0, le=1e6, log=True)

    def factor(self, at: Moment) -> float:
        return self.k / sqrt(at.epoch + 1)


class Staircase(Schedule):
    """``alpha = alpha0 * factor ** (epoch // every)``, epochs counted from 0 (the lecture's fourth)."""

    kind = "staircase"
    about = "Halves the rate after every few epochs."

    every: int = knob(10, help="Epochs on one step of the stairs.", ge=1, le=1_000_000, unit="epochs")
    drop: float = knob(0.5, help="What the rate is multiplied by at the end of a step.", gt=0, le=1)

    def factor(self, at: Moment) -> float:
        return float(self.drop ** (at.epoch // self.every))
