"""Step 3: the runs, their curves, and what comes next: the diagnosis, or the settings of the next run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from workbench.errors import WorkbenchError
from workbench.gui.panels.curves_panel import CurvesPanel
from workbench.gui.panels.diagnosis_panel import DiagnosisPanel
from workbench.gui.panels.rates_panel import RatesPanel
from workbench.gui.panels.results_panel import ResultsPanel
from workbench.gui.panels.runs_panel import RunsPanel
from workbench.gui.panels.signals_panel import SignalsPanel
from workbench.gui.panels.start_panel import StartPanel
from workbench.gui.panels.training_panel import TrainingPanel
from workbench.gui.runs.board import Board
from workbench.gui.runs.comparison import Comparison
from workbench.gui.runs.next_run import NextRun
from workbench.gui.runs.view import ViewState
from workbench.gui.runs.words import run_name
from workbench.gui.starting import StartingWeights
from workbench.gui.widgets.panel import GAP
from workbench.gui.widgets.segmented import Segmented
from workbench.gui.workspace import Workspace

_ROOMY, _TALL = 1200, 700
_SMALL_SIGNALS = 202
_SIDES = {True: (224, 348), False: (186, 300)}
"""Widths of the outer columns in a large and in a small window."""
_VIEW, _PINS = "curves", "compared"
_MOST_PROJECTS = 20


class TrainPage(QWidget):
    """Runs at the left, curves and results in the middle, diagnosis or settings at the right.

    Signals:
        navigate: leads to another step.
    """

    navigate = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, runs = workspace, workspace.runs
        self.comparison, self.view = Comparison(runs, self), ViewState(self)
        self.view.restore(workspace.settings.get(_VIEW, {}))
        self.board = Board(runs, self.comparison, self.view, self)
        self.runs_panel = RunsPanel(workspace.document, runs, self.comparison)
        self.curves, self.signals = CurvesPanel(self.board), SignalsPanel(self.board)
        self.results = ResultsPanel(self.board, workspace.data, workspace.background)
        self.weights = StartingWeights(workspace, self)
        self.rates, self.start = RatesPanel(workspace), StartPanel(workspace, self.weights)
        self.diagnosis = DiagnosisPanel(runs)
        self.settings = TrainingPanel(workspace.document, inset=0, more=(self.rates, self.start))
        self.side = Segmented([("diagnosis", self.tr("Diagnosis")), ("settings", self.tr("Settings"))])
        self._lay_out()
        self._connect()
        self._restore_pins()
        self.show_side("diagnosis" if runs.entries else "settings")
        self.setFocusProxy(self.runs_panel.view)

    # --- layout --------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._below = _splitter(Qt.Orientation.Horizontal, (self.signals, self.results), (1, 1))
        self._middle = _splitter(Qt.Orientation.Vertical, (self.curves, self._below), (7, 4))
        self._columns = _splitter(Qt.Orientation.Horizontal, (self.runs_panel, self._middle, self._right()), (0, 1, 0))
        for panel, least in ((self.runs_panel, 160), (self.curves, 320), (self.signals, 180), (self.results, 200)):
            panel.setMinimumWidth(least)
        self.curves.setMinimumHeight(240)
        self._below.setMinimumHeight(140)
        self._roomy: bool | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(GAP, GAP, GAP, GAP)
        column.addWidget(self._columns)

    def _right(self) -> QWidget:
        self.side.setAccessibleName(self.tr("Right column"))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.diagnosis)
        self.stack.addWidget(self._settings_side())
        right = QWidget()
        right.setMinimumWidth(300)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        # As wide as what it switches.
        self.side.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        column.addWidget(self.side)
        column.addWidget(self.stack, 1)
        return right

    def _settings_side(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        self.next_run = NextRun(self._workspace.document, self._workspace.runs)
        column.addWidget(self.next_run)
        column.addWidget(self.settings, 1)
        return side

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width, height = event.size().width() - 2 * GAP, event.size().height() - 2 * GAP
        roomy = width > _ROOMY
        if roomy != self._roomy:
            # Once at each change between large and small: what the user has dragged stays otherwise.
            self._roomy = roomy
            left, right = _SIDES[roomy]
            self._columns.setSizes([left, width - left - right - 2 * GAP, right])
            # In a large window a confusion matrix of ten classes is seen as a whole.
            below = max(170, int((0.38 if height >= _TALL else 0.3) * height))
            self._middle.setSizes([height - below - GAP, below])
            if not roomy:
                # Curves can be read when they are small, tables cannot.
                middle = width - left - right - 3 * GAP
                self._below.setSizes([_SMALL_SIGNALS, middle - _SMALL_SIGNALS])

    # --- joints --------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        workspace, runs = self._workspace, self._workspace.runs
        self.side.valueChanged.connect(self.show_side)
        self.diagnosis.navigate.connect(self.navigate)
        self.settings.findRateAsked.connect(self.find_rate)
        self.rates.grown.connect(lambda: self.settings.reveal(self.rates))
        self.runs_panel.newAsked.connect(self.train)
        self.runs_panel.againAsked.connect(self._train_again)
        self.runs_panel.editAsked.connect(self._edit)
        self.curves.trainAsked.connect(workspace.train)
        self.curves.resumeAsked.connect(self.runs_panel.resume)
        self.curves.changeAsked.connect(self._train_changed)
        self.curves.rateAsked.connect(runs.set_learning_rate)
        self.curves.pauseAsked.connect(runs.toggle_pause)
        self.signals.pauseAsked.connect(runs.toggle_pause)
        self.signals.spread.connect(lambda on: self.results.setVisible(not on))
        self.view.changed.connect(lambda: workspace.settings.set(_VIEW, self.view.to_json()))
        self.comparison.keptChanged.connect(self._keep_pins)
        workspace.projectChanged.connect(self._restore_pins)
        runs.listChanged.connect(self._on_list)
        self._known = len(runs.entries)

    def train(self) -> None:
        """Train the recipe as it stands; where it is that of the run looked at, its settings are offered first."""
        workspace = self._workspace
        known = workspace.runs.recipe(workspace.runs.current)
        if known is not None and not known.diff(workspace.document.recipe):
            self.show_side("settings")
            name = run_name(workspace.runs.current)
            text = self.tr("Change a setting first; Train (F5) repeats it as it is.")
            self.runs_panel.message.set_message("info", self.tr("Nothing differs from {0}").format(name), text)
            self.runs_panel.message.show()
            return
        self.runs_panel.message.hide()
        workspace.train()

    def show_side(self, which: object) -> None:
        """Show the ``diagnosis`` or the ``settings`` at the right."""
        self.side.setValue(which)
        self.stack.setCurrentIndex(1 if which == "settings" else 0)

    def find_rate(self) -> None:
        """Try learning rates out, and show what they do."""
        self.show_side("settings")
        self.rates.begin()

    def begin_with(self, path: Path) -> None:
        """Let the next run begin with a run's or a file's weights, and show what fits of them."""
        self.show_side("settings")
        self.start.take(path)
        self.settings.reveal(self.start)

    def set_expert(self, expert: bool) -> None:
        """Open or fold the advanced fields of the settings."""
        self.settings.set_expert(expert)

    def _train_again(self, number: int) -> None:
        try:
            self._workspace.runs.train_again(number)
        except WorkbenchError as error:
            self.runs_panel.message.show_error(error)

    def _train_changed(self, number: int, patch: dict[str, Any]) -> None:
        try:
            self._workspace.runs.train_changed(number, patch)
        except WorkbenchError as error:
            self.runs_panel.message.show_error(error)

    def _edit(self, number: int) -> None:
        self._workspace.edit_run(number)
        self.show_side("settings")

    def _on_list(self) -> None:
        """What one wants to see of a run that has just been started is what comes of it."""
        count = len(self._workspace.runs.entries)
        if count > self._known:
            self.show_side("diagnosis")
        self._known = count

    def _keep_pins(self) -> None:
        project, settings = self._workspace.project, self._workspace.settings
        if project is None:
            return
        kept: dict[str, Any] = dict(settings.get(_PINS, {}))
        kept.pop(str(project.path), None)
        if self.comparison.kept:
            kept[str(project.path)] = list(self.comparison.kept)
        settings.set(_PINS, dict(list(kept.items())[-_MOST_PROJECTS:]))

    def _restore_pins(self) -> None:
        project = self._workspace.project
        if project is not None:
            known = self._workspace.settings.get(_PINS, {}).get(str(project.path), [])
            self.comparison.pin(number for number in known if isinstance(number, int))

    # --- seen or not ---------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.board.set_active(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.board.set_active(False)


def _splitter(way: Qt.Orientation, widgets: tuple[QWidget, ...], stretches: tuple[int, ...]) -> QSplitter:
    splitter = QSplitter(way)
    splitter.setHandleWidth(GAP)
    splitter.setChildrenCollapsible(False)
    for number, (widget, stretch) in enumerate(zip(widgets, stretches, strict=True)):
        splitter.addWidget(widget)
        splitter.setStretchFactor(number, stretch)
    return splitter
