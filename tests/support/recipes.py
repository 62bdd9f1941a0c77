"""Generated recipes: every field of every registered kind, drawn from its own range."""

from __future__ import annotations

from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from workbench.recipe.fields import FieldFacts, facts
from workbench.recipe.kinds import AugmentSpec, Kinded, LayerSpec, LossSpec, OptimizerSpec, ScheduleSpec
from workbench.recipe.recipe import Recipe

SKIPPED = {"name", "inputs", "then"}
"""Fields that must agree with other parts."""

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)


def fields_of(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields of a model, each within its range."""
    known = {
        name: _number(fact.annotation, fact) if fact.annotation in (int, float) else _value(fact.annotation)
        for name, fact in facts(model).items()
        if name not in SKIPPED
    }
    required = {name: known.pop(name) for name in list(known) if model.model_fields[name].is_required()}
    return st.fixed_dictionaries(required, optional=known)


def _number(annotation: Any, fact: FieldFacts) -> st.SearchStrategy[Any]:
    low = -1e6 if fact.low is None else fact.low
    high = 1e6 if fact.high is None else fact.high
    if annotation is int:
        return st.integers(int(low), int(high))
    return st.floats(low, high, exclude_min=fact.open_low, exclude_max=fact.open_high, allow_subnormal=False)


def _value(annotation: Any) -> st.SearchStrategy[Any]:
    """What a type allows; a bare whole number stands for a count."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is Annotated:
        ends = {name: end for rule in parts[1].metadata for name, end in _ends_of(rule).items()}
        return st.integers(ends["ge"], ends["le"])
    if origin is tuple and parts[1:] == (...,):
        return st.lists(_value(parts[0]), min_size=1, max_size=3)
    if origin is tuple:
        return st.tuples(*map(_value, parts)).map(list)
    if parts:
        return st.one_of([_value(part) for part in parts if part is not NoneType])
    return {bool: st.booleans(), int: st.integers(1, 1000)}[annotation]


def _ends_of(rule: Any) -> dict[str, Any]:
    """A rule's ends: ``{"ge": 0}``."""
    return {name: getattr(rule, name) for name in ("ge", "le") if hasattr(rule, name)}


def kinds_of(family: type[Kinded], leave_out: tuple[str, ...] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """One kind of a family with some of its fields."""
    made = [
        fields_of(model).map(lambda fields, kind=kind: {"kind": kind, **fields})
        for kind, model in family.kinds().items()
        if kind not in leave_out
    ]
    return st.one_of(made)


@st.composite
def layers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Layers, some named, some reading others by name."""
    drawn = draw(st.lists(kinds_of(LayerSpec), max_size=5))
    for number, layer in enumerate(drawn):
        if draw(st.booleans()):
            layer["name"] = f"named_{number}"
    before = ["input"]
    for layer in drawn:
        if draw(st.booleans()):
            layer["inputs"] = draw(st.lists(st.sampled_from(before), max_size=3))
        if "name" in layer:
            before.append(layer["name"])
    return drawn


@st.composite
def schedules(draw: st.DrawFn) -> dict[str, Any]:
    """A schedule; a warm-up is followed by another one."""
    schedule = draw(kinds_of(ScheduleSpec))
    if schedule["kind"] == "warmup":
        schedule["then"] = draw(kinds_of(ScheduleSpec, ("warmup", "one_cycle")))
    return schedule


rows = st.just([{"rows": "1, 3-5", "weight": 2}])
names = st.dictionaries(texts, st.floats(0, 10), max_size=3)
sources = st.fixed_dictionaries(
    {"path": texts},
    optional={"labels": texts, "distribution": texts, "set": st.sampled_from(["any", "dev"]), "decimal": st.just(",")},
)
splits = st.one_of(
    st.just("auto"),
    st.sampled_from([{"train": 0.8, "dev": 0.1, "test": 0.1}, {"train": 1.0, "dev": 0.0, "test": 0.0, "seed": 3}]),
)
data = st.fixed_dictionaries(
    {},
    optional={
        "sources": st.lists(sources | texts, max_size=3),
        "task": st.sampled_from(["classification", "regression"]),
        "target": texts,
        "features": st.lists(texts, max_size=3),
        "columns": st.dictionaries(texts, st.sampled_from(["number", "category"]), max_size=3),
        "split": splits,
        "weights": st.fixed_dictionaries({}, optional={"attributes": names, "rows": rows}),
        "augment": st.lists(kinds_of(AugmentSpec), max_size=2),
    },
)
training = st.fixed_dictionaries(
    {},
    optional={
        "loss": kinds_of(LossSpec) | st.sampled_from(sorted(LossSpec.kinds())),
        "optimizer": kinds_of(OptimizerSpec) | st.sampled_from(["sgd", "adam"]),
        "schedule": schedules(),
        "epochs": st.integers(0, 10**6),
        "l2": st.floats(0, 1e6),
        "accumulate": st.integers(1, 2**20),
        "ema": st.fixed_dictionaries({}, optional={"decay": st.floats(0, 1, exclude_max=True)}),
        "clip_norm": st.floats(1e-9, 1e9),
        "start_from": st.fixed_dictionaries(
            {},
            optional={
                "path": texts,
                "checkpoint": st.sampled_from(["kept", "best", "last", "3"]),
                "layers": st.lists(st.sampled_from(["conv_*", "dense_1", "*"]), max_size=2),
                "rename": st.dictionaries(texts, texts, max_size=2),
            },
        ),
        "early_stopping": st.fixed_dictionaries({}, optional={"patience": st.integers(1, 100)}),
    },
)
goals = st.fixed_dictionaries({}, optional={"human_error": st.floats(0.5, 1), "bayes_error": st.floats(0, 0.5)})
trees = st.fixed_dictionaries(
    {},
    optional={
        "schema": st.just(1),
        "name": texts,
        "data": data,
        "network": st.fixed_dictionaries({}, optional={"layers": layers(), "width": st.floats(0.01, 64)}),
        "training": training,
        "goals": goals,
    },
)
"""Recipes as a file holds them, in the short form."""

recipes = trees.map(Recipe.parse)
