"""Predicted numbers against the true ones."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QWidget

from workbench.gui.figures import grouped
from workbench.gui.plots.plot import DASHED, Plot, line_pen
from workbench.gui.results.views import SetView
from workbench.gui.theme import color, theme, tokens

MOST = 2_000
"""Points that are drawn: more take long and hide each other."""


class Scatter(Plot):
    """A point for each example; on the dashed line prediction and truth agree."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", fixed=True, parent=parent)
        self.setAccessibleName(self.tr("Predicted against true"))
        self._line = self.plot([], [])
        self._points = pg.ScatterPlotItem(size=4, pxMode=True)
        self.addItem(self._points)
        self._count = (0, 0)
        theme().changed.connect(self._paint_anew)
        self._paint_anew()

    def show_view(self, view: SetView | None) -> None:
        """Show a set."""
        if view is None or not view.predictions.n:
            self._points.setData([], [])
            self._line.setData([], [])
            self._count = (0, 0)
            return
        true, said = view.predictions.y_true, view.predictions.y_pred
        rows = np.unique(np.linspace(0, len(true) - 1, min(MOST, len(true))).astype(np.int64))
        self._count = (len(rows), len(true))
        self._points.setData(true[rows], said[rows])
        low, high = float(min(true.min(), said.min())), float(max(true.max(), said.max()))
        self._line.setData([low, high], [low, high])
        self.getPlotItem().setXRange(low, high, padding=0.04)
        self.getPlotItem().setYRange(low, high, padding=0.04)

    def note(self) -> str:
        """How many points are drawn of how many."""
        shown, count = self._count
        if shown == count:
            return str(self.tr("{0} examples")).format(grouped(count))
        words = str(self.tr("{0} of {1} examples, evenly spread"))
        return words.format(grouped(shown), grouped(count))

    def _paint_anew(self) -> None:
        self._points.setBrush(color(tokens().accent, 0.45))
        self._points.setPen(None)
        self._line.setPen(line_pen(tokens().muted, style=DASHED))
