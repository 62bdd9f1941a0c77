"""What is to be predicted: class numbers or values, taken from the target column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.data.content import Array, Column, as_category, names_listed
from workbench.errors import Problem

MOST_CLASSES = 1_000


@dataclass(frozen=True)
class Targets:
    """The targets of N examples.

    Attributes:
        values: class numbers, int64 ``(N,)``, or values, float32 ``(N, 1)``; -1 or NaN where unknown.
        classes: the classes' names; empty for regression.
        known: where the target is known, bool ``(N,)``.
    """

    values: Array
    classes: tuple[str, ...]
    known: Array

    @property
    def class_numbers(self) -> Array | None:
        """The class numbers, None for regression."""
        return self.values if self.classes else None


def targets_of(task: str, column: Column) -> tuple[Targets, list[Problem]]:
    """Turn the target column into targets.

    A number column becomes classes named after its distinct values, whole numbers without a decimal point, in order of
    value; texts are in alphabetical order.
    """
    known = ~column.missing
    if not known.any():
        return _nothing(task, column), [Problem(f"the target {column.name!r} is empty", "data.target")]
    return _classes(column, known) if task == "classification" else _values(column, known)


def _nothing(task: str, column: Column) -> Targets:
    count = len(column.values)
    values = np.full(count, -1, np.int64) if task == "classification" else np.full((count, 1), np.nan, np.float32)
    return Targets(values, (), np.zeros(count, bool))


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
