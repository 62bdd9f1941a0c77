"""How one example looks in a small square: a picture as it is, a sequence as curves over its steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPen

from workbench.data.content import Array, Content
from workbench.data.profile import Profile, SequenceProfile
from workbench.gui.data.thumbs import shown_range, thumb
from workbench.gui.theme import color, tokens
from workbench.gui.widgets.painting import box

Drawing = Callable[[int, int], QImage]
"""Given a row and a side in physical pixels."""

_MOST_CURVES = 6
_MOST_POINTS = 256


def drawing_of(content: Content, profile: Profile) -> Drawing | None:
    """What draws the examples of some data; None for a table."""
    pictures, sequences, facts = content.pictures, content.sequences, profile.sequences
    if pictures is not None and profile.pictures is not None:
        low, high = shown_range(profile.pictures)
        return lambda row, side: thumb(pictures[row], side, low, high)
    if sequences is not None and facts is not None:
        return lambda row, side: curves(sequences[row], side, facts)
    return None


def curves(sequence: Array, side: int, profile: SequenceProfile) -> QImage:
    """A sequence ``(steps, features)`` in a square of ``side`` pixels: the first features, each in its own range."""
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter, pad = QPainter(image), side / 16
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    box(painter, QRectF(0, 0, side, side), pad, fill=tokens().soft)
    some = sequence[:: max(1, len(sequence) // _MOST_POINTS)]
    x = np.linspace(pad, side - pad, len(some))
    for feature, ink in list(zip(range(profile.features), tokens().series, strict=False))[:_MOST_CURVES][::-1]:
        low, high = profile.low[feature], profile.high[feature]
        y = side - pad - (some[:, feature] - low) / ((high - low) or 1.0) * (side - 2 * pad)
        points = [QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]
        painter.setPen(QPen(color(ink), max(1.0, side / 64)))
        painter.drawPolyline(points) if len(points) > 1 else painter.drawPoint(points[0])
    painter.end()
    return image
