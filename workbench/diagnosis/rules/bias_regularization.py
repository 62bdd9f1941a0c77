"""High bias: what holds variance down holds the fit back, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from workbench.diagnosis.context import Context
from workbench.diagnosis.decay import decay_field
from workbench.diagnosis.layers import enabled_layers
from workbench.diagnosis.rule import Knob, Rule
from workbench.training.optimizers.base import Optimizer

_LECTURE = "“Regularization penalizes the weight matrices to be too large” – Regularization"


class LessL2(Rule):
    """No L2 penalty, or less weight decay."""

    id = "less_l2"
    gap = "bias"
    rank = 16
    direction = "training error falls; variance may rise"
    lecture = _LECTURE

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None:
            return
        training = context.recipe.training
        why = "The penalty keeps weights small and the network nearly linear; high bias asks for the contrary."
        if training.l2 > 0:
            yield from self.offer(context, f"No L2 (now {training.l2:g})", why, "training.l2", 0.0, factor=1.0)
        elif cast(Optimizer, training.optimizer).decay() > 0:
            now = cast(Optimizer, training.optimizer).decay()
            value = float(f"{now / 10:.2g}")
            path = f"training.optimizer.{decay_field(training.optimizer)}"
            yield from self.offer(context, f"Weight decay {value:g} instead of {now:g}", why, path, value, factor=1.0)


class LessRegularization(Rule):
    """What else holds the weights or the certainty back, one at a time."""

    id = "less_regularization"
    gap = "bias"
    rank = 17
    direction = "training error falls; variance may rise"
    lecture = _LECTURE

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None:
            return
        training = context.recipe.training
        smoothing = float(getattr(training.loss, "label_smoothing", 0.0))
        if training.l1 > 0:
            why = "The penalty pulls weights to 0 and takes inputs and units out; high bias asks for the contrary."
            yield from self.offer(context, f"No L1 (now {training.l1:g})", why, "training.l1", 0.0, factor=1.0)
        elif training.max_norm is not None:
            why = "Units whose weights may not grow bend less; high bias asks for the contrary."
            title = f"No limit on the weights' norm (now {training.max_norm:g})"
            yield from self.offer(context, title, why, "training.max_norm", None, factor=1.0)
        elif smoothing > 0:
            why = "Smoothed labels keep the network from being sure even of its training examples."
            title, path = f"No label smoothing (now {smoothing:.0%})", "training.loss.label_smoothing"
            yield from self.offer(context, title, why, path, 0.0, factor=1.0)


class LessDropout(Rule):
    """No dropout, in the recipe's one number or in one layer."""

    id = "less_dropout"
    gap = "bias"
    rank = 13
    direction = "training error falls; variance may rise"
    lecture = "“Dropout regularization switches off some neurons with a given probability” – Dropout Regularization"

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None:
            return
        why = "Dropout makes the network fit with a part of its units; with high bias it needs them all."
        if context.recipe.training.dropout > 0:
            title = f"No dropout (now {context.recipe.training.dropout:.0%})"
            yield from self.offer(context, title, why, "training.dropout", 0.0)
            return
        for layer in enabled_layers(context.recipe):
            rate = float(getattr(layer, "rate", 0.0))
            if layer.kind == "dropout" and rate > 0:
                path = f"network.layers.{layer.name}.rate"
                yield from self.offer(context, f"{layer.name}: no dropout (now {rate:.0%})", why, path, 0.0)
                return


class NoEarlyStopping(Rule):
    """Train to the end and keep the last weights, where early stopping ended the run or went back in it."""

    id = "no_early_stopping"
    gap = "bias"
    direction = "training error falls; variance may rise"
    lecture = "“Early stopping” – Knobs for Tuning the Training Process, “Fit a training set”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None or context.recipe.training.early_stopping is None:
            return
        done, ended = context.curve.epochs, context.run.reason == "early_stopping"
        if ended:
            why = f"It ended training after {done} of {context.recipe.training.epochs} epochs."
        elif context.run.best_epoch is not None and context.run.best_epoch < done:
            why = f"It went back to the model of epoch {context.run.best_epoch}, of {done} that were trained."
        else:
            return  # It changed nothing: without it the run would have been the same.
        yield from self.offer(
            context,
            "No early stopping",
            why,
            "training.early_stopping",
            None,
            cost="the epochs it saved" if ended else "the same time",
            rank=7 if ended and context.curve.trend == "falling" else 44,
        )


class LessAugmentation(Rule):
    """The training examples as they are."""

    id = "less_augmentation"
    gap = "bias"
    rank = 46
    direction = "training error falls; variance may rise"
    lecture = "“augmenting and normalizing training and testing (dev) data” – Hyperparameters in DNN"

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None or not context.recipe.data.augment:
            return
        why = "Changed examples are harder to fit than the ones that training error is measured on."
        yield from self.offer(context, "No augmentation", why, "data.augment", [], cost="less time per epoch")
