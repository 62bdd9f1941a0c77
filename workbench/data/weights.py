"""How strongly each example takes part: the product of what its class, its column and its rows say."""

from __future__ import annotations

import numpy as np

from workbench.data.content import Array, Content, rows_listed
from workbench.errors import Problem
from workbench.recipe.data import RowWeight, Weights
from workbench.recipe.tasks import Task


def strengths_of(
    weights: Weights, content: Content, classes: Array | None, train: Array, task: Task = "regression"
) -> tuple[Array, list[Problem]]:
    """The strength s_i of each example.

    Args:
        weights: what the recipe says.
        content: the examples.
        classes: class numbers ``(N,)``, -1 where unknown; None where there are none.
        train: the rows of the training set.
        task: what is learned.

    Returns:
        float32 ``(N,)``, and every problem.
    """
    strengths = np.ones(content.rows)
    problems: list[Problem] = []
    if weights.class_balance == "inverse_frequency":
        if classes is None:
            mend = "The loss has positive_weight for that." if task == "multilabel" else ""
            what = f"balances classes, but the task is {task}"
            problems.append(Problem(what, "data.weights.class_balance", mend))
        else:
            strengths *= balanced(classes, train)
    if weights.column is not None:
        values, found = _from_column(weights.column, content)
        strengths *= values
        problems += found
    for place, by_hand in enumerate(weights.rows):
        problems += _apply_rows(by_hand, strengths, f"data.weights.rows[{place}]")
    if not problems and len(train) and not strengths[train].any():
        problems.append(Problem("every training example has the strength 0", "data.weights"))
    return strengths.astype(np.float32), problems


def balanced(classes: Array, train: Array) -> Array:
    """``N / (K n_k)`` for each example of class k: all K classes of the training set then weigh as much in all.

    Examples of classes that are not in the training set keep the strength 1. The same as scikit-learn's ``balanced``.

    Args:
        classes: class numbers ``(N,)``, -1 where unknown.
        train: the rows of the training set.

    Returns:
        float64 ``(N,)``.
    """
    counts = np.bincount(classes[train], minlength=int(classes.max(initial=0)) + 1)
    present = counts > 0
    # One more entry, which class -1 reads.
    table = np.ones(len(counts) + 1)
    table[:-1][present] = len(train) / (present.sum() * counts[present])
    return table[classes]


def _from_column(name: str, content: Content) -> tuple[Array, list[Problem]]:
    column = content.column(name)
    ones = np.ones(content.rows)
    if column is None:
        # Reported with all other unknown names.
        return ones, []
    if column.type != "number":
        return ones, [Problem(f"column {name!r} holds texts, strengths are numbers", "data.weights.column")]
    problems = []
    for what, wrong in (("is empty", column.missing), ("is negative", column.values < 0)):
        rows = np.flatnonzero(wrong)
        if len(rows):
            text = f"the strength in column {name!r} {what} in {rows_listed(rows)}"
            problems.append(Problem(text, "data.weights.column", "Strengths are 0 or more."))
    return np.where(column.missing, 1.0, column.values), problems


def _apply_rows(by_hand: RowWeight, strengths: Array, where: str) -> list[Problem]:
    problems = []
    for part in by_hand.rows.split(","):
        first, _, last = part.partition("-")
        start, end = int(first), int(last or first)
        if start < 1 or end > len(strengths) or end < start:
            text = f"rows {part.strip()} are not among the rows 1-{len(strengths)}"
            problems.append(Problem(text, where))
        else:
            strengths[start - 1 : end] *= by_hand.weight
    return problems
