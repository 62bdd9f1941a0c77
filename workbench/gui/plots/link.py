"""Plots whose x axes and crosshairs move together."""

from __future__ import annotations

from PySide6.QtCore import QObject

from workbench.gui.plots.live_plot import LivePlot


class PlotLink(QObject):
    """Ties plots together: what is zoomed, reset or pointed at in one of them happens in all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.plots: list[LivePlot] = []
        self.crosshair = True

    def add(self, plot: LivePlot) -> None:
        """Tie a plot to the others."""
        self.plots.append(plot)
        plot.moved.connect(lambda left, right: self._move(plot, left, right))
        plot.resetAsked.connect(self.reset)
        plot.crosshairAsked.connect(lambda: self.set_crosshair(not self.crosshair))
        plot.pointed.connect(lambda x: self._point(plot, x))

    def reset(self) -> None:
        """Show all of every plot."""
        for plot in self.plots:
            plot.reset()

    def set_crosshair(self, on: bool) -> None:
        """Whether the crosshair follows the mouse."""
        self.crosshair = on
        if not on:
            self._show(None, None)

    def _move(self, origin: LivePlot, left: float, right: float) -> None:
        for plot in self.plots:
            if plot is not origin:
                plot.set_x_window((left, right))

    def _point(self, origin: LivePlot, x: float | None) -> None:
        if self.crosshair:
            self._show(origin, x)

    def _show(self, origin: LivePlot | None, x: float | None) -> None:
        for plot in self.plots:
            if plot.isVisible():
                plot.set_cursor(x, read=plot is origin)
