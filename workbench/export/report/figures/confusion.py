"""The confusion matrix with its numbers, shaded by cividis."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from workbench.export.report.colors import cividis, ink_on
from workbench.export.report.svg import Drawing, fitted, text_width, widest
from workbench.export.report.text import count, percent

MOST_CLASSES = 20
"""Beyond so many classes the numbers could not be read; the most confused pairs are listed instead."""

_WIDTH, _ROW, _HEAD = 820.0, 30.0, 22.0
_SIDE = 64.0


def confusion_drawing(matrix: NDArray[Any], classes: tuple[str, ...], measured_on: str) -> Drawing:
    """A row for each true class, a column for each predicted one; what never happened stays empty.

    Args:
        matrix: counts ``(K, K)``, at most ``MOST_CLASSES`` classes.
        classes: names.
        measured_on: the set, for the description.
    """
    k = len(classes)
    left = widest(classes, 12, least=64, most=170) + 34
    cell = min(110.0, (_WIDTH - left - 2 * _SIDE) / k)
    slanted = any(text_width(name, 12) > cell - 4 for name in classes)
    top = _HEAD + (widest(classes, 12, most=120) * 0.6 + 14 if slanted else 22)
    drawing = Drawing(_WIDTH, top + k * _ROW + 6, f"Confusion matrix of {k} classes on the {measured_on} set.")
    _draw_heads(drawing, classes, left, top, cell, slanted)
    supports = matrix.sum(axis=1)
    for row in range(k):
        y = top + row * _ROW
        middle = y + _ROW / 2 + 4.5
        drawing.text(left - 10, middle, fitted(classes[row], left - 44, 12), anchor="end")
        for column in range(k):
            _draw_cell(drawing, left + column * cell, y, cell, matrix[row, column], supports[row])
        recall = matrix[row, row] / supports[row] if supports[row] else None
        right = left + k * cell
        drawing.text(right + _SIDE - 12, middle, count(supports[row].item()), anchor="end")
        drawing.text(right + 2 * _SIDE, middle, percent(recall, 1), anchor="end")
    drawing.text(13, top + k * _ROW / 2, "true class", color="muted", anchor="middle", size=11, turn=-90)
    return drawing


def _draw_heads(
    drawing: Drawing, classes: tuple[str, ...], left: float, top: float, cell: float, slanted: bool
) -> None:
    right = left + len(classes) * cell
    drawing.text((left + right) / 2, 12, "predicted class", color="muted", anchor="middle", size=11)
    drawing.text(right + _SIDE - 12, top - 9, "n", color="muted", anchor="end", size=11)
    drawing.text(right + 2 * _SIDE, top - 9, "recall", color="muted", anchor="end", size=11)
    for index, name in enumerate(classes):
        middle = left + (index + 0.5) * cell
        if slanted:
            drawing.text(middle - 2, top - 8, fitted(name, 120, 12), turn=-38)
        else:
            drawing.text(middle, top - 9, name, anchor="middle")


def _draw_cell(drawing: Drawing, x: float, y: float, width: float, value: Any, support: Any) -> None:
    if not value:
        drawing.rect(x + 1, y + 1, width - 2, _ROW - 2, "soft", radius=3)
        return
    color = cividis(float(value / support))
    drawing.rect(x + 1, y + 1, width - 2, _ROW - 2, color, radius=3)
    text = count(value.item())
    size = 12.0 if text_width(text, 12) < width - 4 else 9.0
    drawing.text(x + width / 2, y + _ROW / 2 + 4.5, text, color=ink_on(color), anchor="middle", size=size)


def legend_text() -> str:
    """How to read it."""
    return (
        "A cell is the number of examples of the row’s class that were taken for the column’s; its shade, from dark "
        "blue to yellow, is their share of the row. Empty cells: never."
    )
