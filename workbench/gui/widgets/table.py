"""Tables as the drawings have them: no frame, faint lines between rows, numbers at the right, notes under a row."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from workbench.gui.icons import draw_icon
from workbench.gui.theme import color, font, tokens

ROW, NOTE, SIDE = 33, 22, 10
"""Pixels: a row, the note under one, the room beside a cell's text."""

Index = QModelIndex | QPersistentModelIndex


class CellRole(IntEnum):
    """What a model says about a cell besides Qt's own roles."""

    TONE = Qt.ItemDataRole.UserRole + 1
    """``text`` (default), ``muted``, ``faint``, ``warning``, ``good``, ``accent``."""
    STRONG = Qt.ItemDataRole.UserRole + 2
    """Whether the text is semibold."""
    NOTE = Qt.ItemDataRole.UserRole + 3
    """Of a row's first cell: a sentence under the row, in the color of warnings."""
    STRUCK = Qt.ItemDataRole.UserRole + 4
    """Whether the text is struck out."""
    ICON = Qt.ItemDataRole.UserRole + 5
    """A name of ``icons.NAMES``, after the text."""


def tone_color(tone: str | None) -> QColor:
    """The color of a tone."""
    t = tokens()
    named = {"muted": t.muted, "faint": t.faint, "warning": t.warning_text, "good": t.good_text, "accent": t.accent}
    return color(named.get(tone or "", t.text))


class CellDelegate(QStyledItemDelegate):
    """Paints a cell's text; the row's ground is painted by the table.

    Args:
        parent: what owns it.
        side: pixels beside the text.
        left: those at its left, where they differ.
    """

    def __init__(self, parent: QObject | None = None, side: int = SIDE, *, left: int | None = None) -> None:
        super().__init__(parent)
        self._left, self._right = side if left is None else left, side

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        room: QRect = option.rect.adjusted(self._left, 0, -self._right, 0)
        room.setHeight(ROW - 1)
        painter.save()
        look = font(13, font().Weight.DemiBold if index.data(CellRole.STRONG) else font().Weight.Normal)
        look.setStrikeOut(bool(index.data(CellRole.STRUCK)))
        painter.setFont(look)
        painter.setPen(tone_color(index.data(CellRole.TONE)))
        mark = index.data(CellRole.ICON)
        if mark:
            room.setRight(room.right() - 18)
        text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        align = index.data(Qt.ItemDataRole.TextAlignmentRole) or Qt.AlignmentFlag.AlignLeft
        painter.drawText(room, Qt.AlignmentFlag(align) | Qt.AlignmentFlag.AlignVCenter, shown)
        if mark:
            x = min(room.left() + painter.fontMetrics().horizontalAdvance(shown) + 6, room.right() + 2)
            draw_icon(painter, mark, QRectF(x, room.top() + (ROW - 15) / 2, 14, 14), tokens().muted)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        note = index.sibling(index.row(), 0).data(CellRole.NOTE)
        text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        width = option.fontMetrics.horizontalAdvance(text) + 2 * SIDE + 4
        return QSize(width, ROW + (NOTE if note else 0))

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = super().createEditor(parent, option, index)
        editor.setProperty("look", "cell")
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect
        editor.setGeometry(rect.left() + 4, rect.top() + 4, rect.width() - 8, ROW - 9)


class Table(QTreeView):
    """A flat table with whole-row selection. Rows may carry a note (``CellRole.NOTE``) on a second line."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setIndentation(0)
        self.setMouseTracking(True)
        self.setItemDelegate(CellDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = self.header()
        header.setSectionsMovable(False)
        header.setStretchLastSection(False)
        header.setHighlightSections(False)
        header.setFixedHeight(32)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setMinimumSectionSize(24)

    def size_columns(self, sizes: dict[int, int | None]) -> None:
        """Set columns' widths in pixels; None lets a column take what is left."""
        for column, width in sizes.items():
            mode = QHeaderView.ResizeMode.Stretch if width is None else QHeaderView.ResizeMode.Fixed
            self.header().setSectionResizeMode(column, mode)
            if width is not None:
                self.header().resizeSection(column, width)

    def drawRow(self, painter: QPainter, options: QStyleOptionViewItem, index: Index) -> None:
        colors, rect = tokens(), QRect(options.rect)
        rect.setLeft(0)
        rect.setRight(self.viewport().width() - 1)
        selected = self.selectionModel().isRowSelected(index.row(), index.parent())
        state = options.state
        if selected:
            painter.fillRect(rect, color(colors.accent_soft))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, color(colors.hover))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, color(colors.row_line))
        if self.hasFocus() and index.row() == self.currentIndex().row():
            painter.fillRect(0, rect.top(), 2, rect.height() - 1, color(colors.accent))
        super().drawRow(painter, options, index)
        note = index.sibling(index.row(), 0).data(CellRole.NOTE)
        if note:
            self._draw_note(painter, rect, str(note))

    def _draw_note(self, painter: QPainter, rect: QRect, note: str) -> None:
        left = self._note_start()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_icon(painter, "warning", QRectF(left, rect.top() + ROW - 3, 14, 14), tokens().warning, 1.6)
        painter.setFont(font(12))
        painter.setPen(color(tokens().warning_text))
        room = QRect(left + 20, rect.top() + ROW - 6, rect.width() - left - 20 - SIDE, 20)
        shown = painter.fontMetrics().elidedText(note, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()

    def _note_start(self) -> int:
        # Under the second column: the first one usually holds a narrow number.
        wide = self.header().sectionSize(0) if self.header().count() > 1 else 0
        return (wide if wide < 64 else 0) + SIDE

    def drawBranches(self, painter: QPainter, rect: QRect, index: Any) -> None:
        """A flat table has none."""
