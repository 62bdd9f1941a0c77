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
from workbench.data.gather import sources_of
from workbench.data.labels import is_binary, labels_of_columns, listed_labels, lists_labels, rare_labels, yes_no_columns
from workbench.data.names import meant
from workbench.data.readers.base import Hints
from workbench.data.reading import quiet, read_sources
from workbench.data.roles import MOST_CATEGORIES
from workbench.data.split import shares_for
from workbench.data.suggest import Size, network_for, training_for
from workbench.errors import InputError
from workbench.recipe.data import ColumnType, Source
from workbench.recipe.recipe import Recipe
from workbench.recipe.tasks import TASKS, Task

_TARGET_NAMES = (
    "target", "label", "labels", "class", "y", "diagnosis", "species", "outcome", "category", "output", "response",
)  # fmt: skip
_ID_NAME = re.compile(r"(^|.*[-_. ])(id|uid|uuid|index|key)$|^id[-_. ].*|^(row|unnamed.*)$", re.IGNORECASE)
_LABEL_NAME = re.compile(r"(label|target|class|y)s?[-_.: ]", re.IGNORECASE)
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
    target: str | Sequence[str] | None = None,
    cache: Path | None = None,
    progress: Progress = quiet,
    types: Mapping[str, ColumnType] | None = None,
) -> Proposal:
    """Propose a recipe.

    Args:
        paths: files and folders of one data set; pictures and labels find each other by name.
        target: the column to predict, or several that hold a label each; found out when None.
        cache: the folder of the cache; None to do without.
        progress: is told how far it is.
        types: what columns hold, by name, where that is not to be found out; the recipe will declare it.

    Raises:
        InputError: a file cannot be read, the files do not fit together, there is no such target, or several that are
            no labels.
    """
    sources, reasons = sources_of(paths)
    contents = list(read_sources(sources, Hints(types or {}), cache, progress))
    given = (target,) if isinstance(target, str) else tuple(target or ())
    sources, contents, targets = _labeled(sources, contents, given, reasons)
    content = concatenate(contents, [source.path for source in sources])
    task = _task(content, targets, reasons)
    data = {**_data(content, sources, targets, task, reasons), "columns": dict(types or {})}
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


def _size(content: Content, dataset: Dataset | None, task: Task) -> Size:
    if dataset is not None:
        return Size(dataset.encoder.input_shape, len(dataset.sets["train"]), len(dataset.sets["dev"]), task)
    shape = content.shape or (len(content.columns),)
    return Size(shape, max(1, round(0.6 * content.rows)), round(0.2 * content.rows), task)


def _name(sources: Sequence[Source]) -> str:
    path = Path(sources[0].path)
    return re.sub(r"(\.gz|\.csv|\.tsv|\.txt|\.npz|\.npy|\.idx)+$", "", path.name, flags=re.IGNORECASE) or "experiment"


def _labeled(
    sources: list[Source], contents: Sequence[Content], given: tuple[str, ...], reasons: list[str]
) -> tuple[list[Source], list[Content], tuple[str, ...]]:
    """The targets, and the sources that have them: a test file for a contest often comes without."""
    chosen = _targets(contents, given, reasons)
    kept = [(source, content) for source, content in zip(sources, contents, strict=True) if _has(content, chosen)]
    for source, content in zip(sources, contents, strict=True):
        if kept and not _has(content, chosen):
            reasons.append(f"{Path(source.path).name} is left out: it has no column {names_listed(chosen)}.")
    kept = kept or list(zip(sources, contents, strict=True))
    return [source for source, _ in kept], [content for _, content in kept], chosen


def _has(content: Content, targets: tuple[str, ...]) -> bool:
    return not targets or any(content.column(name) is not None for name in targets)


def _targets(contents: Sequence[Content], given: tuple[str, ...], reasons: list[str]) -> tuple[str, ...]:
    names = list(dict.fromkeys(name for content in contents for name in content.names))
    for name in given:
        if name not in names:
            known = names_listed(names)
            what = f"there is no column {name!r}{meant(name, names)}"
            raise InputError(what, where="target", mend=f"Columns: {known}.")
    if given:
        return tuple(dict.fromkeys(given))
    marked = next((content.labels or (content.label,) for content in contents if content.labels or content.label), ())
    if marked:
        as_what = "the label" if len(marked) == 1 else "labels"
        reasons.append(f"{_target_word(marked)}: the files mark {'it' if len(marked) == 1 else 'them'} as {as_what}.")
        return tuple(name for name in marked if name)
    if contents[0].arrays is not None:
        return ()
    by_name = _labels_by_name(contents[0]) or sorted((n for n in names if n.lower() in _TARGET_NAMES), key=_rank)[:1]
    if by_name:
        reasons.append(f"{_target_word(by_name)}: by {'its name' if len(by_name) == 1 else 'their names'}.")
        return tuple(by_name)
    usable = [column.name for column in contents[0].columns if not _id_reason(column)]
    last = (usable or names)[-1]
    reasons.append(f"Target {last!r}: the last column, as no name says otherwise.")
    reasons += _perhaps_labels(contents[0])
    return (last,)


