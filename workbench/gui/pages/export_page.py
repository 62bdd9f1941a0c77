"""Step 5: models and reports as files."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from workbench.gui.panels.export_panel import ExportPanel
from workbench.gui.panels.preview_panel import PreviewPanel
from workbench.gui.panels.written_panel import WrittenPanel
from workbench.gui.widgets.panel import GAP
from workbench.gui.workspace import Workspace


class ExportPage(QWidget):
    """The choice of a file at the left, a look into it at the right.

    Signals:
        navigate: leads to another step.
        importRequested: the user wants to choose data.
    """

    navigate = Signal(str)
    importRequested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = workspace.runs
        self.export = ExportPanel(workspace.runs, workspace.background, workspace.settings)
        self.preview = PreviewPanel(workspace.background)
        self.export.trainAsked.connect(lambda: self.navigate.emit("train"))
        self.export.importAsked.connect(self.importRequested)
        self._workspace = workspace
        workspace.data.changed.connect(lambda _: self._see_data())
        workspace.document.recipeChanged.connect(lambda *_: self._see_data())
        self.written = WrittenPanel()
        self.export.exported.connect(self.written.add_files)
        self.export.changed.connect(self._on_change)
        workspace.runs.resultReady.connect(lambda _: self.preview.forget())
        workspace.runs.listChanged.connect(self._arrange)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(GAP)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self.export)
        self._splitter.addWidget(self._right())
        self._splitter.setStretchFactor(1, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.addWidget(self._splitter)
        self.setFocusProxy(self.export.run)
        self._arrange()
        self._see_data()
        self._on_change()

    def _right(self) -> QWidget:
        """What was written above the preview: the choices at the left stay where they are."""
        self._side = QWidget()
        column = QVBoxLayout(self._side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self.written)
        column.addWidget(self.preview, 1)
        return self._side

    def _see_data(self) -> None:
        """Without data there is nothing to train on."""
        data, recipe = self._workspace.data, self._workspace.document.recipe
        self.export.set_has_data(data.state is not None or bool(recipe.data.sources))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.written.fit()
        if event.oldSize().width() <= 0:
            room = event.size().width() - 3 * GAP
            side = min(520, max(420, round(room * 0.36)))
            self._splitter.setSizes([side, room - side])

    def _arrange(self) -> None:
        self._side.setVisible(bool(self._runs.entries))

    def _on_change(self) -> None:
        self.preview.want(self.export.folder, self.export.formats.value(), self.export.which)
