"""Step 1: the data."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from workbench.gui import drops
from workbench.gui.data.editor import DataEditor
from workbench.gui.forms.form import Form
from workbench.gui.panels.augmentation_panel import AugmentationPanel
from workbench.gui.panels.examples_panel import ExamplesPanel
from workbench.gui.panels.preparation_panel import PreparationPanel
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.panel import GAP, Panel
from workbench.gui.widgets.progress import ProgressBar
from workbench.gui.workspace import Workspace

_WIDE, _HIGH = 1200, 640
_SIDE = 356
"""What the forms at the right need at least."""


class DataPage(QWidget):
    """Preview and augmentation at the left, what is made of the examples at the right.

    Signals:
        navigate: leads to another step.
        importRequested: data shall be imported.
    """

    navigate = Signal(str)
    importRequested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Data"))
        document, desk = workspace.document, workspace.data
        self._workspace = workspace
        self.editor = DataEditor(document, desk, self)
        self.preview = ExamplesPanel(document, desk, self.editor)
        self.augmentation = AugmentationPanel(document, desk, self.editor)
        self.preparation = PreparationPanel(document, desk, self.editor)
        self._stage, self._progress = Label(""), ProgressBar()
        self._busy: tuple[str, int, int] = ("", 0, 0)
        self._size: tuple[bool, bool] | None = None
        self._lay_out()
        self.preview.addRequested.connect(self.ask_sources)
        self.preparation.rowsAsked.connect(self.preview.show_rows)
        self.augmentation.opened.connect(lambda _: self._give_heights())
        self._empty.clicked.connect(self.importRequested)
        desk.changed.connect(lambda _: self._show_layer())
        desk.busyChanged.connect(self._on_busy)
        self._show_layer()

    def _lay_out(self) -> None:
        self._left = _splitter(Qt.Orientation.Vertical)
        self._across = _splitter(Qt.Orientation.Horizontal)
        for panel in (self.preview, self.augmentation):
            self._left.addWidget(panel)
        self._left.setStretchFactor(0, 1)
        self.preview.setMinimumSize(400, 200)
        self.preparation.setMinimumWidth(_SIDE)
        self._across.addWidget(self._left)
        self._across.addWidget(self.preparation)
        self._across.setStretchFactor(0, 1)
        self._layers = QStackedLayout(self)
        work = QWidget()
        row = QHBoxLayout(work)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.addWidget(self._across)
        self._layers.addWidget(work)
        self._layers.addWidget(self._waiting())
        self.setFocusProxy(self.preview)

    def _waiting(self) -> QWidget:
        """What shows before there are data: that they are being read, or how to get some."""
        self._empty = EmptyState(
            self.tr("The examples will appear here"),
            self.tr("Drop files or a folder anywhere on the window, or choose them."),
            button=self.tr("Import files…"),
            icon_name="upload",
        )
        reading = QWidget()
        column = QVBoxLayout(reading)
        column.setSpacing(10)
        column.addStretch(2)
        self._progress.setFixedWidth(320)
        for widget in (self._stage, self._progress):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        holder, panel = QWidget(), Panel(self.tr("Data"))
        self._waits = QStackedLayout()
        self._waits.addWidget(self._empty)
        self._waits.addWidget(reading)
        panel.add_layout(self._waits, stretch=1)
        row = QHBoxLayout(holder)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.addWidget(panel)
        return holder

    def _show_layer(self) -> None:
        self._layers.setCurrentIndex(0 if self._workspace.data.state is not None else 1)

    def _on_busy(self, stage: str, done: int, total: int) -> None:
        self._waits.setCurrentIndex(1 if stage else 0)
        self._stage.setText(f"{stage[:1].upper()}{stage[1:]}…" if stage else "")
        self._progress.set_share(done / total if total else None)

    # --- sizes ---------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        size = event.size()
        roomy = (size.width() >= _WIDE, size.height() >= _HIGH)
        if roomy != self._size:
            # Once at each change between large and small: what the user has dragged stays otherwise.
            self._size = roomy
            side = 384 if roomy[0] else _SIDE
            self._across.setSizes([size.width() - 3 * GAP - side, side])
            self._give_heights()

    def _give_heights(self) -> None:
        # After the panel has taken its new least and largest size.
        QTimer.singleShot(0, self, self._set_heights)

    def _set_heights(self) -> None:
        room = self.height() - 3 * GAP
        wanted = self.augmentation.sizeHint().height() if self._size and self._size[1] else 0
        low = max(self.augmentation.minimumSizeHint().height(), min(wanted, self.augmentation.maximumHeight()))
        self._left.setSizes([room - low, low])

    def set_expert(self, expert: bool) -> None:
        """Open or fold the fields that are seldom needed."""
        for form in self.findChildren(Form):
            form.set_expert(expert)

    def ask_sources(self) -> None:
        """Choose files to add to the data."""
        chosen, _ = QFileDialog.getOpenFileNames(self, self.tr("Add files"), "", drops.file_filter())
        self.editor.add_sources([Path(name) for name in chosen])


def _splitter(orientation: Qt.Orientation) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setHandleWidth(GAP)
    splitter.setChildrenCollapsible(False)
    return splitter