def _perhaps_labels(content: Content) -> list[str]:
    """That several columns may be labels, and how they would all be predicted: told, not assumed."""
    names = yes_no_columns(content.columns)
    if len(names) < 2:
        return []
    return [
        f"{len(names)} columns say yes or no ({names_listed(names, 3)}). If several are labels, they can be predicted"
        ' together: list them in data.targets, with task = "multilabel" (--target COL once for each).'
    ]


def _target_word(names: Sequence[str | None]) -> str:
    return f"Target{'s' if len(names) > 1 else ''} {names_listed([name or '' for name in names], 5)}"


def _labels_by_name(content: Content) -> list[str]:
    """Columns of yes and no whose names begin alike, with a word for what is to be predicted."""
    found: dict[str, list[str]] = {}
    for column in content.columns:
        start = _LABEL_NAME.match(column.name)
        if start and is_binary(column):
            found.setdefault(start.group(1).lower(), []).append(column.name)
    return max(found.values(), key=len) if any(len(names) > 1 for names in found.values()) else []


def _rank(name: str) -> int:
    return _TARGET_NAMES.index(name.lower())


def _task(content: Content, targets: tuple[str, ...], reasons: list[str]) -> Task:
    columns = [column for name in targets if (column := content.column(name)) is not None]
    if not columns:
        return "classification"
    if len(columns) > 1:
        _, problems = labels_of_columns(columns, "target")
        if problems:
            raise InputError.of(problems, "several columns can be predicted together where each is a label")
        reasons.append(f"Multilabel: {len(columns)} columns of yes or no, of which an example may have several.")
        return "multilabel"
    task, reason = task_for(columns[0])
    reasons.append(reason)
    return task


def task_for(column: Column) -> tuple[Task, str]:
    """What is probably learned where a column is the target, and why."""
    if lists_labels(column):
        count = len(listed_labels(column))
        return "multilabel", f"Multilabel: {column.name!r} lists {count:,} different labels, several in one text."
    known = column.values[~column.missing]
    distinct = len(np.unique(known))
    if column.type == "category":
        return "classification", f"Classification: {column.name!r} holds {distinct:,} different texts."
    if distinct <= _MOST_CLASSES and bool((known == np.floor(known)).all()):
        what = f"holds {distinct} different whole numbers, at most {_MOST_CLASSES}"
        return "classification", f"Classification: {column.name!r} {what}."
    return "regression", f"Regression: {column.name!r} holds {distinct:,} different numbers."


def _data(
    content: Content, sources: Sequence[Source], targets: tuple[str, ...], task: Task, reasons: list[str]
) -> dict[str, Any]:
    excluded = _excluded(content, targets, task) if content.arrays is None else {}
    reasons += _readings(content)
    for why in dict.fromkeys(excluded.values()):
        named = [name for name, reason in excluded.items() if reason == why]
        reasons.append(f"Left out {names_listed(named)}: {why}.")
    target = targets[0] if len(targets) == 1 else None
    reasons += _balance(content, target) if task == "classification" else []
    reasons += _rare_labels(content, targets) if len(targets) > 1 else []
    data: dict[str, Any] = {
        "sources": [source.model_dump() for source in sources],
        "task": task,
        "target": target,
        "targets": list(targets) if len(targets) > 1 else [],
        "exclude": list(excluded),
        "split": "auto",
        "normalize": "standard",
    }
    if TASKS[task].scaled:
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


def _excluded(content: Content, targets: tuple[str, ...], task: str) -> dict[str, str]:
    """Columns that are of no use to learn from, each with the reason."""
    found: dict[str, str] = {}
    goal = content.column(targets[0]) if targets else None
    for column in content.columns:
        if column.name in targets:
            continue
        reason = _id_reason(column) or _constant_reason(column)
        if not reason and goal is not None and task == "classification" and _says_the_same(column, goal):
            reason = f"it says the same as {goal.name!r}"
        if reason:
            found[column.name] = reason
    # Something must be left to learn from.
    return found if len(found) < len(content.columns) - len(targets) else {}


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


def _rare_labels(content: Content, targets: tuple[str, ...]) -> list[str]:
    rare = rare_labels([column for name in targets if (column := content.column(name)) is not None])
    if not rare:
        return []
    return [f"Rare labels ({', '.join(rare)}): the loss has positive_weight, should they not be found."]
