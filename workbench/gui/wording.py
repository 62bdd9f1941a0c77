"""Changes of a recipe in words: ``filters 32 → 64``, for Undo and for what a run changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QCoreApplication

from workbench.gui.parsing import number_text
from workbench.gui.text import safe
from workbench.gui.values import field_at
from workbench.recipe.fields import FieldFacts
from workbench.recipe.kinds import Kinded
from workbench.recipe.paths import Change, split_path
from workbench.recipe.recipe import Recipe
from workbench.recipe.tasks import TASKS


def describe(before: Recipe, after: Recipe) -> str:
    """What changed between two recipes, in a few words."""
    changes: Sequence[Change] = before.diff(after)
    if not changes:
        return _tr("name {0} → {1}").format(safe(before.name), safe(after.name))
    if len(changes) > 1:
        labels = list(dict.fromkeys(_label(after, change.path) for change in changes))
        return ", ".join(labels) if len(labels) <= 3 else _tr("{0} settings").format(len(changes))
    return describe_change(after, changes[0])


def describe_change(recipe: Recipe, change: Change) -> str:
    """``filters 32 → 64``; the name alone where the values are too large to print."""
    field, label = field_at(recipe, change.path), _label(recipe, change.path)
    before, after = _bare(change.before, field), shown(change.after, field)
    if split_path(change.path)[-1] == "units":
        before, after = (outputs_word(recipe) if text == "classes" else text for text in (before, after))
    return f"{label} {before} → {after}" if max(len(before), len(after)) <= 24 else label


def outputs_word(recipe: Recipe) -> str:
    """What a layer's ``units = "classes"`` counts: classes, labels, or the numbers that are predicted."""
    return _tr(TASKS[recipe.data.task].outputs)


def shown(value: Any, field: FieldFacts | None = None) -> str:
    """A value as a form shows it, with its unit."""
    text, unit = _bare(value, field), field.unit if field else ""
    measured = isinstance(value, int | float | list | tuple) and not isinstance(value, bool)
    return f"{text} {unit}" if measured and unit not in ("", "fraction") else text


def _bare(value: Any, field: FieldFacts | None) -> str:
    """As ``shown``, without the unit; per cent is none but part of the number."""
    if value is None:
        return (field.placeholder if field else "") or _tr("none")
    if isinstance(value, bool):
        return _tr("on") if value else _tr("off")
    if isinstance(value, int | float):
        percent = field is not None and field.unit == "fraction"
        text = number_text(value, percent=percent, log=bool(field and field.log))
        return f"{text} %" if percent else text
    if isinstance(value, dict):
        return _part_text(value, field)
    if isinstance(value, list | tuple):
        return _shown_list(value) if value or field is None or not field.placeholder else field.placeholder
    return safe(value).replace("_", " ")


def _part_text(part: dict[str, Any], field: FieldFacts | None) -> str:
    """A part of a recipe in a word: its kind, the file it is about, or that it is there."""
    if "kind" in part:
        return kind_title(part["kind"])
    if part.get("path"):
        return safe(PurePath(part["path"]).name)
    return _tr("on") if field and field.optional else _tr("own")


def kind_title(kind: str) -> str:
    """A kind's name for people."""
    for family in Kinded.registered.values():
        if kind in family:
            return family[kind].human_name()
    return kind


def _shown_list(values: Sequence[Any]) -> str:
    if not values:
        return _tr("none")
    if len(values) <= 4 and all(isinstance(value, int) for value in values):
        return ("×" if len(values) < 4 else ", ").join(map(str, values))
    if all(isinstance(value, str) for value in values) and len(values) <= 2:
        return ", ".join(safe(value) for value in values)
    return _tr("{0} entries").format(len(values))


def _label(recipe: Recipe, path: str) -> str:
    field = field_at(recipe, path)
    if field:
        return translated_label(field)
    steps = [step for step in split_path(path) if not step.isdigit()]
    return safe(steps[-1]).replace("_", " ") if steps else _tr("recipe")


def translated_label(field: FieldFacts) -> str:
    """A field's name in the window's language."""
    return QCoreApplication.translate("fields", field.label)


def _tr(text: str) -> str:
    return QCoreApplication.translate("wording", text)
