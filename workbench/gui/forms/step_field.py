"""A line to type a number in: its unit in muted words, two small arrows, and a wheel that waits for the focus."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

from workbench.gui.icons import draw_icon
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import painter_on

_ARROWS = 22


class StepField(QLineEdit):
    """A line edit with arrows.

    Signals:
        stepped: by how many steps the user wants the number changed; 10 for a page.
    """

    stepped = Signal(int)

    def __init__(self, unit: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._unit, self._arrows = unit, True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(64)
        self.setMaxLength(64)
        self._set_margins()

    def set_arrows(self, arrows: bool) -> None:
        """Whether the number can be stepped."""
        self._arrows = arrows
        self._set_margins()
        self.update()

    def _unit_width(self) -> int:
        return QFontMetrics(font(12)).horizontalAdvance(self._unit) + 6 if self._unit else 0

    def _set_margins(self) -> None:
        self.setTextMargins(0, 0, self._unit_width() + (_ARROWS - 8 if self._arrows else 0), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        colors, painter = tokens(), painter_on(self)
        muted = colors.muted if self.isEnabled() else colors.faint
        right = self.width() - (_ARROWS if self._arrows else 10)
        if self._unit:
            painter.setFont(font(12))
            painter.setPen(color(muted))
            room = self.rect().adjusted(0, 0, right - self.width(), 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._unit)
        if self._arrows and self.isEnabled() and not self.isReadOnly():
            middle = self.height() / 2
            draw_icon(painter, "chevron-up", QRectF(self.width() - 18, middle - 10, 11, 11), muted, 1.6)
            draw_icon(painter, "chevron-down", QRectF(self.width() - 18, middle - 1, 11, 11), muted, 1.6)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._on_arrows(event):
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.stepped.emit(1 if event.position().y() < self.height() / 2 else -1)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.setCursor(Qt.CursorShape.ArrowCursor if self._on_arrows(event) else Qt.CursorShape.IBeamCursor)
        super().mouseMoveEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # Two quick clicks on an arrow are two steps.
        self.mousePressEvent(event) if self._on_arrows(event) else super().mouseDoubleClickEvent(event)

    def _on_arrows(self, event: QMouseEvent) -> bool:
        usable = self._arrows and self.isEnabled() and not self.isReadOnly()
        return usable and event.position().x() > self.width() - _ARROWS

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
        if self._arrows and event.key() in keys and not self.isReadOnly():
            self.stepped.emit(keys[Qt.Key(event.key())])
            event.accept()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = event.angleDelta().y()
        if self.hasFocus() and self._arrows and turns:
            self.stepped.emit(1 if turns > 0 else -1)
            event.accept()
        else:
            event.ignore()
