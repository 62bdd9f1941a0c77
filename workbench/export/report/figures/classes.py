"""Bars by class: mistakes with the most that mending them could give, and how many examples each class has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.export.report.svg import Drawing, fitted, widest
from workbench.export.report.text import count, percent

_WIDTH, _ROW, _BAR = 820.0, 24.0, 13.0


@dataclass(frozen=True)
class BarRow:
    """A class: its bar's length, and what stands in the columns right of the bar."""

    name: str
    value: float
    texts: tuple[str, ...]
    color: str = "accent"


def bars_drawing(rows: Sequence[BarRow], heads: Sequence[str], widths: Sequence[float], label: str) -> Drawing:
    """A bar for each row, all to one scale from 0, and columns of texts at the right.

    Args:
        rows: from above.
        heads: of the columns.
        widths: of the columns.
        label: see ``Drawing``.
    """
    drawing = Drawing(_WIDTH, 24 + _ROW * len(rows), label)
    left = widest([row.name for row in rows], 12, least=56, most=200) + 14
    right = _WIDTH - sum(widths) - 8
    ends = [right + sum(widths[: index + 1]) + 8 for index in range(len(widths))]
    for end, text in zip(ends, heads, strict=True):
        drawing.text(end, 12, text, color="muted", anchor="end", size=11)
    longest = max([1e-12, *(row.value for row in rows)])
    for index, row in enumerate(rows):
        y = 24 + _ROW * (index + 0.5)
        drawing.text(left - 12, y + 4, fitted(row.name, left - 14, 12), anchor="end")
        drawing.rect(left, y - _BAR / 2, right - left, _BAR, "soft", radius=3)
        if row.value > 0:
            length = max(2.0, (right - left) * row.value / longest)
            drawing.rect(left, y - _BAR / 2, length, _BAR, row.color, radius=3)
        for end, text in zip(ends, row.texts, strict=True):
            drawing.text(end, y + 4, text, anchor="end", size=12)
    return drawing


def balance_drawing(
    classes: Sequence[str], counts: Mapping[str, Sequence[int]], totals: Mapping[str, int] | None = None
) -> Drawing:
    """How many examples of each class the sets hold; the bars show the training set's.

    Args:
        classes: names.
        counts: by set, a number for each class.
        totals: the sets' examples, where one may be of several classes.
    """
    sets = list(counts)
    total = max(1, totals[sets[0]] if totals else sum(counts[sets[0]]))
    rows = [
        BarRow(
            name,
            counts[sets[0]][index],
            (percent(counts[sets[0]][index] / total, 1), *(count(counts[each][index]) for each in sets)),
        )
        for index, name in enumerate(classes)
    ]
    heads = [f"share of {sets[0]}", *sets]
    return bars_drawing(rows, heads, [92.0, *(62.0 for _ in sets)], "Bars of the training examples of each class.")
