"""A drop-down list that the mouse wheel leaves alone until it has the focus."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from workbench.gui.icons import draw_icon
from workbench.gui.text import safe
from workbench.gui.theme import tokens
from workbench.gui.widgets.painting import painter_on


class Combo(QComboBox):
    """Choices with keys.

    Signals:
        valueChanged: the key that the user took.
    """

    valueChanged = Signal(object)

    def __init__(self, options: Sequence[tuple[object, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys: list[object] = []
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        # The platform's own pop-up ignores the style sheet's row height.
        self.setItemDelegate(QStyledItemDelegate(self))
        self.activated.connect(lambda number: self.valueChanged.emit(self._keys[number]))
        self.set_options(options)

    def set_options(self, options: Sequence[tuple[object, str]], tips: Sequence[str] = ()) -> None:
        """Show other choices; what was taken stays so where it is still among them."""
        taken = self.value()
        self.blockSignals(True)
        self.clear()
        self._keys = [key for key, _ in options]
        self.addItems([safe(text) for _, text in options])
        for number, tip in enumerate(tips):
            self.setItemData(number, tip, Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(self._keys.index(taken) if taken in self._keys else 0 if options else -1)
        self.blockSignals(False)

    def offered(self) -> list[object]:
        """The keys of all choices."""
        return list(self._keys)

    def value(self) -> object:
        """The key of what is taken."""
        number = self.currentIndex()
        return self._keys[number] if 0 <= number < len(self._keys) else None

    def setValue(self, key: object) -> None:
        """Take a choice, silently; an unknown key is added, so that nothing that a recipe holds is lost."""
        self.blockSignals(True)
        if key not in self._keys:
            self._keys.append(key)
            self.addItem(safe(key))
        self.setCurrentIndex(self._keys.index(key))
        self.blockSignals(False)

    def minimumSizeHint(self) -> QSize:
        return QSize(72, 28)

    def wheelEvent(self, event: QWheelEvent) -> None:
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.width() - 48
        option.currentText = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()
        ink = tokens().muted if self.isEnabled() else tokens().faint
        draw_icon(painter_on(self), "chevron-down", QRectF(self.width() - 22, (self.height() - 14) / 2, 14, 14), ink)
