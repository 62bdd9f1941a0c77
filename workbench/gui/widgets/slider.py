"""A slider: a thin track, a ring for a handle, the value beside it."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QWidget

from workbench.gui.theme import color, tokens
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.painting import box, painter_on

_RADIUS = 6


class _Track(QSlider):
    def __init__(self, steps: int) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, steps)
        self.setPageStep(max(1, steps // 10))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(120, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(48, 24)

    def wheelEvent(self, event: QWheelEvent) -> None:
        # Scrolling a page past a slider must not turn it.
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._follow(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def _follow(self, event: QMouseEvent) -> None:
        room = max(1, self.width() - 2 * (_RADIUS + 1))
        share = (event.position().x() - _RADIUS - 1) / room
        self.setValue(round(self.maximum() * min(1.0, max(0.0, share))))

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        middle, room = self.height() / 2, self.width() - 2 * (_RADIUS + 1)
        x = _RADIUS + 1 + room * self.value() / max(1, self.maximum())
        accent = colors.accent if self.isEnabled() else colors.faint
        box(painter, QRectF(1, middle - 2, self.width() - 2, 4), 2, fill=colors.soft)
        box(painter, QRectF(1, middle - 2, x - 1, 4), 2, fill=accent)
        if self.hasFocus():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(accent, 0.25))
            painter.drawEllipse(QPointF(x, middle), _RADIUS + 4, _RADIUS + 4)
        painter.setPen(QPen(color(accent), 2))
        painter.setBrush(color(colors.panel))
        painter.drawEllipse(QPointF(x, middle), _RADIUS - 0.5, _RADIUS - 0.5)


class Slider(QWidget):
    """A number in a range.

    Args:
        low, high: the range.
        steps: how many positions the handle has, less one.
        log: whether equal ways are equal factors; ``low`` must be above 0 then.
        text: writes the value beside the track.

    Signals:
        valueChanged: the number, while the user drags or types.
        released: the user let the handle go.
    """

    valueChanged = Signal(float)
    released = Signal()

    def __init__(
        self,
        low: float = 0.0,
        high: float = 1.0,
        *,
        steps: int = 100,
        log: bool = False,
        text: Callable[[float], str] = "{:.2f}".format,
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._low, self._high, self._log, self._text = low, high, log, text
        self._value = low
        self._track = _Track(steps)
        self._track.setAccessibleName(name)
        self.setFocusProxy(self._track)
        self._label = Label(text(high))
        self._label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        widest = max(self._label.sizeHint().width(), 36)
        self._label.setMinimumWidth(widest)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._track, 1)
        row.addWidget(self._label)
        self._track.valueChanged.connect(self._on_move)
        self._track.sliderReleased.connect(self.released)
        self.setValue(low)

    def value(self) -> float:
        """The number as it was set or dragged to."""
        return self._value

    def setValue(self, value: float) -> None:
        """Show a number, silently; one between two positions is kept as it is."""
        self._value = value
        self._track.blockSignals(True)
        self._track.setValue(round(self._track.maximum() * self._share(value)))
        self._track.blockSignals(False)
        self._label.setText(self._text(value))
        self._track.update()

    def _share(self, value: float) -> float:
        if self._log:
            return (log(max(value, self._low)) - log(self._low)) / (log(self._high) - log(self._low))
        return (value - self._low) / (self._high - self._low)

    def _on_move(self, position: int) -> None:
        share = position / max(1, self._track.maximum())
        if self._log:
            value = exp(log(self._low) + share * (log(self._high) - log(self._low)))
        else:
            value = self._low + share * (self._high - self._low)
        self._value = min(self._high, max(self._low, float(f"{value:.6g}")))
        self._label.setText(self._text(self._value))
        self.valueChanged.emit(self._value)
