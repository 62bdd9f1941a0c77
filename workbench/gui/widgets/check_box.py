"""A check box."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QCheckBox, QSizePolicy

from workbench.gui.icons import draw_icon
from workbench.gui.theme import color, tokens
from workbench.gui.widgets.painting import box, focus_ring, painter_on


class CheckBox(QCheckBox):
    """A check box with muted words beside it; reached by Tab, toggled by Space."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        words = self.fontMetrics().horizontalAdvance(self.text()) + 8 if self.text() else 0
        return QSize(20 + words, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, 28)

    def hitButton(self, position: QPoint) -> bool:
        return self.rect().contains(position)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        square = QRectF(1, (self.height() - 16) / 2, 16, 16)
        if self.isChecked():
            box(painter, square, 4, fill=colors.accent if self.isEnabled() else colors.faint)
            draw_icon(painter, "check", square.adjusted(2, 2, -2, -2), colors.on_accent, 2.2)
        else:
            line = colors.grey if self.isEnabled() else colors.line
            box(painter, square, 4, fill=colors.hover if self.underMouse() else colors.panel, line=line)
        if self.hasFocus():
            focus_ring(painter, square.adjusted(-1, -2, 2, 2), 5)
        painter.setPen(color(colors.muted if self.isEnabled() else colors.faint))
        room = self.rect().adjusted(26, 0, 0, 0)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
