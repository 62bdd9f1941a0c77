"""What the lines of a plot are: a click hides some, a double click leaves only them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from workbench.gui.plots.plot import SOLID
from workbench.gui.runs.markers import Marker, marker_path
from workbench.gui.text import safe
from workbench.gui.theme import color, font, tokens
from workbench.gui.widgets.painting import box, focus_ring, painter_on

_SAMPLE, _SIDE, _WIDEST = 18, 6, 160


@dataclass(frozen=True)
class Key:
    """An entry.

    Attributes:
        key: what is hidden by it.
        text: its words.
        marker: a run's sign; None for a style of line.
        style: of the line; None for a sign alone, which is filled as it is in the plot: a run's own is hollow there.
        ink: a token; for a style of line, or a layer.
        faint: whether it stands for raw values.
    """

    key: str
    text: str
    marker: Marker | None = None
    style: Qt.PenStyle | None = SOLID
    ink: str = ""
    faint: bool = False


class _Button(QAbstractButton):
    isolated = Signal()

    def __init__(self, key: Key, parent: QWidget) -> None:
        super().__init__(parent)
        self.key = key
        self.setText(safe(key.text))
        self.setCheckable(True)
        self.setChecked(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFont(font(12))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setToolTip(self.tr("Click hides, double click leaves only this"))
        self.toggled.connect(self._name)
        self._name()

    def _name(self) -> None:
        state = self.tr("shown") if self.isChecked() else self.tr("hidden")
        self.setAccessibleName(f"{self.text()}, {state}")

    def sizeHint(self) -> QSize:
        words = min(_WIDEST, QFontMetrics(self.font()).horizontalAdvance(self.text()))
        return QSize(words + _SAMPLE + 2 * _SIDE + 5, 24)

    def minimumSizeHint(self) -> QSize:
        return QSize(_SAMPLE + 2 * _SIDE, 24)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.isolated.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = tokens(), painter_on(self)
        area, shown = QRectF(self.rect()), self.isChecked()
        if self.underMouse():
            box(painter, area, 5, fill=colors.hover)
        if self.hasFocus():
            focus_ring(painter, area, 5)
        ink = colors.faint if not shown else self._ink()
        middle = area.center().y()
        if self.key.marker is not None:
            filled = shown and self.key.style is None
            painter.setPen(QPen(color(ink), 1.6))
            painter.setBrush(color(ink) if filled else Qt.BrushStyle.NoBrush)
            size = 7.0 if self.key.style is None else 9.0
            painter.drawPath(marker_path(self.key.marker.shape, QPointF(_SIDE + _SAMPLE / 2, middle), size))
        elif self.key.style is not None:
            painter.setPen(QPen(color(ink, 0.35 if self.key.faint else 1.0), 1.6, self.key.style))
            painter.drawLine(QPointF(_SIDE, middle), QPointF(_SIDE + _SAMPLE, middle))
        painter.setPen(color(colors.muted if shown else colors.faint))
        look = font(12)
        look.setStrikeOut(not shown)
        painter.setFont(look)
        room = QRect(_SIDE + _SAMPLE + 5, 0, self.width() - _SAMPLE - 2 * _SIDE - 3, self.height())
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)

    def _ink(self) -> str:
        if self.key.marker is not None:
            return self.key.marker.color
        return self.key.ink or tokens().muted


class Legend(QWidget):
    """Entries side by side; what does not fit is cut off at the right, shortest words last.

    Signals:
        changed: other entries are hidden.
    """

    changed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._row.addStretch(1)
        self._buttons: list[_Button] = []
        self._keys: tuple[Key, ...] = ()
        self._hidden: set[str] = set()

    @property
    def hidden(self) -> frozenset[str]:
        """The keys of what is not to be drawn."""
        return frozenset(self._hidden)

    def set_keys(self, keys: Sequence[Key]) -> None:
        """Show other entries; one that was hidden before stays so."""
        if tuple(keys) == self._keys:
            return
        self._keys = tuple(keys)
        for button in self._buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = [self._made(key) for key in keys]
        self.update()

    def _made(self, key: Key) -> _Button:
        button = _Button(key, self)
        button.setChecked(key.key not in self._hidden)
        button.clicked.connect(lambda: self._toggle(key.key))
        button.isolated.connect(lambda: self._isolate(key.key))
        self._row.addWidget(button)
        return button

    def _toggle(self, key: str) -> None:
        self._hidden ^= {key}
        self._tell()

    def _isolate(self, key: str) -> None:
        """Only this one of its sort; all again where it is the only one already."""
        of_sort = {other.key for other in self._keys if _sort(other.key) == _sort(key)}
        alone = of_sort - {key}
        self._hidden = self._hidden - of_sort if self._was_alone(alone) else (self._hidden - of_sort) | alone
        self._tell()

    def _was_alone(self, others: set[str]) -> bool:
        # The first press of the double click has hidden or shown the entry itself: the others tell how it was before.
        return bool(others) and others <= self._hidden

    def _tell(self) -> None:
        for button in self._buttons:
            button.setChecked(button.key.key not in self._hidden)
        self.changed.emit()


def _sort(key: str) -> str:
    return key.partition(" ")[0]
