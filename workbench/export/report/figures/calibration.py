"""Probabilities: a reliability diagram, and ROC curves."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.evaluation.calibration import Bin, Calibration
from workbench.evaluation.ranking import RocCurve
from workbench.export.report.axes import Frame
from workbench.export.report.svg import Drawing
from workbench.export.report.text import percent

_SIZE = (400.0, 330.0)
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


def _share(value: float) -> str:
    return percent(value, 0)


def reliability_drawing(calibration: Calibration) -> Drawing:
    """Accuracy over confidence: right as often as it says is on the diagonal. Below, how the examples are spread."""
    text = f"Reliability diagram; expected calibration error {percent(calibration.error)}."
    drawing = Drawing(*_SIZE, text)
    frame = Frame.at((48, 14, 380, 232), (0, 1), (0, 1))
    frame.rows(drawing, _QUARTERS, _share)
    drawing.path([(frame.x(0), frame.y(0)), (frame.x(1), frame.y(1))], "grey", 1.2, "4 4")
    filled = [each for each in calibration.bins if each.accuracy is not None and each.confidence is not None]
    drawing.path([_point(frame, each) for each in filled], "accent", 1.6)
    for each in filled:
        _draw_bin(drawing, frame, each)
    _draw_spread(drawing, frame, calibration)
    return drawing


def _point(frame: Frame, each: Bin) -> tuple[float, float]:
    assert each.confidence is not None
    assert each.accuracy is not None
    return frame.x(each.confidence), frame.y(each.accuracy.value)


def _draw_bin(drawing: Drawing, frame: Frame, each: Bin) -> None:
    x, y = _point(frame, each)
    assert each.accuracy is not None
    drawing.line(x, frame.y(each.accuracy.lower), x, frame.y(each.accuracy.upper), "accent", 1.2)
    drawing.dot(x, y, 3.6, "accent", "panel")


def _draw_spread(drawing: Drawing, above: Frame, calibration: Calibration) -> None:
    """A histogram of the confidence under the diagram, on the same axis."""
    top = max([1e-12, *(each.weight for each in calibration.bins)])
    frame = Frame.at((above.left, 246, above.right, 290), (0, 1), (0, top))
    for each in calibration.bins:
        if each.weight > 0:
            x, y = frame.x(each.low), min(frame.y(each.weight), frame.bottom - 1)
            drawing.rect(x + 1, y, frame.x(each.high) - x - 2, frame.bottom - y, "grey", radius=1)
    drawing.line(frame.left, frame.bottom, frame.right, frame.bottom, "line")
    drawing.text(frame.left - 8, frame.top + 9, _share(top), color="muted", anchor="end", size=11)
    frame.columns(drawing, _QUARTERS, _share)
    drawing.text(frame.right, frame.bottom + 33, "confidence", color="muted", anchor="end", size=11)


def roc_drawing(curves: Mapping[str, RocCurve], named: str) -> Drawing:
    """True against false positive rate, a line for each class against the rest; the diagonal is guessing.

    Args:
        curves: by class.
        named: the class whose line stands out.
    """
    drawing = Drawing(*_SIZE, f"ROC curves of {len(curves)} classes; the area of {named} is {curves[named].area:.3f}.")
    frame = Frame.at((48, 14, 380, 290), (0, 1), (0, 1))
    frame.rows(drawing, _QUARTERS, _share)
    frame.columns(drawing, _QUARTERS, _share)
    drawing.path([(frame.x(0), frame.y(0)), (frame.x(1), frame.y(1))], "grey", 1.2, "4 4")
    for name in sorted(curves, key=lambda name: name == named):
        rates = zip(curves[name].false_positive_rate.tolist(), curves[name].true_positive_rate.tolist(), strict=True)
        points = _outline([(frame.x(x), frame.y(y)) for x, y in rates])
        drawing.path(points, "accent" if name == named else "grey", 2 if name == named else 1)
    drawing.text(frame.right, frame.bottom + 33, "false positive rate", color="muted", anchor="end", size=11)
    return drawing


def _outline(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points without those less than a pixel from the one before: it looks the same."""
    kept = points[:1]
    for point in points[1:-1]:
        if max(abs(point[0] - kept[-1][0]), abs(point[1] - kept[-1][1])) >= 1:
            kept.append(point)
    return kept + points[-1:] if len(points) > 1 else kept
