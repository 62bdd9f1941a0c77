"""A thin bar that fills up, or moves to and fro where nobody knows how far it is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, QTimer
from PySide6.QtGui import QHideEvent, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.theme import tokens
from workbench.gui.widgets.painting import box, painter_on


class ProgressBar(QWidget):
    """Shows a share of 0 to 1; None stands for unknown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Progress"))
        self._share: float | None = 0.0
        self._phase = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(50)
        self._timer.timeout.connect(self._move)

    def share(self) -> float | None:
        """What it shows."""
        return self._share

    def set_share(self, share: float | None) -> None:
        """Show another share."""
        self._share = None if share is None else min(1.0, max(0.0, share))
        self.setAccessibleDescription("" if self._share is None else f"{self._share:.0%}")
        self._run_timer()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, 8)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 8)

    def showEvent(self, event: QShowEvent) -> None:
        self._run_timer()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    def _run_timer(self) -> None:
        if self._share is None and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

    def _move(self) -> None:
        self._phase = (self._phase + 0.03) % 1.0
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        whole = QRectF(self.rect())
        box(painter, whole, 4, fill=colors.soft)
        if self._share is None:
            width = whole.width() * 0.25
            left = (whole.width() - width) * (1 - abs(2 * self._phase - 1))
            box(painter, QRectF(left, 0, width, whole.height()), 4, fill=colors.accent)
        elif self._share > 0:
            box(painter, QRectF(0, 0, max(8.0, whole.width() * self._share), whole.height()), 4, fill=colors.accent)
