"""Tables of a run: the mistakes of a finished one, and how its layers fare."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from workbench.gui.figures import DASH, percent, rate
from workbench.gui.results.rows_model import RowsModel
from workbench.gui.results.views import SetView
from workbench.gui.runs.signals import flat_short, flat_text, marked, reason_text
from workbench.gui.text import safe, tip
from workbench.gui.widgets.table import ROW, SIDE, CellDelegate, CellRole
from workbench.session.health import LayerHealth

Index = QModelIndex | QPersistentModelIndex
Numbers = np.ndarray[Any, Any]
PictureOf = Callable[[int], QImage | None]
_KEPT = 400
_THUMB = 26


class MistakesModel(RowsModel):
    """Examples or labels that the model got wrong, the most confident first; or the examples of a matrix's cell."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: SetView | None = None
        self._rows: Numbers = np.zeros(0, np.int64)
        self._confidence: Numbers = np.zeros(0)
        self._picture: PictureOf = lambda _: None
        self._thumbs: OrderedDict[int, QImage | None] = OrderedDict()

    def show_view(self, view: SetView | None, cell: tuple[int, int] | None, picture: PictureOf) -> None:
        """Show the mistakes of a set, or a cell's examples.

        Args:
            view: the set.
            cell: true and predicted class.
            picture: gives the picture of an example by its row in the sources; None where there is none.
        """
        self.beginResetModel()
        self._view, self._picture = view, picture
        self._thumbs.clear()
        self._rows = view.of_cell(cell) if view else np.zeros(0, np.int64)
        self._confidence = view.confidence() if view and not view.regression else np.zeros(0)
        last = self.tr("off by") if view and view.regression else self.tr("confidence")
        middle = (self.tr("true"), self.tr("said"))
        if view and view.labels:
            middle = (self.tr("label"), self.tr("true → said"))
        self.names = (self.tr("example"), *middle, last)
        self.endResetModel()

    def right(self, column: int) -> bool:
        return column == 3 or (column in (1, 2) and self._view is not None and self._view.regression)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def text(self, row: int, column: int) -> str:
        assert self._view is not None
        place, given = int(self._rows[row]), self._view.predictions
        example, label = self._view.example_at(place)
        if column == 0:
            return f"{self.tr('no.')} {safe(given.id[example])}"
        if self._view.regression:
            values = (given.y_true[place], given.y_pred[place], given.y_pred[place] - given.y_true[place])
            return f"{float(values[column - 1]):.5g}".replace("-", "−")
        if column == 3:
            sure = float(self._confidence[place])
            return percent(sure) if np.isfinite(sure) else DASH
        if self._view.labels:
            words = self.tr("yes → no") if given.y_true[example, label] > 0 else self.tr("no → yes")
            return safe(given.classes[label]) if column == 1 else words
        return safe(given.classes[int((given.y_true if column == 1 else given.y_pred)[place])])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return self._thumb(index.row())
        if role == Qt.ItemDataRole.ToolTipRole and index.column() in (1, 2):
            return tip(self.text(index.row(), index.column()))
        return super().data(index, role)

    def _thumb(self, row: int) -> QImage | None:
        assert self._view is not None
        text = str(self._view.predictions.id[self._view.example_at(int(self._rows[row]))[0]])
        number = int(text) - 1 if text.isdecimal() else -1
        if number not in self._thumbs:
            self._thumbs[number] = self._picture(number)
            while len(self._thumbs) > _KEPT:
                self._thumbs.popitem(last=False)
        return self._thumbs[number]


class LayersModel(RowsModel):
    """How each layer fares."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.names = (
            self.tr("layer"), self.tr("gradient"), self.tr("update"), self.tr("units"), self.tr("state"),
        )  # fmt: skip
        self._health: tuple[LayerHealth, ...] = ()

    def show_health(self, health: tuple[LayerHealth, ...]) -> None:
        """Show other figures, without losing the place in the list."""
        if [one.layer for one in health] != [one.layer for one in self._health]:
            self.beginResetModel()
            self._health = health
            self.endResetModel()
        elif repr(health) != repr(self._health):  # NaN is not equal to itself.
            self._health = health
            self.dataChanged.emit(self.index(0, 0), self.index(len(health) - 1, len(self.names) - 1))

    def right(self, column: int) -> bool:
        return column in (1, 2, 3)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._health)

    def text(self, row: int, column: int) -> str:
        one = self._health[row]
        return (safe(one.layer), _short(one.norm), _short(one.ratio), flat_short(one) or DASH, marked(one.state))[
            column
        ]

    def layer(self, row: int) -> str:
        """The name of the layer in a row."""
        return self._health[row].layer

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        one = self._health[index.row()]
        if role == CellRole.TONE and index.column() == 4:
            return "muted" if one.state == "healthy" else "warning"
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(self._tip(one, index.column()))
        return super().data(index, role)

    def _tip(self, one: LayerHealth, column: int) -> str:
        if column == 1:
            return self.tr("The length of its gradient: the median over the last records.")
        if column == 2:
            return self.tr("A step’s length by that of the weights; about 10⁻³ works well.")
        return flat_text(one) if column == 3 and flat_short(one) else reason_text(one)


def _short(value: float) -> str:
    """Two digits: ``5.9e−5``; more of a median of batches says nothing."""
    return rate(float(f"{value:.2g}"))


class ThumbDelegate(CellDelegate):
    """A cell with the example's picture before its text."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        image = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(image, QImage):
            place = option.rect.topLeft()
            painter.drawImage(place.x() + SIDE, place.y() + (ROW - _THUMB) // 2, image)
            option.rect.adjust(_THUMB + 6, 0, 0, 0)
        super().paint(painter, option, index)
