"""The layers as a table: what they are, what they give, what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from PySide6.QtCore import QAbstractTableModel, QByteArray, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.engine.layer import Layer
from workbench.engine.network import Node
from workbench.gui.figures import DASH, grouped, shape, short
from workbench.gui.network.editor import NetworkEditor
from workbench.gui.widgets.table import CellRole

Index = QModelIndex | QPersistentModelIndex
NUMBER, NAME, KIND, SUMMARY, OUTPUT, PARAMETERS, MULTIPLY_ADDS = range(7)
_MIME = "application/x-workbench-layer"
_FIGURES = (OUTPUT, PARAMETERS, MULTIPLY_ADDS)
_ROOT = QModelIndex()


class LayersModel(QAbstractTableModel):
    """A row a layer, in the order of the recipe. Names can be edited; rows can be dragged."""

    def __init__(self, editor: NetworkEditor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self._layers: tuple[Layer, ...] = ()
        self._nodes: dict[int, Node] = {}
        self._headers = (
            "",
            self.tr("name"),
            self.tr("kind"),
            "",
            self.tr("output"),
            self.tr("parameters"),
            self.tr("multiply-adds"),
        )
        editor.document.recipeChanged.connect(self.update_rows)
        editor.document.networkChanged.connect(self.update_rows)
        self.update_rows()

    def update_rows(self) -> None:
        """Take the layers over from the document; rows stay where their names do."""
        network = self._editor.document.network
        layers = cast(tuple[Layer, ...], self._editor.layers)
        nodes = {node.index: node for node in network.nodes if node.index is not None} if network else {}
        if [layer.name for layer in layers] != [layer.name for layer in self._layers]:
            self.beginResetModel()
            self._layers, self._nodes = layers, nodes
            self.endResetModel()
            return
        if layers == self._layers and nodes == self._nodes:
            return
        # Rows with a note are higher; views measure rows only when told that the layout is another.
        resized = _noted(nodes) != _noted(self._nodes)
        if resized:
            self.layoutAboutToBeChanged.emit()
        self._layers, self._nodes = layers, nodes
        if resized:
            self.layoutChanged.emit()
        self.dataChanged.emit(self.index(0, 0), self.index(len(layers) - 1, MULTIPLY_ADDS))

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._layers)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._headers)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Vertical or not 0 <= section < len(self._headers):
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return self._headers[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._layers):
            return None
        layer, column = self._layers[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return self._text(index.row(), column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.AccessibleTextRole if column == NAME:
                return self._spoken(index.row())
            case CellRole.TONE:
                return self._tone(index.row(), column)
            case CellRole.STRONG:
                return column == NAME
            case CellRole.STRUCK:
                return column == NAME and not layer.enabled
            case CellRole.ICON:
                return "freeze" if column == NAME and layer.frozen else None
            case CellRole.NOTE:
                return self._note(index.row()) or None
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if index.column() != NAME or role != Qt.ItemDataRole.EditRole or value == self._layers[index.row()].name:
            return False
        problems = self._editor.rename(index.row(), str(value))
        self._editor.failed.emit("\n".join(problem.what for problem in problems))
        return not problems

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == NAME else flags

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        data.setData(_MIME, QByteArray(str(indexes[0].row() if indexes else -1).encode()))
        return data

    def canDropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        return data.hasFormat(_MIME) and _dragged(data) in range(len(self._layers))

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        if not self.canDropMimeData(data, action, row, column, parent):
            return False
        start = _dragged(data)
        before = row if row >= 0 else parent.row() if parent.isValid() else len(self._layers)
        self._editor.move(start, before - 1 if before > start else before)
        # The view would remove the dragged rows of an accepted move; the document has moved them already.
        return False

    def _text(self, row: int, column: int) -> str:
        layer, node = self._layers[row], self._nodes.get(row)
        match column:
            case 0:
                return str(row + 1)
            case 1:
                return layer.name
            case 2:
                return layer.kind
            case 3:
                return layer.summary() if layer.enabled else self.tr("off")
        if node is None or not node.shape:
            return DASH
        if column == OUTPUT:
            return shape(node.shape)
        if column == PARAMETERS:
            return grouped(node.parameter_count()) if node.parameters else DASH
        return short(node.multiply_adds()) if node.multiply_adds() else DASH

    def _tone(self, row: int, column: int) -> str:
        if not self._layers[row].enabled:
            return "faint"
        if column in (NUMBER, SUMMARY):
            return "muted"
        return "muted" if column in _FIGURES and self._text(row, column) == DASH else "text"

    def _note(self, row: int) -> str:
        node = self._nodes.get(row)
        return node.error if node else ""

    def _spoken(self, row: int) -> str:
        layer = self._layers[row]
        words = [layer.name, layer.human_name(), layer.summary(), self._text(row, OUTPUT)]
        words += [self.tr("frozen")] if layer.frozen else []
        words += [] if layer.enabled else [self.tr("off")]
        return ", ".join(word for word in (*words, self._note(row)) if word and word != DASH)


def _noted(nodes: dict[int, Node]) -> set[int]:
    return {row for row, node in nodes.items() if node.error}


def _dragged(data: QMimeData) -> int:
    text = bytes(data.data(_MIME).data())
    return int(text) if text.isdigit() else -1


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignRight if column in _FIGURES else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
