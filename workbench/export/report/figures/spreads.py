"""What is in a layer, epoch by epoch: histograms side by side, shaded by cividis."""

from __future__ import annotations

import numpy as np

from workbench.export.report.axes import Frame, margin_for, ticks, whole_ticks
from workbench.export.report.colors import cividis
from workbench.export.report.svg import Drawing
from workbench.export.report.text import count, number
from workbench.session.spreads import Histograms

_SIZE = (400.0, 220.0)
_COLUMNS, _ROWS = 32, 24
_EMPTY = 0.02
"""Shares of a column's fullest cell that are left blank: most of a drawing's size would be cells that hold nothing."""


def spread_drawing(histograms: Histograms, label: str) -> Drawing:
    """Histograms over the epochs, each shaded by its own fullest bin; the median as a line."""
    drawing = Drawing(*_SIZE, label)
    low, high = histograms.window()
    values = ticks(low, high, 5)
    left = margin_for([number(value, 2) for value in values])
    ends = float(histograms.x[0]), max(float(histograms.x[-1]), float(histograms.x[0]) + 1.0)
    frame = Frame.at((left, 14, _SIZE[0] - 14, _SIZE[1] - 36), ends, (low, high))
    frame.rows(drawing, values, lambda value: number(value, 2))
    _shade(drawing, frame, histograms.grid(_COLUMNS, _ROWS))
    middle = histograms.quantile(0.5)
    points = [(frame.x(x), frame.y(y)) for x, y in zip(histograms.x, middle, strict=True) if np.isfinite(y)]
    if len(points) > 1:
        drawing.path(points, "warning", 1.2)
    frame.columns(drawing, whole_ticks(*ends, 5), count)
    frame.titles(drawing, "epoch")
    return drawing


def _shade(drawing: Drawing, frame: Frame, cells: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    across, up = (frame.right - frame.left) / len(cells), (frame.bottom - frame.top) / cells.shape[1]
    for column, row in zip(*np.nonzero(cells > _EMPTY), strict=True):
        x, y = frame.left + column * across, frame.bottom - (row + 1) * up
        drawing.rect(float(x), float(y), across + 0.3, up + 0.3, cividis(float(cells[column, row])))
