"""Small plots beside the curves: gradients and updates layer by layer, what is in a layer, and the learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from workbench.gui.figures import plain, rate, scientific
from workbench.gui.models.figures_model import FiguresModel
from workbench.gui.plots.figures import figures_of
from workbench.gui.plots.heat import HeatImage
from workbench.gui.plots.legend import Key, Legend
from workbench.gui.plots.live_plot import LivePlot
from workbench.gui.plots.ranges import linear_range, log_range
from workbench.gui.runs.board import Board
from workbench.gui.runs.curve_lines import ShownRun, moments_of
from workbench.gui.runs.signals import LayerLines, look_of, overall_text, overall_tip, rate_lines
from workbench.gui.runs.spreads import layers_of, spread_of
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.labels import ElidedLabel
from workbench.gui.widgets.panel import INSIDE, Panel
from workbench.gui.widgets.table import Table
from workbench.gui.widgets.tabs import Tabs
from workbench.gui.widgets.term import TermLabel

Which = Literal["norm", "ratio", "values", "rate", "all"]
PLOTS: tuple[Which, ...] = ("norm", "ratio", "values", "rate")
_BY_LAYER = ("norm", "ratio", "all")
"""Plots that the legend of layers belongs to."""


@dataclass
class _Small:
    """A plot with its heading."""

    holder: QWidget
    plot: LivePlot
    heading: TermLabel
    log: bool


_LAYER_WIDTH = 112
_MOST_KEYS = 8
"""Layers in the legend: of more only the samples would find room, without their names, which the crosshair tells."""
_ROOM = 0.04
"""Above and below histograms, as a share of their height."""
_NOTE_ROOM = 110
"""Pixels beside the tabs for the word on health: with less they fold."""


class SignalsPanel(QWidget):
    """One of the plots, or all of them side by side. Their x axes move with that of the curves.

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
                ("values", self.tr("values")),
                ("rate", self.tr("rate")),
                ("all", self.tr("all")),
            ]
        )
        self.tabs.set_name(self.tr("Plot"))
        self.note = ElidedLabel("", "note")
        self.legend = Legend(self.tr("Layers"))
        self.layer = Combo()
        self.layer.setAccessibleName(self.tr("Layer"))
        self.layer.setFixedWidth(_LAYER_WIDTH)
        self.heat = HeatImage()
        self.model, self.table = FiguresModel(self), Table(self.tr("Numbers of the plot"))
        self._as_table = False
        self.empty = EmptyState(
            self.tr("Gradients and updates appear here"), self.tr("Layer by layer, as soon as a run takes steps.")
        )
        self._small = {which: self._made(which) for which in PLOTS}
        self.plots = {which: small.plot for which, small in self._small.items()}
        self.plots["values"].addItem(self.heat, ignoreBounds=True)
        self._lay_out()
        self.tabs.valueChanged.connect(lambda which: self.show_plot(which))
        self.legend.changed.connect(lambda: board.ask(soon=True))
        self.layer.valueChanged.connect(lambda layer: board.set_layer(str(layer)))
        board.redrawn.connect(self.refresh)
        self.show_plot("norm")

    def _titles(self) -> dict[str, str]:
        return {
            "norm": self.tr("Gradient norm by layer"),
            "ratio": self.tr("Update / weights by layer"),
            "values": self.tr("Values in a layer"),
            "rate": self.tr("Learning rate"),
        }

    def _made(self, which: Which) -> _Small:
        plot = LivePlot(
            self._titles()[which],
            x_text=lambda value: self._board.axis.label(value),
            y_text={"rate": rate, "values": plain}.get(which, scientific),
            value_text=rate,
            heading=lambda value: self._board.axis.heading(value),
        )
        small = _Small(QWidget(), plot, TermLabel(self._titles()[which], look="note"), which in ("norm", "ratio"))
        plot.menuAsked.connect(lambda place: self.menu(plot).popup(place))
        plot.logAsked.connect(lambda: self._toggle_log(small))
        plot.pauseAsked.connect(self.pauseAsked)
        self._board.link.add(plot)
        column = QVBoxLayout(small.holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(INSIDE, 0, INSIDE, 0)
        head.addWidget(small.heading, 1)
        # As high as the choice beside one of them, so that plots side by side begin at one height.
        small.heading.setMinimumHeight(self.layer.minimumSizeHint().height())
        if which == "values":
            head.addWidget(self.layer)
        column.addLayout(head)
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
        self.table.setModel(self.model)
        self.table.setUniformRowHeights(True)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(
            lambda place: self.menu().popup(self.table.viewport().mapToGlobal(place))
        )
        row.addWidget(self.table, 1)
        self.panel.add_layout(row, stretch=1)
        self.panel.add(self.empty, stretch=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.panel)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = event.size().width() < self.tabs.wanted() + _NOTE_ROOM
        self.tabs.set_narrow(narrow)
        self.legend.setVisible(self._wants_legend())

    def which(self) -> str:
        """The plot that is shown; ``all`` for all."""
        return str(self.tabs.value())

    def show_plot(self, which: object) -> None:
        """Show one plot, or all of them."""
        self.tabs.setValue(which)
        for small in self._small.values():
            small.heading.setVisible(which == "all" or small is self._small["values"])
        self.spread.emit(which == "all")
        self.refresh()

    def _toggle_log(self, small: _Small) -> None:
        small.log = not small.log
        self._board.ask(soon=True)

    def refresh(self) -> None:
        """Draw what is new, in the plots that are shown."""
        run, board = self._board.selected, self._board
        which = self.which()
        self._show_note(run)
        self._offer_layers(run)
        beta = board.view.view.beta
        layers = run.curves.series.layers if run else ()
        few = layers if len(layers) <= _MOST_KEYS else ()
        self.legend.set_keys([Key(f"layer {name}", name, None, *look_of(place)) for place, name in enumerate(few)])
        table = self._as_table and which != "all"
        self.legend.setVisible(self._wants_legend())
        none = run is None or not len(run.curves.series.steps)
        self.empty.setVisible(none)
        for name, small in self._small.items():
            small.holder.setVisible(which in (name, "all") and not none and not table)
            if which in (name, "all"):
                self._draw(name, small, run, beta)
        self.table.setVisible(table and not none)
        if table:
            self._show_figures(self._plot_shown())

    def _wants_legend(self) -> bool:
        which = self.which()
        run, shown = self._board.selected, which in _BY_LAYER and (which == "all" or not self._as_table)
        count = len(run.curves.series.layers) if run else 0
        return shown and 0 < count <= _MOST_KEYS and self.tabs.narrow.isHidden()

    def _show_note(self, run: ShownRun | None) -> None:
        """The learning rate beside its plot, else what is wrong, or that nothing is."""
        alarms, any_steps = self._board.alarms(), run is not None and bool(len(run.curves.series.steps))
        rates = self.which() == "rate"
        self.note.set_name(self._rate_note(run) if rates else overall_text(alarms) if any_steps else "")
        self.note.set_tip(overall_tip(alarms) if any_steps and not rates else "")

    def _offer_layers(self, run: ShownRun | None) -> None:
        names = layers_of(run.curves) if run else ()
        if list(names) != self.layer.offered():
            self.layer.set_options([(name, name) for name in names])
        wanted = self._board.layer if self._board.layer in names else self._telling(run)
        if wanted in names:
            self.layer.setValue(wanted)
        self.layer.setVisible(bool(names))

    def _telling(self, run: ShownRun | None) -> str:
        """The layer to look at before one was chosen: where something is wrong, else the first with a function."""
        alarm = next((one.layer for one in self._board.alarms() if one.layer), "")
        records = run.curves.layers if run else []
        return alarm or next((name for name in records[-1].activations), "") if records else alarm

    def _plot_shown(self) -> LivePlot:
        return next(small.plot for name, small in self._small.items() if name == self.which())

    def _show_figures(self, plot: LivePlot) -> None:
        figures = figures_of(plot.lines, self._board.axis.name())
        anew = figures.columns != self.model.columns
        self.model.show_figures(figures)
        if anew:
            self.table.header().setResizeContentsPrecision(16)
            for column in range(self.model.columnCount()):
                self.table.resizeColumnToContents(column)

    def set_table(self, on: bool) -> None:
        """Show the numbers instead of the plot, or the plot again."""
        self._as_table = on
        self.refresh()

    def menu(self, plot: LivePlot | None = None) -> QMenu:
        """What can be done with a plot, or with the table in its place."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        table = menu.addAction(self.tr("As a table"))
        table.setCheckable(True)
        table.setChecked(self._as_table)
        table.setEnabled(self.which() != "all")
        table.toggled.connect(self.set_table)
        if plot is not None:
            menu.addSeparator()
            menu.addAction(self.tr("Show all\tR")).triggered.connect(self._board.link.reset)
        return menu

    def _rate_note(self, run: ShownRun | None) -> str:
        if run is None or not len(run.curves.series.steps):
            return ""
        return rate(float(run.curves.series.steps["learning_rate"][-1]))

    def _draw(self, which: str, small: _Small, run: ShownRun | None, beta: float) -> None:
        board, hidden = self._board, self.legend.hidden
        if which == "values":
            self._draw_values(small, run)
            return
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

    def _draw_values(self, small: _Small, run: ShownRun | None) -> None:
        board, plot = self._board, small.plot
        spread = spread_of(run, str(self.layer.value()), board.axis) if run and self.layer.offered() else None
        self.heat.show_heat(spread.heat if spread else None, 0.02 * board.axis.end)
        plot.set_waiting("" if spread or run is None else self.tr("not recorded"))
        low, high = spread.heat.window() if spread else (0.0, 1.0)
        room = _ROOM * (high - low)
        plot.frame((0.0, board.axis.end), (low - room, high + room))
        plot.show_lines(spread.lines if spread else ())
        small.heading.setText(spread.title if spread else self._titles()["values"])
        small.heading.set_term(spread.term if spread else "")
        plot.setAccessibleDescription(spread.sentence() if spread else "")
