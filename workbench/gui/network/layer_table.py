"""The table of layers."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QWidget

from workbench.gui.models.layers_model import (
    KIND,
    MULTIPLY_ADDS,
    NAME,
    NUMBER,
    OUTPUT,
    PARAMETERS,
    SUMMARY,
    LayersModel,
)
from workbench.gui.network.actions import LayerActions
from workbench.gui.network.editor import NetworkEditor
from workbench.gui.widgets.table import Table

_ROOMY, _TIGHT = 660, 520


class LayerTable(Table):
    """Layers with their costs; its selection and the editor's are one.

    Drag moves, Del removes, F2 or a double click renames; the context menu has the rest.
    """

    def __init__(self, editor: NetworkEditor, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Layers"), parent)
        self._editor = editor
        self.setModel(LayersModel(editor, self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDragDropOverwriteMode(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.actions_on_layers = LayerActions(editor, self.places, self._start_rename, self)
        self.actions_on_layers.attach(self)
        self._menu = self.actions_on_layers.menu(self)
        self.customContextMenuRequested.connect(self._show_menu)
        self.selectionModel().currentRowChanged.connect(lambda now, before: self._on_current(now.row()))
        self.model().modelReset.connect(self._on_reset)
        editor.selectionChanged.connect(self._on_selected)
        self._on_reset()

    def places(self) -> list[int]:
        """The selected rows, from the top."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def _start_rename(self) -> None:
        place = self._editor.place()
        if place >= 0:
            self.setFocus()
            self.edit(self.model().index(place, NAME))

    def _show_menu(self, position: QPoint) -> None:
        self._menu.popup(self.viewport().mapToGlobal(position))

    def _on_current(self, row: int) -> None:
        if row >= 0:
            self._editor.select_place(row)

    def _on_reset(self) -> None:
        self._on_selected(self._editor.selected)

    def _on_selected(self, name: str) -> None:
        place = self._editor.place(name) if name else -1
        if place < 0:
            self.selectionModel().clear()
        elif place < self.model().rowCount() and self.currentIndex().row() != place:
            index = self.model().index(place, NUMBER)
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.selectionModel().setCurrentIndex(index, flags)
            self.scrollTo(index)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns(event.size().width())

    def _fit_columns(self, width: int) -> None:
        """Where there is little room, the kind gives way to the summary that names it, then costs to the kind."""
        roomy, tight = width >= _ROOMY, width < _TIGHT
        self.setColumnHidden(KIND, not roomy and not tight)
        self.setColumnHidden(MULTIPLY_ADDS, tight)
        self.setColumnHidden(SUMMARY, tight)
        self.size_columns(
            {
                NUMBER: 42,
                NAME: 116 if roomy else None if tight else 120,
                KIND: 104 if tight else 124,
                SUMMARY: None,
                OUTPUT: 124 if roomy else 108,
                PARAMETERS: 108 if roomy else 96,
                MULTIPLY_ADDS: 124 if roomy else 106,
            }
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Letters are commands here, not a search for names.
        if event.text().isalnum() and not event.modifiers():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.scheduleDelayedItemsLayout()
