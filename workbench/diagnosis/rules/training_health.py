"""What went wrong in the layers while training, and the one setting to change first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from workbench.diagnosis.context import Context
from workbench.diagnosis.health import Alarm, alarms_of, sentence_of
from workbench.diagnosis.layers import enabled_layers, function_after, inner_activations
from workbench.diagnosis.rule import Finding, Knob, Rule
from workbench.recipe.recipe import Recipe

_RANK = 3
"""A training that does not work comes before every knob that takes one for granted."""


class TrainingHealth(Rule):
    """An alarm each: gradients that vanish or explode, units that are dead or saturated, updates of a wrong size."""

    id = "training_health"
    gap = "bias"
    rank = _RANK
    always = True
    direction = "training error falls, if this was the trouble"
    lecture = (
        "“Change training rate, change activation functions, optimization parameters” – high bias, try to;"
        " “Vanishing/exploding gradients”"
    )

    def findings(self, context: Context) -> Iterator[Finding]:
        for alarm in _alarms(context):
            measured = {"layer": alarm.layer, "layers": list(alarm.layers), "since": alarm.since, **alarm.measured}
            yield Finding(alarm.kind, measured, alarm_sentence(alarm))

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is None:
            return
        offered: set[str] = set()
        for alarm in _alarms(context):
            for title, path, value in _changes(alarm, context.recipe, context.curve.trend == "diverging"):
                knob = next(self.offer(
                    context, title, alarm_sentence(alarm), path, value, factor=1.0, id=alarm.kind,
                    cost="the same time",
                ), None)  # fmt: skip
                if knob is not None and path not in offered:
                    offered.add(path)
                    yield knob
                    break


def alarm_sentence(alarm: Alarm) -> str:
    """What, where and since when, the figures and what to do."""
    return f"{sentence_of(alarm.kind, alarm.layer, alarm.since, len(alarm.others))}: {alarm.text} {alarm.remedy}"


def _alarms(context: Context) -> tuple[Alarm, ...]:
    return alarms_of(context.run.health) if context.run.health is not None else ()


def _changes(alarm: Alarm, recipe: Recipe, diverging: bool) -> Iterator[tuple[str, str, object]]:
    """What may be changed against an alarm, the best first; what the recipe does not take is left out later.

    Nothing is worth a higher rate where the loss has grown.
    """
    if alarm.kind == "vanishing_gradient":
        yield from _bending(recipe)
        if not diverging:
            yield _rate(recipe, 3.0)
    elif alarm.kind == "dead_units":
        yield _rate(recipe, 1 / 3)
        yield from _function(alarm.layer, "leaky_relu")
    elif alarm.kind == "saturated_units":
        yield from _start_before(alarm.layer, recipe)
        yield from _function(alarm.layer, "relu")
    elif alarm.kind == "small_updates":
        if not diverging:
            yield _rate(recipe, 3.0)
    else:
        if alarm.kind in ("exploding_gradient", "not_finite") and recipe.training.clip_norm is None:
            yield "Clip the gradient’s norm at 1", "training.clip_norm", 1.0
        yield _rate(recipe, 1 / 3)


def _rate(recipe: Recipe, factor: float) -> tuple[str, str, object]:
    now = recipe.training.optimizer.learning_rate
    value = float(f"{now * factor:.2g}")
    return f"Learning rate {value:g} instead of {now:g}", "training.optimizer.learning_rate", value


def _function(layer: str, function: str) -> Iterator[tuple[str, str, object]]:
    yield f"{layer}: {function.replace('_', ' ')} instead", f"network.layers.{layer}.function", function


def _bending(recipe: Recipe) -> Iterator[tuple[str, str, object]]:
    """Where functions flatten out for large values: another one, or batch norm that keeps the values small."""
    bounded = [one for one in inner_activations(recipe) if one.function in ("sigmoid", "tanh")]
    if len(bounded) == 1:
        yield from _function(bounded[0].name, "relu")
        return
    layers, value = recipe.tree()["network"]["layers"], []
    names = {one.name for one in bounded}
    for before, layer in pairwise([{"kind": "input"}, *layers]):
        if layer["name"] in names and not layer.get("inputs") and not str(before["kind"]).endswith("_norm"):
            value.append({"kind": "batch_norm"})
        value.append(layer)
    if len(value) > len(layers):
        functions = " and ".join(sorted({one.function for one in bounded}))
        yield f"Batch norm before each {functions}", "network.layers", value


def _start_before(layer: str, recipe: Recipe) -> Iterator[tuple[str, str, object]]:
    """Weights that suit a bounded function, in the layer before it."""
    for before in enabled_layers(recipe):
        start = str(getattr(before, "initializer", ""))
        if (
            start
            and function_after(recipe, before.name)
            and _reads(recipe, layer, before.name)
            and start.startswith("he")
        ):
            better = start.replace("he_", "glorot_")
            yield f"{before.name}: start from {better}", f"network.layers.{before.name}.initializer", better


def _reads(recipe: Recipe, layer: str, before: str) -> bool:
    """Whether an activation stands right behind a layer."""
    layers = recipe.network.layers
    place = next((index for index, one in enumerate(layers) if one.name == layer), None)
    return place is not None and before in recipe.network.inputs_of(place)
