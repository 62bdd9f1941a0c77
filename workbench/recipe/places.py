"""What stands at a path of a recipe: which model its fields belong to, and what a new value does to them."""

from __future__ import annotations

from enum import Enum
from typing import Any, get_args

from pydantic import ValidationError

from workbench.errors import RecipeError
from workbench.recipe.fields import Frozen, facts
from workbench.recipe.kinds import Kinded
from workbench.recipe.paths import entry, set_at, split_path


class _Nothing(Enum):
    """The value of a setting that is switched off; where nothing can be off, the word itself."""

    NONE = "none"


NOTHING = _Nothing.NONE
"""Put in place of a value: null where the field is optional, else the text ``none``."""


def put(root: type[Frozen], tree: dict[str, Any], path: str, value: Any) -> None:
    """As ``set_at``, knowing the models: another kind starts from its own defaults and keeps the fields both share.

    Args:
        root: the model of the tree.
        tree: the whole of it, changed in place.
        path: where to.
        value: plain, or ``NOTHING``.

    Raises:
        RecipeError: a parent on the path does not exist.
    """
    *parents, name = split_path(path) or ("",)
    model = model_at(root, tree, tuple(parents))
    if value is NOTHING:
        value = (
            None if model is not None and name in model.model_fields and facts(model)[name].optional else value.value
        )
    if name == "kind" and model is not None and issubclass(model, Kinded) and isinstance(value, str):
        _change_kind(model, tree, parents, value)
    set_at(tree, path, value)


def model_at(root: type[Frozen], tree: Any, steps: tuple[str, ...]) -> type[Frozen] | None:
    """The model of the part at a path, of its kind where it comes in kinds; None for plain values and unknown paths."""
    model: type[Frozen] | None = root
    node = tree
    for step in steps:
        if model is None:
            return None
        if isinstance(node, list):
            try:
                node = entry(node, step, ".".join(steps))
            except RecipeError:
                return None
        else:
            fields = {field.alias or name: field for name, field in _of_kind(model, node).model_fields.items()}
            model = _model_in(fields[step].annotation) if step in fields else None
            node = node.get(step) if isinstance(node, dict) else None
    return None if model is None else _of_kind(model, node)


def _of_kind(model: type[Frozen], node: Any) -> type[Frozen]:
    if not issubclass(model, Kinded):
        return model
    kind = node.get("kind") if isinstance(node, dict) else node
    return model.kinds().get(str(kind), model)


def _model_in(annotation: Any) -> type[Frozen] | None:
    """The model that an annotation is, holds a list of, or has as one of its forms."""
    if isinstance(annotation, type) and issubclass(annotation, Frozen):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)


def _change_kind(model: type[Kinded], tree: dict[str, Any], parents: list[str], kind: str) -> None:
    """Leave those fields that the other kind has, too, and takes as they are; the rest gets its defaults."""
    node: Any = tree
    for step in parents:
        node = entry(node, step, ".".join(parents)) if isinstance(node, list) else node.get(step)
    other = model.kinds().get(kind)
    if other is None or not isinstance(node, dict) or node.get("kind") == kind:
        return
    shared = {name: value for name, value in node.items() if name in other.model_fields}
    refused = _refused(other, shared)
    node.clear()
    node.update({"kind": kind, **{name: value for name, value in shared.items() if name not in refused}})


def _refused(kind: type[Kinded], values: dict[str, Any]) -> set[str]:
    try:
        kind.model_validate(values)
    except ValidationError as error:
        return {str(each["loc"][0]) for each in error.errors() if each["loc"]}
    return set()
