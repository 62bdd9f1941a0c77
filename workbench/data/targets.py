"""What is to be predicted: class numbers, labels or values, taken from the target columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.data.content import Array, Column, as_category, names_listed
from workbench.data.labels import MOST_LABELS, labels_of_columns, labels_of_texts, listed_labels
from workbench.errors import Problem
from workbench.recipe.tasks import Task

MOST_CLASSES = 1_000


@dataclass(frozen=True)
class Targets:
    """The targets of N examples.

    Attributes:
        values: class numbers, int64 ``(N,)``; labels, 0 and 1, float32 ``(N, K)``; or values, float32 ``(N, 1)``. -1
            or NaN where unknown.
        classes: the names of classes or labels; empty for regression.
        known: where the target is known, of labels one at least, bool ``(N,)``.
    """

    values: Array
    classes: tuple[str, ...]
    known: Array

    @property
    def named(self) -> Array | None:
        """Class numbers or labels, by which sets can be made alike; None for regression."""
        return self.values if self.classes else None


def targets_of(task: Task, columns: Sequence[Column]) -> tuple[Targets, list[Problem]]:
    """Turn the target columns into targets.

    A number column becomes classes named after its distinct values, whole numbers without a decimal point, in order of
    value; texts are in alphabetical order. Labels are named after their columns, or stand in one column's texts.

    Args:
        task: what is learned.
        columns: one; for several labels any number.
    """
    column, where = columns[0], "data.target" if len(columns) == 1 else "data.targets"
    if all(one.missing.all() for one in columns):
        name = f"the target {column.name!r} is" if len(columns) == 1 else "all of the targets are"
        return _nothing(task, column), [Problem(f"{name} empty", where)]
    if task == "multilabel":
        return _labels(columns, where)
    known = ~column.missing
    return _classes(column, known) if task == "classification" else _values(column, known)


def unknown_targets(task: Task, count: int, classes: int) -> Array:
    """Targets of examples of which nothing is known, as ``Targets.values`` has them."""
    if task == "classification":
        return np.full(count, -1, np.int64)
    return np.full((count, max(1, classes)), np.nan, np.float32)


def _nothing(task: Task, column: Column) -> Targets:
    count = len(column.values)
    return Targets(unknown_targets(task, count, 1), (), np.zeros(count, bool))


def _labels(columns: Sequence[Column], where: str) -> tuple[Targets, list[Problem]]:
    listed = listed_labels(columns[0]) if len(columns) == 1 else ()
    if len(listed) > MOST_LABELS:
        what = f"the target {columns[0].name!r} lists {len(listed):,} different labels, too many to tell apart"
        return _nothing("multilabel", columns[0]), [Problem(what, where, "Join or leave out rare ones.")]
    problems: list[Problem] = []
    if listed:
        values = labels_of_texts(columns[0], listed)
    else:
        values, problems = labels_of_columns(columns, where)
    names = listed or tuple(column.name for column in columns)
    return Targets(values, names, np.asarray(~np.isnan(values).all(axis=1))), problems


def _classes(column: Column, known: Array) -> tuple[Targets, list[Problem]]:
    distinct = len(np.unique(column.values[known]))
    if distinct > MOST_CLASSES:
        what = f"the target {column.name!r} has {distinct:,} different values, too many for classes"
        measured = 'For a measured number use task = "regression".'
        mend = measured if column.type == "number" else "Choose another column, or join rare values."
        return _nothing("classification", column), [Problem(what, "data.target", mend)]
    coded = as_category(column)
    targets = Targets(coded.values.astype(np.int64), coded.categories, known)
    if distinct < 2:
        what = f"the target {column.name!r} has one class only, {coded.categories[0]!r}: there is nothing to tell apart"
        return targets, [Problem(what, "data.target", "Choose another column, or add examples of another class.")]
    return targets, []


def _values(column: Column, known: Array) -> tuple[Targets, list[Problem]]:
    if column.type == "category":
        what = f"the target {column.name!r} holds texts ({names_listed(column.categories, 3)})"
        mend = 'Regression predicts a number; task = "classification" tells classes apart.'
        return _nothing("regression", column), [Problem(what, "data.target", mend)]
    targets = Targets(column.values.astype(np.float32)[:, None], (), known)
    if column.values[known].min() == column.values[known].max():
        what = f"the target {column.name!r} has the same value everywhere: there is nothing to predict"
        return targets, [Problem(what, "data.target", "Choose another column.")]
    return targets, []
