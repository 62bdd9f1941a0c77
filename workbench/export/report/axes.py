"""Axes of drawings: round ticks, scales, a grid of faint horizontal lines, labels at the ends of lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from workbench.export.report.svg import Drawing, Point, text_width

Format = Callable[[float], str]

_APART = 14.0


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from low to high, at most so many: steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if not (isfinite(span) and span > 0):
        return [low]
    power = 10.0 ** floor(log10(span / most))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if span / (power * factor) <= most - 1 + 1e-9)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [_clean(number * step, step) for number in range(first, last + 1)]


def whole_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """The same in whole numbers, for epochs and counts."""
    return sorted({float(round(tick)) for tick in ticks(low, high, most) if abs(tick - round(tick)) < 1e-9})


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Powers of ten from low to high; where there are fewer than three, also 2 and 5 times them."""
    first, last = floor(log10(low) + 1e-9), ceil(log10(high) - 1e-9)
    every = max(1, ceil((last - first + 1) / most))
    inside: list[float] = []
    for step, factors in ((every, (1,)), (1, (1,)), (1, (1, 2, 5))):
        found = [factor * 10.0**exponent for exponent in range(first, last + 1, step) for factor in factors]
        inside = [tick for tick in found if low * 0.999 <= tick <= high * 1.001]
        if len(inside) >= 3:
            break
    return inside


def _clean(value: float, step: float) -> float:
    return round(value, max(0, 2 - floor(log10(step))))


@dataclass(frozen=True)
class Scale:
    """From values to places along an axis; ``start`` may be larger than ``stop``."""

    low: float
    high: float
    start: float
    stop: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = (log10(self.low), log10(self.high)) if self.log else (self.low, self.high)
        share = ((log10(value) if self.log else value) - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.stop - self.start)


@dataclass(frozen=True)
class Frame:
    """A plot's place within a drawing, and its two scales."""

    left: float
    top: float
    right: float
    bottom: float
    x: Scale
    y: Scale

    @classmethod
    def at(
        cls,
        box: tuple[float, float, float, float],
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        log: bool = False,
    ) -> Frame:
        """A frame in a box ``(left, top, right, bottom)`` for ranges of x and y; ``log``: of y."""
        left, top, right, bottom = box
        return cls(left, top, right, bottom, Scale(*x, left, right), Scale(*y, bottom, top, log))

    def rows(self, drawing: Drawing, values: Sequence[float], text: Format) -> None:
        """Horizontal grid lines with their labels at the left."""
        for value in values:
            place = self.y(value)
            drawing.line(self.left, place, self.right, place, "line")
            drawing.text(self.left - 8, place + 4, text(value), color="muted", anchor="end", size=11)

    def columns(self, drawing: Drawing, values: Sequence[float], text: Format, *, grid: bool = False) -> None:
        """Labels below, with vertical grid lines where asked for."""
        for value in values:
            place = self.x(value)
            if grid:
                drawing.line(place, self.top, place, self.bottom, "line")
            drawing.text(place, self.bottom + 16, text(value), color="muted", anchor="middle", size=11)

    def titles(self, drawing: Drawing, x: str, y: str = "") -> None:
        """What the axes show: below at the right, and above at the left."""
        drawing.text(self.right, self.bottom + 31, x, color="muted", anchor="end", size=11)
        if y:
            drawing.text(self.left - 8, self.top - 12, y, color="muted", size=11)


@dataclass(frozen=True)
class Label:
    """A text that belongs to a height in a plot."""

    y: float
    text: str
    color: str


def end_labels(drawing: Drawing, x: float, labels: Sequence[Label], top: float, bottom: float) -> None:
    """Texts beside the ends of lines, moved apart where they would touch."""
    for label, y in zip(labels, spread([label.y for label in labels], top, bottom), strict=True):
        drawing.text(x, y + 4, label.text, color=label.color, size=11, weight=500)


def spread(places: Sequence[float], top: float, bottom: float, apart: float = _APART) -> list[float]:
    """The places moved as little as it takes for neighbors to be so far apart, within top and bottom if they can."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = [places[index] for index in order]
    for index in range(1, len(moved)):
        moved[index] = max(moved[index], moved[index - 1] + apart)
    if moved and moved[-1] > bottom:
        moved[-1] = bottom
        for index in range(len(moved) - 2, -1, -1):
            moved[index] = min(moved[index], moved[index + 1] - apart)
    if moved and moved[0] < top:
        moved = [place + top - moved[0] for place in moved]
    result = [0.0] * len(places)
    for index, place in zip(order, moved, strict=True):
        result[index] = place
    return result


def segments(xs: Sequence[float], ys: Sequence[float], frame: Frame) -> list[list[Point]]:
    """Points of a line in a frame, cut where a value is not finite; what is out of range is drawn at the edge.

    Where several points fall on one pixel column, its lowest and highest stand for them: it looks the same.
    """
    parts: list[list[Point]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if isfinite(y):
            parts[-1].append((frame.x(x), frame.y(min(max(y, frame.y.low), frame.y.high))))
        elif parts[-1]:
            parts.append([])
    return [_thinned(part, frame) for part in parts if part]


def _thinned(points: list[Point], frame: Frame) -> list[Point]:
    if len(points) <= 3 * (frame.right - frame.left):
        return points
    columns: dict[int, list[Point]] = {}
    for point in points:
        columns.setdefault(int(point[0]), []).append(point)
    kept = []
    for column in columns.values():
        ends = {min(column, key=lambda p: p[1]), max(column, key=lambda p: p[1]), column[0], column[-1]}
        kept += sorted(ends)
    return kept


def margin_for(texts: Sequence[str], size: float = 11) -> float:
    """The room that labels at the left of a plot need."""
    return max([24.0, *(text_width(text, size) + 12 for text in texts)])
