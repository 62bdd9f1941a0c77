"""Schedules evaluated at each step."""

from __future__ import annotations

from math import cos, pi
from typing import Any, cast

from pydantic import SerializeAsAny, field_validator
from pydantic_core import PydanticCustomError

from workbench.recipe.fields import knob
from workbench.recipe.kinds import ScheduleSpec
from workbench.training.schedules.base import Moment, Schedule


class Cosine(Schedule):
    """``alpha = alpha0 * (least + (1 - least) * (1 + cos(pi * step / steps)) / 2)`` (Loshchilov, Hutter, ICLR 2017)."""

    kind = "cosine"
    about = "A long middle and a soft end: suits a fixed number of epochs."

    least: float = knob(0.0, help="The share of the rate that is left at the end.", ge=0, le=1, unit="fraction")

    def factor(self, at: Moment) -> float:
        done = min(1.0, at.step / max(1, at.total_steps))
        return self.least + (1.0 - self.least) * 0.5 * (1.0 + cos(pi * done))


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
        return value

    def factor(self, at: Moment) -> float:
        rise = max(1, round(self.epochs * at.steps_per_epoch))
        if at.step < rise:
            return self.start + (1.0 - self.start) * (at.step + 1) / rise
        whole = rise // at.steps_per_epoch
        left = max(0.0, at.epochs - rise / at.steps_per_epoch)
        rest = Moment(max(0, at.epoch - whole), at.step - rise, left, at.steps_per_epoch)
        return cast(Schedule, self.then).factor(rest)
