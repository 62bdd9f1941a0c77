"""The confusion matrix: rows are true classes, columns what the model said, numbers are percent of the row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench.gui.figures import grouped, percent
from workbench.gui.text import safe, tip
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import box, painter_on

Numbers = np.ndarray[Any, Any]

_TOP, _GAP, _SIDE = 20, 8, 12
_SLANTED_TOP, _SLANT, _LONGEST_SLANTED = 50, -45, 58
_LEAN = 28
"""Pixels, degrees, pixels, pixels: how names stand above cells that are narrower than they are."""
_WIDEST_NAME = 96
_LEAST, _MOST = (16, 13), (64, 30)
"""Width and height of a cell: between these by the room there is."""
_NUMBERS_FROM = 30
"""Cells of this width hold their number."""


class ConfusionMatrix(QWidget):
    """A grid of counts. A click or Enter on a cell asks for its examples; arrow keys move between cells.

    Signals:
        chosen: the examples of a cell are wanted: the numbers of the true and of the predicted class.
    """

    chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Confusion matrix"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._names: tuple[str, ...] = ()
        self._name_width = self._widest = 0
        self._counts: Numbers = np.zeros((0, 0))
        self._shares: Numbers = np.zeros((0, 0))
        self.current = (0, 0)
        self._hovered: tuple[int, int] | None = None

    def show_matrix(self, names: Sequence[str], counts: Numbers) -> None:
        """Show other counts."""
        self._names = tuple(safe(name) for name in names)
        measure = QFontMetrics(font(12))
        # Every cell's place depends on it: measured once.
        self._widest = max((measure.horizontalAdvance(name) for name in self._names), default=0)
        self._name_width = min(_WIDEST_NAME, self._widest)
        self._counts = counts
        totals = counts.sum(axis=1, keepdims=True)
        self._shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
        last = max(0, len(self._names) - 1)
        self.current = (min(self.current[0], last), min(self.current[1], last))
        self._hovered = None
        self.updateGeometry()
        self._describe()
        self.update()

    def cell_text(self, row: int, column: int) -> str:
        """A cell in words: ``shirt, said coat: 22 of 1 000, 2.2 %``."""
        count, total = int(self._counts[row, column]), int(self._counts[row].sum())
        words = self.tr("{0}, said {1}: {2} of {3}, {4}")
        share = percent(float(self._shares[row, column])) if total else "—"
        return words.format(self._names[row], self._names[column], grouped(count), grouped(total), share)

    # --- where things are ----------------------------------------------------------------------------------------

    def minimumSizeHint(self) -> QSize:
        count = len(self._names)
        return QSize(
            _SIDE + self._name_width + _GAP + count * _LEAST[0] + _LEAN + _SIDE, _SLANTED_TOP + count * _LEAST[1] + 4
        )

    def sizeHint(self) -> QSize:
        count = len(self._names)
        return QSize(_SIDE + self._name_width + _GAP + count * 44 + _LEAN + _SIDE, _SLANTED_TOP + count * 24 + _GAP)

    def _cell_size(self) -> tuple[float, float]:
        high = (self.height() - self._top() - 4) / max(1, len(self._names))
        return self._cell_width(), float(min(_MOST[1], max(_LEAST[1], high)))

    def _cell_width(self) -> float:
        room, count = self.width() - 2 * _SIDE - self._name_width - _GAP, max(1, len(self._names))
        if self._slanted():
            # The last name leans out over the matrix.
            room -= _LEAN
        return float(min(_MOST[0], max(_LEAST[0], room / count)))

    def _slanted(self) -> bool:
        room = self.width() - 2 * _SIDE - self._name_width - _GAP
        return self._widest + 2 > min(_MOST[0], room / max(1, len(self._names)))

    def _top(self) -> int:
        return _SLANTED_TOP if self._slanted() else _TOP

    def cell_rect(self, row: int, column: int) -> QRectF:
        """A cell's place."""
        wide, high = self._cell_size()
        left = _SIDE + self._name_width + _GAP
        return QRectF(left + column * wide, self._top() + row * high, wide - 1, high - 1)

    def _cell_at(self, place: QPointF) -> tuple[int, int] | None:
        wide, high = self._cell_size()
        column = int((place.x() - _SIDE - self._name_width - _GAP) // wide)
        row = int((place.y() - self._top()) // high)
        count = len(self._names)
        return (row, column) if 0 <= row < count and 0 <= column < count else None

    # --- painting ------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._names:
            return
        painter = painter_on(self)
        self._paint_names(painter)
        wide, high = self._cell_size()
        painter.setFont(font(12 if high >= 19 else 11))
        off = self._shares[~np.eye(len(self._names), dtype=bool)]
        top = float(off.max()) if len(off) else 0.0
        # Of many classes only the cells in view: each costs as much as a small matrix' whole row.
        rows, columns = self._seen(event.rect())
        for row in rows:
            for column in columns:
                area = self.cell_rect(row, column)
                self._paint_cell(painter, area, (row, column), top, numbers=wide >= _NUMBERS_FROM)
        marked = self.current if self.hasFocus() else self._hovered
        if marked is not None:
            box(painter, self.cell_rect(*marked).adjusted(-1, -1, 1, 1), 2, line=tokens().text, width=1.5)

    def _seen(self, part: QRect) -> tuple[range, range]:
        """The rows and columns that a part of the widget shows."""
        wide, high = self._cell_size()
        left, count = _SIDE + self._name_width + _GAP, len(self._names)
        rows = range(
            max(0, int((part.top() - self._top()) // high)), min(count, int((part.bottom() - self._top()) // high) + 1)
        )
        columns = range(max(0, int((part.left() - left) // wide)), min(count, int((part.right() - left) // wide) + 1))
        return rows, columns

    def _paint_names(self, painter: QPainter) -> None:
        painter.setFont(font(12))
        painter.setPen(color(tokens().muted))
        measure, (_wide, high) = painter.fontMetrics(), self._cell_size()
        for number, name in enumerate(self._names):
            area = self.cell_rect(number, number)
            if high >= 13:
                room = QRectF(_SIDE, area.top(), self._name_width, area.height())
                text = measure.elidedText(name, Qt.TextElideMode.ElideRight, int(room.width()) + 1)
                painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
            if self._slanted():
                self._paint_slanted(painter, name, area)
            else:
                painter.drawText(QRectF(area.left(), 0, area.width(), _TOP - 2), Qt.AlignmentFlag.AlignCenter, name)

    def _paint_slanted(self, painter: QPainter, name: str, area: QRectF) -> None:
        text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, _LONGEST_SLANTED)
        painter.save()
        painter.translate(area.center().x() + 3, self._top() - 3)
        painter.rotate(_SLANT)
        painter.drawText(QPointF(0, 0), text)
        painter.restore()

    def _paint_cell(self, painter: QPainter, area: QRectF, cell: tuple[int, int], top: float, *, numbers: bool) -> None:
        share = float(self._shares[cell])
        fill = _fill(share, top, right=cell[0] == cell[1])
        painter.fillRect(area, fill)
        if not numbers or not self._counts[cell]:
            return
        painter.setPen(QPen(_ink_on(fill)))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, f"{100 * share:.1f}" if share < 0.9995 else "100")

    # --- mouse and keys ------------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        if cell != self._hovered:
            self._hovered = cell
            self.setCursor(Qt.CursorShape.PointingHandCursor if cell else Qt.CursorShape.ArrowCursor)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        if cell and event.button() == Qt.MouseButton.LeftButton:
            self._move_to(cell)
            self.chosen.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0),
        }  # fmt: skip
        step = steps.get(Qt.Key(event.key()))
        last = len(self._names) - 1
        if step and last >= 0:
            row, column = (min(last, max(0, now + by)) for now, by in zip(self.current, step, strict=True))
            self._move_to((row, column))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and last >= 0:
            self.chosen.emit(*self.current)
        else:
            super().keyPressEvent(event)

    def _move_to(self, cell: tuple[int, int]) -> None:
        self.current = cell
        self._describe()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))
        self.update()

    def _describe(self) -> None:
        self.setAccessibleDescription(self.cell_text(*self.current) if self._names else "")

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            cell = self._cell_at(QPointF(event.pos()))
            place: QPoint = event.globalPos()
            if cell:
                area: QRect = self.cell_rect(*cell).toRect()
                QToolTip.showText(place, tip(self.cell_text(*cell)), self, area)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)


def _fill(share: float, top: float, *, right: bool) -> QColor:
    """Right answers in the accent, mistakes in the color of warnings, deeper where there are more of them."""
    colors = tokens()
    if right:
        return _mixed(colors.panel, colors.accent, 0.12 + 0.58 * share)
    return _mixed(colors.panel, colors.warning, 0.09 + 0.36 * share / top if share > 0 and top > 0 else 0.04)


def _mixed(ground: str, ink: str, share: float) -> QColor:
    """Opaque, so that what is written on it can be judged."""
    below, above = color(ground), color(ink)
    ends = [(getattr(below, name)(), getattr(above, name)()) for name in ("red", "green", "blue")]
    return QColor(*(round(low + (high - low) * share) for low, high in ends))


def _ink_on(fill: QColor) -> QColor:
    """Black or white, whichever is read better (relative luminance, WCAG)."""
    values = (fill.redF(), fill.greenF(), fill.blueF())
    parts = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in values]
    luminance = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    return color("#FFFFFF") if luminance < 0.30 else color("#1B1F24")
