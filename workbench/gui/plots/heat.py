"""Histograms side by side as an image behind a plot's lines: the more values, the stronger the color (cividis)."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF

from workbench.export.report.colors import cividis
from workbench.gui.theme import tokens
from workbench.session.spreads import Histograms

Numbers = np.ndarray[Any, Any]

_ROWS, _COLUMNS = 96, 256
_FAINT = 0.4
"""Shares of the fullest bin below which the color fades into the panel, so that few values do not weigh much."""


class HeatImage(pg.ImageItem):  # type: ignore[misc]
    """Draws ``Histograms``; what is as before costs nothing."""

    def __init__(self) -> None:
        super().__init__(axisOrder="col-major")
        self._shown: object = None
        self.setZValue(-0.5)

    def show_heat(self, heat: Histograms | None, width: float) -> None:
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
        self.setImage(_colors(dark)[np.rint(255 * heat.grid(_COLUMNS, _ROWS)).astype(np.uint8)], autoLevels=False)
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
