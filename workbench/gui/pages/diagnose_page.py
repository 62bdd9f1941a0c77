"""Step 4: the diagnosis in full."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget

from workbench.gui.panels.knobs_panel import KnobsPanel
from workbench.gui.panels.reasons_panel import ReasonsPanel
from workbench.gui.panels.tried_panel import TriedPanel
from workbench.gui.panels.verdict_panel import VerdictPanel
from workbench.gui.widgets.panel import GAP, Panel
from workbench.gui.widgets.segmented import Segmented
from workbench.gui.workspace import Workspace

_ROOMY = 1320
"""From this width on all panels stand side by side; below it, one of three beside the verdict."""

_TRIES = 180
"""The least height of the tries below the verdict, which needs the rest in most windows."""


class DiagnosePage(QWidget):
    """Verdict and ladder at the left; knobs, reasons and tries beside it.

    Signals:
        navigate: leads to another step.
        importRequested: the user wants to choose data.
    """

    navigate = Signal(str)
    importRequested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        runs = workspace.runs
        self._runs = runs
        self.verdict, self.knobs = VerdictPanel(runs), KnobsPanel(runs)
        self.reasons, self.tried = ReasonsPanel(runs), TriedPanel(runs)
        self.knobs.navigate.connect(self.navigate)
        self.verdict.trainAsked.connect(lambda: self.navigate.emit("train"))
        self.verdict.importAsked.connect(self.importRequested)
        self._workspace = workspace
        workspace.data.changed.connect(lambda _: self._see_data())
        workspace.document.recipeChanged.connect(lambda *_: self._see_data())
        self._beside: dict[str, Panel] = {"knobs": self.knobs, "why": self.reasons, "tried": self.tried}
        self._chosen, self._roomy = "knobs", True
        self._switches = [self._switch(panel) for panel in self._beside.values()]
        self._left = _splitter(Qt.Orientation.Vertical, self.verdict, self.tried)
        self._splitter = _splitter(Qt.Orientation.Horizontal, self._left, self.reasons, self.knobs)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.addWidget(self._splitter)
        self.setFocusProxy(self.verdict.run)
        runs.listChanged.connect(self._arrange)
        self._arrange()
        self._see_data()

    def _see_data(self) -> None:
        """Without data there is nothing to train on."""
        data, recipe = self._workspace.data, self._workspace.document.recipe
        self.verdict.set_has_data(data.state is not None or bool(recipe.data.sources))

    def _switch(self, panel: Panel) -> Segmented:
        names = [("knobs", self.tr("Knobs")), ("why", self.tr("Why")), ("tried", self.tr("Tried"))]
        switch = Segmented(names)
        switch.setAccessibleName(self.tr("What is shown beside the verdict"))
        switch.valueChanged.connect(lambda key: self.show_beside(str(key)))
        panel.add_control(switch)
        return switch

    def show_beside(self, key: str) -> None:
        """Show ``knobs``, ``why`` or ``tried`` beside the verdict where there is no room for all of them."""
        self._chosen = key
        self._arrange()

    def set_expert(self, expert: bool) -> None:
        """Show all goals, or those that most people need."""
        self.verdict.set_expert(expert)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        roomy = event.size().width() >= _ROOMY
        if roomy != self._roomy or event.oldSize().width() <= 0:
            # Once at each change between wide and narrow: what the user has dragged stays otherwise.
            self._roomy = roomy
            self._arrange()
            room = event.size().width() - (4 if roomy else 3) * GAP
            side = min(520, round(room * 0.3)) if roomy else round(room * 0.48)
            self._splitter.setSizes([room - 2 * side, side, side] if roomy else [room - side, side, side, side])
            tries = max(_TRIES, round(0.22 * event.size().height()))
            self._left.setSizes([max(1, event.size().height() - tries), tries])

    def _arrange(self) -> None:
        """The tries stand under the verdict where there is room, else they take turns with what is beside it."""
        home = self._left if self._roomy else self._splitter
        if self.tried.parentWidget() is not home:
            home.addWidget(self.tried)
        any_runs = bool(self._runs.entries)
        for (key, panel), switch in zip(self._beside.items(), self._switches, strict=True):
            switch.setVisible(not self._roomy)
            switch.setValue(self._chosen)
            panel.setVisible(any_runs and (self._roomy or key == self._chosen))


def _splitter(orientation: Qt.Orientation, *parts: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setHandleWidth(GAP)
    splitter.setChildrenCollapsible(False)
    for number, part in enumerate(parts):
        splitter.addWidget(part)
        splitter.setStretchFactor(number, 1)
    return splitter
