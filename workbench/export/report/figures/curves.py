"""Learning curves: lines over epochs, named at their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from workbench.export.report.axes import (
    Format,
    Frame,
    Label,
    end_labels,
    log_ticks,
    margin_for,
    segments,
    ticks,
    whole_ticks,
)
from workbench.export.report.svg import Drawing, text_width
from workbench.export.report.text import count

_TOP, _BOTTOM = 14.0, 36.0


@dataclass(frozen=True)
class Series:
    """A line.

    Attributes:
        name: what stands at its end, before its last value.
        ys: a value for each epoch; None or not finite where there is none.
        color: by name.
        dash: as SVG has it; empty for a solid line.
    """

    name: str
    ys: Sequence[float | None]
    color: str
    dash: str = ""


@dataclass(frozen=True)
class Mark:
    """A moment (a vertical line), by epoch, and what happened then."""

    epoch: float
    text: str


@dataclass(frozen=True)
class Level:
    """A horizontal line that the others are compared with; its text stands at its end."""

    value: float
    text: str
    color: str


def curves_drawing(
    epochs: Sequence[float],
    series: Sequence[Series],
    text: Format,
    *,
    label: str,
    size: tuple[float, float] = (820.0, 250.0),
    levels: Sequence[Level] = (),
    marks: Sequence[Mark] = (),
    best: tuple[float, float, str] | None = None,
    log: bool = False,
) -> Drawing:
    """Lines over epochs.

    Args:
        epochs: of the points.
        series: the lines.
        text: how values are written.
        label: see ``Drawing``.
        size: width and height.
        levels, marks: horizontal and vertical lines.
        best: a point to mark, as epoch, value and text.
        log: whether the values are shown by factors; else their axis starts at 0.
    """
    drawing = Drawing(*size, label)
    lines = [(each, [float("nan") if y is None else float(y) for y in each.ys]) for each in series]
    known = [y for _, ys in lines for y in ys if isfinite(y)] + [level.value for level in levels]
    if not any(isfinite(y) for _, ys in lines for y in ys):
        drawing.text(size[0] / 2, size[1] / 2, "nothing finite to draw", color="muted", anchor="middle")
        return drawing
    low, high = _log_range(known) if log else _range(known)
    values = log_ticks(low, high) if log else ticks(low, high, 6)
    ends = _ends(lines, levels, text)
    left = margin_for([text(value) for value in values])
    right = size[0] - max([14.0, *(text_width(end.text, 11) + 12 for end in ends)])
    frame = Frame.at((left, _TOP, right, size[1] - _BOTTOM), (0.0, max(1.0, *epochs)), (low, high), log=log)
    frame.rows(drawing, values, text)
    frame.columns(drawing, whole_ticks(frame.x.low, frame.x.high, max(3, int((right - left) / 80))), count)
    frame.titles(drawing, "epoch")
    _draw_lines(drawing, frame, epochs, lines, levels)
    _draw_marks(drawing, frame, marks, best)
    placed = [Label(frame.y(min(max(end.y, low), high)), end.text, end.color) for end in ends]
    end_labels(drawing, right + 8, placed, frame.top, frame.bottom)
    return drawing


def wants_log(series: Sequence[Series]) -> bool:
    """Whether the lines end so far below their highest point that only a scale of factors shows both."""
    known = [[float(y) for y in each.ys if y is not None and isfinite(y)] for each in series]
    known = [ys for ys in known if ys]
    if not known:
        return False
    highest, lowest = max(max(ys) for ys in known), min(ys[-1] for ys in known)
    return highest > 20 * lowest and highest > 0


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(0.0, *values), max(values)
    room = (high - low or 1.0) * 0.06
    return (low if low == 0 else low - room), high + room


def _log_range(values: Sequence[float]) -> tuple[float, float]:
    """What is not above 0 is drawn at the lower edge, a little below the smallest value that is."""
    above = [value for value in values if value > 0] or [1.0]
    return min(above) / 1.5, max(above) * 1.15


def _ends(lines: Sequence[tuple[Series, list[float]]], levels: Sequence[Level], text: Format) -> list[Label]:
    """The name and last value of each line, with that value as its height."""
    ends = [Label(level.value, level.text, level.color) for level in levels]
    for each, ys in lines:
        last = next((y for y in reversed(ys) if isfinite(y)), None)
        if last is not None:
            ends.append(Label(last, f"{each.name} {text(last)}".strip(), each.color))
    return ends


def _draw_lines(
    drawing: Drawing,
    frame: Frame,
    epochs: Sequence[float],
    lines: Sequence[tuple[Series, list[float]]],
    levels: Sequence[Level],
) -> None:
    for level in levels:
        place = frame.y(min(max(level.value, frame.y.low), frame.y.high))
        drawing.line(frame.left, place, frame.right, place, level.color, 1.2, "2 4")
    for each, ys in lines:
        for part in segments(epochs, ys, frame):
            if len(part) == 1:
                drawing.dot(*part[0], 2.5, each.color)
            else:
                drawing.path(part, each.color, 1.8, each.dash)


def _draw_marks(drawing: Drawing, frame: Frame, marks: Sequence[Mark], best: tuple[float, float, str] | None) -> None:
    for mark in marks:
        place = frame.x(mark.epoch)
        drawing.line(place, frame.top, place, frame.bottom, "warning", 1.2, "4 3")
        late = place > (frame.left + frame.right) / 2
        drawing.text(place + (-6 if late else 6), frame.top + 10, mark.text, color="warning_text", size=11,
                     anchor="end" if late else "start")  # fmt: skip
    if best is not None and isfinite(best[1]):
        x, y = frame.x(best[0]), frame.y(min(max(best[1], frame.y.low), frame.y.high))
        # Named at the top, with a line down to it: beside the point are lines, and the names at their ends.
        drawing.line(x, frame.top, x, y - 4, "grey", 1, "1 3")
        drawing.dot(x, y, 4, "panel", "purple")
        late = x > (frame.left + frame.right) / 2
        height = frame.top + (24 if marks else 10)
        drawing.text(x + (-6 if late else 6), height, best[2], color="muted", size=11,
                     anchor="end" if late else "start")  # fmt: skip
