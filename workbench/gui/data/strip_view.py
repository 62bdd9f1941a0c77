"""Pictures before and after augmentation, side by side; drawn anew while a slider moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.data.content import Array
from workbench.gui.data.strip import Strip, Words, spread_rows, strips
from workbench.gui.data.thumbs import fitted, image_of, shown_range
from workbench.gui.data_desk import DataState
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import painter_on
from workbench.recipe.kinds import AugmentSpec

_GAP, _CAPTION = 12, 20
_LEAST, _MOST, _TWO_LINES = 48, 92, 132
"""Sides of a picture, and the height from which a second example fits well."""


class StripView(QWidget):
    """The original at the left, then each augmentation alone, then all of them as passes over the data draw them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._state: DataState | None = None
        self._specs: tuple[AugmentSpec, ...] = ()
        self._seed, self._epoch, self._start = 0, 0, 0
        self._strips: list[Strip] = []
        self._images: list[list[QImage]] = []
        # Many changes of a slider that come at once are drawn once.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._draw_anew)

    def show_state(self, state: DataState | None) -> None:
        """Take pictures from other data."""
        self._state = state
        self._soon.start()

    def show_specs(self, specs: Sequence[AugmentSpec], seed: int) -> None:
        """Show other augmentations."""
        if (tuple(specs), seed) != (self._specs, self._seed):
            self._specs, self._seed = tuple(specs), seed
            self._soon.start()

    def other_examples(self) -> None:
        """Show other pictures."""
        self._start += max(1, self._lines())
        self._soon.start()

    def other_draw(self) -> None:
        """Show later passes over the data."""
        self._epoch += 1
        self._soon.start()

    def captions(self) -> list[str]:
        """What is written below the pictures."""
        return [strip.caption for strip in self._strips]

    def strips(self) -> list[Strip]:
        """What is shown."""
        return list(self._strips)

    # --- geometry ------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(480, 2 * 64 + 8 + _CAPTION)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, _LEAST + 16 + _CAPTION)

    def _lines(self) -> int:
        room = self.height() - _CAPTION
        return 1 if room < _TWO_LINES else max(2, room // (_MOST + 8))

    def _side(self) -> int:
        lines = self._lines()
        return max(_LEAST, min(_MOST, (self.height() - _CAPTION - (lines - 1) * 8) // lines))

    def _columns(self) -> int:
        return max(1, (self.width() + _GAP) // (self._side() + _GAP))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._soon.start()

    # --- drawing -------------------------------------------------------------------------------------------------

    def _rows(self) -> Array:
        dataset = self._state.dataset if self._state else None
        if dataset is None:
            return np.zeros(0, np.int64)
        return spread_rows(dataset.sets["train"], self._lines(), self._start)

    def _draw_anew(self) -> None:
        state, rows = self._state, self._rows()
        if state is None or state.profile.pictures is None or not len(rows) or state.dataset is None:
            self._strips = []
        else:
            pictures = [state.dataset.inputs[row] for row in rows]
            words = Words(self.tr("original"), self.tr("epoch {0}"))
            shown = shown_range(state.profile.pictures)
            draw = (self._seed, self._epoch)
            self._strips = strips(self._specs, pictures, rows, draw, shown, self._columns(), words)
        side = round(self._side() * self.devicePixelRatioF())
        self._images = [[fitted(image_of(one), side) for one in strip.pictures] for strip in self._strips]
        self.setAccessibleName(self.tr("Before and after: {0}").format(", ".join(self.captions())))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, side = painter_on(self), self._side()
        painter.setFont(font(12))
        for number, (strip, images) in enumerate(zip(self._strips, self._images, strict=True)):
            left = number * (side + _GAP)
            for line, image in enumerate(images):
                _paint_picture(painter, QRectF(left, line * (side + 8), side, side), image)
            painter.setPen(color(tokens().muted))
            top = len(images) * (side + 8) - 8
            room = QRectF(left - _GAP / 2 + 1, top + 2, side + _GAP - 2, _CAPTION)
            text = painter.fontMetrics().elidedText(strip.caption, Qt.TextElideMode.ElideRight, int(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)


def _paint_picture(painter: QPainter, place: QRectF, image: QImage) -> None:
    scale = place.width() / max(image.width(), image.height(), 1)
    width, height = image.width() * scale, image.height() * scale
    area = QRectF(
        place.left() + (place.width() - width) / 2, place.top() + (place.height() - height) / 2, width, height
    )
    painter.save()
    path = QPainterPath()
    path.addRoundedRect(area, 4, 4)
    painter.setClipPath(path)
    painter.drawImage(area, image)
    painter.restore()
