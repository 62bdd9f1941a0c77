"""Strengths given by hand: from selected rows to rules of a recipe, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.data.content import Array
from workbench.recipe.data import RowWeight


def ranges_text(rows: Array) -> str:
    """``3, 10-20``: numbers from 1, for row numbers from 0 in ascending order."""
    if not len(rows):
        return ""
    breaks = np.flatnonzero(np.diff(rows) != 1)
    starts = rows[np.concatenate([[0], breaks + 1])] + 1
    ends = rows[np.concatenate([breaks, [len(rows) - 1]])] + 1
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    return ", ".join(str(start) if start == end else f"{start}-{end}" for start, end in pairs)


def rows_of(text: str, count: int) -> Array:
    """Row numbers from 0 that a rule's ranges mean; those beyond ``count`` are left out."""
    pieces = [np.zeros(0, np.int64)]
    for part in text.split(","):
        first, _, last = part.partition("-")
        pieces.append(np.arange(max(1, int(first)), min(count, int(last or first)) + 1, dtype=np.int64) - 1)
    return np.unique(np.concatenate(pieces))


def factors_of(rules: Sequence[RowWeight], count: int) -> Array:
    """What the rules multiply each row's strength by, float64 ``(count,)``."""
    factors = np.ones(count)
    for rule in rules:
        # A row that a rule names twice is multiplied twice, as in the training.
        for part in rule.rows.split(","):
            factors[rows_of(part, count)] *= rule.weight
    return factors


def rules_of(factors: Array) -> tuple[RowWeight, ...]:
    """One rule for each strength other than 1, in the order of their first rows."""
    touched = np.flatnonzero(factors != 1)
    values, first, place = np.unique(factors[touched], return_index=True, return_inverse=True)
    return tuple(
        RowWeight(rows=ranges_text(touched[place == number]), weight=float(values[number]))
        for number in np.argsort(first)
    )


def with_strength(rules: Sequence[RowWeight], rows: Array, strength: float, count: int) -> tuple[RowWeight, ...]:
    """The rules that give some rows a strength, whatever they had before, and leave all others as they are.

    Args:
        rules: the rules so far.
        rows: row numbers from 0.
        strength: 1 takes the rows out of all rules.
        count: how many rows there are.
    """
    factors = factors_of(rules, count)
    factors[rows] = strength
    return rules_of(factors)
