"""The ladder of errors to scale: a bar for each level with its interval, the gaps between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.diagnosis.diagnose import Diagnosis
from workbench.diagnosis.gaps import Gap
from workbench.diagnosis.levels import LADDER
from workbench.evaluation.intervals import Estimate
from workbench.export.report.axes import Scale, ticks
from workbench.export.report.svg import Anchor, Drawing, Run, fitted, text_width, widest
from workbench.export.report.text import count, gap, interval, percent, tight_percent

WIDTH = 820.0
_RIGHT, _VALUE, _INTERVAL = 540.0, 618.0, 634.0
_BAR, _PART, _ROW, _GAP = 16.0, 10.0, 28.0, 30.0
_MOST_PARTS = 8
_COLORS = {"bayes": "grey", "human": "good", "train": "accent", "dev": "accent", "test": "accent"}
_OPACITY = {"dev": 0.62, "test": 0.38}
_NAMES = {"bayes": "Bayes"}
_GAP_NAMES = {"avoidable_bias": "avoidable bias", "bias": "bias", "variance": "variance", "dev_test_gap": "dev to test"}
_FOCUS = {"bias": ("avoidable_bias", "bias"), "variance": ("variance",), "mismatch": ("variance",)}


@dataclass(frozen=True)
class _Level:
    """A bar: its name, its error, which color it has, and whether it is a part of the level above it."""

    name: str
    error: Estimate
    color: str
    opacity: float = 1.0
    part: bool = False


_Row = _Level | Gap
ANCHORS: tuple[Anchor, Anchor] = ("start", "end")


def ladder_drawing(diagnosis: Diagnosis) -> Drawing:
    """The ladder; the limiting gap stands out, the others are grey."""
    rows = list(_rows(diagnosis))
    heights = [_GAP if isinstance(row, Gap) else _ROW if not row.part else _ROW - 6 for row in rows]
    drawing = Drawing(WIDTH, sum(heights) + 34, _described(diagnosis))
    levels = [row for row in rows if isinstance(row, _Level)]
    left = widest((level.name for level in levels), 13, least=60, most=180) + 16
    scale = Scale(0.0, max([1e-4, *(level.error.upper for level in levels)]) * 1.02, left, _RIGHT)
    _axis(drawing, scale, sum(heights))
    y = 0.0
    limiting = _FOCUS.get(diagnosis.focus, ())
    for row, height in zip(rows, heights, strict=True):
        if isinstance(row, Gap):
            _draw_gap(drawing, scale, y + height / 2, row, diagnosis, row.name in limiting)
        else:
            _draw_level(drawing, scale, y + height / 2, row)
        y += height
    return drawing


def _rows(diagnosis: Diagnosis) -> Iterator[_Row]:
    """Levels from the bottom of the ladder up, each gap before its upper level."""
    gaps = {each.upper: each for each in _shown_gaps(diagnosis)}
    for name in LADDER:
        error = diagnosis.levels.get(name)
        if error is None:
            continue
        if name in gaps:
            yield gaps[name]
        yield _Level(_NAMES.get(name, name), error, _COLORS[name], _OPACITY.get(name, 1.0))
        if name == "dev":
            yield from _parts(diagnosis)


def _shown_gaps(diagnosis: Diagnosis) -> list[Gap]:
    gaps = diagnosis.gaps
    shown = [gaps.deciding_bias, gaps.variance, gaps.dev_test_gap]
    return [each for each in shown if each.estimate is not None]


def distributions_left_out(diagnosis: Diagnosis) -> int:
    """How many distributions are not drawn, because there are too many: those of lowest dev error."""
    return max(0, len(_dev_errors(diagnosis)) - _MOST_PARTS)


def _dev_errors(diagnosis: Diagnosis) -> list[tuple[str, Estimate]]:
    errors = [(name, sets["dev"]) for name, sets in diagnosis.levels.by_distribution.items() if "dev" in sets]
    return sorted(errors, key=lambda pair: pair[1].value)


def _parts(diagnosis: Diagnosis) -> Iterator[_Level]:
    """The dev error by distribution, the lowest first: the lecture's dev1 and dev2."""
    errors = _dev_errors(diagnosis)
    if len(errors) > 1:
        for name, error in errors[-_MOST_PARTS:]:
            yield _Level(f"dev: {name}", error, "purple", 0.75, part=True)


def _axis(drawing: Drawing, scale: Scale, bottom: float) -> None:
    marks = ticks(0.0, scale.high, 7)
    for tick in marks:
        drawing.line(scale(tick), 0, scale(tick), bottom + 4, "line")
        drawing.text(scale(tick), bottom + 20, tight_percent(tick), color="muted", anchor="middle", size=11)


def _draw_level(drawing: Drawing, scale: Scale, y: float, level: _Level) -> None:
    bar, error = (_PART, level.error) if level.part else (_BAR, level.error)
    color, size = ("muted", 11.0) if level.part else ("text", 13.0)
    left = scale.start
    name = fitted(level.name, left - 14, size)
    drawing.text(left - 12, y + 4.5, name, color=color, anchor="end", size=size)
    # An error of 0 still gets a sliver, so that its row is not taken for an empty one.
    width = max(2.0, scale(error.value) - left)
    drawing.rect(left, y - bar / 2, width, bar, level.color, radius=3, opacity=level.opacity)
    if not error.exact:
        low, high = scale(error.lower), scale(error.upper)
        drawing.line(low, y, high, y, "text", 1.4)
        for end in (low, high):
            drawing.line(end, y - 3.5, end, y + 3.5, "text", 1.4)
    drawing.text(_VALUE, y + 4.5, percent(error.value), color=color, anchor="end", size=size, weight=500)
    told = "taken as exact" if error.exact else interval(error)
    size_text = f"n = {count(error.n)}" if error.n is not None else ""
    drawing.text(_INTERVAL, y + 4.5, told, color="muted", size=11)
    drawing.text(WIDTH, y + 4.5, size_text, color="muted", size=11, anchor="end")


def _draw_gap(drawing: Drawing, scale: Scale, y: float, shown: Gap, diagnosis: Diagnosis, limiting: bool) -> None:
    """A bracket from the lower level to the upper one, with the gap in points."""
    ends = [diagnosis.levels.get(name) for name in (shown.lower, shown.upper)]
    low, high = sorted(scale(end.value) for end in ends if end is not None)
    color = "warning" if limiting else "grey"
    for end in (low, high):
        drawing.line(end, y - 7, end, y + 7, color, 1.4)
    drawing.line(low, y, high, y, color, 2.4 if limiting else 1.4)
    estimate = shown.estimate
    assert estimate is not None
    told = f"{_GAP_NAMES[shown.name]} {gap(estimate.value)}"
    rest = "" if estimate.exact else interval(estimate)
    wide = 1.1 * (text_width(told, 12) + text_width(rest, 11)) + 7
    # Beside the bracket; where there is no room at its right, at its left.
    at, anchor = (
        (high + 10, ANCHORS[0]) if high + 10 + wide <= WIDTH else (max(low - 10, scale.start + wide), ANCHORS[1])
    )
    runs = (Run(told, "warning_text" if limiting else "muted", 12, 600), Run(rest, "muted", 11))
    drawing.runs(at, y + 4, runs, anchor=anchor)


def _described(diagnosis: Diagnosis) -> str:
    told = [f"{_NAMES.get(n, n)} {percent(e.value)}" for n in LADDER if (e := diagnosis.levels.get(n)) is not None]
    return f"Bars of the errors to scale: {', '.join(told)}."
