"""What noise does to a column of a table: some values before and after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.data.content import Array
from workbench.data.dataset import Dataset
from workbench.gui.data.strip import Moves, NoiseSample, number_features
from workbench.gui.figures import short
from workbench.gui.text import safe
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import painter_on
from workbench.recipe.kinds import AugmentSpec

_HIGH, _LABELS, _RADIUS = 92, 64, 3.0


class NoiseView(QWidget):
    """Values of one column as dots: above as they are, below as a pass over the data reads them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._sample: NoiseSample | None = None
        self._dataset: Dataset | None = None
        self._column = ""
        self._specs: tuple[AugmentSpec, ...] = ()
        self._seed, self._epoch = 0, 0
        self.moves: Moves | None = None

    def show_dataset(self, dataset: Dataset | None) -> None:
        """Take values from other data; None, or pictures, for none."""
        table = dataset is not None and bool(number_features(dataset)) and bool(len(dataset.sets["train"]))
        self._dataset = dataset if table else None
        # Made when it is first drawn: it copies rows that nobody may ask for.
        self._sample = None
        self._draw_anew()

    def show_column(self, name: str) -> None:
        """Show another column."""
        self._column = name
        self._draw_anew()

    def show_specs(self, specs: Sequence[AugmentSpec], seed: int) -> None:
        """Show other augmentations."""
        self._specs, self._seed = tuple(specs), seed
        self._draw_anew()

    def other_draw(self) -> None:
        """Show a later pass over the data."""
        self._epoch += 1
        self._draw_anew()

    def sizeHint(self) -> QSize:
        return QSize(480, _HIGH)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 72)

    def _draw_anew(self) -> None:
        self.moves = None
        if self._dataset is not None and self._column in number_features(self._dataset):
            self._sample = self._sample or NoiseSample(self._dataset)
            self.moves = self._sample.moves(self._specs, self._column, self._seed, self._epoch)
        self.setAccessibleName(self._spoken())
        self.update()

    def _spoken(self) -> str:
        if self.moves is None:
            return self.tr("No values")
        moved = float(np.abs(self.moves.after - self.moves.before).mean())
        words = self.tr("{0} before and after noise: values move by {1} on average")
        return words.format(safe(self.moves.column), short(moved))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.moves is None:
            return
        colors, painter = tokens(), painter_on(self)
        painter.setFont(font(12))
        before, after = self._places(self.moves.before), self._places(self.moves.after)
        top, bottom = 14.0, self.height() - 30.0
        painter.setPen(color(colors.muted))
        for y, text in ((top, self.tr("before")), (bottom, self.tr("after"))):
            painter.drawText(QRectF(0, y - 10, _LABELS, 20), Qt.AlignmentFlag.AlignVCenter, text)
            painter.fillRect(QRectF(_LABELS, y, self.width() - _LABELS, 1), color(colors.row_line))
        painter.setPen(QPen(color(colors.grey, 0.45), 1))
        for x, new in zip(before, after, strict=True):
            painter.drawLine(QPointF(x, top), QPointF(new, bottom))
        painter.setPen(Qt.PenStyle.NoPen)
        for places, y, ink in ((before, top, colors.grey), (after, bottom, colors.accent)):
            painter.setBrush(color(ink, 0.75))
            for x in places:
                painter.drawEllipse(QPointF(x, y), _RADIUS, _RADIUS)
        low, high = self._ends()
        painter.setPen(color(colors.muted))
        room = QRectF(_LABELS, self.height() - 18, self.width() - _LABELS, 18)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft, short(low))
        painter.drawText(room, Qt.AlignmentFlag.AlignRight, short(high))

    def _ends(self) -> tuple[float, float]:
        assert self.moves is not None
        values = np.concatenate([self.moves.before, self.moves.after])
        return float(values.min()), float(values.max())

    def _places(self, values: Array) -> list[float]:
        low, high = self._ends()
        left, room = _LABELS + 2 * _RADIUS, self.width() - _LABELS - 4 * _RADIUS
        return [float(left + room * (value - low) / ((high - low) or 1.0)) for value in values]
