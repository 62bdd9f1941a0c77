"""The sign of a run: a shape and a color, the same in the list and in plots."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath, QPolygonF

from workbench.gui.theme import tokens

SHAPES = ("square", "triangle", "circle", "diamond", "pentagon", "turned", "star")
"""As many as no number of colors divides: two runs of one color differ by shape."""
INKS = 6
"""Colors that runs are told apart by: ``Tokens.series``."""


@dataclass(frozen=True)
class Marker:
    """A run's sign.

    Attributes:
        shape: one of ``SHAPES``.
        ink: place in ``Tokens.series``; None for a run that is not in the plot.
    """

    shape: str
    ink: int | None

    @property
    def color(self) -> str:
        """The color in the theme in force."""
        return tokens().grey if self.ink is None else tokens().series[self.ink]


def shape_of(number: int) -> str:
    """The shape of a run, by its number from 1."""
    return SHAPES[(number - 1) % len(SHAPES)]


def marker_path(shape: str, center: QPointF, size: float) -> QPainterPath:
    """A shape's outline, of about equal weight for each."""
    path = QPainterPath()
    radius = size / 2
    if shape == "circle":
        path.addEllipse(center, radius, radius)
    elif shape == "square":
        side = 0.88 * radius
        path.addRect(center.x() - side, center.y() - side, 2 * side, 2 * side)
    else:
        path.addPolygon(QPolygonF([center + point * radius for point in _CORNERS[shape]]))
        path.closeSubpath()
    return path


def _ring(count: int, first: float, inner: float | None = None) -> list[QPointF]:
    """Corners on a circle, or alternately on it and on a smaller one."""
    total = count * (2 if inner else 1)
    radii = [1.15 if place % 2 == 0 or not inner else inner for place in range(total)]
    angles = [first + 2 * pi * place / total for place in range(total)]
    return [QPointF(radius * cos(angle), radius * sin(angle)) for radius, angle in zip(radii, angles, strict=True)]


_CORNERS = {
    "triangle": [QPointF(0, -1.0), QPointF(1.1, 0.9), QPointF(-1.1, 0.9)],
    "turned": [QPointF(0, 1.0), QPointF(1.1, -0.9), QPointF(-1.1, -0.9)],
    "diamond": _ring(4, -pi / 2),
    "pentagon": _ring(5, -pi / 2),
    "star": _ring(5, -pi / 2, inner=0.5),
}
