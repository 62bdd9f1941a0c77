"""The list of runs under mouse and keyboard."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, QSortFilterProxyModel, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from workbench.gui.models.runs_model import RunRole, RunsModel
from workbench.gui.runs.list_rows import SIGN, RunDelegate

_SETTLE_MS = 120
"""How long the keyboard must rest on a run before it is looked at: its result is read from disk then."""


class RunsView(QListView):
    """Runs, the newest first.

    Space or a click on the sign puts a run into the plots and takes it out, Enter or a double click keeps it there,
    Del hides it.

    Signals:
        chosen: another run shall be looked at: its number.
        toggled: it shall be put into the plots, or taken out.
        hideAsked: it shall be taken off the list.
        menuAsked: its menu is wanted: the number, and the place on the screen.
    """

    chosen = Signal(int)
    toggled = Signal(int)
    hideAsked = Signal(int)
    menuAsked = Signal(int, QPoint)

    def __init__(self, model: RunsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Runs"))
        self._runs = model
        self.proxy = QSortFilterProxyModel(self)
        self.proxy.setSourceModel(model)
        self.proxy.setFilterRole(RunRole.FILTER)
        self.proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setModel(self.proxy)
        self.setItemDelegate(RunDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.viewport().setAutoFillBackground(False)
        self._silent = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._choose)
        self.selectionModel().currentChanged.connect(self._on_current)

    def current(self) -> int:
        """The number of the run that the keyboard is on; 0 for none."""
        return self.number(self.currentIndex())

    def number(self, index: QModelIndex) -> int:
        """The number of a row's run; 0 for none."""
        return int(index.data(RunRole.NUMBER) or 0)

    def set_current(self, number: int) -> None:
        """Mark a run, silently."""
        index = self.proxy.mapFromSource(self._runs.index_of(number))
        if number == self.current():
            return
        self._silent = True
        self.setCurrentIndex(index)
        self._silent = False

    def set_filter(self, text: str) -> None:
        """List only the runs whose words hold a text."""
        self._silent = True
        self.proxy.setFilterFixedString(text.strip())
        self._silent = False

    def _on_current(self) -> None:
        if not self._silent and self.current():
            self._timer.start()

    def _choose(self) -> None:
        self._timer.stop()
        if self.current():
            self.chosen.emit(self.current())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid() and event.position().x() < SIGN:
            self.toggled.emit(self.number(index))
            return
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and index.isValid():
            self._choose()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid():
            self.toggled.emit(self.number(index))

    def contextMenuEvent(self, event: object) -> None:
        position: QPoint = event.pos()  # type: ignore[attr-defined]
        index = self.indexAt(position)
        if not index.isValid():
            index, position = self.currentIndex(), self.visualRect(self.currentIndex()).center()
        if index.isValid():
            self.menuAsked.emit(self.number(index), self.viewport().mapToGlobal(position))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = self.current()
        if number and event.key() == Qt.Key.Key_Space:
            self.toggled.emit(number)
        elif number and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose()
        elif number and event.key() == Qt.Key.Key_Delete:
            self.hideAsked.emit(number)
        else:
            super().keyPressEvent(event)
