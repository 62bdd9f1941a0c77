"""How a column's values are spread, painted small enough for a table's cell."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from workbench.data.profile import ColumnProfile
from workbench.gui.theme import color, tokens

Bars = Sequence[Sequence[int]]
"""For each bar its parts, from below."""

_WIDEST = 10.0


def bars_of(profile: ColumnProfile, classes: int) -> Bars:
    """Bins of numbers, or the most frequent categories; in parts by class where there are classes to tell apart."""
    histogram = profile.histogram
    if histogram is not None:
        if classes and histogram.by_class:
            return list(zip(*histogram.by_class, strict=True))
        return [(count,) for count in histogram.counts]
    return [top.by_class if classes and top.by_class else (top.count,) for top in profile.top]


def class_color(number: int) -> str:
    """The color of a class: the same in the histograms and in the class balance."""
    series = tokens().series
    order = (0, 3, 1, 2, 4, 5)
    return series[order[number % len(order)]]


def paint_bars(painter: QPainter, area: QRectF, bars: Bars, *, faint: bool = False) -> None:
    """Bars from the left, as high as the area where highest; each of at least a pixel where it is not empty."""
    highest = max((sum(parts) for parts in bars), default=0)
    if not highest:
        return
    step = min(_WIDEST, area.width() / len(bars))
    gap = 1.0 if step >= 3 else 0.0
    painter.fillRect(QRectF(area.left(), area.bottom(), step * len(bars) - gap, 1), color(tokens().line))
    opacity = 0.4 if faint else 1.0
    for place, parts in enumerate(bars):
        bottom = area.bottom()
        for number, count in enumerate(parts):
            height = count / highest * area.height()
            if not count:
                continue
            height = max(height, 1.0) if len(parts) == 1 else height
            ink = color(class_color(number), opacity)
            painter.fillRect(QRectF(area.left() + place * step, bottom - height, step - gap, height), ink)
            bottom -= height
