"""The verdict at one glance: a shape, a headline, a sentence. Blurred or without colors it reads the same."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from workbench.gui.theme import color, tokens
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.painting import box, painter_on

VerdictKind = Literal["warning", "good", "undecided", "busy", "failed"]
_SIDE = 30


class _Shape(QWidget):
    """A triangle warns, a disc with a check is well, a diamond is undecided, a ring goes on, a square has failed."""

    def __init__(self) -> None:
        super().__init__()
        self.kind: VerdictKind = "undecided"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(_SIDE, _SIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        draw_shape(painter_on(self), self.kind, QRectF(1, 1, _SIDE - 2, _SIDE - 2))


def draw_shape(painter: QPainter, kind: VerdictKind, area: QRectF) -> None:
    """The verdict's shape in a square."""
    colors = tokens()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color(_inks()[kind][1]))
    if kind == "warning":
        painter.drawPolygon(_points(area, (0.5, 0.06), (1.0, 0.94), (0.0, 0.94)))
    elif kind == "good":
        painter.drawEllipse(area)
        _line(painter, area, colors.good_soft, (0.28, 0.52), (0.44, 0.68), (0.73, 0.35))
    elif kind == "undecided":
        painter.drawPolygon(_points(area, (0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)))
        painter.setBrush(color(colors.soft))
        for x in (0.32, 0.5, 0.68):
            painter.drawEllipse(_point(area, (x, 0.5)), 2.0, 2.0)
    elif kind == "busy":
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color(colors.accent), 4))
        painter.drawEllipse(area.adjusted(3, 3, -3, -3))
    else:
        box(painter, area.adjusted(1, 1, -1, -1), 4, fill=_inks()[kind][1])
        for ends in (((0.32, 0.32), (0.68, 0.68)), ((0.68, 0.32), (0.32, 0.68))):
            _line(painter, area, colors.warning_soft, *ends)


def _inks() -> dict[VerdictKind, tuple[str, str]]:
    """Ground and shape of each kind."""
    colors = tokens()
    return {
        "warning": (colors.warning_soft, colors.warning),
        "good": (colors.good_soft, colors.good),
        "undecided": (colors.soft, colors.grey),
        "busy": (colors.accent_soft, colors.accent),
        "failed": (colors.warning_soft, colors.warning),
    }


def _point(area: QRectF, place: tuple[float, float]) -> QPointF:
    return QPointF(area.left() + place[0] * area.width(), area.top() + place[1] * area.height())


def _points(area: QRectF, *places: tuple[float, float]) -> QPolygonF:
    return QPolygonF([_point(area, place) for place in places])


def _line(painter: QPainter, area: QRectF, ink: str, *places: tuple[float, float]) -> None:
    pen = QPen(color(ink), 2.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPolyline(_points(area, *places))


class VerdictBox(QWidget):
    """A soft box with the verdict."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shape = _Shape()
        self.headline, self.sentence = Label("", "verdict", wrap=True), Label("", wrap=True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 12, 12, 14)
        row.setSpacing(12)
        row.addWidget(self._shape, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self.headline)
        column.addWidget(self.sentence)
        row.addLayout(column, 1)

    @property
    def kind(self) -> VerdictKind:
        """Which shape it has."""
        return self._shape.kind

    def set_verdict(self, kind: VerdictKind, headline: str, sentence: str) -> None:
        """Say something else."""
        self._shape.kind = kind
        self.headline.setText(headline)
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))
        self.setAccessibleName(f"{headline}. {sentence}")
        self._shape.update()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        box(painter_on(self), QRectF(self.rect()), 8, fill=_inks()[self._shape.kind][0])
