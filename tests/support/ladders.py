"""Ladders of errors, recipes and curves for tests of the diagnosis."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from workbench.diagnosis.levels import Levels
from workbench.evaluation.intervals import Estimate, rate_of
from workbench.recipe.kinds import AugmentSpec, LossSpec, OptimizerSpec, ScheduleSpec
from workbench.recipe.recipe import Recipe


@dataclass(frozen=True)
class Epoch:
    """A point of a learning curve."""

    epoch: int
    train_loss: float
    dev_loss: float | None = None


def curve(*losses: float, dev: tuple[float, ...] = ()) -> tuple[Epoch, ...]:
    """A learning curve of the losses after epochs 1, 2, 3..."""
    devs = dev or (None,) * len(losses)
    return tuple(Epoch(number + 1, loss, devs[number]) for number, loss in enumerate(losses))


FALLING = curve(*(2.0 * 0.8**epoch for epoch in range(15)))
FLAT = curve(*(0.5 + 0.002 * (-1) ** epoch for epoch in range(15)))
JUMPING = curve(*(0.5 + 0.2 * (-1) ** epoch for epoch in range(15)))
GROWING = curve(1.0, 0.8, 1.5, 4.0, 9.0, 30.0)
OVERFITTING = curve(*(0.7**epoch for epoch in range(15)), dev=tuple(0.5 + 0.02 * abs(epoch - 5) for epoch in range(15)))
CURVES = {"falling": FALLING, "flat": FLAT, "oscillating": JUMPING, "diverging": GROWING, "unknown": ()}


def high_bias() -> Levels:
    """Model B with many examples."""
    return Levels(Estimate(0.005), Estimate(0.007), rate_of(0.035, 60_000), rate_of(0.040, 20_000))


def high_variance() -> Levels:
    """Model C with many examples."""
    return Levels(Estimate(0.005), Estimate(0.007), rate_of(0.010, 60_000), rate_of(0.050, 20_000))


def mismatch() -> Levels:
    """A model that has seen one of two distributions only."""
    parts = {
        "shop": {"train": rate_of(0.012, 60_000), "dev": rate_of(0.015, 8000)},
        "phone": {"dev": rate_of(0.12, 4000)},
    }
    return Levels(None, Estimate(0.01), rate_of(0.012, 60_000), rate_of(0.05, 12_000), by_distribution=parts)


def table_recipe(**changes) -> Recipe:
    """A small network for a table, some of its settings replaced by path."""
    layers = [
        {"kind": "dense", "units": 16},
        {"kind": "activation", "function": "relu"},
        {"kind": "dense", "units": "classes"},
    ]
    recipe = Recipe.parse({"network": {"layers": layers}})
    return recipe.replace({path.replace("__", "."): value for path, value in changes.items()})


def picture_recipe(**changes) -> Recipe:
    """A small convolutional network, some of its settings replaced by path."""
    layers = [
        {"kind": "conv2d", "filters": 8},
        {"kind": "batch_norm"},
        {"kind": "activation", "function": "relu"},
        {"kind": "max_pool2d"},
        {"kind": "flatten"},
        {"kind": "dense", "units": 32},
        {"kind": "activation", "function": "tanh"},
        {"kind": "dropout", "rate": 0.3},
        {"kind": "dense", "units": "classes"},
    ]
    recipe = Recipe.parse({"network": {"layers": layers}})
    return recipe.replace({path.replace("__", "."): value for path, value in changes.items()})


_INITIALIZERS = st.sampled_from(["he_normal", "glorot_uniform", "lecun_normal", "zeros", "constant"])
_FUNCTIONS = st.sampled_from(["relu", "tanh", "sigmoid", "linear", "gelu"])


@st.composite
def hidden_parts(draw):
    """A few hidden layers that read a vector."""
    parts = []
    for _ in range(draw(st.integers(0, 3))):
        parts.append({"kind": "dense", "units": draw(st.integers(1, 40)), "initializer": draw(_INITIALIZERS)})
        if draw(st.booleans()):
            parts.append({"kind": "batch_norm"})
        parts.append({"kind": "activation", "function": draw(_FUNCTIONS), "enabled": draw(st.booleans())})
        if draw(st.booleans()):
            parts.append({"kind": "dropout", "rate": draw(st.sampled_from([0.0, 0.2, 0.5, 0.8]))})
    return parts


@st.composite
def recipes(draw):
    """Recipes of many kinds, for pictures or for tables."""
    pictures = draw(st.booleans())
    start = [{"kind": "conv2d", "filters": draw(st.integers(1, 8))}] if pictures and draw(st.booleans()) else []
    start += [{"kind": "flatten"}] if pictures else []
    layers = [*start, *draw(hidden_parts()), {"kind": "dense", "units": "classes"}]
    kinds = {spec: st.sampled_from(list(spec.kinds())) for spec in (OptimizerSpec, ScheduleSpec, LossSpec, AugmentSpec)}
    sources = st.lists(
        st.fixed_dictionaries(
            {"path": st.sampled_from(["a.csv", "b.csv"]), "set": st.sampled_from(["any", "dev", "test"])}
        ),
        max_size=3,
    )
    tree = {
        "data": {
            "task": draw(st.sampled_from(["classification", "regression"])),
            "sources": draw(sources),
            "augment": [{"kind": kind} for kind in draw(st.lists(kinds[AugmentSpec], max_size=6, unique=True))],
        },
        "network": {"layers": layers, "width": draw(st.sampled_from([0.01, 0.5, 1.0, 48.0, 64.0]))},
        "training": {
            "loss": draw(kinds[LossSpec]),
            "optimizer": {"kind": draw(kinds[OptimizerSpec])},
            "schedule": draw(kinds[ScheduleSpec]),
            "epochs": draw(st.sampled_from([0, 1, 2, 20, 1_000_000])),
            "l2": draw(st.sampled_from([0.0, 1e-4, 1e6])),
            "dropout": draw(st.sampled_from([0.0, 0.2, 0.75, 0.95])),
            "l1": draw(st.sampled_from([0.0, 1e-4])),
            "max_norm": draw(st.sampled_from([None, 2.0])),
            "early_stopping": draw(st.sampled_from([None, {"patience": 3}])),
        },
    }
    return Recipe.parse(tree)
