"""Step 2: the network."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.panels.network_panel import NetworkPanel
from workbench.gui.workspace import Workspace


class NetworkPage(QWidget):
    """The network builder.

    Signals:
        navigate: leads to another step.
        importRequested: there are no data yet, and the user wants to import some.
    """

    navigate = Signal(str)
    importRequested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panel = NetworkPanel(workspace.document)
        self.panel.importRequested.connect(self.importRequested)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.panel)
        self.setFocusProxy(self.panel.table)
