"""What pydantic found wrong with a recipe, in words: every mistake, each with its path and what would be right."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ValidationError

from workbench.errors import Problem
from workbench.recipe.fields import Frozen
from workbench.recipe.paths import join_path

_TEXTS = {
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be above {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be below {lt:g}",
    "finite_number": "must be a finite number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be a text in quotes",
    "tuple_type": "must be a list in [ ]",
    "list_type": "must be a list in [ ]",
    "dict_type": "must be a table in { }",
    "model_type": "must be a table in { }",
    "model_attributes_type": "must be a table in { }",
    "missing": "is missing",
    "literal_error": "must be {expected}",
}


def problems_of(error: ValidationError) -> list[Problem]:
    """All mistakes of a recipe, each once, in the order of the recipe."""
    models = _models()
    fields = sorted({field.alias or name for model in models for name, field in model.model_fields.items()})
    branches = {model.__name__ for model in models}
    found: dict[tuple[str | int, ...], list[str]] = {}
    for item in error.errors(include_url=False):
        where = tuple(step for step in item["loc"] if not _is_branch(step, branches))
        if item["type"] == "extra_forbidden":
            text = _unknown_field(where[-1], fields)
        else:
            text = _text(item["type"], item.get("ctx", {}), item["msg"], item.get("input"))
        found.setdefault(where, []).append(text)
    # The alternatives of a union each complain at the same place.
    return [Problem(" or ".join(texts), join_path(where)) for where, texts in found.items()]


def _is_branch(step: str | int, branches: set[str]) -> bool:
    # Pydantic marks the branch of a union in the location: `data.split.Split.train`, `data.split.literal['auto']`.
    return isinstance(step, str) and (step in branches or "[" in step)


def _text(kind: str, context: dict[str, Any], message: str, value: Any) -> str:
    if kind not in _TEXTS:
        return message.removeprefix("Value error, ")
    text = _TEXTS[kind].format(**context)
    return text if kind == "missing" else f"{text}, not {_shown(value)}"


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown_field(name: str | int, fields: list[str]) -> str:
    near = difflib.get_close_matches(str(name), fields, n=1, cutoff=0.75)
    return "there is no such field" + (f"; did you mean {near[0]!r}?" if near else "")


def _models() -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = []
    waiting: list[type[BaseModel]] = [Frozen]
    while waiting:
        model = waiting.pop()
        found.append(model)
        waiting.extend(model.__subclasses__())
    return found
