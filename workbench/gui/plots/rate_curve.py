"""The loss against a rising learning rate, as the range test measured it."""

from __future__ import annotations

from math import log10

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QWidget

from workbench.gui.figures import rate, scientific
from workbench.gui.plots.plot import DASHED, DOTTED, Plot, line_pen
from workbench.gui.theme import SMALL, color, font, theme, tokens
from workbench.session.rates import RangeTest

_ABOVE = 0.6
"""How much of the fall is shown above where the loss began: what explodes leaves the plot."""


class RateCurve(Plot):
    """Draws a ``RangeTest``: raw and smoothed loss, the suggestion, and the learning rate in force."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", x_text=scientific, y_text=lambda value: f"{value:.3g}", fixed=True, parent=parent)
        self.setAccessibleName(self.tr("The loss against the learning rate"))
        self.setMinimumHeight(170)
        self._test: RangeTest | None = None
        self._now = 0.0
        self._raw, self._smooth = self.plot([], []), self.plot([], [], antialias=True)
        self.setLogMode(True, False)
        self._marks = [pg.InfiniteLine(angle=90) for _ in range(2)]
        self._words = [pg.TextItem(anchor=(0, 0)) for _ in range(2)]
        for item in (*self._marks, *self._words):
            self.getPlotItem().addItem(item, ignoreBounds=True)
        theme().changed.connect(self._draw)

    def show_test(self, test: RangeTest, now: float) -> None:
        """Draw another one, and the learning rate that is in force."""
        self._test, self._now = test, now
        self._draw()

    def _draw(self) -> None:
        test = self._test
        if test is None or not test.rates:
            return
        self._raw.setData(test.rates, test.losses)
        self._raw.setPen(line_pen(tokens().accent, faint=True))
        self._smooth.setData(test.rates, test.smoothed)
        self._smooth.setPen(line_pen(tokens().accent, points=len(test.rates)))
        low, high = self._bounds(test)
        item = self.getPlotItem()
        item.setYRange(low, high, padding=0.0)
        item.setXRange(log10(test.rates[0]), log10(test.rates[-1]), padding=0.02)
        top = high - 0.02 * (high - low)
        found = test.suggestion
        middle = (test.rates[0] * test.rates[-1]) ** 0.5
        # Each stands on the side where there is room: away from the other line, and from the nearer border.
        left = (found or middle) < self._now if found and found != self._now else (found or middle) > middle
        self._mark(0, found, top, self.tr("{0} suggested").format(rate(found)) if found else "", left)
        self._mark(1, self._now, top - 0.14 * (high - low), self.tr("{0} now").format(rate(self._now)), not left)
        self.setAccessibleDescription(self._sentence(test))

    @staticmethod
    def _bounds(test: RangeTest) -> tuple[float, float]:
        smooth = np.array(test.smoothed)
        low, began = float(smooth.min()), float(smooth[: max(10, len(smooth) // 4)].max())
        high = began + _ABOVE * max(began - low, 0.1 * abs(began), 1e-9)
        return low - 0.1 * (high - low), high

    def _mark(self, place: int, value: float | None, height: float, text: str, left: bool) -> None:
        assert self._test is not None
        inside = value is not None and self._test.rates[0] <= value <= self._test.rates[-1]
        line, words = self._marks[place], self._words[place]
        line.setVisible(inside)
        words.setVisible(inside)
        if not inside or value is None:
            return
        ink = tokens().warning if place == 0 else tokens().muted
        line.setPen(line_pen(ink, style=DASHED if place == 0 else DOTTED))
        line.setPos(log10(value))
        words.setText(text, color=color(ink))
        words.fill = pg.mkBrush(color(tokens().panel, 0.8))
        words.setFont(font(SMALL))
        words.setAnchor((1, 0) if left else (0, 0))
        words.setPos(log10(value), height)

    def _sentence(self, test: RangeTest) -> str:
        if test.suggestion is None:
            return test.doubt
        words: str = self.tr("The loss falls fastest at {0} and is lowest at {1}.")
        return words.format(rate(test.steepest or 0.0), rate(test.minimum or 0.0))
