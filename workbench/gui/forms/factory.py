"""Which editor a field gets: decided by its type alone."""

from __future__ import annotations

from dataclasses import replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from workbench.gui.forms.editor import Editor
from workbench.gui.forms.kind import KindEditor
from workbench.gui.forms.lists import ListEditor, MapEditor
from workbench.gui.forms.names import NamesEditor
from workbench.gui.forms.number import NumberEditor, NumberOrWordEditor
from workbench.gui.forms.pair import PaddingEditor, PairEditor
from workbench.gui.forms.parts import AutoPartEditor, FormMaker, OptionalPartEditor, PartEditor
from workbench.gui.forms.simple import BoolEditor, ChoiceEditor, FromDataEditor, TextEditor
from workbench.gui.forms.sizes import SIDES, SIZES, SizesEditor
from workbench.recipe.fields import FieldFacts, Frozen
from workbench.recipe.kinds import Kinded


def editor_for(field: FieldFacts, form: FormMaker) -> Editor:
    """The editor of a field.

    Args:
        field: its facts; its annotation decides.
        form: makes the form of a nested model.

    Raises:
        TypeError: no editor fits; a new kind of annotation needs one.
    """
    if field.choices:
        return ChoiceEditor(field)
    annotation = _bare(field.annotation)
    if get_origin(annotation) in (Union, UnionType):
        return _for_union(field, [_bare(option) for option in get_args(annotation) if option is not NoneType], form)
    if get_origin(annotation) in (tuple, dict):
        return _for_many(field, annotation, form)
    if isinstance(annotation, type) and issubclass(annotation, Frozen):
        return _for_model(field, annotation, form)
    return _for_scalar(field, annotation)


def _for_scalar(field: FieldFacts, annotation: Any) -> Editor:
    if annotation is bool:
        return BoolEditor()
    if annotation in (int, float):
        return NumberEditor(field, whole=annotation is int)
    if annotation is str:
        return FromDataEditor(field) if field.choices_from else TextEditor(field)
    raise TypeError(f"no editor for {field.name}: {annotation}")


def _for_model(field: FieldFacts, model: type[Frozen], form: FormMaker) -> Editor:
    if issubclass(model, Kinded) and not model.kind:
        return KindEditor(model, form)
    return OptionalPartEditor(model, form) if field.optional else PartEditor(model, form)


def _for_union(field: FieldFacts, options: list[Any], form: FormMaker) -> Editor:
    words = tuple(str(word) for option in options if get_origin(option) is Literal for word in get_args(option))
    models = [option for option in options if isinstance(option, type) and issubclass(option, Frozen)]
    tuples = [get_args(option) for option in options if get_origin(option) is tuple]
    if models and len(words) == 1:
        return AutoPartEditor(models[0], words[0], form)
    if tuples and not words and _least(tuples[0][0]) == 0:
        # Margins of sides, which may be 0; a pair of sizes may not.
        return SizesEditor(field, SIDES, (1, *map(len, tuples)), alone=True)
    if tuples:
        return PaddingEditor(field, words) if words else PairEditor(field)
    if int in options and len(words) > 1:
        return PaddingEditor(field, words, pairs=False)
    if int in options and len(words) == 1:
        return NumberOrWordEditor(field, words[0])
    raise TypeError(f"no editor for {field.name}: {field.annotation}")


def _for_many(field: FieldFacts, annotation: Any, form: FormMaker) -> Editor:
    first, *_ = arguments = [_bare(argument) for argument in get_args(annotation)]
    if get_origin(annotation) is tuple and first is str:
        return NamesEditor(field)
    if get_origin(annotation) is tuple and first is int:
        return SizesEditor(field, SIZES)
    if get_origin(annotation) is tuple and isinstance(first, type) and issubclass(first, Frozen):
        return ListEditor(first, form)
    if get_origin(annotation) is dict and first is str:
        item = _item_facts(field, arguments[1])
        start = item.choices[0] if item.choices else "" if arguments[1] is str else 1.0
        return MapEditor(start, lambda: editor_for(item, form))
    raise TypeError(f"no editor for {field.name}: {field.annotation}")


def _item_facts(field: FieldFacts, annotation: Any) -> FieldFacts:
    """The facts of one value of a table, which the field declares for the table as a whole."""
    choices = tuple(get_args(annotation)) if get_origin(annotation) is Literal else ()
    return replace(
        field, annotation=annotation, choices=choices, choices_from="", optional=False, default=1.0, placeholder=""
    )


def _least(annotation: Any) -> float | None:
    """The lower end of an annotated number's range."""
    bounds = [getattr(each, "ge", None) for rule in get_args(annotation)[1:] for each in getattr(rule, "metadata", ())]
    return next((bound for bound in bounds if bound is not None), None)


def _bare(annotation: Any) -> Any:
    """Without what pydantic is told about it."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
