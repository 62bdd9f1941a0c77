"""What each column is for, as the recipe says it, and what must change for another role. No widgets."""

from __future__ import annotations

from typing import Any, Literal

from workbench.data.content import Content
from workbench.data.roles import group_of
from workbench.data.split import shares_for
from workbench.recipe.data import DataRecipe, Split

Role = Literal["feature", "target", "left out", "group", "weight", "not used"]
TABLE_ROLES: tuple[Role, ...] = ("feature", "target", "left out", "group", "weight")
PICTURE_ROLES: tuple[Role, ...] = ("target", "group", "weight", "not used")
"""Beside pictures a column is not learned from: it can only say something about them."""


def target_of(data: DataRecipe, content: Content) -> str | None:
    """The column to predict: the recipe's, else the one that the files mark."""
    return data.target or content.label


def role_of(data: DataRecipe, content: Content, name: str) -> Role:
    """What a column is for."""
    if name == target_of(data, content):
        return "target"
    if name == data.weights.column:
        return "weight"
    if name == group_of(data):
        return "group"
    if content.arrays is not None:
        return "not used"
    unlisted = bool(data.features) and name not in data.features
    return "left out" if name in data.exclude or unlisted or strength_of(data, name) == 0 else "feature"


def strength_of(data: DataRecipe, name: str) -> float:
    """A column's strength; 0 where it is excluded."""
    if name in data.exclude or (data.features and name not in data.features):
        return 0.0
    return data.weights.attributes.get(name, 1.0)


def role_changes(data: DataRecipe, name: str, role: Role, rows: int) -> dict[str, Any]:
    """What to put into the recipe, by path, for a column to get a role.

    Args:
        data: the recipe's section.
        name: the column.
        role: its new role.
        rows: how many examples there are: a group needs shares of its own, and they go by size.
    """
    changes = _freed(data, name)
    if role == "left out":
        changes["data.exclude"] = [*data.exclude, *([] if name in data.exclude else [name])]
    elif role == "feature" and data.features and name not in data.features:
        changes["data.features"] = [*data.features, name]
    elif role == "target":
        changes["data.target"] = name
    elif role == "weight":
        changes["data.weights.column"] = name
    elif role == "group":
        changes["data.split"] = with_group(data, name, rows)
    if role in ("target", "weight", "group") and name in data.features:
        changes["data.features"] = [one for one in data.features if one != name]
    return changes


def _freed(data: DataRecipe, name: str) -> dict[str, Any]:
    """What takes a column out of the roles that it has, but for the target's."""
    changes: dict[str, Any] = {}
    if name in data.exclude:
        changes["data.exclude"] = [one for one in data.exclude if one != name]
    if data.weights.attributes.get(name) == 0:
        kept = {one: strength for one, strength in data.weights.attributes.items() if one != name}
        changes["data.weights.attributes"] = kept
    if data.weights.column == name:
        changes["data.weights.column"] = None
    if group_of(data) == name:
        changes["data.split"] = with_group(data, None, 0)
    return changes


def with_group(data: DataRecipe, group: str | None, rows: int) -> Split:
    """The split with another group; the shares that ``auto`` takes become shares of one's own."""
    split = data.split if isinstance(data.split, Split) else shares_for(rows)[0]
    return split.model_copy(update={"group": group})


def strength_changes(data: DataRecipe, name: str, strength: float) -> dict[str, Any]:
    """What to put into the recipe, by path, for a column to get a strength; an excluded one takes part again."""
    attributes = {one: value for one, value in data.weights.attributes.items() if one != name}
    if strength != 1:
        # In its old place, so that a dragged slider changes one value and not the order of all.
        attributes = {**data.weights.attributes, name: strength}
    changes: dict[str, Any] = {"data.weights.attributes": attributes}
    if strength and name in data.exclude:
        changes["data.exclude"] = [one for one in data.exclude if one != name]
    if strength and data.features and name not in data.features:
        changes["data.features"] = [*data.features, name]
    return changes
