"""What a field of a recipe knows about itself: declared once, read by the form, the search, the docs and the errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

_EXTRA = ("unit", "log", "choices_from", "advanced", "placeholder")


class Frozen(BaseModel):
    """Base of everything in a recipe: immutable, no unknown fields, finite numbers; its repr shows what differs."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=False, ser_json_inf_nan="null"
    )

    def __repr_args__(self) -> Any:
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if field.is_required() or value != field.get_default(call_default_factory=True):
                yield name, value


def knob(
    default: Any = ...,
    *,
    help: str,
    label: str | None = None,
    unit: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    log: bool = False,
    choices_from: str = "",
    advanced: bool = False,
    placeholder: str = "",
    alias: str | None = None,
    factory: Any = None,
) -> Any:
    """Declare a field of a recipe.

    Args:
        default: its value in the short form; left out, the field is required.
        help: one sentence for the form's tooltip, the docs and the error message.
        label: its name in a form, where the field's name with spaces will not do.
        unit: ``px``, ``°``, ``epochs``...; ``fraction`` is shown as per cent.
        ge, gt, le, lt: the range.
        log: whether the value is best changed by factors (learning rates, strengths).
        choices_from: the columns or classes of the data from which a form offers a choice.
        advanced: shown in expert mode only.
        placeholder: what an empty field means, in a word.
        alias: the name in the file, where Python cannot have it.
        factory: makes the default, for a mutable or computed one.
    """
    extra = {"unit": unit, "log": log, "choices_from": choices_from, "advanced": advanced, "placeholder": placeholder}
    shared: dict[str, Any] = {
        "title": label,
        "description": help,
        "ge": ge,
        "gt": gt,
        "le": le,
        "lt": lt,
        "alias": alias,
        "json_schema_extra": {name: value for name, value in extra.items() if value},
    }
    given = {name: value for name, value in shared.items() if value is not None}
    if factory is not None:
        return Field(default_factory=factory, **given)
    return Field(default, **given)


@dataclass(frozen=True)
class FieldFacts:
    """What a form, a table or a document needs to know of a field.

    Attributes:
        name: its name in the recipe.
        label: its name for people.
        help: one sentence.
        unit: see ``knob``.
        low, high: the closed or open ends of its range, or None.
        open_low, open_high: whether the end itself is out of range.
        log: whether it is changed by factors.
        choices: the values it may take, where they are listed by its type.
        choices_from: see ``knob``.
        optional: whether it may be empty (None).
        advanced: shown in expert mode only.
        placeholder: what empty means.
        annotation: its type.
        default: its value in the short form.
    """

    name: str
    label: str
    help: str
    unit: str
    low: float | None
    high: float | None
    open_low: bool
    open_high: bool
    log: bool
    choices: tuple[Any, ...]
    choices_from: str
    optional: bool
    advanced: bool
    placeholder: str
    annotation: Any
    default: Any


def facts(model: type[BaseModel]) -> dict[str, FieldFacts]:
    """The facts of each field of a recipe model, in the order in which the fields are declared."""
    return {name: _facts_of(name, field) for name, field in model.model_fields.items()}


def _facts_of(name: str, field: FieldInfo) -> FieldFacts:
    from types import NoneType, UnionType
    from typing import Literal, Union, get_args, get_origin

    annotation, optional = field.annotation, False
    if get_origin(annotation) in (Union, UnionType):
        options = [option for option in get_args(annotation) if option is not NoneType]
        optional = len(options) < len(get_args(annotation))
        annotation = options[0] if len(options) == 1 else annotation
    choices = tuple(get_args(annotation)) if get_origin(annotation) is Literal else ()
    bounds = {key: value for rule in field.metadata for key, value in _bound(rule)}
    declared = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    extra: dict[str, Any] = {key: declared.get(key) for key in _EXTRA}
    return FieldFacts(
        name=name,
        label=field.title or name.replace("_", " "),
        help=field.description or "",
        unit=extra["unit"] or "",
        low=bounds.get("ge", bounds.get("gt")),
        high=bounds.get("le", bounds.get("lt")),
        open_low="gt" in bounds,
        open_high="lt" in bounds,
        log=bool(extra["log"]),
        choices=choices,
        choices_from=extra["choices_from"] or "",
        optional=optional,
        advanced=bool(extra["advanced"]),
        placeholder=extra["placeholder"] or "",
        annotation=annotation,
        default=None if field.is_required() else field.get_default(call_default_factory=True),
    )


def _bound(rule: object) -> list[tuple[str, float]]:
    return [(key, getattr(rule, key)) for key in ("ge", "gt", "le", "lt") if getattr(rule, key, None) is not None]
