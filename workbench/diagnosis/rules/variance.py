"""High variance: the network learns its examples by heart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from workbench.diagnosis.augmenting import appended, applies
from workbench.diagnosis.context import Context
from workbench.diagnosis.decay import decay_field
from workbench.diagnosis.layers import enabled_layers, hidden_layers
from workbench.diagnosis.rule import Knob, Rule
from workbench.recipe.kinds import AugmentSpec
from workbench.recipe.training import EarlyStopping
from workbench.training.optimizers.base import Optimizer

_FIRST_L2 = 1e-4
_FIRST_DECAY = 0.01
_FIRST_DROPOUT = 0.2
_DIRECTION = "dev error falls; training error may rise"
_FOR_PICTURES = ("shift", "rotate", "scale", "brightness", "noise")
"""Changes that leave most pictures what they are, the safest first. A mirrored digit is another one: no flip."""


class MoreL2(Rule):
    """A penalty on large weights, ten times the one before."""

    id = "more_l2"
    gap = "variance"
    rank = 10
    direction = _DIRECTION
    lecture = "“Regularization (L2, dropout)” – guidelines, “Dev (validation) error is high”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Small weights make smooth functions, which follow single examples less."
        if context.recipe is None:
            yield from self.offer(context, "L2 regularization", why, "training.l2", _FIRST_L2)
            return
        training = context.recipe.training
        now, field = cast(Optimizer, training.optimizer).decay(), decay_field(training.optimizer)
        # Where decay is the optimizer's own way, L2 would go through its division by the gradients' size.
        if now or field == "weight_decay":
            value, path, name = now * 10 or _FIRST_DECAY, f"training.optimizer.{field}", "Weight decay"
        else:
            now, value, path, name = training.l2, training.l2 * 10 or _FIRST_L2, "training.l2", "L2"
        value = float(f"{value:.2g}")
        title = f"{name} {value:g} instead of {now:g}" if now else f"{name} of {value:g}"
        yield from self.offer(context, title, why, path, value, factor=1.0)


class MoreDropout(Rule):
    """More dropout: in the recipe's one number, or where there are dropout layers in one of them."""

    id = "more_dropout"
    gap = "variance"
    rank = 12
    direction = _DIRECTION
    lecture = (
        "“Dropout regularization switches off some neurons with a given probability, not using them temporarily during"
        " propagation and backpropagation steps forcing the network to learn the same by various combinations of"
        " neurons in the network” – Dropout Regularization"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Units that cannot rely on each other learn what holds more generally."
        cost = "about the same time per epoch; often more epochs"
        if context.recipe is None:
            yield from self.offer(context, "Dropout", why, "training.dropout", _FIRST_DROPOUT, cost=cost)
            return
        for layer in enabled_layers(context.recipe):
            if layer.kind == "dropout":
                now = float(getattr(layer, "rate", 0.0))
                path, name = f"network.layers.{layer.name}.rate", f"{layer.name}: dropout"
                break
        else:
            if len(hidden_layers(context.recipe)) < 1 or not _has_dense_after_weights(context):
                return
            now, path, name = context.recipe.training.dropout, "training.dropout", "Dropout"
        value = round(now + 0.1, 2) if now else _FIRST_DROPOUT
        if value > 0.8:
            return
        title = f"{name} {value:.0%} instead of {now:.0%}" if now else f"{name} of {value:.0%}"
        yield from self.offer(context, title, why, path, value, cost=cost)


def _has_dense_after_weights(context: Context) -> bool:
    """Whether ``training.dropout`` acts anywhere: before dense layers that are not the first with weights."""
    assert context.recipe is not None
    seen = False
    for layer in enabled_layers(context.recipe):
        if layer.kind == "dense" and seen:
            return True
        seen = seen or bool(layer.width_field)
    return False


class Augmentation(Rule):
    """One more random change of the training examples."""

    id = "augmentation"
    gap = "variance"
    direction = _DIRECTION
    lecture = (
        "“Data augmentation” – guidelines, “Dev (validation) error is high”; “we rotate, scale, and move pattern and"
        " thus augment the training data space by these variations of training data” – Dropout Regularization"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Examples that look a little different each time cannot be learned by heart."
        if context.recipe is None:
            yield from self.offer(context, "Data augmentation", why, cost="some time per epoch", rank=14)
            return
        if context.is_pictures is None:
            return
        names = _FOR_PICTURES if context.is_pictures else ("noise",)
        used = {spec.kind for spec in context.recipe.data.augment}
        kind = next((name for name in names if name not in used and applies(name, context)), None)
        if kind is None:
            return
        title = f"Augment: {AugmentSpec.kinds()[kind].human_name()}"
        rank = 8 if context.is_pictures else 24
        yield from self.offer(
            context, title, why, "data.augment", appended(context, kind), cost="some time per epoch", rank=rank
        )


class MoreData(Rule):
    """Advice: more examples."""

    id = "advice_more_data"
    gap = "variance"
    rank = 26
    direction = "dev error falls; training error may rise a little"
    lecture = (
        "“Bigger training set of the same distributions as the dev set” – guidelines, “Dev (validation) error is high”"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "The surest way against variance, if more examples of the same kind can be had."
        yield from self.offer(
            context, "More training data of the same distributions", why, cost="collecting and labeling"
        )


class EarlyStop(Rule):
    """Stop when the dev set no longer improves."""

    id = "early_stopping"
    gap = "variance"
    direction = "dev error falls, training error rises: it acts on both gaps at once"
    lecture = "“Early stopping” – guidelines, “Dev (validation) error is high”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = (
            "Ends training before examples are learned by heart. It is no orthogonal knob: it also stops the fit to the"
            " training set, so prefer one of the others."
        )
        path, value = "training.early_stopping", EarlyStopping().model_dump(mode="json")
        if context.recipe is None:
            yield from self.offer(context, "Early stopping", why, path, value, cost="saves time", rank=40)
            return
        if context.recipe.training.early_stopping is not None or context.recipe.training.epochs < 2:
            return
        rising = context.curve.overfits_since
        if rising is not None:
            why = f"The dev loss has risen since epoch {rising}. {why}"
        rank = 40 if rising is None else 18
        yield from self.offer(context, "Early stopping", why, path, value, cost="saves time", rank=rank)


class SmallerNetwork(Rule):
    """All hidden layers half as wide."""

    id = "smaller_network"
    gap = "variance"
    rank = 30
    direction = _DIRECTION
    lecture = (
        "“Better or smaller network architecture (less parameters avoiding overshooting)”"
        " – guidelines, “Dev (validation) error is high”"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Fewer weights can hold fewer examples by heart; regularization often does it with less harm to the fit."
        if context.recipe is None:
            yield from self.offer(context, "Smaller network", why, cost="less time per epoch")
            return
        if not hidden_layers(context.recipe):
            return
        width = context.recipe.network.width / 2.0
        factor = context.work_ratio(context.recipe.replace("network.width", width))
        if factor == 1.0:
            return  # one unit a layer is the least
        cost = f"about {factor:.2g} times the multiplications of an epoch" if factor else "less time per epoch"
        title = "Smaller network: all hidden layers half as wide"
        yield from self.offer(context, title, why, "network.width", width, cost=cost, factor=factor)


class OtherArchitecture(Rule):
    """Advice: another kind of network."""

    id = "advice_other_architecture_for_variance"
    gap = "variance"
    rank = 70
    direction = "dev error may fall"
    lecture = "“Use different neural network architecture (e.g. CNN, RNN), different layers” – high variance, try to"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Layers that share weights (convolutions) have less to learn by heart."
        yield from self.offer(context, "Another architecture", why, cost="a new network")


class TransferLearning(Rule):
    """Advice: start from a network trained on something similar."""

    id = "advice_transfer_learning_for_variance"
    gap = "variance"
    rank = 75
    direction = "dev error may fall"
    lecture = "“Transfer learning” – guidelines, “Dev (validation) error is high”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "What was learned on a larger set of similar examples need not be learned from these."
        yield from self.offer(context, "Transfer learning", why, cost="a trained network of a similar task")


class Search(Rule):
    """Advice: let many trials look for better hyperparameters."""

    id = "advice_search_for_variance"
    gap = "variance"
    rank = 80
    direction = "dev error may fall"
    lecture = "“Better hyperparameter (network structure) search” – guidelines, “Dev (validation) error is high”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = (
            "Where single knobs are exhausted, many trials side by side may find a better place (the Caviar strategy)."
        )
        yield from self.offer(context, "Search over hyperparameters", why, cost="the time of all its trials")
