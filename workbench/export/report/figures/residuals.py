"""Regression: predicted against true values, and how the residuals are spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.export.report.axes import Frame, margin_for, ticks
from workbench.export.report.colors import cividis
from workbench.export.report.svg import Drawing
from workbench.export.report.text import count, number

Floats = NDArray[np.float64]

_SIZE = (400.0, 320.0)
_MOST_POINTS = 1_500
_CELLS = 48


def scatter_drawing(true: Floats, predicted: Floats) -> Drawing:
    """A point for each example, on the diagonal where it is right; many examples are counted in squares."""
    drawing = Drawing(*_SIZE, "Predicted against true values.")
    low, high = _padded(float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max())))
    values = ticks(low, high, 6)
    frame = Frame.at((margin_for([number(value) for value in values]), 26, 390, 280), (low, high), (low, high))
    frame.rows(drawing, values, number)
    frame.columns(drawing, ticks(low, high, 5), number)
    frame.titles(drawing, "true value", "predicted value")
    if len(true) <= _MOST_POINTS:
        for x, y in zip(true.tolist(), predicted.tolist(), strict=True):
            drawing.dot(frame.x(x), frame.y(y), 2.4, "accent", opacity=0.5)
    else:
        _draw_counts(drawing, frame, true, predicted)
    drawing.path([(frame.x(low), frame.y(low)), (frame.x(high), frame.y(high))], "text", 1.2, "4 4")
    return drawing


def _draw_counts(drawing: Drawing, frame: Frame, true: Floats, predicted: Floats) -> None:
    edges = np.linspace(frame.x.low, frame.x.high, _CELLS + 1)
    table = np.histogram2d(true, predicted, bins=[edges, edges])[0]
    shades = np.log1p(table) / np.log1p(table.max())
    for column, row in zip(*np.nonzero(table), strict=True):
        left, right = frame.x(edges[column]), frame.x(edges[column + 1])
        top, bottom = frame.y(edges[row + 1]), frame.y(edges[row])
        drawing.rect(left, top, right - left + 0.3, bottom - top + 0.3, cividis(float(shades[column, row])))


def is_counted(examples: int) -> bool:
    """Whether so many examples are shown as counts."""
    return examples > _MOST_POINTS


def residual_drawing(residuals: Floats) -> Drawing:
    """A histogram of predicted minus true values, around 0."""
    drawing = Drawing(*_SIZE, "Histogram of the residuals.")
    reach = float(np.abs(residuals).max()) or 1.0
    bins = _bins(residuals, reach)
    counts, edges = np.histogram(residuals, bins, range=(-reach, reach))
    values = [tick for tick in ticks(0, float(counts.max()) * 1.06, 6) if tick.is_integer()]
    box = (margin_for([count(value) for value in values]), 26, 390, 280)
    frame = Frame.at(box, (-reach, reach), (0, float(counts.max()) * 1.06))
    frame.rows(drawing, values, count)
    for size, low, high in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if size:
            left, right, top = frame.x(low), frame.x(high), frame.y(size)
            drawing.rect(left + 0.75, top, right - left - 1.5, frame.bottom - top, "accent", radius=1, opacity=0.75)
    drawing.line(frame.x(0), frame.top, frame.x(0), frame.bottom, "text", 1.2, "4 4")
    frame.columns(drawing, ticks(-reach, reach, 5), number)
    frame.titles(drawing, "predicted minus true value", "examples")
    return drawing


def _bins(residuals: Floats, reach: float) -> int:
    """An even number of bins, of about the width of Freedman and Diaconis (1981): 2 IQR / n^(1/3)."""
    low, high = np.quantile(residuals, [0.25, 0.75])
    width = 2 * float(high - low) / len(residuals) ** (1 / 3)
    wanted = 2 * reach / width if width > 0 else 10.0
    return 2 * round(min(80.0, max(10.0, wanted)) / 2)


def _padded(low: float, high: float) -> tuple[float, float]:
    room = 0.04 * (high - low) or abs(high) * 0.1 or 1.0
    return low - room, high + room
