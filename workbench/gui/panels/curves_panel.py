"""The curves of error and loss, with what is chosen above them and the run's figures below."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from workbench.errors import StoreError
from workbench.gui.models.figures_model import FiguresModel
from workbench.gui.plots.exports import FORMATS, save_plot
from workbench.gui.plots.figures import figures_of
from workbench.gui.plots.legend import Legend
from workbench.gui.plots.live_plot import LivePlot
from workbench.gui.plots.overlay import Sign
from workbench.gui.plots.ranges import calm_range, log_range
from workbench.gui.plots.stroke import Line
from workbench.gui.runs.board import Board
from workbench.gui.runs.curve_lines import LineMaker, ShownRun, moments_of, signs_of
from workbench.gui.runs.curve_tools import CurveTools
from workbench.gui.runs.curve_words import (
    best_text,
    goals_of,
    is_hidden,
    keys_of,
    levels_of,
    tick_text,
    value_text,
    waiting_text,
)
from workbench.gui.runs.facts import RunFacts, facts_of
from workbench.gui.runs.facts_bar import FactsBar
from workbench.gui.runs.resume import offer_of
from workbench.gui.runs.words import run_name
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import INSIDE, Panel
from workbench.gui.widgets.table import Table

_NARROW, _WIDE = 540, 700
"""Width from which the controls stand beside the title; in a row of their own below."""


class CurvesPanel(QWidget):
    """Curves of the selected run and of those it is compared with.

    Signals:
        trainAsked: there is no run yet, and the user wants one.
        pauseAsked: Space was pressed in the plot.
        resumeAsked: a run that ended early shall go on: its number.
        changeAsked: a run shall be trained again with what is changed in its recipe: its number, values by path.
        rateAsked: another base learning rate for a run that goes on: its number and the rate.
    """

    trainAsked = Signal()
    pauseAsked = Signal()
    resumeAsked = Signal(int)
    changeAsked = Signal(int, object)
    rateAsked = Signal(int, float)

    def __init__(self, board: Board, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board, self._maker = board, LineMaker()
        self._offered = self._turned_to = 0
        self._patch: dict[str, Any] = {}
        self._measured: tuple[str, str] | None = None
        self._put_away: set[int] = set()
        self.panel = Panel(self.tr("Error"))
        self.tools, self.legend = CurveTools(board.view), Legend(self.tr("Legend"))
        self.plot = LivePlot(
            self.tr("Curves"),
            x_text=lambda value: board.axis.label(value),
            y_text=lambda value: tick_text(value, board.view.view),
            value_text=lambda value: value_text(value, board.view.view),
            heading=lambda value: board.axis.heading(value),
        )
        self.model, self.table = FiguresModel(self), Table(self.tr("Numbers of the curves"))
        self.offer = InlineMessage("info", closable=True)
        self.message = InlineMessage("error", closable=True)
        self.facts = FactsBar()
        self.empty = EmptyState(
            self.tr("Curves will appear here"),
            self.tr("Error and loss on the training and the dev set, epoch by epoch, while it trains."),
            button=self.tr("Train"),
        )
        self._lay_out()
        self._connect()
        self.refresh()

    # --- layout --------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._menu_button = Button("", "quiet", icon_name="menu", tip=self.tr("Table, export, view"))
        self._menu_button.clicked.connect(
            lambda: self.open_menu(self._menu_button.mapToGlobal(self._menu_button.rect().bottomLeft()))
        )
        self.panel.add_control(self.tools)
        self.panel.add_control(self._menu_button)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(INSIDE, 0, INSIDE, 0)
        self.panel.add_layout(self._row)
        self._in_head = True
        for message in (self.message, self.offer):
            message.hide()
            self.panel.add(message, padded=True)
        self.panel.add(self.legend, padded=True)
        self.table.setModel(self.model)
        self.table.setUniformRowHeights(True)
        self.stack = QStackedWidget()
        for widget in (self.plot, self.table, self.empty):
            self.stack.addWidget(widget)
        self.panel.add(self.stack, stretch=1)
        self.panel.foot().addWidget(self.facts, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.panel)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._show_facts)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = event.size().width() >= _WIDE
        self.tools.set_narrow(event.size().width() < _NARROW)
        if wide != self._in_head:
            self._in_head = wide
            if wide:
                self._row.removeWidget(self.tools)
                self.panel.add_control(self.tools)
                self.panel.add_control(self._menu_button)
            else:
                self._row.addWidget(self.tools, 0, Qt.AlignmentFlag.AlignLeft)

    def _connect(self) -> None:
        board, plot = self._board, self.plot
        board.link.add(plot)
        board.redrawn.connect(self.refresh)
        plot.logAsked.connect(lambda: board.view.set(log=not board.view.view.log))
        plot.pauseAsked.connect(self.pauseAsked)
        plot.menuAsked.connect(self.open_menu)
        self.legend.changed.connect(lambda: board.ask(soon=True))
        # Where Space pauses, and not on whatever comes next.
        self.facts.rate.closed.connect(self._take_focus)
        self.facts.rate.asked.connect(lambda rate: self.rateAsked.emit(board.runs.current, rate))
        self.offer.actionClicked.connect(self._take_offer)
        self.offer.closed.connect(lambda: self._put_away.add(self._offered))
        self.empty.clicked.connect(self.trainAsked)
        # Numbers of another project's runs.
        board.runs.opened.connect(self._put_away.clear)
        board.runs.opened.connect(board.link.reset)
        board.runs.selected.connect(self._turn_to)

    # --- what is shown -------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Draw what is new."""
        board = self._board
        shown, view = board.shown(), board.view.view
        self.panel.set_title(self.tr("Error") if view.measure == "error" else self.tr("Loss"))
        if not shown:
            self._show_nothing()
            return
        self.legend.show()
        self.panel.foot_frame().show()
        self._draw(shown)
        if self.stack.currentWidget() is self.empty:
            self.stack.setCurrentWidget(self.plot)
        if self.stack.currentWidget() is self.table:
            self._show_figures()
        selected = board.selected
        self.panel.set_note(best_text(selected, view) if selected else "")
        self._show_facts()
        self._show_offer(selected)
        self.plot.setAccessibleDescription(self._sentence(selected))

    def _show_nothing(self) -> None:
        self.stack.setCurrentWidget(self.empty)
        self.legend.hide()
        self.panel.foot_frame().hide()
        self.panel.set_note("")
        self.offer.hide()
        self.plot.show_lines(())
        self._clock.stop()

    def _draw(self, shown: list[ShownRun]) -> None:
        board, view, hidden = self._board, self._board.view.view, self.legend.hidden
        alone = len(shown) == 1
        lines = [line for run in shown for line in self._maker.lines(run, view, board.axis, alone=alone)]
        signs = [sign for run in shown for sign in self._signs(run, hidden)]
        tests = any(sign.filled for run in shown for sign in signs_of(run, view, board.axis))
        self.legend.set_keys(keys_of(shown, lines, test=tests))
        drawn = [line for line in lines if not is_hidden(line.key, hidden)]
        levels = levels_of(goals_of(board.runs, board.runs.current), view)
        columns = [line.y for line in drawn]
        plot = self.plot
        if (view.measure, view.across) != self._measured:
            # What was zoomed into has another place now.
            self._measured = view.measure, view.across
            board.link.reset()
        plot.set_log(view.log)
        plot.frame((0.0, board.axis.end), log_range(columns) if view.log else calm_range(columns))
        plot.show_lines(drawn)
        plot.set_waiting(waiting_text(shown[0], view) if alone and board.runs.is_live(shown[0].entry.number) else "")
        self._bring_into_view(drawn)
        moments = moments_of(shown[0].curves, board.axis) if shown[0].selected else ()
        placed = tuple(_on_axis(plot, sign) for sign in signs if isfinite(plot.height_of(sign.y)))
        heights = tuple(type(one)(plot.height_of(one.y), one.text, one.tone) for one in levels)
        plot.overlay.show_marks(heights, moments, placed)

    def _take_focus(self) -> None:
        shown = self.table if self.stack.currentWidget() is self.table else self.plot
        shown.setFocus(Qt.FocusReason.OtherFocusReason)

    def _turn_to(self, number: int) -> None:
        self._turned_to = number

    def _bring_into_view(self, lines: list[Line]) -> None:
        """A run that has just been turned to is shown, also where another one was zoomed into before."""
        own = [line for line in lines if line.key.partition(" ")[0] == str(self._turned_to) and len(line.x)]
        if own:
            self._turned_to = 0
            if self.plot.moved_away and not self.plot.shows(own):
                self._board.link.reset()

    def _signs(self, run: ShownRun, hidden: frozenset[str]) -> list[Sign]:
        if f"run {run.entry.number}" in hidden:
            return []
        found = signs_of(run, self._board.view.view, self._board.axis)
        return [sign for sign in found if f"part {'test' if sign.filled else 'dev'}" not in hidden]

    def _show_facts(self) -> None:
        run = self._board.selected
        live = run is not None and self._board.runs.is_live(run.entry.number)
        self.facts.show_facts(facts_of(run, self._board.runs) if run else RunFacts(), live=live)
        # Elapsed time goes on where nothing else does: in a pause, while data are read.
        if live and self.isVisible():
            self._clock.start()
        else:
            self._clock.stop()

    def hideEvent(self, event: object) -> None:
        self._clock.stop()

    def _show_offer(self, run: ShownRun | None) -> None:
        offer = offer_of(self._board.runs, run.entry, run.curves) if run else None
        number = run.entry.number if run else 0
        if offer is None or number in self._put_away:
            self.offer.hide()
            return
        if self._offered != number or self.offer.isHidden():
            self._offered, self._patch = number, offer.patch
            action = offer.action or (self.tr("Resume") if offer.resumable else "")
            self.offer.set_message("info" if offer.resumable else "warning", offer.title, offer.text, action=action)
        self.offer.show()

    def _take_offer(self) -> None:
        if self._patch:
            self.changeAsked.emit(self._offered, self._patch)
        else:
            self.resumeAsked.emit(self._offered)

    def _sentence(self, run: ShownRun | None) -> str:
        if run is None or not run.curves.epochs:
            return ""
        last = run.curves.epochs[-1]
        view = self._board.view.view
        values = {"error": (last.train_error, last.dev_error), "loss": (last.train_loss, last.dev_loss)}[view.measure]
        words = self.tr("{0} after epoch {1}: train {2}").format(
            run_name(run.entry.number), last.epoch, value_text(values[0], view)
        )
        return words + (self.tr(", dev {0}").format(value_text(values[1], view)) if values[1] is not None else "")

    # --- menu, table, export -------------------------------------------------------------------------------------

    def set_table(self, on: bool) -> None:
        """Show the numbers instead of the curves, or the curves again."""
        self.stack.setCurrentWidget(self.table if on else self.plot)
        self.refresh()

    def _show_figures(self) -> None:
        figures = figures_of(self.plot.lines, self._board.axis.name())
        anew = figures.columns != self.model.columns
        self.model.show_figures(figures)
        if anew:
            self.table.header().setResizeContentsPrecision(16)
            for column in range(self.model.columnCount()):
                self.table.resizeColumnToContents(column)

    def menu(self) -> QMenu:
        """What can be done with the plot."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        table = menu.addAction(self.tr("As a table"))
        table.setCheckable(True)
        table.setChecked(self.stack.currentWidget() is self.table)
        table.toggled.connect(self.set_table)
        menu.addSeparator()
        menu.addAction(self.tr("Show all\tR")).triggered.connect(self._board.link.reset)
        log = menu.addAction(self.tr("Logarithmic\tL"))
        log.setCheckable(True)
        log.setChecked(self._board.view.view.log)
        log.toggled.connect(lambda on: self._board.view.set(log=on))
        cross = menu.addAction(self.tr("Crosshair\tX"))
        cross.setCheckable(True)
        cross.setChecked(self._board.link.crosshair)
        cross.toggled.connect(self._board.link.set_crosshair)
        menu.addSeparator()
        for kind in FORMATS:
            action = menu.addAction(self.tr("Export as {0}…").format(kind.upper()))
            action.triggered.connect(lambda _=False, kind=kind: self._ask_file(kind))
            action.setEnabled(bool(self.plot.lines))
        return menu

    def open_menu(self, place: QPoint) -> None:
        """Open the menu at a place of the screen."""
        self.menu().popup(place)

    def _ask_file(self, kind: str) -> None:
        name = f"{self._board.view.view.measure}.{kind}"
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Export the plot"), name, f"{kind.upper()} (*.{kind})")
        if chosen:
            self.export(Path(chosen))

    def export(self, file: Path) -> None:
        """Write the plot to a PNG, SVG or CSV file; says in place what went wrong."""
        title = f"{self.panel.accessibleName()} · {self.panel.note()}".removesuffix(" · ")
        try:
            save_plot(self.plot, file, title, self._board.axis.name())
        except StoreError as error:
            self.message.show_error(error)


def _on_axis(plot: LivePlot, sign: Sign) -> Sign:
    return Sign(sign.x, plot.height_of(sign.y), sign.shape, sign.ink, sign.filled, sign.size)
