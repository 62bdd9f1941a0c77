"""Small plots beside the curves: gradients and updates layer by layer, and the learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui.figures import rate, scientific
from workbench.gui.plots.legend import Key, Legend
from workbench.gui.plots.live_plot import LivePlot
from workbench.gui.plots.ranges import linear_range, log_range
from workbench.gui.runs.board import Board
from workbench.gui.runs.curve_lines import ShownRun, moments_of
from workbench.gui.runs.signals import LayerLines, health_of, look_of, overall_text, rate_lines
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.labels import ElidedLabel, Label
from workbench.gui.widgets.panel import INSIDE, Panel
from workbench.gui.widgets.tabs import Tabs

Which = Literal["norm", "ratio", "rate", "all"]
PLOTS: tuple[Which, ...] = ("norm", "ratio", "rate")


@dataclass
class _Small:
    """A plot with its heading."""

    holder: QWidget
    plot: LivePlot
    heading: Label
    log: bool


_NOTE_ROOM = 110
"""Pixels beside the tabs for the word on health: with less they fold."""


class SignalsPanel(QWidget):
    """One of three plots, or all of them side by side. Their x axes move with that of the curves.

    Signals:
        spread: all plots are shown, which takes the room of two panels; or one again.
        pauseAsked: Space was pressed in a plot.
    """

    spread = Signal(bool)
    pauseAsked = Signal()

    def __init__(self, board: Board, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board, self._maker = board, LayerLines()
        self.panel = Panel("")
        self.panel.setAccessibleName(self.tr("Gradients, updates and learning rate"))
        self.tabs = Tabs(
            [
                ("norm", self.tr("gradients")),
                ("ratio", self.tr("updates")),
                ("rate", self.tr("rate")),
                ("all", self.tr("all")),
            ]
        )
        self.tabs.set_name(self.tr("Plot"))
        self.note = ElidedLabel("", "note")
        self.legend = Legend(self.tr("Layers"))
        self.empty = EmptyState(
            self.tr("Gradients and updates appear here"), self.tr("Layer by layer, as soon as a run takes steps.")
        )
        self._small = {which: self._made(which) for which in PLOTS}
        self.plots = {which: small.plot for which, small in self._small.items()}
        self._lay_out()
        self.tabs.valueChanged.connect(lambda which: self.show_plot(which))
        self.legend.changed.connect(lambda: board.ask(soon=True))
        board.redrawn.connect(self.refresh)
        self.show_plot("norm")

    def _titles(self) -> dict[str, str]:
        return {
            "norm": self.tr("Gradient norm by layer"),
            "ratio": self.tr("Update / weights by layer"),
            "rate": self.tr("Learning rate"),
        }

    def _made(self, which: Which) -> _Small:
        plot = LivePlot(
            self._titles()[which],
            x_text=lambda value: self._board.axis.label(value),
            y_text=scientific if which != "rate" else rate,
            value_text=rate,
            heading=lambda value: self._board.axis.heading(value),
        )
        small = _Small(QWidget(), plot, Label(self._titles()[which], "note"), which != "rate")
        plot.logAsked.connect(lambda: self._toggle_log(small))
        plot.pauseAsked.connect(self.pauseAsked)
        self._board.link.add(plot)
        column = QVBoxLayout(small.holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        small.heading.setContentsMargins(INSIDE, 0, 0, 0)
        column.addWidget(small.heading)
        column.addWidget(plot, 1)
        return small

    def _lay_out(self) -> None:
        head = self.panel.head.layout()
        assert isinstance(head, QHBoxLayout)
        head.insertWidget(0, self.tabs)
        self.panel.add_control(self.note)
        self.panel.add(self.legend, padded=True)
        row = QHBoxLayout()
        row.setSpacing(0)
        for small in self._small.values():
            row.addWidget(small.holder, 1)
        self.panel.add_layout(row, stretch=1)
        self.panel.add(self.empty, stretch=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.panel)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = event.size().width() < self.tabs.wanted() + _NOTE_ROOM
        self.tabs.set_narrow(narrow)
        self.legend.setVisible(not narrow and self.which() != "rate")

    def which(self) -> str:
        """The plot that is shown; ``all`` for all."""
        return str(self.tabs.value())

    def show_plot(self, which: object) -> None:
        """Show one plot, or all of them."""
        self.tabs.setValue(which)
        for small in self._small.values():
            small.heading.setVisible(which == "all")
        self.spread.emit(which == "all")
        self.refresh()

    def _toggle_log(self, small: _Small) -> None:
        small.log = not small.log
        self._board.ask(soon=True)

    def refresh(self) -> None:
        """Draw what is new, in the plots that are shown."""
        run, board = self._board.selected, self._board
        health = health_of(run.curves.series) if run else ()
        which = self.which()
        self.note.set_name(overall_text(health) if which != "rate" else self._rate_note(run))
        beta = board.view.view.beta
        layers = run.curves.series.layers if run else ()
        self.legend.set_keys([Key(f"layer {name}", name, None, *look_of(place)) for place, name in enumerate(layers)])
        self.legend.setVisible(which != "rate" and bool(layers) and self.tabs.narrow.isHidden())
        none = run is None or not len(run.curves.series.steps)
        self.empty.setVisible(none)
        for name, small in self._small.items():
            small.holder.setVisible(which in (name, "all") and not none)
            if which in (name, "all"):
                self._draw(name, small, run, beta)

    def _rate_note(self, run: ShownRun | None) -> str:
        if run is None or not len(run.curves.series.steps):
            return ""
        return rate(float(run.curves.series.steps["learning_rate"][-1]))

    def _draw(self, which: str, small: _Small, run: ShownRun | None, beta: float) -> None:
        board, hidden = self._board, self.legend.hidden
        if which == "rate":
            lines = rate_lines(board.shown(), board.axis)
        else:
            signal: Literal["norm", "ratio"] = "norm" if which == "norm" else "ratio"
            lines = self._maker.lines(run, signal, board.axis, beta) if run else []
            lines = [line for line in lines if line.key.removesuffix(".raw") not in hidden]
        columns = [line.y for line in lines]
        small.plot.set_log(small.log)
        small.plot.frame((0.0, board.axis.end), log_range(columns) if small.log else linear_range(columns))
        small.plot.show_lines(lines)
        moments = moments_of(run.curves, board.axis) if run else ()
        # The words stand in the plot above; here the line is enough.
        quiet = tuple(type(one)(one.x, one.text if which == "rate" else "", one.tone) for one in moments)
        small.plot.overlay.show_marks(moments=quiet)
        newest = [f"{line.name} {rate(float(line.y[-1]))}" for line in lines[:20] if len(line.y)]
        small.plot.setAccessibleDescription(", ".join(newest))
