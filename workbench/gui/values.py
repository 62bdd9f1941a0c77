"""Values of a recipe by path, as models; and models as plain data."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from workbench.errors import RecipeError
from workbench.recipe.fields import FieldFacts, Frozen, facts
from workbench.recipe.paths import split_path
from workbench.recipe.recipe import Recipe


def object_at(recipe: Recipe, path: str) -> Any:
    """The value at a path, models as they are (``Recipe.get`` gives nested dicts).

    Raises:
        RecipeError: there is nothing at the path.
    """
    node: Any = recipe
    for step in split_path(path):
        node = _child(node, step, path)
    return node


def field_at(recipe: Recipe, path: str) -> FieldFacts | None:
    """What the field at a path knows about itself; None for an entry of a list or a table."""
    *parents, last = split_path(path)
    try:
        node = object_at(recipe, ".".join(parents))
    except RecipeError:
        return None
    return facts(type(node)).get(last) if isinstance(node, BaseModel) else None


def _child(node: Any, step: str, path: str) -> Any:
    if isinstance(node, BaseModel):
        names = {field.alias or name: name for name, field in type(node).model_fields.items()}
        if step in names:
            return getattr(node, names[step])
    elif isinstance(node, dict) and step in node:
        return node[step]
    elif isinstance(node, tuple):
        if step.isdigit() and int(step) < len(node):
            return node[int(step)]
        for item in node:
            if getattr(item, "name", None) == step:
                return item
    raise RecipeError(f"there is no {step!r}", where=path)


def plain(value: Any) -> Any:
    """Models within a value as nested dicts and lists, as a recipe's tree has them."""
    if isinstance(value, Frozen):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value
