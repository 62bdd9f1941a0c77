"""High bias: training goes about it the wrong way, or not long enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from workbench.diagnosis.context import Context
from workbench.diagnosis.layers import learns
from workbench.diagnosis.rule import Finding, Knob, Rule
from workbench.recipe.kinds import OptimizerSpec
from workbench.recipe.recipe import Recipe
from workbench.training.schedules.base import Moment, Schedule

_SPENT = 0.05
"""A schedule has spent the learning rate if less than this share of it is left at the end."""


class BetterOptimizer(Rule):
    """Adam instead of plain gradient descent and its kin."""

    id = "better_optimizer"
    gap = "bias"
    rank = 20
    direction = "training error falls, or falls faster"
    lecture = (
        "“Use better optimization algorithms (e.g. Adam, RMSprop, momentum)” – guidelines, “Training error is high”"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Adam adapts the step to each weight and carries momentum: it gets through valleys and off plateaus."
        adam = OptimizerSpec.kinds()["adam"]()
        path, value = "training.optimizer", adam.model_dump(mode="json")
        if context.recipe is None:
            yield from self.offer(context, "Adam optimizer", why, path, value)
            return
        now = context.recipe.training.optimizer
        if now.kind in ("adam", "adamw", "nadam", "lion"):
            return
        title = f"Adam instead of {now.human_name()}, with its usual learning rate of {adam.learning_rate:g}"
        rank = 8 if now.kind == "sgd" else None
        yield from self.offer(context, title, why, path, value, factor=1.0, rank=rank)


class TrainLonger(Rule):
    """Twice as many epochs, where the curve still falls."""

    id = "train_longer"
    gap = "bias"
    direction = "training error falls; variance may rise"
    lecture = "“Train longer (more epochs)” – guidelines, “Training error is high”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None:
            why = "If the training loss was still falling at the end, training was not finished."
            yield from self.offer(context, "Train longer", why, cost="the additional time", rank=30)
            return
        epochs, curve = context.recipe.training.epochs, context.curve
        if not learns(context.recipe):
            return
        if context.recipe.training.early_stopping and 0 < curve.epochs < epochs:
            return  # it ended by itself; more epochs would change nothing
        value = min(1_000_000, epochs * 2) or 20
        if epochs == 0:
            why, rank = "The network still has its initial weights.", 2
        elif curve.trend == "falling":
            why, rank = "The training loss was still falling when training ended.", 5
        elif curve.trend == "unknown":
            why, rank = "Worth it if the training loss still falls; the curve is too short to tell.", 30
        else:
            return
        yield from self.offer(
            context,
            f"Train longer: {value} epochs instead of {epochs}",
            why,
            "training.epochs",
            value,
            cost=f"{value / epochs:.2g} times the time" if epochs else f"{value} epochs",
            factor=value / epochs if epochs else None,
            rank=rank,
        )


class LearningRate(Rule):
    """A third of the learning rate, or three times, by what the loss did."""

    id = "learning_rate"
    gap = "bias"
    direction = "training error falls, if this was the trouble"
    lecture = "“Change training rate, change activation functions, optimization parameters” – high bias, try to"

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None:
            why = "Too large, the loss jumps or grows; too small, it hardly moves. Change it by factors of about 3."
            yield from self.offer(context, "Another learning rate", why, rank=25)
            return
        factor, rank, why = {
            "diverging": (1 / 3, 1, "The loss grew instead of falling: the steps are too large."),
            "oscillating": (1 / 3, 15, "The loss jumps up and down from epoch to epoch: the steps are too large."),
            "falling": (3.0, 25, "The loss fell steadily and was not done: larger steps get there sooner."),
            "flat": (3.0, 40, "The loss no longer moves; larger steps may leave a plateau."),
            "unknown": (3.0, 45, "The curve is too short to tell; larger steps show whether these were too small."),
        }[context.curve.trend]
        now = context.recipe.training.optimizer.learning_rate
        value = float(f"{now * factor:.2g}")
        title = f"Learning rate {value:g} instead of {now:g}"
        yield from self.offer(
            context, title, why, "training.optimizer.learning_rate", value, factor=1.0, rank=rank, cost="the same time"
        )


class LearningRateSchedule(Rule):
    """A rate that decays where it jumps around the minimum, a constant one where it was spent too early."""

    id = "schedule"
    gap = "bias"
    direction = "training error falls at the end of training"
    lecture = (
        "“To avoid oscillation close to the minimum of the loss function, we should use non-constant learning rate but"
        " its decay” – learning rate decay"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None or context.recipe.training.epochs < 2:
            return
        schedule, trend = context.recipe.training.schedule, context.curve.trend
        path = "training.schedule"
        if schedule.kind == "constant" and trend in ("oscillating", "flat", "unknown"):
            # alpha0 / (1 + d e): a tenth is left at the end.
            rate = float(f"{9.0 / (context.recipe.training.epochs - 1):.2g}")
            why = "A rate that becomes smaller lets the weights settle instead of jumping around the minimum."
            value: dict[str, Any] = {"kind": "inverse_time", "decay_rate": rate}
            title = "Learning rate that decays to a tenth (inverse time)"
            rank = {"oscillating": 12, "flat": 38, "unknown": 50}[trend]
            yield from self.offer(context, title, why, path, value, factor=1.0, rank=rank, cost="the same time")
        elif trend == "falling" and _left_at_the_end(context.recipe) < _SPENT:
            why = "The loss was still falling when the schedule had used the learning rate up."
            yield from self.offer(
                context,
                "Constant learning rate",
                why,
                path,
                {"kind": "constant"},
                factor=1.0,
                rank=14,
                cost="the same time",
            )


def _left_at_the_end(recipe: Recipe) -> float:
    epochs, steps = recipe.training.epochs, 100
    last = Moment(epochs - 1, epochs * steps - 1, epochs, steps)
    return cast(Schedule, recipe.training.schedule).factor(last)


class SquaredLoss(Rule):
    """For numbers: minimize what the error measures."""

    id = "squared_loss"
    gap = "bias"
    rank = 32
    direction = "training error falls"
    lecture = "“Use an appropriate loss function not to stuck in local minima” – high bias, try to"

    def knobs(self, context: Context) -> Iterator[Knob]:
        robust = ("mean_absolute_error", "huber")
        if context.recipe is None or context.recipe.training.loss.kind not in robust:
            return
        why = "The error is made of squared differences; this loss minimizes another one, robust to outliers."
        yield from self.offer(
            context, "Mean squared error as the loss", why, "training.loss", {"kind": "mean_squared_error"}, factor=1.0
        )


class CurveFinding(Rule):
    """What the learning curve says about the end of training."""

    id = "learning_curve"

    def findings(self, context: Context) -> Iterator[Finding]:
        curve = context.curve
        said = {
            "falling": "The training loss was still falling when training ended.",
            "oscillating": "The training loss jumped up and down until the end.",
            "diverging": "The training loss grew instead of falling.",
        }
        if curve.trend in said:
            yield self.finding(said[curve.trend], trend=curve.trend, epochs=curve.epochs)
        if curve.overfits_since is not None:
            text = (
                f"The dev loss was lowest after epoch {curve.overfits_since} and has risen since, while the training"
                " loss fell on: from there on the network learned its training examples by heart."
            )
            yield Finding("overfitting_curve", {"epoch": curve.overfits_since, "epochs": curve.epochs}, text)
