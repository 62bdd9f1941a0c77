"""Strokes shared by the widgets that paint themselves."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QWidget

from workbench.gui.theme import color, tokens


def painter_on(widget: QWidget) -> QPainter:
    """An antialiased painter."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return painter


def box(painter: QPainter, rect: QRectF, radius: float, fill: str = "", line: str = "", width: float = 1.0) -> None:
    """A rounded box whose line stays inside ``rect``; empty colors leave out the fill or the line."""
    inset = width / 2 if line else 0.0
    painter.setPen(QPen(color(line), width) if line else Qt.PenStyle.NoPen)
    painter.setBrush(color(fill) if fill else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), radius - inset, radius - inset)


def focus_ring(painter: QPainter, rect: QRectF, radius: float) -> None:
    """The one sign of keyboard focus."""
    box(painter, rect, radius, line=tokens().accent, width=2.0)
