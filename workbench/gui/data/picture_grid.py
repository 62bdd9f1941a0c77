"""All pictures or sequences of the data in a grid: only those in view are ever drawn."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from workbench.data.content import Array
from workbench.gui.data.drawing import Drawing
from workbench.gui.data.examples import Examples
from workbench.gui.figures import grouped
from workbench.gui.text import safe
from workbench.gui.theme import color, font, theme, tokens
from workbench.gui.widgets.painting import box, focus_ring

SIDE, _PAD, _NAME = 64, 6, 18
_KEPT = 4000
"""Thumbnails that are kept: some screens full, 16 kB each."""

_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class PictureGrid(QAbstractScrollArea):
    """Thumbnails with their classes. A click selects, with Ctrl one more, with Shift up to here; so do the arrow keys.

    Signals:
        selectionSet: other pictures are selected.
    """

    selectionSet = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Pictures"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self._examples: Examples | None = None
        self._draw: Drawing | None = None
        self._rows: Array = np.zeros(0, np.int64)
        self._taken: Array = np.zeros(0, bool)
        self._current, self._anchor = -1, 0
        self._thumbs: OrderedDict[tuple[int, int], QPixmap] = OrderedDict()
        # Curves have the theme's colors.
        theme().changed.connect(self._thumbs.clear)

    # --- what is shown -------------------------------------------------------------------------------------------

    def show_examples(self, examples: Examples | None, rows: Array, draw: Drawing | None = None) -> None:
        """Show some of the examples.

        Args:
            examples: all of them.
            rows: the row numbers of those to show.
            draw: draws them.
        """
        before = self._examples
        if examples is None or before is None or examples.key != before.key:
            self._thumbs.clear()
        self._examples, self._draw = examples, draw
        if not np.array_equal(rows, self._rows):
            self._rows, self._taken = rows, np.zeros(len(rows), bool)
            self._current, self._anchor = -1, 0
            self.verticalScrollBar().setValue(0)
            self.selectionSet.emit()
        self._fit_scroll_bar()
        self.viewport().update()

    def selected_rows(self) -> Array:
        """The selected examples' row numbers from 0, ascending."""
        return self._rows[self._taken]

    def select_rows(self, rows: Array) -> None:
        """Select examples by row number, as far as they are shown."""
        self._taken = np.isin(self._rows, rows)
        places = np.flatnonzero(self._taken)
        if len(places):
            self._go_to(int(places[0]))
        self._told()

    # --- geometry ------------------------------------------------------------------------------------------------

    @property
    def per_line(self) -> int:
        """How many pictures stand side by side."""
        return max(1, self.viewport().width() // (SIDE + 2 * _PAD + 8))

    def _cell(self) -> tuple[float, int]:
        return self.viewport().width() / self.per_line, SIDE + 2 * _PAD + _NAME

    def _rect(self, place: int) -> QRect:
        width, height = self._cell()
        line, column = divmod(place, self.per_line)
        top = line * height - self.verticalScrollBar().value()
        return QRect(round(column * width), top, round(width), height)

    def _place_at(self, position: QPoint) -> int:
        width, height = self._cell()
        line = (position.y() + self.verticalScrollBar().value()) // height
        place = line * self.per_line + min(self.per_line - 1, int(position.x() / width))
        return place if 0 <= place < len(self._rows) else -1

    def _fit_scroll_bar(self) -> None:
        _, height = self._cell()
        lines = -(-len(self._rows) // self.per_line)
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, lines * height - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(height // 3)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        first = self._first_in_view()
        self._fit_scroll_bar()
        _, height = self._cell()
        self.verticalScrollBar().setValue(first // self.per_line * height)

    def _first_in_view(self) -> int:
        _, height = self._cell()
        return self.verticalScrollBar().value() // height * self.per_line

    # --- drawing -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(11))
        if self._examples is None or self._draw is None:
            return
        _, height = self._cell()
        first = self._first_in_view()
        lines = self.viewport().height() // height + 2
        for place in range(first, min(len(self._rows), first + lines * self.per_line)):
            self._paint_cell(painter, place, self._examples)

    def _paint_cell(self, painter: QPainter, place: int, examples: Examples) -> None:
        colors, rect, row = tokens(), self._rect(place), int(self._rows[place])
        middle = rect.center().x()
        picture = QRect(middle - SIDE // 2, rect.top() + _PAD, SIDE, SIDE)
        if self._taken[place]:
            box(painter, QRectF(rect.adjusted(2, 1, -2, -1)), 6, fill=colors.accent_soft)
        image = self._thumb(row)
        size = image.deviceIndependentSize()
        left, top = middle - size.width() / 2, picture.top() + (SIDE - size.height()) / 2
        painter.drawPixmap(QRectF(left, top, size.width(), size.height()), image, QRectF(image.rect()))
        painter.setPen(color(colors.text if self._taken[place] else colors.muted))
        room = QRect(rect.left() + 4, picture.bottom() + 3, rect.width() - 8, _NAME)
        words = painter.fontMetrics().elidedText(self._caption(row), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, words)
        if place == self._current and self.hasFocus():
            focus_ring(painter, QRectF(rect.adjusted(2, 1, -2, -1)), 6)

    def _caption(self, row: int) -> str:
        if self._examples is None:
            return ""
        name = safe(self._examples.class_name(row)) or str(row + 1)
        strength = float(self._examples.strengths[row])
        return name if strength == 1 else f"{name} ×{strength:.3g}"

    def _thumb(self, row: int) -> QPixmap:
        assert self._draw is not None
        scale = self.devicePixelRatioF()
        key = (row, round(SIDE * scale))
        found = self._thumbs.get(key)
        if found is None:
            found = QPixmap.fromImage(self._draw(row, key[1]))
            found.setDevicePixelRatio(scale)
            self._thumbs[key] = found
            if len(self._thumbs) > _KEPT:
                self._thumbs.popitem(last=False)
        else:
            self._thumbs.move_to_end(key)
        return found

    # --- selecting -----------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and place >= 0:
            self._take(place, event.modifiers())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position().toPoint())
        if event.buttons() & Qt.MouseButton.LeftButton and place >= 0 and place != self._current:
            self._take(place, Qt.KeyboardModifier.ShiftModifier)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, ctrl = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        place = self._target(key)
        if key == Qt.Key.Key_A and ctrl:
            self._taken[:] = True
            self._told()
        elif key == Qt.Key.Key_Space and self._current >= 0:
            self._take(self._current, Qt.KeyboardModifier.ControlModifier)
        elif place is not None and len(self._rows):
            self._take(
                min(len(self._rows) - 1, max(0, place)), event.modifiers() & ~Qt.KeyboardModifier.ControlModifier
            )
        else:
            super().keyPressEvent(event)

    def _target(self, key: Qt.Key) -> int | None:
        """Where a key leads from the current picture."""
        _, height = self._cell()
        page = max(1, self.viewport().height() // height) * self.per_line
        ends = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: len(self._rows) - 1}
        pages = {Qt.Key.Key_PageUp: self._current - page, Qt.Key.Key_PageDown: self._current + page}
        if key in _STEPS:
            across, down = _STEPS[key]
            return self._current + across + down * self.per_line if self._current >= 0 else 0
        return ends.get(key, pages.get(key))

    def _take(self, place: int, modifiers: Qt.KeyboardModifier) -> None:
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            self._taken[:] = False
            low, high = sorted((self._anchor, place))
            self._taken[low : high + 1] = True
        elif modifiers & Qt.KeyboardModifier.ControlModifier:
            self._taken[place] = not self._taken[place]
            self._anchor = place
        else:
            self._taken[:] = False
            self._taken[place] = True
            self._anchor = place
        self._go_to(place)
        self._told()

    def _go_to(self, place: int) -> None:
        self._current = place
        rect, bar = self._rect(place), self.verticalScrollBar()
        if rect.top() < 0:
            bar.setValue(bar.value() + rect.top())
        elif rect.bottom() > self.viewport().height():
            bar.setValue(bar.value() + rect.bottom() - self.viewport().height())
        self.setAccessibleDescription(self._spoken(place))
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))

    def _told(self) -> None:
        self.viewport().update()
        self.selectionSet.emit()

    def _spoken(self, place: int) -> str:
        if self._examples is None:
            return ""
        row = int(self._rows[place])
        parts = [
            self.tr("row {0}").format(grouped(row + 1)),
            safe(self._examples.class_name(row)),
            self._examples.set_name(row),
            self.tr("strength {0}").format(f"{float(self._examples.strengths[row]):.4g}"),
        ]
        return " · ".join(part for part in parts if part)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._place_at(event.pos())
            QToolTip.showText(event.globalPos(), self._spoken(place) if place >= 0 else "", self)
            return True
        return super().viewportEvent(event)

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        if self._current < 0 and len(self._rows):
            self._current = 0
        self.viewport().update()

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self.viewport().update()
