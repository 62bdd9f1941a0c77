"""What pydantic found wrong with a recipe, in words: every mistake, with its path and what would be right."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ValidationError

from workbench.errors import Problem
from workbench.recipe.fields import Frozen
from workbench.recipe.kinds import Kinded
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
    "dict_type": "must be a table in {{ }}",
    "model_type": "must be a table in {{ }}",
    "model_attributes_type": "must be a table in {{ }}",
    "missing": "is missing",
    "literal_error": "must be {expected}",
}


def problems_of(error: ValidationError, tree: Any) -> list[Problem]:
    """All mistakes of a recipe, each once, in the order of the recipe.

    Args:
        error: what pydantic found.
        tree: the nested dicts and lists that it looked at.
    """
    fields = sorted({field.alias or name for model in _models() for name, field in model.model_fields.items()})
    found: dict[Place, _Wrong] = {}
    placed = [(item, *_place(tree, item["loc"], item["type"])) for item in error.errors(include_url=False)]
    unknown = [place for item, place, _ in placed if item["type"] == "extra_forbidden"]
    misspelled = {(*place[:-1], _near(place[-1], fields)) for place in unknown}
    for item, place, union in placed:
        if item["type"] == "missing" and place in misspelled:
            # One mistake: the hint at the field that was meant says it already.
            continue
        wrong = found.setdefault(place if union is None else union, _Wrong(item.get("input")))
        wrong.add(item, place, place == union, fields, _kind_at(tree, place))
    return [problem for wrong in found.values() for problem in wrong.problems()]


Place = tuple[str | int, ...]

_WRONG_FORM = ("_type", "_parsing", "_from_float", "literal_error")


class _Wrong:
    """What is wrong at one place.

    Where several forms are allowed, pydantic gives the complaints of each; those of the one meant count.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self.certain: dict[Place, list[str]] = {}
        self.forms: list[str] = []
        self.place: Place = ()

    def add(self, item: Any, place: Place, of_union: bool, fields: list[str], owner: type[Kinded] | None) -> None:
        """Note one finding of pydantic's; ``of_union``: whether it is about the form of the whole value."""
        kind: str = item["type"]
        if kind == "extra_forbidden":
            text = _unknown_field(place[-1], fields, owner)
        else:
            text = _text(kind, item.get("ctx", {}), item["msg"])
        if of_union and kind.endswith(_WRONG_FORM):
            self.place = place
            self.forms.append(text)
            return
        if kind in _TEXTS and kind != "missing":
            text = f"{text}, not {_shown(item.get('input'))}"
        self.certain.setdefault(place, []).append(text)

    def problems(self) -> list[Problem]:
        if self.certain:
            return [Problem(" and ".join(texts), join_path(place)) for place, texts in self.certain.items()]
        forms = [self.forms[0], *(form.removeprefix("must be ") for form in self.forms[1:])]
        return [Problem(f"{' or '.join(forms)}, not {_shown(self.value)}", join_path(self.place))]


def _place(tree: Any, location: Place, kind: str) -> tuple[Place, Place | None]:
    """Where a finding stands in the recipe, and at which union.

    Pydantic puts the union's branch into the location:
    ``data.split.Split.train`` and ``units.literal['classes']`` stand for ``data.split.train`` and ``units``.
    """
    place: list[str | int] = []
    union: Place | None = None
    node = tree
    for number, step in enumerate(location):
        absent = kind == "missing" and number == len(location) - 1
        inside = step in node if isinstance(node, dict) else isinstance(step, int)
        if inside or absent:
            place.append(step)
            node = _child(node, step)
        elif union is None:
            union = tuple(place)
    return tuple(place), union


def _child(node: Any, step: str | int) -> Any:
    try:
        return node[step]
    except (KeyError, IndexError, TypeError):
        return None


def _text(kind: str, context: dict[str, Any], message: str) -> str:
    return _TEXTS[kind].format(**context) if kind in _TEXTS else message.removeprefix("Value error, ")


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown_field(name: str | int, fields: list[str], owner: type[Kinded] | None) -> str:
    if near := _near(name, sorted(owner.model_fields) if owner else fields):
        return f"there is no such field; did you mean {near!r}?"
    if owner is None:
        return "there is no such field"
    if name in owner.kinds():
        return f"there is no such field; {name} is a kind of {owner.family} of its own"
    kinds = owner.kinds().values()
    # Its own before what all have.
    known = sorted(owner.model_fields, key=lambda field: all(field in kind.model_fields for kind in kinds))
    return f"there is no such field; {owner.kind} has {', '.join(known)}"


def _kind_at(tree: Any, place: Place) -> type[Kinded] | None:
    """The kind whose field stands at a place; None where that is no kind's, or not clear."""
    node = tree
    for step in place[:-1]:
        node = _child(node, step)
    name = node.get("kind") if isinstance(node, dict) else None
    known = [kinds[name] for kinds in Kinded.registered.values() if isinstance(name, str) and name in kinds]
    return known[0] if len(known) == 1 else None


def _near(name: str | int, fields: list[str]) -> str:
    # The field may exist elsewhere in a recipe: its own name is no hint.
    others = [field for field in fields if field != name]
    return "".join(difflib.get_close_matches(str(name), others, n=1, cutoff=0.75))


def _models() -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = []
    waiting: list[type[BaseModel]] = [Frozen]
    while waiting:
        model = waiting.pop()
        found.append(model)
        waiting.extend(model.__subclasses__())
    return found
