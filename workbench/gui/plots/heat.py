"""Histograms side by side as an image behind a plot's lines: the more values, the stronger the color (cividis)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF

from workbench.export.report.colors import cividis
from workbench.gui.theme import tokens

Numbers = np.ndarray[Any, Any]

_ROWS, _COLUMNS = 96, 256
_FAINT = 0.4
"""Shares of the fullest bin below which the color fades into the panel, so that few values do not weigh much."""


@dataclass(frozen=True, eq=False)
class Heat:
    """Histograms at some places.

    Attributes:
        x: where they were taken, ascending, ``(n,)``.
        low, high: from and to of each, ``(n,)``.
        shares: of its bins, ``(n, bins)``; a row of zeros where there is none.
        version: another one whenever something of it is.
    """

    x: Numbers
    low: Numbers
    high: Numbers
    shares: Numbers
    version: object

    def window(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        known = self.shares.any(axis=1)
        return (float(self.low[known].min()), float(self.high[known].max())) if known.any() else (0.0, 1.0)

    def quantile(self, share: float) -> Numbers:
        """The value that this share of the others lies below, at each place; NaN where there is no histogram."""
        total = self.shares.sum(axis=1)
        sums = np.cumsum(self.shares, axis=1) / np.maximum(total, 1)[:, None]
        bins = self.shares.shape[1]
        place = np.minimum((sums < share).sum(axis=1), bins - 1)
        rows = np.arange(len(sums))
        before = np.where(place > 0, sums[rows, place - 1], 0.0)
        inside = np.clip((share - before) / np.maximum(sums[rows, place] - before, 1e-12), 0, 1)
        values = self.low + (place + inside) * (self.high - self.low) / bins
        return np.where(total > 0, values, np.nan)

    def grid(self) -> Numbers:
        """Densities on even rows and columns, each column's highest 1, ``(columns, rows)``."""
        if not len(self.x):
            return np.zeros((1, _ROWS))
        bottom, top = self.window()
        rows = bottom + (np.arange(_ROWS) + 0.5) * (top - bottom) / _ROWS
        bins = self.shares.shape[1]
        width = np.maximum(self.high - self.low, 1e-30)[:, None]
        place = np.floor((rows[None, :] - self.low[:, None]) / width * bins).astype(np.int64)
        inside = (place >= 0) & (place < bins)
        density = np.where(inside, np.take_along_axis(self.shares, np.clip(place, 0, bins - 1), axis=1), 0.0)
        density = density / np.maximum(density.max(axis=1, keepdims=True), 1e-30)
        # Each histogram reaches halfway to its neighbors.
        across = np.linspace(self.x[0], self.x[-1], _COLUMNS)
        nearest = np.searchsorted((self.x[1:] + self.x[:-1]) / 2, across)
        return np.asarray(density[nearest] if len(self.x) > 1 else density)


class HeatImage(pg.ImageItem):  # type: ignore[misc]
    """Draws a ``Heat``; what is as before costs nothing."""

    def __init__(self) -> None:
        super().__init__(axisOrder="col-major")
        self._shown: object = None
        self.setZValue(-0.5)

    def show_heat(self, heat: Heat | None, width: float) -> None:
        """Show histograms, or none.

        Args:
            heat: what to show.
            width: how wide one is that stands alone.
        """
        dark = tokens().dark
        shown = (heat.version, dark, width) if heat is not None and len(heat.x) else None
        if shown == self._shown:
            return
        self._shown = shown
        if heat is None or shown is None:
            self.clear()
            return
        bottom, top = heat.window()
        self.setImage(_colors(dark)[np.rint(255 * heat.grid()).astype(np.uint8)], autoLevels=False)
        span = float(heat.x[-1] - heat.x[0]) or width
        self.setRect(QRectF(float(heat.x[0]), bottom, span, top - bottom))


@cache
def _colors(dark: bool) -> Numbers:
    """Red, green, blue and opacity of 256 densities: strong ones stand out from the panel in either theme."""
    table = np.empty((256, 4), np.uint8)
    for number in range(256):
        share = number / 255
        text = cividis(0.15 + 0.85 * share if dark else 1 - share)
        table[number, :3] = [int(text[at : at + 2], 16) for at in (1, 3, 5)]
        table[number, 3] = round(255 * min(1.0, share / _FAINT))
    return table
