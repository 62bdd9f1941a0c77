"""A few choices side by side, one of them taken."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import box, focus_ring, painter_on


class _Segment(QAbstractButton):
    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setAccessibleName(text)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFont(font(12))

    def sizeHint(self) -> QSize:
        strong = font(12, self.font().Weight.DemiBold)
        return QSize(QFontMetrics(strong).horizontalAdvance(self.text()) + 20, 26)

    def minimumSizeHint(self) -> QSize:
        return QSize(32, 26)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        area = QRectF(self.rect())
        if self.isChecked() or self.underMouse():
            box(painter, area, 5, fill=colors.soft if self.isChecked() else colors.hover)
        if self.hasFocus():
            focus_ring(painter, area, 5)
        strong = self.isChecked()
        painter.setFont(font(12, self.font().Weight.DemiBold if strong else self.font().Weight.Medium))
        ink = colors.faint if not self.isEnabled() else colors.text if strong else colors.muted
        painter.setPen(color(ink))
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() - 6)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)


class Segmented(QWidget):
    """Choices with keys. Left and Right move between them.

    Signals:
        valueChanged: the key that the user took.
    """

    valueChanged = Signal(object)

    def __init__(self, options: Sequence[tuple[object, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(1, 1, 1, 1)
        self._row.setSpacing(0)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._on_click)
        self._keys: list[object] = []
        self.set_options(options)

    def set_options(self, options: Sequence[tuple[object, str]]) -> None:
        """Show other choices; the first is taken."""
        for button in self._group.buttons():
            self._group.removeButton(button)
            self._row.removeWidget(button)
            button.deleteLater()
        self._keys = [key for key, _ in options]
        for number, (_, text) in enumerate(options):
            segment = _Segment(text, self)
            self._group.addButton(segment, number)
            self._row.addWidget(segment)
        if options:
            self.setValue(self._keys[0])

    def value(self) -> object:
        """The key of what is taken."""
        number = self._group.checkedId()
        return self._keys[number] if number >= 0 else None

    def setValue(self, key: object) -> None:
        """Take a choice, silently. An unknown key is ignored."""
        if key in self._keys:
            self._group.button(self._keys.index(key)).setChecked(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        box(painter_on(self), QRectF(self.rect()), 6, fill=tokens().panel, line=tokens().line)

    def _on_click(self, number: int) -> None:
        self.valueChanged.emit(self._keys[number])
