"""A list to choose from by typing: layers to add, commands to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from workbench.gui.text import safe
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.painting import box

_WIDTH, _ITEM, _HEAD, _MOST = 380, 46, 28, 460


@dataclass(frozen=True)
class Choice:
    """One entry.

    Attributes:
        key: what is told when it is taken.
        title: its name.
        about: one sentence; also searched.
        group: the heading that it stands under.
        hint: at the right: a key, a number.
        enabled: whether it can be taken.
    """

    key: str
    title: str
    about: str = ""
    group: str = ""
    hint: str = ""
    enabled: bool = True


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        choice = index.data(Qt.ItemDataRole.UserRole)
        return QSize(_WIDTH - 40, _ITEM if choice and choice.about else 30 if choice else _HEAD)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        colors, rect = tokens(), QRect(option.rect)
        choice: Choice | None = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if choice is None:
            painter.setFont(font(12, font().Weight.DemiBold))
            painter.setPen(color(colors.muted))
            painter.drawText(rect.adjusted(8, 6, 0, 0), Qt.AlignmentFlag.AlignVCenter, str(index.data()))
        else:
            if option.state & QStyle.StateFlag.State_Selected:
                box(painter, rect.toRectF(), 6, fill=colors.accent_soft)
            self._paint_choice(painter, rect.adjusted(8, 4, -8, -4), choice)
        painter.restore()

    def _paint_choice(self, painter: QPainter, rect: QRect, choice: Choice) -> None:
        colors = tokens()
        title = QRect(rect)
        if choice.about:
            title.setHeight(rect.height() // 2)
        painter.setFont(font(13, font().Weight.Medium))
        painter.setPen(color(colors.text if choice.enabled else colors.faint))
        painter.drawText(title, Qt.AlignmentFlag.AlignVCenter, safe(choice.title))
        painter.setFont(font(12))
        painter.setPen(color(colors.muted if choice.enabled else colors.faint))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(title, right, choice.hint)
        if choice.about:
            room = rect.adjusted(0, rect.height() // 2, 0, 0)
            words = painter.fontMetrics().elidedText(choice.about, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)


class ChoicePopup(QFrame):
    """Opens at a place; typing narrows the list, Up and Down move, Enter takes, Escape closes.

    Signals:
        chosen: the key of what was taken.
    """

    chosen = Signal(str)

    def __init__(self, prompt: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("look", "card")
        self._choices: tuple[Choice, ...] = ()
        self._line = QLineEdit()
        self._line.setPlaceholderText(prompt)
        self._line.setAccessibleName(prompt)
        self._line.installEventFilter(self)
        self._list = QListWidget()
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setMouseTracking(True)
        self._list.setItemDelegate(_Delegate(self._list))
        self._list.setAccessibleName(prompt)
        self._nothing = Label(self.tr("Nothing is called so"), "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        for widget in (self._line, self._list, self._nothing):
            column.addWidget(widget)
        self._line.textChanged.connect(self._fill)
        self._list.itemClicked.connect(self._take)
        self._list.itemEntered.connect(self._hover)

    def open_below(self, anchor: QWidget, choices: Sequence[Choice]) -> None:
        """Show choices below a widget, right edges aligned where it stands at the right."""
        self._choices = tuple(choices)
        self._line.clear()
        self._fill()
        rows = sum(self._list.sizeHintForRow(row) for row in range(self._list.count()))
        height = min(_MOST, rows + 58)
        corner = anchor.mapToGlobal(QPoint(anchor.width() - _WIDTH, anchor.height() + 4))
        self.setGeometry(*_on_screen(anchor, corner, height))
        self.show()
        self._line.setFocus(Qt.FocusReason.PopupFocusReason)

    def shown(self) -> list[str]:
        """The keys that can be taken now."""
        items = [self._list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self._list.count())]
        return [choice.key for choice in items if choice and choice.enabled]

    def _fill(self) -> None:
        words = self._line.text().lower().split()
        self._list.clear()
        group = ""
        for choice in self._choices:
            if not all(word in f"{choice.title} {choice.about} {choice.group}".lower() for word in words):
                continue
            if choice.group and choice.group != group and not words:
                heading = QListWidgetItem(choice.group)
                heading.setFlags(Qt.ItemFlag.NoItemFlags)
                self._list.addItem(heading)
            group = choice.group
            self._list.addItem(_item(choice))
        self._nothing.setVisible(not self._list.count())
        self._list.setVisible(bool(self._list.count()))
        self._step(1, start=-1)

    def _step(self, by: int, start: int | None = None) -> None:
        row = self._list.currentRow() if start is None else start
        while 0 <= row + by < self._list.count():
            row += by
            if self._list.item(row).flags() & Qt.ItemFlag.ItemIsEnabled:
                self._list.setCurrentRow(row)
                return

    def _hover(self, item: QListWidgetItem) -> None:
        if item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self._list.setCurrentItem(item)

    def _take(self, item: QListWidgetItem | None) -> None:
        choice: Choice | None = item.data(Qt.ItemDataRole.UserRole) if item else None
        if choice and choice.enabled:
            self.hide()
            self.chosen.emit(choice.key)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        if event.key() in steps:
            self._step(steps[Qt.Key(event.key())])
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take(self._list.currentItem())
            return True
        return super().eventFilter(watched, event)


def _item(choice: Choice) -> QListWidgetItem:
    item = QListWidgetItem(safe(choice.title))
    item.setData(Qt.ItemDataRole.UserRole, choice)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{choice.title}. {choice.about}")
    item.setToolTip(choice.about)
    if not choice.enabled:
        item.setFlags(Qt.ItemFlag.NoItemFlags)
    return item


def _on_screen(anchor: QWidget, corner: QPoint, height: int) -> tuple[int, int, int, int]:
    room = anchor.screen().availableGeometry()
    x = min(max(corner.x(), room.left() + 8), room.right() - _WIDTH - 8)
    y = min(max(corner.y(), room.top() + 8), max(room.top() + 8, room.bottom() - height - 8))
    return x, y, _WIDTH, height
