"""The reference of recipes as a page: every section and kind with its fields, from what they know of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from workbench.recipe.data import DataRecipe
from workbench.recipe.fields import FieldFacts, Frozen, facts
from workbench.recipe.kinds import AugmentSpec, Kinded, LayerSpec, LossSpec, OptimizerSpec, ScheduleSpec
from workbench.recipe.network import NetworkRecipe
from workbench.recipe.training import Goals, TrainingRecipe

HEAD = """# What a recipe can say

Every section and kind with its fields; one that is left out has its default. This page is made from the code by a test:
`WORKBENCH_REFERENCE=docs/recipe.md python -m pytest tests/recipe/test_reference.py`.
"""
FAMILIES: tuple[tuple[str, type[Kinded]], ...] = (
    ("Layers: `[[network.layers]]`", LayerSpec),
    ("Losses: `training.loss`", LossSpec),
    ("Optimizers: `training.optimizer`", OptimizerSpec),
    ("Schedules: `training.schedule`", ScheduleSpec),
    ("Augmentations: `data.augment`", AugmentSpec),
)
SECTIONS: tuple[tuple[str, type[Frozen]], ...] = (
    ("data", DataRecipe), ("network", NetworkRecipe), ("training", TrainingRecipe), ("goals", Goals),
)  # fmt: skip


def reference() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, model in SECTIONS:
        parts += _section(name, model)
    for title, family in FAMILIES:
        parts += _family(title, family)
    return "\n".join(parts)


def _section(name: str, model: type[BaseModel]) -> Iterator[str]:
    """A section and the tables in it."""
    yield f"## `{name}`\n"
    yield _table(facts(model).values())
    for field, fact in facts(model).items():
        for inner in _models(fact.annotation):
            if not issubclass(inner, Kinded):
                yield f"### `{name}.{field}`\n"
                yield _table(facts(inner).values())


def _family(title: str, family: type[Kinded]) -> Iterator[str]:
    shared = set(facts(family)) if family is LayerSpec else set()
    yield f"## {title}\n"
    if shared:
        yield _table(fact for fact in facts(family).values())
    for name, kind in family.kinds().items():
        yield f"### `{name}`\n\n{kind.about}\n"
        own = [fact for key, fact in facts(kind).items() if key not in shared]
        if own:
            yield _table(own)


def _table(rows: Iterable[FieldFacts]) -> str:
    lines = ["| field | default | values | |", "|---|---|---|---|"]
    lines += [f"| `{fact.name}` | {_default(fact)} | {_values(fact)} | {_cell(fact.help)} |" for fact in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(fact: FieldFacts) -> str:
    value = fact.default
    if value is None:
        return fact.placeholder or ("none" if fact.optional else "needed")
    if isinstance(value, Kinded):
        return f"`{value.kind}`"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, BaseModel) or value in ((), {}, ""):
        return ""
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return f"`{value}`" if isinstance(value, str) else _number(value) if isinstance(value, int | float) else str(value)


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) and abs(value) >= 1000 else f"{value:g}"


def _values(fact: FieldFacts) -> str:
    unit = {"fraction": ""}.get(fact.unit, fact.unit)
    words = [*dict.fromkeys(_forms(fact.annotation)), *_range(fact)]
    return _cell(", ".join(words + ([unit] if unit else [])))


def _range(fact: FieldFacts) -> Iterator[str]:
    if fact.low is not None:
        yield f"{'above' if fact.open_low else 'from'} {_number(fact.low)}"
    if fact.high is not None and fact.high < 1e9:
        yield f"{'below' if fact.open_high else 'to'} {_number(fact.high)}"


_WORDS = {int: "whole number", float: "number", bool: "true, false", str: "text"}


def _forms(annotation: Any) -> Iterator[str]:
    """What may be written for a type, in words."""
    origin = get_origin(annotation)
    if origin is Literal:
        yield from (f"`{choice}`" for choice in get_args(annotation))
    elif origin in (Union, UnionType):
        for option in get_args(annotation):
            yield from _forms(option)
    elif origin is Annotated:
        yield from _forms(get_args(annotation)[0])
    elif origin is tuple:
        yield "list" if Ellipsis in get_args(annotation) else f"list of {len(get_args(annotation))}"
    elif origin is dict:
        yield "table"
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "kind" if issubclass(annotation, Kinded) else "table"
    elif annotation in _WORDS:
        yield _WORDS[annotation]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for option in get_args(annotation):
        yield from _models(option)
