"""What the window shows while files are dragged over it: what will happen, or why it will not."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from workbench.gui.icons import draw_icon
from workbench.gui.text import safe
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import box, painter_on


class DropSheet(QWidget):
    """Lies over its parent while something is dragged; lets the drag through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._under = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._text, self._welcome = "", True
        parent.installEventFilter(self)
        self.hide()

    def text(self) -> str:
        """What it says."""
        return self._text

    def show_text(self, text: str, *, welcome: bool) -> None:
        """Say what dropping will do, or why it will do nothing."""
        self._text, self._welcome = safe(text), welcome
        self.setGeometry(self._under.rect())
        self.raise_()
        self.show()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._under.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        painter.fillRect(self.rect(), color(colors.window, 0.85))
        ink, fill = (colors.accent, colors.accent_soft) if self._welcome else (colors.warning, colors.warning_soft)
        area = QRectF(self.rect()).adjusted(16, 16, -16, -16)
        box(painter, area, 12, fill=fill, line=ink, width=2)
        middle = area.center()
        name = "upload" if self._welcome else "warning"
        draw_icon(painter, name, QRectF(middle.x() - 16, middle.y() - 48, 32, 32), ink, 1.4)
        painter.setPen(color(colors.text))
        painter.setFont(font(18, font().Weight.DemiBold))
        room = QRectF(area.left() + 24, middle.y(), area.width() - 48, 80)
        painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, self._text)
