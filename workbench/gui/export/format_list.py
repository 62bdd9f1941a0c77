"""The formats to choose from: a row each, the chosen one with what it is good for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from workbench.gui.theme import NOTE, TEXT, color, font, tokens
from workbench.gui.widgets.painting import box, focus_ring, painter_on

_ROW, _SIDE, _RADIO = 34, 12, 16


@dataclass(frozen=True)
class FormatChoice:
    """A format as it is offered.

    Attributes:
        kind: of the exporter.
        title, suffix, about: in words.
    """

    kind: str
    title: str
    suffix: str
    about: str


class _Row(QAbstractButton):
    def __init__(self, choice: FormatChoice, parent: QWidget) -> None:
        super().__init__(parent)
        self.choice = choice
        self.setCheckable(True)
        # A click takes the focus too: the arrow keys after it would else go to whatever had it before.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(choice.title)
        self.setAccessibleDescription(choice.about)
        self.setToolTip(choice.about)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.toggled.connect(lambda _: self._fit())
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(300, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def _fit(self) -> None:
        """As high as its words need at its width."""
        height = _ROW
        if self.isChecked():
            width = self.width() - self._left() - _SIDE
            wrap = Qt.TextFlag.TextWordWrap
            height += QFontMetrics(font(NOTE)).boundingRect(0, 0, width, 400, wrap, self.choice.about).height() + 6
        if height != self.height():
            self.setFixedHeight(height)

    def _left(self) -> int:
        return _SIDE + _RADIO + 10

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter, area = tokens(), painter_on(self), QRectF(self.rect())
        checked = self.isChecked()
        if checked or self.underMouse():
            box(painter, area, 6, fill=colors.accent_soft if checked else colors.hover)
        ring = QRectF(_SIDE, (_ROW - _RADIO) / 2, _RADIO, _RADIO)
        line = colors.accent if checked else colors.grey
        box(painter, ring, _RADIO / 2, fill=colors.panel, line=line, width=4.5 if checked else 1.2)
        painter.setFont(font(TEXT, QFont.Weight.DemiBold if checked else QFont.Weight.Normal))
        painter.setPen(color(colors.text))
        left = self._left()
        painter.drawText(QRectF(left, 0, area.width() - left, _ROW), Qt.AlignmentFlag.AlignVCenter, self.choice.title)
        painter.setFont(font(NOTE))
        painter.setPen(color(colors.muted))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(QRectF(left, 0, area.width() - left - _SIDE, _ROW), right, self.choice.suffix)
        if checked:
            room = QRectF(left, _ROW - 5, area.width() - left - _SIDE, area.height() - _ROW + 5)
            painter.drawText(room, Qt.TextFlag.TextWordWrap, self.choice.about)
        if self.hasFocus():
            focus_ring(painter, area, 6)


class FormatList(QWidget):
    """Rows of which one is chosen; Up and Down move between them.

    Signals:
        chosen: the kind that the user took.
    """

    chosen = Signal(str)

    def __init__(self, choices: Sequence[FormatChoice], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Format"))
        self._group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self._rows = [_Row(choice, self) for choice in choices]
        for number, row in enumerate(self._rows):
            self._group.addButton(row, number)
            column.addWidget(row)
        self._rows[0].setChecked(True)
        self._group.idToggled.connect(self._on_toggle)

    def value(self) -> str:
        """The chosen kind."""
        return self._rows[self._group.checkedId()].choice.kind

    def choice(self) -> FormatChoice:
        """The chosen format."""
        return self._rows[self._group.checkedId()].choice

    def set_value(self, kind: str) -> None:
        """Choose a format; an unknown one is ignored."""
        for row in self._rows:
            if row.choice.kind == kind:
                row.setChecked(True)

    def _on_toggle(self, number: int, checked: bool) -> None:
        if checked:
            self.chosen.emit(self._rows[number].choice.kind)
