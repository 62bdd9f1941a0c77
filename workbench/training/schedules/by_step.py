"""Schedules evaluated at each step."""

from __future__ import annotations

from math import cos, pi
from typing import Any, cast

from pydantic import SerializeAsAny, field_validator
from pydantic_core import PydanticCustomError

from workbench.recipe.fields import knob
from workbench.recipe.kinds import ScheduleSpec
from workbench.training.schedules.base import Moment, Reaction, Schedule, Watched


class Cosine(Schedule):
    """``alpha = alpha0 * (least + (1 - least) * (1 + cos(pi * step / steps)) / 2)`` (Loshchilov, Hutter, ICLR 2017)."""

    kind = "cosine"
    about = "A long middle and a soft end: suits a fixed number of epochs."

    least: float = knob(0.0, help="The share of the rate that is left at the end.", ge=0, le=1, unit="fraction")

    def factor(self, at: Moment) -> float:
        done = min(1.0, at.step / max(1, at.total_steps))
        return self.least + (1.0 - self.least) * 0.5 * (1.0 + cos(pi * done))


class Polynomial(Schedule):
    """``alpha = alpha0 * (least + (1 - least) * (1 - step / steps) ** power)``; power 1 is a straight line."""

    kind = "polynomial"
    about = "Falls to the end of the run, straight or bent: suits a fixed number of epochs."

    power: float = knob(1.0, help="1: a straight line; above it the rate falls early, below it late.", gt=0, le=100)
    least: float = knob(0.0, help="The share of the rate that is left at the end.", ge=0, le=1, unit="fraction")

    def factor(self, at: Moment) -> float:
        left = max(0.0, 1.0 - at.step / max(1, at.total_steps))
        return float(self.least + (1.0 - self.least) * left**self.power)


class OneCycle(Schedule):
    """Half a cosine up from ``start`` to the whole rate, then half a cosine down to ``end`` (Smith and Topin, 2019).

    The learning rate is the peak. The form of PyTorch's ``OneCycleLR``, whose ``div_factor`` is 1 / start and whose
    ``final_div_factor`` is start / end; the momentum is left as it is (``cycle_momentum=False``).
    """

    kind = "one_cycle"
    title = "one cycle"
    about = "Up to a large rate and down again in one run; the learning rate is the peak. Suits a few epochs."

    rise: float = knob(0.3, help="The share of the run in which the rate rises.", gt=0, lt=1, unit="fraction")
    start: float = knob(0.04, help="The share of the peak it begins with.", ge=0, le=1, unit="fraction")
    end: float = knob(4e-6, help="The share of the peak that is left at the end.", ge=0, le=1, unit="fraction")

    def factor(self, at: Moment) -> float:
        last = at.total_steps - 1
        top = min(max(self.rise * at.total_steps - 1, 0.0), float(max(last, 0)))
        if at.step < top:
            return _half_cosine(self.start, 1.0, at.step / top)
        return _half_cosine(1.0, self.end, min(1.0, (at.step - top) / max(last - top, 1e-9)))


def _half_cosine(first: float, last: float, done: float) -> float:
    return last + (first - last) * 0.5 * (1.0 + cos(pi * done))


def _constant() -> Any:
    return ScheduleSpec.kinds()["constant"]()


class Warmup(Schedule):
    """A straight rise from ``start`` to 1 (Goyal et al., 2017), then any other schedule from its beginning."""

    kind = "warmup"
    title = "warm-up"
    about = "Begins with small steps, for large batches and deep networks; then any other schedule."

    epochs: float = knob(1.0, help="How long the rise takes.", gt=0, le=1_000_000, unit="epochs")
    start: float = knob(0.1, help="The share of the rate it begins with.", ge=0, le=1, unit="fraction")
    then: SerializeAsAny[ScheduleSpec] = knob(factory=_constant, help="What follows.")

    @field_validator("then")
    @classmethod
    def _only_one_rise(cls, value: ScheduleSpec) -> ScheduleSpec:
        if value.kind == "warmup":
            raise PydanticCustomError("warmup", "a warm-up cannot follow a warm-up")
        if value.kind == "one_cycle":
            raise PydanticCustomError(
                "warmup", "one_cycle rises by itself: take it without a warm-up and set its rise and start"
            )
        return value

    def factor(self, at: Moment) -> float:
        rise = self._rise(at)
        if at.step < rise:
            return self.start + (1.0 - self.start) * (at.step + 1) / rise
        return self._then.factor(self._rest(at))

    def watches(self) -> str:
        return self._then.watches()

    def react(self, past: Reaction, watched: Watched, at: Moment) -> Reaction:
        """What follows reacts to whole epochs of its own only, not to those in which the rate still rose."""
        began = self._rise(at) + at.steps_per_epoch
        return self._then.react(past, watched, self._rest(at)) if at.step >= began else past

    @property
    def _then(self) -> Schedule:
        return cast(Schedule, self.then)

    def _rise(self, at: Moment) -> int:
        """Its steps."""
        return max(1, round(self.epochs * at.steps_per_epoch))

    def _rest(self, at: Moment) -> Moment:
        """The moment as what follows sees it."""
        rise = self._rise(at)
        left = max(0.0, at.epochs - rise / at.steps_per_epoch)
        return Moment(max(0, at.epoch - rise // at.steps_per_epoch), at.step - rise, left, at.steps_per_epoch)
