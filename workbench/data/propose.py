"""A first recipe for files that were dropped: everything in it comes with a reason, and all of it can be changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.content import Array, Column, Content, Progress, concatenate, names_listed, shape_text
from workbench.data.dataset import Dataset, dataset_of
from workbench.data.encoder import Task
from workbench.data.gather import sources_of
from workbench.data.names import meant
from workbench.data.readers.base import Hints
from workbench.data.reading import quiet, read_sources
from workbench.data.roles import MOST_CATEGORIES
from workbench.data.split import shares_for
from workbench.data.suggest import Size, network_for, training_for
from workbench.errors import InputError
from workbench.recipe.data import ColumnType, Source
from workbench.recipe.recipe import Recipe

_TARGET_NAMES = (
    "target", "label", "labels", "class", "y", "diagnosis", "species", "outcome", "category", "output", "response",
)  # fmt: skip
_ID_NAME = re.compile(r"(^|.*[-_. ])(id|uid|uuid|index|key)$|^id[-_. ].*|^(row|unnamed.*)$", re.IGNORECASE)
_MOST_CLASSES = 20
_SMALL = 50
_FEWEST_TOKENS, _BYTE = 4, 255
"""Columns that a text has at least, and the largest number that may be a pixel as well."""


@dataclass(frozen=True)
class Proposal:
    """A recipe for given files.

    Attributes:
        recipe: with absolute paths.
        reasons: why it is as it is, a sentence each.
        dataset: what the recipe makes of the files; None where it cannot be made yet.
        problem: why there is no dataset; None where there is one.
    """

    recipe: Recipe
    reasons: tuple[str, ...]
    dataset: Dataset | None
    problem: InputError | None = None


def propose(
    paths: Sequence[Path],
    target: str | None = None,
    cache: Path | None = None,
    progress: Progress = quiet,
    types: Mapping[str, ColumnType] | None = None,
) -> Proposal:
    """Propose a recipe.

    Args:
        paths: files and folders of one data set; pictures and labels find each other by name.
        target: the column to predict; found out when None.
        cache: the folder of the cache; None to do without.
        progress: is told how far it is.
        types: what columns hold, by name, where that is not to be found out; the recipe will declare it.

    Raises:
        InputError: a file cannot be read, the files do not fit together, or there is no such target.
    """
    sources, reasons = sources_of(paths)
    contents = list(read_sources(sources, Hints(types or {}), cache, progress))
    sources, contents, target = _labeled(sources, contents, target, reasons)
    content = concatenate(contents, [source.path for source in sources])
    task = _task(content, target, reasons)
    data = {**_data(content, sources, target, task, reasons), "columns": dict(types or {})}
    recipe = Recipe.parse({"name": _name(sources), "data": data})
    dataset, problem = _dataset(recipe, contents, progress)
    size = _size(content, dataset, task)
    reasons.append(dataset.split_reason if dataset else shares_for(content.rows)[1])
    layers, why = network_for(size)
    training, whys = training_for(size)
    tree = {**recipe.tree(), "network": {"layers": layers}, "training": training}
    return Proposal(Recipe.parse(tree), (*reasons, why, *whys), dataset, problem)


def _dataset(
    recipe: Recipe, contents: Sequence[Content], progress: Progress
) -> tuple[Dataset | None, InputError | None]:
    try:
        return dataset_of(recipe.data, contents, progress), None
    except InputError as error:
        return None, error


def _size(content: Content, dataset: Dataset | None, task: str) -> Size:
    if dataset is not None:
        return Size(dataset.encoder.input_shape, len(dataset.sets["train"]), len(dataset.sets["dev"]), task)
    shape = content.shape or (len(content.columns),)
    return Size(shape, max(1, round(0.6 * content.rows)), round(0.2 * content.rows), task)


def _name(sources: Sequence[Source]) -> str:
    path = Path(sources[0].path)
    return re.sub(r"(\.gz|\.csv|\.tsv|\.txt|\.npz|\.npy|\.idx)+$", "", path.name, flags=re.IGNORECASE) or "experiment"


def _labeled(
    sources: list[Source], contents: Sequence[Content], target: str | None, reasons: list[str]
) -> tuple[list[Source], list[Content], str | None]:
    """The target, and the sources that have it: a test file for a contest often comes without."""
    chosen = _target(contents, target, reasons)
    kept = [(source, content) for source, content in zip(sources, contents, strict=True) if _has(content, chosen)]
    for source, content in zip(sources, contents, strict=True):
        if kept and not _has(content, chosen):
            reasons.append(f"{Path(source.path).name} is left out: it has no column {chosen!r}.")
    kept = kept or list(zip(sources, contents, strict=True))
    return [source for source, _ in kept], [content for _, content in kept], chosen


def _has(content: Content, target: str | None) -> bool:
    return target is None or content.column(target) is not None


def _target(contents: Sequence[Content], given: str | None, reasons: list[str]) -> str | None:
    names = list(dict.fromkeys(name for content in contents for name in content.names))
    if given is not None:
        if given not in names:
            known = names_listed(names)
            raise InputError(
                f"there is no column {given!r}{meant(given, names)}", where="target", mend=f"Columns: {known}."
            )
        return given
    marked = next((content.label for content in contents if content.label), None)
    if marked is not None:
        reasons.append(f"Target {marked!r}: the files mark it as the label.")
        return marked
    if contents[0].arrays is not None:
        return None
    by_name = sorted((name for name in names if name.lower() in _TARGET_NAMES), key=_rank)
    if by_name:
        reasons.append(f"Target {by_name[0]!r}: by its name.")
        return by_name[0]
    usable = [column.name for column in contents[0].columns if not _id_reason(column)]
    last = (usable or names)[-1]
    reasons.append(f"Target {last!r}: the last column, as no name says otherwise.")
    return last


def _rank(name: str) -> int:
    return _TARGET_NAMES.index(name.lower())


def _task(content: Content, target: str | None, reasons: list[str]) -> str:
    column = content.column(target) if target else None
    if column is None:
        return "classification"
    task, reason = task_for(column)
    reasons.append(reason)
    return task


def task_for(column: Column) -> tuple[Task, str]:
    """What is probably learned where a column is the target, and why."""
    known = column.values[~column.missing]
    distinct = len(np.unique(known))
    if column.type == "category":
        return "classification", f"Classification: {column.name!r} holds {distinct:,} different texts."
    if distinct <= _MOST_CLASSES and bool((known == np.floor(known)).all()):
        what = f"holds {distinct} different whole numbers, at most {_MOST_CLASSES}"
        return "classification", f"Classification: {column.name!r} {what}."
    return "regression", f"Regression: {column.name!r} holds {distinct:,} different numbers."


def _data(
    content: Content, sources: Sequence[Source], target: str | None, task: str, reasons: list[str]
) -> dict[str, Any]:
    excluded = _excluded(content, target, task) if content.arrays is None else {}
    reasons += _readings(content)
    for why in dict.fromkeys(excluded.values()):
        named = [name for name, reason in excluded.items() if reason == why]
        reasons.append(f"Left out {names_listed(named)}: {why}.")
    reasons += _balance(content, target) if task == "classification" else []
    data: dict[str, Any] = {
        "sources": [source.model_dump() for source in sources],
        "task": task,
        "target": target,
        "exclude": list(excluded),
        "split": "auto",
        "normalize": "standard",
    }
    if task == "regression":
        data["normalize_target"] = "standard"
        reasons.append("The target is trained on in deviations from its mean: the loss is then near 1 at the start.")
    return data


def _readings(content: Content) -> list[str]:
    """How else the examples could be meant, where the file does not tell."""
    shape = content.shape
    if shape is None:
        return _perhaps_tokens(content)
    if len(shape) == 2:
        why = "three axes, and neither 8-bit numbers nor sides that are alike, as pictures have"
        turned = " If the steps stand last, turn the axes in the file." if shape[0] < shape[1] else ""
        return [f"Read as {shape_text(shape)}: {why}. {_otherwise('pictures')}{turned}"]
    if shape[2] == 1 and content.pictures is not None and content.pictures.dtype != np.uint8:
        return [f"Read as gray pictures of {shape[0]} × {shape[1]}. {_otherwise('sequences')}"]
    return []


def _otherwise(kind: str) -> str:
    return f'If they are {kind}, say examples = "{kind}" in their source.'


def _perhaps_tokens(content: Content) -> list[str]:
    """That whole numbers in columns without names may be numbers of words: told, not assumed."""
    columns = [column for column in content.columns if re.fullmatch(r"x\d+", column.name)]
    values = [column.values for column in columns if column.type == "number"]
    if len(values) < _FEWEST_TOKENS or len(values) < len(content.columns) - 1:
        return []
    table = np.stack(values)
    largest = float(table.max())
    if not largest > _BYTE or not bool(((table >= 0) & (table == np.floor(table))).all()):
        return []
    return [
        f"All columns hold whole numbers up to {largest:,.0f}. If they number words or the like, an order among them "
        f'means nothing: begin with an embedding of vocabulary {largest + 1:.0f}, and set normalize = "none".'
    ]


def _excluded(content: Content, target: str | None, task: str) -> dict[str, str]:
    """Columns that are of no use to learn from, each with the reason."""
    found: dict[str, str] = {}
    goal = content.column(target) if target else None
    for column in content.columns:
        if column.name == target:
            continue
        reason = _id_reason(column) or _constant_reason(column)
        if not reason and goal is not None and task == "classification" and _says_the_same(column, goal):
            reason = f"it says the same as {target!r}"
        if reason:
            found[column.name] = reason
    # Something must be left to learn from.
    return found if len(found) < len(content.columns) - 1 else {}


_MANY_TEXTS, _SELDOM = 20, 5
"""From this many different texts on, each must stand this often on average to be worth an input of its own."""


def _id_reason(column: Column) -> str:
    known = column.values[~column.missing]
    count, distinct = len(known), len(np.unique(known))
    if column.type == "category":
        unique = distinct > MOST_CATEGORIES or (count > 1 and distinct == count) or (
            count > _SMALL and distinct > 0.9 * count
        )  # fmt: skip
        if unique:
            return "each text stands about once, as an identifier does"
        seldom = distinct > _MANY_TEXTS and count < _SELDOM * distinct
        return "its texts stand less than 5 times each, too seldom to learn from; it may name a group" if seldom else ""
    if count < 2 or distinct < count or not bool((known == np.floor(known)).all()):
        return ""
    if _ID_NAME.fullmatch(column.name):
        return "an identifier by its name, and no number stands twice"
    counts_up = bool((np.diff(known) == 1).all()) and count > _MOST_CLASSES and not column.missing.any()
    return "it counts the rows" if counts_up else ""


def _constant_reason(column: Column) -> str:
    known = column.values[~column.missing]
    if not len(known):
        return "it is empty"
    return "the same value everywhere" if not column.missing.any() and bool((known == known[0]).all()) else ""


def _says_the_same(column: Column, target: Column) -> bool:
    """Whether each value of a column goes with one class and each class with one value: the target in other words."""
    known = ~(column.missing | target.missing)
    left, right = column.values[known], target.values[known]
    if len(left) < _SMALL:
        return False
    values, classes = len(np.unique(left)), len(np.unique(right))
    return values == classes and len(_pairs(left, right)) == values


def _pairs(left: Array, right: Array) -> Array:
    return np.unique(np.stack([left.astype(np.float64), right.astype(np.float64)]), axis=1).T


def _balance(content: Content, target: str | None) -> list[str]:
    column = content.column(target) if target else None
    if column is None:
        return []
    _, counts = np.unique(column.values[~column.missing], return_counts=True)
    if len(counts) < 2 or counts.max() < 5 * counts.min():
        return []
    return [
        f"The classes are unequal ({counts.min():,} to {counts.max():,} examples): "
        'weights.class_balance = "inverse_frequency" would let rare ones weigh as much.'
    ]
