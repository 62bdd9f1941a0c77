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
    """A horizontal line that the others are compared with."""

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
    from_zero: bool = True,
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
        log: whether the values are shown by factors.
        from_zero: whether the axis of values starts at 0.
    """
    drawing = Drawing(*size, label)
    lines = [(each, [float("nan") if y is None else float(y) for y in each.ys]) for each in series]
    known = [y for _, ys in lines for y in ys if isfinite(y) and (y > 0 or not log)]
    if not known:
        drawing.text(size[0] / 2, size[1] / 2, "nothing finite to draw", color="muted", anchor="middle")
        return drawing
    low, high = _range([*known, *(level.value for level in levels)], log, from_zero)
    values = log_ticks(low, high) if log else ticks(low, high, 6)
    ends = _ends(lines, text)
    left = margin_for([text(value) for value in values])
    right = size[0] - max([14.0, *(text_width(end.text, 11) + 12 for end in ends)])
    box = (left, _TOP, right, size[1] - _BOTTOM)
    frame = Frame.at(box, (0.0, max(1.0, *epochs)), (low, high), log=log)
    frame.rows(drawing, values, text)
    frame.columns(drawing, whole_ticks(frame.x.low, frame.x.high, max(3, int((right - left) / 80))), count)
    frame.titles(drawing, "epoch")
    _draw_lines(drawing, frame, epochs, lines, levels)
    _draw_marks(drawing, frame, marks, best)
    placed = [Label(frame.y(end.y), end.text, end.color) for end in ends]
    end_labels(drawing, right + 8, placed, frame.top, frame.bottom)
    return drawing


def _range(values: Sequence[float], log: bool, from_zero: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if log:
        return low / 1.15, high * 1.15
    low = min(low, 0.0) if from_zero else low
    room = (high - low or abs(high) or 1.0) * 0.06
    return (low if from_zero and low == 0 else low - room), high + room


def _ends(lines: Sequence[tuple[Series, list[float]]], text: Format) -> list[Label]:
    """The name and last value of each line, with that value as its height."""
    ends = []
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
        place = frame.y(level.value)
        drawing.line(frame.left, place, frame.right, place, level.color, 1.2, "2 4")
        drawing.text(frame.left + 6, place - 5, level.text, color=level.color, size=11)
    for each, ys in lines:
        for part in segments(epochs, ys, frame):
            if len(part) == 1:
                drawing.dot(*part[0], 2.5, each.color)
            else:
                drawing.path(part, each.color, 1.8, each.dash)


def _draw_marks(
    drawing: Drawing, frame: Frame, marks: Sequence[Mark], best: tuple[float, float, str] | None
) -> None:
    for mark in marks:
        place = frame.x(mark.epoch)
        drawing.line(place, frame.top, place, frame.bottom, "warning", 1.2, "4 3")
        late = place > (frame.left + frame.right) / 2
        drawing.text(place + (-6 if late else 6), frame.top + 10, mark.text, color="warning_text", size=11,
                     anchor="end" if late else "start")  # fmt: skip
    if best is not None and isfinite(best[1]) and (best[1] > 0 or not frame.y.log):
        x, y = frame.x(best[0]), frame.y(best[1])
        drawing.dot(x, y, 4, "panel", "purple")
        late = x > (frame.left + frame.right) / 2
        drawing.text(x + (3 if late else -3), y - 10, best[2], color="muted", size=11, anchor="end" if late else "start")
