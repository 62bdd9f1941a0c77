"""The ladder of errors, drawn to scale: a bar for each level with its interval, the gaps between them in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench.evaluation.intervals import Estimate
from workbench.gui import figures
from workbench.gui.text import safe, tip
from workbench.gui.theme import NOTE, SMALL, TEXT, color, font, tokens
from workbench.gui.widgets.painting import painter_on


@dataclass(frozen=True)
class Rung:
    """A level.

    Attributes:
        label: its name; may come from data.
        error: its error.
        role: the token that colors its bar.
        strength: the bar's opacity.
        part: whether it is a part of the level above it: one distribution.
        tip: what there is to know of it.
    """

    label: str
    error: Estimate
    role: str
    strength: float = 1.0
    part: bool = False
    tip: str = ""


@dataclass(frozen=True)
class Between:
    """What lies between two levels.

    Attributes:
        told: the gap in words, ``avoidable bias +2.8``.
        rest: its interval, or why it is not known; muted.
        limiting: whether this is what holds the model back.
        ends: the errors it reaches from and to; None where it is not known.
        tip: what there is to know of it.
    """

    told: str
    rest: str = ""
    limiting: bool = False
    ends: tuple[float, float] | None = None
    tip: str = ""


Row = Rung | Between


@dataclass(frozen=True)
class _Sizes:
    rung: float
    part: float
    between: float
    bar: float
    axis: float


_COMPACT = _Sizes(rung=24, part=20, between=20, bar=12, axis=0)
_DETAILED = _Sizes(rung=30, part=22, between=28, bar=16, axis=26)
_LEAST_LABEL, _MOST_LABEL, _BESIDE = 80, 132, 14
_APART = 18
"""Pixels between the columns that a detailed ladder has besides the value."""
_ROOMY = 480


class Ladder(QWidget):
    """Bars to scale with whiskers of their 95 % intervals.

    Args:
        detailed: whether there is an axis, brackets for the gaps and, where there is room, columns of intervals and
            numbers of examples.
    """

    def __init__(self, *, detailed: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()
        self._detailed, self._sizes = detailed, _DETAILED if detailed else _COMPACT
        self._faded = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Ladder of errors"))

    def rows(self) -> tuple[Row, ...]:
        """What it shows."""
        return self._rows

    def set_rows(self, rows: Sequence[Row], *, provisional: bool = False) -> None:
        """Show levels from the bottom of the ladder up, and what lies between them.

        Args:
            rows: in order.
            provisional: whether they are no result yet; drawn paler.
        """
        if (tuple(rows), provisional) == (self._rows, self._faded):
            return
        self._rows, self._faded = tuple(rows), provisional
        self.setAccessibleDescription(self._spoken())
        self.updateGeometry()
        self.update()

    def _spoken(self) -> str:
        parts = []
        for row in self._rows:
            if isinstance(row, Rung):
                parts.append(f"{safe(row.label)} {self._value(row)}")
            else:
                parts.append(f"{row.told} {row.rest}".strip() + (self.tr(" (limiting)") if row.limiting else ""))
        return "; ".join(parts)

    def sizeHint(self) -> QSize:
        return QSize(300, round(sum(map(self._height, self._rows)) + self._sizes.axis))

    def minimumSizeHint(self) -> QSize:
        return QSize(240, self.sizeHint().height())

    def _height(self, row: Row) -> float:
        if isinstance(row, Between):
            return self._sizes.between
        return self._sizes.part if row.part else self._sizes.rung

    def _placed(self) -> Iterator[tuple[Row, float, float]]:
        """Each row with its top and its height."""
        top = 0.0
        for row in self._rows:
            height = self._height(row)
            yield row, top, height
            top += height

    # --- scale ---------------------------------------------------------------------------------------------------

    @property
    def _roomy(self) -> bool:
        return self._detailed and self.width() >= _ROOMY

    def _left(self) -> float:
        measure = QFontMetricsF(font(TEXT))
        widest = max((measure.horizontalAdvance(safe(r.label)) for r in self._rows if isinstance(r, Rung)), default=0.0)
        return min(_MOST_LABEL, max(_LEAST_LABEL, widest)) + _BESIDE

    def _right(self) -> float:
        column = self._widest(TEXT, self._value)
        return self.width() - column - _BESIDE - sum(self._columns())

    def _columns(self) -> tuple[float, float]:
        """Widths of the columns of intervals and sizes, with the room before them; 0 where there are none."""
        if not self._roomy:
            return 0.0, 0.0
        sizes = self._widest(SMALL, _size_text)
        return self._widest(SMALL, self._interval) + _APART, sizes + _APART if sizes else 0.0

    def _widest(self, size: int, text_of: Callable[[Rung], str]) -> float:
        measure = QFontMetricsF(font(size))
        texts = (text_of(row) for row in self._rows if isinstance(row, Rung))
        return max((measure.horizontalAdvance(text) for text in texts), default=0.0)

    def _interval(self, row: Rung) -> str:
        return self.tr("exact") if row.error.exact else interval_text(row.error, self._places())

    def _top(self) -> float:
        """The error at the right end of the scale."""
        highest = max((row.error.upper for row in self._rows if isinstance(row, Rung)), default=0.0)
        return max(highest, 1e-4)

    def _x(self, value: float) -> float:
        left = self._left()
        return left + (self._right() - left) * max(0.0, value) / self._top()

    def _places(self) -> int:
        return 2 if self._top() < 0.02 else 1

    def _value(self, row: Rung) -> str:
        return figures.percent(row.error.value, self._places())

    # --- painting ------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painter_on(self)
        if self._faded:
            painter.setOpacity(0.75)
        if self._detailed and self._rows:
            self._draw_axis(painter)
        for row, top, height in self._placed():
            if isinstance(row, Rung):
                self._draw_rung(painter, row, QRectF(0, top, self.width(), height))
            else:
                self._draw_between(painter, row, QRectF(0, top, self.width(), height))

    def _draw_axis(self, painter: QPainter) -> None:
        colors, bottom = tokens(), sum(map(self._height, self._rows))
        painter.setFont(font(SMALL))
        for value in _ticks(self._top()):
            x = round(self._x(value)) + 0.5
            painter.setPen(QPen(color(colors.row_line), 1))
            painter.drawLine(QPointF(x, 0), QPointF(x, bottom + 4))
            painter.setPen(color(colors.muted))
            text = figures.percent(value, max(0, -floor(log10(_step(self._top())) + 2 + 1e-9)))
            painter.drawText(QRectF(x - 40, bottom + 6, 80, 16), Qt.AlignmentFlag.AlignHCenter, text)

    def _draw_rung(self, painter: QPainter, row: Rung, area: QRectF) -> None:
        colors, middle, left = tokens(), area.center().y(), self._left()
        thick = self._sizes.bar - (4 if row.part else 0)
        look = font(NOTE if row.part else TEXT)
        painter.setFont(look)
        painter.setPen(color(colors.muted))
        indent = 12.0 if row.part else 0.0
        room = QRectF(indent, area.top(), left - _BESIDE - indent, area.height())
        name = QFontMetricsF(look).elidedText(safe(row.label), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)
        # An error of 0 still gets a sliver, so that its row is not taken for an empty one.
        bar = QRectF(left, middle - thick / 2, max(2.0, self._x(row.error.value) - left), thick)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color(str(getattr(colors, row.role)), row.strength))
        painter.drawRoundedRect(bar, 2, 2)
        if not row.error.exact:
            self._draw_whisker(painter, row.error, middle)
        self._draw_numbers(painter, row, area)

    def _draw_whisker(self, painter: QPainter, error: Estimate, y: float) -> None:
        painter.setPen(QPen(color(tokens().text), 1.4))
        low, high = self._x(error.lower), self._x(error.upper)
        painter.drawLine(QPointF(low, y), QPointF(high, y))
        for end in (low, high) if self._detailed else ():
            painter.drawLine(QPointF(end, y - 3.5), QPointF(end, y + 3.5))

    def _draw_numbers(self, painter: QPainter, row: Rung, area: QRectF) -> None:
        colors, right = tokens(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        intervals, sizes = self._columns()
        weight = QFont.Weight.Medium if self._detailed else QFont.Weight.Normal
        painter.setFont(font(NOTE if row.part else TEXT, weight))
        painter.setPen(color(colors.muted if row.part else colors.text))
        painter.drawText(
            QRectF(0, area.top(), self.width() - intervals - sizes, area.height()), right, self._value(row)
        )
        if not self._roomy:
            return
        painter.setFont(font(SMALL))
        painter.setPen(color(colors.muted))
        painter.drawText(QRectF(0, area.top(), self.width() - sizes, area.height()), right, self._interval(row))
        painter.drawText(QRectF(0, area.top(), self.width(), area.height()), right, _size_text(row))

    def _draw_between(self, painter: QPainter, row: Between, area: QRectF) -> None:
        start = self._left()
        if self._detailed and row.ends is not None:
            start = self._draw_bracket(painter, row, area.center().y())
        strong = font(NOTE, QFont.Weight.DemiBold if row.limiting else QFont.Weight.Normal)
        told = QFontMetricsF(strong).horizontalAdvance(row.told)
        rest = QFontMetricsF(font(NOTE)).horizontalAdvance(row.rest)
        # What is near the right end of the scale moves left, as far as there is room.
        start = max(self._left(), min(start, self.width() - told - rest - 6))
        painter.setFont(strong)
        painter.setPen(color(tokens().warning_text if row.limiting else tokens().muted))
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRectF(start, area.top(), told + 4, area.height()), align, row.told)
        painter.setFont(font(NOTE))
        painter.setPen(color(tokens().muted))
        room = QRectF(start + told + 5, area.top(), self.width() - start - told - 5, area.height())
        fitted = QFontMetricsF(font(NOTE)).elidedText(row.rest, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, align, fitted)

    def _draw_bracket(self, painter: QPainter, row: Between, y: float) -> float:
        """The gap as a line between its levels; where words may begin."""
        assert row.ends is not None
        low, high = sorted(self._x(end) for end in row.ends)
        painter.setPen(QPen(color(tokens().warning if row.limiting else tokens().grey), 2.4 if row.limiting else 1.4))
        painter.drawLine(QPointF(low, y), QPointF(high, y))
        for end in (low, high):
            painter.drawLine(QPointF(end, y - 6), QPointF(end, y + 6))
        return high + 8

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            y = event.pos().y()
            text = next((row.tip for row, top, height in self._placed() if top <= y < top + height), "")
            QToolTip.showText(event.globalPos(), tip(text), self)
            return True
        return super().event(event)


def _size_text(row: Rung) -> str:
    return f"n = {figures.grouped(row.error.n)}" if row.error.n is not None else ""


def interval_text(estimate: Estimate, places: int = 1) -> str:
    """``2.6 – 3.0`` in hundredths."""
    ends = (f"{100 * end:.{places}f}" for end in (estimate.lower, estimate.upper))
    return " – ".join((f"{0:.{places}f}" if float(end) == 0 else end).replace("-", figures.MINUS) for end in ends)


def _step(top: float) -> float:
    """The distance of the axis' marks: 1, 2 or 5 times a power of ten, three to six of them."""
    power = 10.0 ** floor(log10(top / 3))
    return next(power * factor for factor in (10, 5, 2, 1) if power * factor * 3 <= top * 1.0001)


def _ticks(top: float) -> list[float]:
    step = _step(top)
    return [number * step for number in range(int(top / step + 1e-9) + 1)]
