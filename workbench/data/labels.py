"""Several labels an example may have at once: from columns of two values each, or from one text that lists them.

In a column of lists an empty cell is an example of which nobody knows the labels; a separator alone (``;``) is one that
has none of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from workbench.data.content import Array, Column, names_listed, rows_listed, sorted_names
from workbench.errors import Problem

SEPARATORS = ";|"
MOST_LABELS = 1_000
_NO = {"0", "false", "f", "no", "n", "absent", "negative", "off"}
_YES = {"1", "true", "t", "yes", "y", "present", "positive", "on"}
_UNCLEAR = -2.0
_OFTEN, _RARE = 0.2, 0.05
_GLANCE = 1_000


def listed_labels(column: Column) -> tuple[str, ...]:
    """The labels that a column's texts list, as in ``red; round``; none where no text has a separator."""
    if column.type != "category" or not any(mark in text for text in column.categories for mark in SEPARATORS):
        return ()
    return sorted_names({label for text in column.categories for label in _split(text)})


def lists_labels(column: Column) -> bool:
    """Whether a column's texts are lists of labels: a good part has several, and there are fewer labels than texts."""
    labels = listed_labels(column)
    several = sum(any(mark in text for mark in SEPARATORS) for text in column.categories)
    return bool(labels) and several >= _OFTEN * len(column.categories) and len(labels) < len(column.categories)


def rare_labels(columns: Sequence[Column], most: int = 4) -> list[str]:
    """The columns whose label few examples have, with their shares, the rarest first."""
    values = [binary_values(column) for column in columns]
    known = [int((~np.isnan(part)).sum()) for part in values]
    # Of a label that nobody knows, nobody knows whether it is rare.
    shares = [float((part == 1).sum() / count) if count else 1.0 for part, count in zip(values, known, strict=True)]
    rare = sorted((share, repr(column.name)) for share, column in zip(shares, columns, strict=True) if share < _RARE)
    return [f"{name} {100 * share:.2g} %" for share, name in rare[:most]]


def is_binary(column: Column) -> bool:
    """Whether a column says yes or no, both of them, and nothing else."""
    values = binary_values(column)
    known = values[~np.isnan(values)]
    return not (known == _UNCLEAR).any() and len(np.unique(known)) == 2


def yes_no_columns(columns: Sequence[Column]) -> tuple[str, ...]:
    """The names of those columns that say yes or no: each may be a label."""
    return tuple(column.name for column in columns if not _plainly_other(column) and is_binary(column))


def _plainly_other(column: Column) -> bool:
    """Whether the first numbers alone show that it does not: most columns need not be read to their end."""
    first = column.values[:_GLANCE]
    return column.type == "number" and not bool((np.isin(first, (0.0, 1.0)) | np.isnan(first)).all())


def binary_values(column: Column) -> Array:
    """1 for yes, 0 for no, NaN where missing, float64 ``(N,)``; what is neither is below 0."""
    if column.type == "number":
        clear = np.isin(column.values, (0.0, 1.0)) | np.isnan(column.values)
        return np.where(clear, column.values, _UNCLEAR)
    table = np.array([_meaning(text) for text in column.categories] + [np.nan])
    values: Array = table[column.values]
    return values


def _meaning(text: str) -> float:
    word = text.strip().lower()
    return 1.0 if word in _YES else 0.0 if word in _NO else _UNCLEAR


def labels_of_columns(columns: Sequence[Column], where: str) -> tuple[Array, list[Problem]]:
    """The labels, float32 ``(N, K)``: 1, 0, or NaN where missing; and each column that is none."""
    values = np.stack([binary_values(column) for column in columns], axis=1)
    unclear = values == _UNCLEAR
    problems = [
        _no_label(column, where) for column, wrong in zip(columns, unclear.any(axis=0).tolist(), strict=True) if wrong
    ]
    return np.where(unclear, np.nan, values).astype(np.float32), problems


def _no_label(column: Column, where: str) -> Problem:
    wrong = np.flatnonzero(binary_values(column) == _UNCLEAR)
    strange = list(dict.fromkeys(column.text(int(row)) for row in wrong[:1000]))
    what = f"column {column.name!r} is no label: it holds {names_listed(strange, 4)} in {rows_listed(wrong, 3)}"
    return Problem(what, where, "A label is 1 or 0 (or yes and no, true and false), and empty where it is unknown.")


def labels_of_texts(column: Column, labels: Sequence[str]) -> Array:
    """The labels that each text lists, float32 ``(N, K)``: 1 or 0, and NaN in a row without a text.

    A separator alone lists none of them: a row of 0.
    """
    place = {label: number for number, label in enumerate(labels)}
    table = np.zeros((len(column.categories) + 1, len(labels)), np.float32)
    table[-1] = np.nan
    for number, text in enumerate(column.categories):
        for label in _split(text):
            if label in place:
                table[number, place[label]] = 1.0
    values: Array = table[column.values]
    return values


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(f"[{SEPARATORS}]", text) if part.strip()]
