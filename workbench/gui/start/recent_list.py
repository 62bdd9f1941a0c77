"""Projects that were open before: a line each, opened by a click or by Enter."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from workbench.gui.start.recent import Recent
from workbench.gui.text import safe, tip
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import box, focus_ring, painter_on

_HIGH, _SIDE = 36, 4


class RecentRow(QAbstractButton):
    """A project's name, and what it came to."""

    def __init__(self, recent: Recent, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.recent = recent
        self.setText(safe(recent.name))
        self.setAccessibleName(self.tr("Open {0}").format(safe(recent.name)))
        self.setAccessibleDescription(safe(recent.text))
        self.setToolTip(tip(safe(recent.path)))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(320, _HIGH)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        area = QRectF(self.rect()).adjusted(0, 0, 0, -1)
        if self.underMouse() and self.isEnabled():
            box(painter, area.adjusted(0, 2, 0, -2), 6, fill=colors.soft)
        painter.fillRect(QRectF(0, self.height() - 1, self.width(), 1), color(colors.line))
        strong = font(13, font().Weight.DemiBold)
        painter.setFont(strong)
        painter.setPen(color(colors.text if self.isEnabled() else colors.faint))
        measure, room = QFontMetrics(strong), self.width() - 2 * _SIDE
        name = measure.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, room * 2 // 3)
        painter.drawText(area.adjusted(_SIDE, 0, -_SIDE, 0), Qt.AlignmentFlag.AlignVCenter, name)
        left = _SIDE + measure.horizontalAdvance(name) + 12
        painter.setFont(font(13))
        painter.setPen(color(colors.muted))
        words = painter.fontMetrics().elidedText(
            safe(self.recent.text), Qt.TextElideMode.ElideRight, self.width() - left - _SIDE
        )
        painter.drawText(area.adjusted(left, 0, -_SIDE, 0), Qt.AlignmentFlag.AlignVCenter, words)
        if self.hasFocus():
            focus_ring(painter, area.adjusted(0, 1, 0, -1), 6)


class RecentList(QWidget):
    """The projects, the latest first.

    Signals:
        opened: a project shall be opened: its folder.
    """

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Recent projects"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._shown: tuple[Recent, ...] = ()
        self._rows: list[RecentRow] = []

    def show_projects(self, projects: Sequence[Recent]) -> None:
        """Show other projects."""
        if tuple(projects) == self._shown:
            return
        self._shown = tuple(projects)
        for row in self._rows:
            row.hide()
            self._column.removeWidget(row)
            row.deleteLater()
        self._rows = [RecentRow(recent, self) for recent in projects]
        for row in self._rows:
            row.clicked.connect(lambda _=False, path=row.recent.path: self.opened.emit(path))
            self._column.addWidget(row)

    def rows(self) -> list[RecentRow]:
        """The lines, from above."""
        return list(self._rows)
