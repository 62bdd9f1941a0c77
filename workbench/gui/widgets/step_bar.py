"""The steps of the work, in order: Data, Network, Train, Diagnose, Export."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from workbench.gui.icons import draw_icon
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import box, focus_ring, painter_on

_SIDE, _GAP, _MARK = 12, 8, 16


class _Step(QAbstractButton):
    def __init__(self, number: int, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(f"Ctrl+{number}")
        self.number, self.done = str(number), False

    def set_done(self, done: bool) -> None:
        self.done = done
        self.setAccessibleName(self.text() + (self.tr(", done") if done else ""))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        strong = QFontMetrics(font(13, font().Weight.DemiBold))
        mark = _MARK + 6 if self.done else 0
        return QSize(2 * _SIDE + strong.horizontalAdvance(self.number + self.text()) + _GAP + mark, 30)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.sizeHint().width() - 8, 30)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        area = QRectF(self.rect())
        if self.isChecked():
            box(painter, area, 6, fill=colors.accent_soft)
        elif self.underMouse() and self.isEnabled():
            box(painter, area, 6, fill=colors.hover)
        if self.hasFocus():
            focus_ring(painter, area, 6)
        ink = colors.faint if not self.isEnabled() else colors.accent if self.isChecked() else colors.muted
        painter.setPen(color(ink))
        painter.setFont(font(13, font().Weight.DemiBold if self.isChecked() else font().Weight.Normal))
        room = QRect(_SIDE, 0, self.width() - 2 * _SIDE, self.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.number)
        room.setLeft(_SIDE + painter.fontMetrics().horizontalAdvance(self.number) + _GAP)
        painter.setFont(font(13, font().Weight.DemiBold if self.isChecked() else font().Weight.Medium))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.done:
            x = room.left() + painter.fontMetrics().horizontalAdvance(self.text()) + 6
            draw_icon(painter, "check", QRectF(x, (self.height() - 14) / 2, 14, 14), colors.good, 1.8)


class StepBar(QWidget):
    """Numbered steps, one of them open; finished ones carry a check mark.

    Signals:
        chosen: the number of the step that the user opened, from 0.
    """

    chosen = Signal(int)

    def __init__(self, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Steps"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self.chosen)
        for number, name in enumerate(names):
            step = _Step(number + 1, name, self)
            self._group.addButton(step, number)
            row.addWidget(step)
        self.set_current(0)

    def current(self) -> int:
        """The open step."""
        return self._group.checkedId()

    def set_current(self, number: int) -> None:
        """Open a step, silently."""
        self._group.button(number).setChecked(True)

    def set_done(self, number: int, done: bool) -> None:
        """Mark a step as finished, or not."""
        step = self._group.button(number)
        if isinstance(step, _Step):
            step.set_done(done)

    def set_enabled(self, number: int, enabled: bool) -> None:
        """Whether a step can be opened yet."""
        self._group.button(number).setEnabled(enabled)
