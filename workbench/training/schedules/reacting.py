"""Schedules that watch what training achieves."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from workbench.recipe.fields import knob
from workbench.training.schedules.base import Moment, Reaction, Schedule, Watched


class ReduceOnPlateau(Schedule):
    """``alpha := alpha * drop`` once ``patience`` epochs have brought no new best on the dev set.

    PyTorch's ``ReduceLROnPlateau`` with an absolute threshold; there, patience counts one epoch more. Early stopping
    with less patience ends the run before it acts.
    """

    kind = "reduce_on_plateau"
    title = "reduce on plateau"
    about = "Lowers the rate when the dev set no longer improves; so its course cannot be known beforehand."

    metric: Literal["dev_error", "dev_loss"] = knob("dev_loss", help="What is watched on the dev set.")
    drop: float = knob(0.3, help="What the rate is multiplied by each time.", gt=0, lt=1)
    patience: int = knob(3, help="Epochs without a new best before it acts.", ge=1, le=100_000, unit="epochs")
    least: float = knob(
        1e-3, help="The share of the rate that it never goes below.", ge=0, le=1, unit="fraction", log=True
    )
    cooldown: int = knob(
        0, help="Epochs after each time in which it only looks on.", ge=0, le=100_000, unit="epochs", advanced=True
    )
    min_delta: float = knob(0.0, help="How much better counts as better.", ge=0, lt=1e9, advanced=True)

    def factor(self, at: Moment) -> float:
        return 1.0

    def watches(self) -> str:
        return self.metric

    def react(self, past: Reaction, watched: Watched, at: Moment) -> Reaction:
        score = watched.get(self.metric)
        if score is None:
            return past
        better = past.best is None or score < past.best - self.min_delta
        best, waited, resting = (score if better else past.best), (0 if better else past.waited + 1), past.resting
        if resting:
            return replace(past, best=best, waited=0, resting=resting - 1)
        lower = max(self.least, past.scale * self.drop)
        if waited < self.patience or lower >= past.scale:
            return replace(past, best=best, waited=waited)
        return Reaction(lower, best, 0, self.cooldown)
