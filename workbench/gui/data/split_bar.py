"""The training, dev and test set as parts of one bar."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.figures import grouped, percent
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import painter_on

_HIGH, _LINE = 26, 20
_LEAST = 3.0


class SplitBar(QWidget):
    """Parts to scale, with their counts inside; those of narrow parts stand below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: tuple[tuple[str, int], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_parts(())

    def set_parts(self, parts: Sequence[tuple[str, int]]) -> None:
        """Show sets with their sizes."""
        self._parts = tuple(parts)
        total = sum(count for _, count in parts) or 1
        told = [f"{name} {grouped(count)}, {percent(count / total)}" for name, count in parts]
        self.setAccessibleName("; ".join(told) or self.tr("not divided yet"))
        self.setToolTip("\n".join(told))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, _HIGH + (_LINE if self._outside() else 0))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def resizeEvent(self, event: object) -> None:
        self.updateGeometry()

    def _widths(self) -> list[float]:
        total = sum(count for _, count in self._parts)
        return [max(_LEAST, self.width() * count / total) if count else 0.0 for _, count in self._parts]

    def _text(self, number: int) -> str:
        name, count = self._parts[number]
        return f"{name} {grouped(count)}"

    def _outside(self) -> list[int]:
        """The parts whose words do not fit into them."""
        if not any(count for _, count in self._parts):
            return []
        room = self._widths()
        return [
            number
            for number in range(len(self._parts))
            if self.fontMetrics().horizontalAdvance(self._text(number)) + 12 > room[number]
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        path = QPainterPath()
        path.addRoundedRect(QRectF(0, 0, self.width(), _HIGH), 6, 6)
        painter.fillPath(path, color(colors.soft))
        outside = self._outside()
        painter.setClipPath(path)
        painter.setFont(font(13, font().Weight.Medium))
        x, widths = 0.0, self._widths() if any(count for _, count in self._parts) else []
        scale = self.width() / (sum(widths) or 1.0)
        for number, width in enumerate(widths):
            fill = (colors.accent, colors.purple, colors.muted)[number % 3]
            part = QRectF(x, 0, width * scale, _HIGH)
            painter.fillRect(part, color(fill))
            if number not in outside:
                painter.setPen(color(colors.on_accent))
                painter.drawText(part, Qt.AlignmentFlag.AlignCenter, self._text(number))
            x += width * scale
        painter.setClipping(False)
        if outside:
            painter.setFont(font(12))
            painter.setPen(color(colors.muted))
            words = " · ".join(self._text(number) for number in outside)
            room = QRectF(0, _HIGH, self.width(), _LINE)
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, words)
