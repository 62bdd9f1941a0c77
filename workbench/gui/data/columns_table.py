"""The table of columns: chips, little histograms and sliders painted into its cells."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu, QStyle, QStyleOptionViewItem, QWidget

from workbench.gui.data.column_menu import fill_column_menu, fill_role_menu, fill_type_menu
from workbench.gui.data.editor import DataEditor
from workbench.gui.data.histogram import bars_of, paint_bars
from workbench.gui.data_desk import DataDesk
from workbench.gui.icons import draw_icon
from workbench.gui.models.columns_model import (
    MISSING,
    NAME,
    ROLE,
    ROW_FACTS,
    STRENGTH,
    TYPE,
    VALUES,
    ColumnFacts,
    ColumnsModel,
)
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import box
from workbench.gui.widgets.table import ROW, SIDE, CellDelegate, Index, Table

_HIGH = 38
_NUMBER = 44
_RADIUS = 6
_STEP = 0.05


class _ColumnDelegate(CellDelegate):
    """Paints what is more than text."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(super().sizeHint(option, index).width(), _HIGH)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        facts: ColumnFacts | None = index.data(ROW_FACTS)
        if facts is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRect(option.rect)
        column, hovered = index.column(), bool(option.state & QStyle.StateFlag.State_MouseOver)
        if column == ROLE:
            _paint_chip(painter, rect, facts.role, hovered)
        elif column == VALUES:
            area = QRectF(rect.adjusted(SIDE, 6, -SIDE, -8))
            paint_bars(painter, area, bars_of(facts.profile, facts.classes), faint=facts.role == "left out")
        elif column == STRENGTH and facts.strength is not None:
            _paint_slider(painter, rect, facts.strength)
        else:
            # The delegate of all tables paints at the top of a row; here rows are higher.
            option.rect = rect.adjusted(0, (_HIGH - ROW) // 2, 0, 0)
            super().paint(painter, option, index)
            if column == TYPE and hovered:
                _paint_chevron(painter, rect, painter.fontMetrics().horizontalAdvance(facts.type))
        painter.restore()


class ColumnsTable(Table):
    """Click a type or a role to change it; drag a strength, or press Left and Right; Enter opens a row's menu."""

    def __init__(self, editor: DataEditor, desk: DataDesk, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Columns"), parent)
        self._editor, self._desk = editor, desk
        self._dragged = ""
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self.setItemDelegate(_ColumnDelegate(self))
        self.setUniformRowHeights(True)
        self.setModel(ColumnsModel(editor, desk, self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setAccessibleDescription(self.tr("Enter opens the menu of a column; Left and Right change its strength."))

    def columns(self) -> ColumnsModel:
        """The model."""
        model = self.model()
        assert isinstance(model, ColumnsModel)
        return model

    # --- mouse ---------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            return
        facts = self.columns().facts(index.row())
        on_track = event.position().x() < self.visualRect(index).right() - _NUMBER
        if index.column() == STRENGTH and facts.adjustable and on_track:
            self._dragged = facts.name
            self._drag_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged:
            self._drag_to(event.position().x())
            return
        super().mouseMoveEvent(event)
        index = self.indexAt(event.position().toPoint())
        asks = index.column() in (TYPE, ROLE)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if asks else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragged:
            self._dragged = ""
            return
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.column() in (TYPE, ROLE):
            self.open_menu(index.row(), index.column())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        on_number = event.position().x() >= self.visualRect(index).right() - _NUMBER
        if index.column() == STRENGTH and on_number:
            super().mouseDoubleClickEvent(event)
        else:
            self.mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.indexAt(event.pos()) if event.reason() == QContextMenuEvent.Reason.Mouse else self.currentIndex()
        if index.isValid():
            self.open_menu(index.row(), NAME)

    def _drag_to(self, x: float) -> None:
        track = _track(self.visualRect(self.columns().index(0, STRENGTH)))
        share = min(1.0, max(0.0, (x - track.left()) / track.width()))
        self._editor.set_strength(self._dragged, round(share * 20) / 20)

    # --- keys and menus ------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row, key = self.currentIndex().row(), event.key()
        if row >= 0 and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.open_menu(row, NAME)
        elif row >= 0 and key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._step(row, _STEP if key == Qt.Key.Key_Right else -_STEP)
        else:
            super().keyPressEvent(event)

    def _step(self, row: int, by: float) -> None:
        facts = self.columns().facts(row)
        if facts.strength is not None:
            top = max(1.0, facts.strength)
            self._editor.set_strength(facts.name, round(min(top, max(0.0, facts.strength + by)), 2))

    def open_menu(self, row: int, column: int) -> None:
        """Offer what a column can become: its type, its role, or everything."""
        facts, index = self.columns().facts(row), self.columns().index(row, column)
        fill = {TYPE: fill_type_menu, ROLE: fill_role_menu}.get(column, fill_column_menu)
        self._menu.clear()
        fill(self._menu, facts, self._editor, pictures=self._shows_pictures())
        cell = self.visualRect(index)
        self._menu.popup(self.viewport().mapToGlobal(QPoint(cell.left() + SIDE - 4, cell.bottom() - 2)))

    def _shows_pictures(self) -> bool:
        return self._desk.state is not None and self._desk.state.content.arrays is not None

    # --- looks ---------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = event.size().width()
        roomy = width >= 760
        self.size_columns(
            {
                NAME: None,
                TYPE: 108 if roomy else 86,
                ROLE: 122 if roomy else 100,
                VALUES: 230 if width >= 900 else 150 if roomy else 112,
                MISSING: 84 if roomy else 68,
                STRENGTH: 220 if width >= 900 else 180 if roomy else 128,
            }
        )

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.scheduleDelayedItemsLayout()


def _paint_chip(painter: QPainter, rect: QRect, text: str, hovered: bool) -> None:
    colors = tokens()
    strong = text == "target"
    painter.setFont(font(12))
    wide = painter.fontMetrics().horizontalAdvance(text) + 18 + (14 if hovered else 0)
    chip = QRectF(rect.left() + SIDE, rect.center().y() - 9, min(wide, rect.width() - SIDE - 4), 20)
    box(painter, chip, 10, fill=colors.accent_soft if strong else colors.soft)
    painter.setPen(color(colors.accent if strong else colors.muted))
    room = chip.adjusted(9, 0, -9, 0)
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
    if hovered:
        draw_icon(painter, "chevron-down", QRectF(chip.right() - 18, chip.center().y() - 6, 12, 12), colors.muted)


def _paint_chevron(painter: QPainter, rect: QRect, text_width: int) -> None:
    place = QRectF(rect.left() + SIDE + text_width + 4, rect.center().y() - 5, 12, 12)
    draw_icon(painter, "chevron-down", place, tokens().muted)


def _track(rect: QRect) -> QRectF:
    return QRectF(rect.left() + SIDE + _RADIUS, rect.center().y() - 1.5, rect.width() - _NUMBER - SIDE - 2 * _RADIUS, 4)


def _paint_slider(painter: QPainter, rect: QRect, strength: float) -> None:
    colors, track = tokens(), _track(rect)
    x = track.left() + track.width() * min(1.0, strength)
    ink = colors.accent if strength else colors.grey
    box(painter, track, 2, fill=colors.soft)
    if strength:
        box(painter, QRectF(track.left(), track.top(), x - track.left(), track.height()), 2, fill=ink)
    painter.setPen(QPen(color(ink), 2))
    painter.setBrush(color(colors.panel))
    painter.drawEllipse(QRectF(x - _RADIUS + 0.5, track.center().y() - _RADIUS + 0.5, 2 * _RADIUS - 1, 2 * _RADIUS - 1))
    painter.setFont(font(13))
    painter.setPen(color(colors.text if strength else colors.muted))
    room = rect.adjusted(0, 0, -SIDE, 0)
    painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{strength:.2f}")
