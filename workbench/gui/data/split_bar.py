"""The training, dev and test set as parts of one bar; where the shares can be chosen, its borders can be dragged."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.figures import grouped, percent
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import focus_ring, painter_on

_HIGH, _LINE, _NEAR = 26, 20, 6
_LEAST = 3.0
_SET_AT_LEAST = 0.01

Shares = tuple[float, float, float]


class SplitBar(QWidget):
    """Parts to scale, with their counts inside; those of narrow parts stand below.

    Signals:
        sharesChosen: the user dragged a border, or moved it by keys: the three shares.
    """

    sharesChosen = Signal(tuple)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: tuple[tuple[str, int], ...] = ()
        self._shown: tuple[tuple[str, int], ...] = ()
        self._adjustable, self._dragged = False, -1
        self._border = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.set_parts(())

    def set_parts(self, parts: Sequence[tuple[str, int]]) -> None:
        """Show sets with their sizes."""
        self._parts = tuple(parts)
        if self._dragged < 0:
            self._show_parts(self._parts)

    def set_adjustable(self, adjustable: bool) -> None:
        """Let the borders be dragged, or not: where sources fix the sets, shares say little."""
        self._adjustable = adjustable
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if adjustable else Qt.FocusPolicy.NoFocus)
        hint = self.tr("Left and Right move a border, Up and Down choose it.")
        self.setAccessibleDescription(hint if adjustable else "")
        self._show_parts(self._shown)

    def _show_parts(self, parts: tuple[tuple[str, int], ...]) -> None:
        self._shown = parts
        total = sum(count for _, count in parts) or 1
        told = [f"{name} {grouped(count)}, {percent(count / total)}" for name, count in parts]
        self.setAccessibleName("; ".join(told) or self.tr("not divided yet"))
        self.setToolTip("\n".join([*told, *([self.tr("Drag a border to change the shares")] * self._adjustable)]))
        self.updateGeometry()
        self.update()

    # --- choosing shares -----------------------------------------------------------------------------------------

    def _shares(self) -> Shares:
        total = sum(count for _, count in self._shown) or 1
        train, dev = (round(count / total, 2) for _, count in self._shown[:2])
        return train, dev, round(1 - train - dev, 2)

    def _borders(self) -> list[float]:
        widths = self._widths()
        scale = self.width() / (sum(widths) or 1.0)
        return [widths[0] * scale, (widths[0] + widths[1]) * scale] if len(widths) == 3 else []

    def _border_at(self, x: float) -> int:
        near = [(abs(x - place), number) for number, place in enumerate(self._borders())]
        distance, number = min(near, default=(99.0, -1))
        return number if self._adjustable and distance <= _NEAR else -1

    def _moved(self, border: int, place: float) -> Shares:
        """The shares where a border stands at a share of the whole; every set keeps a little."""
        train, dev, _ = self._shares()
        least = _SET_AT_LEAST
        if border == 0:
            train_end = train + dev
            train = min(max(place, least), train_end - least)
            dev = train_end - train
        else:
            dev = min(max(place - train, least), 1 - train - least)
        train, dev = round(train, 2), round(dev, 2)
        return train, dev, round(1 - train - dev, 2)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and event.position().y() <= _HIGH:
            self._dragged = self._border_at(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged < 0:
            near = self._border_at(event.position().x()) >= 0
            self.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.ArrowCursor)
            return
        shares = self._moved(self._dragged, event.position().x() / max(1, self.width()))
        total = sum(count for _, count in self._parts)
        counts = [round(share * total) for share in shares]
        self._show_parts(tuple((name, count) for (name, _), count in zip(self._parts, counts, strict=True)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragged < 0:
            return
        self._dragged, shares = -1, self._shares()
        self._show_parts(self._parts)
        # One step of Undo for a drag, however long it took.
        if shares != self._shares():
            self.sharesChosen.emit(shares)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -0.01, Qt.Key.Key_Right: 0.01}
        if self._adjustable and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._border = 1 - self._border
            self.update()
        elif self._adjustable and event.key() in steps and len(self._parts) == 3:
            train, dev, _ = self._shares()
            place = (train, train + dev)[self._border] + steps[Qt.Key(event.key())]
            self.sharesChosen.emit(self._moved(self._border, place))
        else:
            super().keyPressEvent(event)

    # --- looks ---------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(280, _HIGH + (_LINE if self._outside() else 0))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def resizeEvent(self, event: object) -> None:
        self.updateGeometry()

    def _widths(self) -> list[float]:
        total = sum(count for _, count in self._shown)
        return [max(_LEAST, self.width() * count / total) if count else 0.0 for _, count in self._shown]

    def _text(self, number: int) -> str:
        name, count = self._shown[number]
        return f"{name} {grouped(count)}"

    def _outside(self) -> list[int]:
        """The parts whose words do not fit into them."""
        if not any(count for _, count in self._shown):
            return []
        room = self._widths()
        measure = self.fontMetrics()
        return [
            number
            for number in range(len(self._shown))
            if measure.horizontalAdvance(self._text(number)) + 12 > room[number]
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        path = QPainterPath()
        path.addRoundedRect(QRectF(0, 0, self.width(), _HIGH), 6, 6)
        painter.fillPath(path, color(colors.soft))
        outside = self._outside()
        painter.setClipPath(path)
        painter.setFont(font(13, font().Weight.Medium))
        x, widths = 0.0, self._widths() if any(count for _, count in self._shown) else []
        scale = self.width() / (sum(widths) or 1.0)
        for number, width in enumerate(widths):
            fill = (colors.accent, colors.purple, colors.muted)[number % 3]
            part = QRectF(x, 0, width * scale, _HIGH)
            painter.fillRect(part, color(fill))
            if number not in outside:
                painter.setPen(color(colors.on_accent))
                painter.drawText(part, Qt.AlignmentFlag.AlignCenter, self._text(number))
            x += width * scale
        for number, place in enumerate(self._borders() if self._adjustable else []):
            chosen = self.hasFocus() and number == self._border
            painter.fillRect(QRectF(place - 1, 0, 3 if chosen else 1, _HIGH), color(colors.panel))
        painter.setClipping(False)
        if self.hasFocus():
            focus_ring(painter, QRectF(0, 0, self.width(), _HIGH), 6)
        if outside:
            painter.setFont(font(12))
            painter.setPen(color(colors.muted))
            words = " · ".join(self._text(number) for number in outside)
            room = QRectF(0, _HIGH, self.width(), _LINE)
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, words)
