"""An editor of several names: columns to leave out, layers to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QSizePolicy, QVBoxLayout, QWidget

from workbench.gui.forms.editor import Choices, Editor
from workbench.gui.forms.simple import in_a_row
from workbench.gui.icons import draw_icon, icon
from workbench.gui.text import safe, tip
from workbench.gui.theme import color, tokens
from workbench.gui.widgets.painting import box, painter_on
from workbench.recipe.fields import FieldFacts

_FILTER_FROM = 10


class _Popup(QFrame):
    """Names with check marks; Space, Enter or a click takes one or gives it back."""

    toggled = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("look", "card")
        self._filter = QLineEdit()
        self._filter.setPlaceholderText(self.tr("filter"))
        self._filter.setAccessibleName(self.tr("Filter"))
        self._list = QListWidget()
        self._list.setAccessibleName(self.tr("Names"))
        self._list.setIconSize(QSize(14, 14))
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(4)
        column.addWidget(self._filter)
        column.addWidget(self._list)
        self._filter.textChanged.connect(self._on_filter)
        self._list.itemClicked.connect(self._toggle)
        self._list.itemActivated.connect(self._toggle)

    def show_names(self, names: Sequence[str], taken: Sequence[str], at: QPoint, width: int) -> None:
        self._list.clear()
        for name in names:
            item = QListWidgetItem(safe(name))
            item.setData(Qt.ItemDataRole.UserRole, name)
            self._list.addItem(item)
        self.mark(taken)
        self._filter.clear()
        self._filter.setVisible(len(names) >= _FILTER_FROM)
        height = min(8, max(1, len(names))) * 28 + (38 if len(names) >= _FILTER_FROM else 0) + 18
        self.setGeometry(at.x(), at.y(), max(180, width), height)
        self.show()
        (self._filter if len(names) >= _FILTER_FROM else self._list).setFocus()
        self._list.setCurrentRow(0)

    def mark(self, taken: Sequence[str]) -> None:
        for row in range(self._list.count()):
            item = self._list.item(row)
            name, chosen = item.data(Qt.ItemDataRole.UserRole), item.data(Qt.ItemDataRole.UserRole) in taken
            item.setIcon(icon("check" if chosen else "blank", "accent"))
            words = self.tr("{0}, taken").format(safe(name)) if chosen else safe(name)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self._list.currentItem():
            self._toggle(self._list.currentItem())
        else:
            super().keyPressEvent(event)

    def _toggle(self, item: QListWidgetItem) -> None:
        self.toggled.emit(item.data(Qt.ItemDataRole.UserRole))

    def _on_filter(self, text: str) -> None:
        for row in range(self._list.count()):
            item = self._list.item(row)
            item.setHidden(text.lower() not in item.text().lower())


class _Field(QWidget):
    """Looks like a drop-down list; shows the names one after the other."""

    pressed = Signal()

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self._placeholder, self._names, self._wrong = placeholder, "", False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(140, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(72, 28)

    def show_names(self, names: Sequence[str]) -> None:
        self._names = ", ".join(safe(name) for name in names)
        self.setToolTip(tip("\n".join(safe(name) for name in names[:40])) if len(names) > 1 else "")
        self.setAccessibleDescription(self._names or self._placeholder)
        self.update()

    def set_wrong(self, wrong: bool) -> None:
        self._wrong = wrong
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter, focused = tokens(), painter_on(self), self.hasFocus()
        line = colors.accent if focused else colors.warning if self._wrong else colors.line
        box(painter, QRectF(self.rect()), 6, fill=colors.panel, line=line, width=2 if focused else 1)
        room = self.rect().adjusted(11, 0, -26, 0)
        painter.setPen(color(colors.text if self._names else colors.muted))
        text = self.fontMetrics().elidedText(
            self._names or self._placeholder, Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
        draw_icon(painter, "chevron-down", QRectF(self.width() - 22, 7, 14, 14), colors.muted)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.pressed.emit()
        else:
            super().keyPressEvent(event)


class NamesEditor(Editor):
    """Names in the order in which they were taken."""

    def __init__(self, field: FieldFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = field.choices_from
        self._offered: tuple[str, ...] = ()
        self._value: tuple[str, ...] = ()
        self._field = _Field(field.placeholder or self.tr("none"))
        in_a_row(self, self._field)
        self._popup: _Popup | None = None
        self._field.pressed.connect(self._open)

    def value(self) -> tuple[str, ...]:
        return self._value

    def setValue(self, value: Any) -> None:
        self._value = tuple(value)
        self._field.show_names(self._value)
        if self._popup:
            self._popup.mark(self._value)

    def offer(self, names: Sequence[str]) -> None:
        """What can be taken."""
        self._offered = tuple(names)

    def set_placeholder(self, text: str) -> None:
        """What an empty list means."""
        self._field._placeholder = text
        self._field.show_names(self._value)

    def set_choices(self, choices: Choices) -> None:
        if self._source in choices:
            self.offer(choices[self._source])

    def set_wrong(self, wrong: bool) -> None:
        self._field.set_wrong(wrong)

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self._field.setAccessibleName(label)

    def toggle(self, name: str) -> None:
        """Take a name, or give it back."""
        if name in self._value:
            self.setValue(tuple(other for other in self._value if other != name))
        else:
            self.setValue((*self._value, name))
        self.valueChanged.emit("", self._value)

    def _open(self) -> None:
        names = [*self._offered, *(name for name in self._value if name not in self._offered)]
        if not self._popup:
            self._popup = _Popup(self)
            self._popup.toggled.connect(self.toggle)
        below = self._field.mapToGlobal(QPoint(0, self._field.height() + 2))
        self._popup.show_names(names, self._value, below, self._field.width())
