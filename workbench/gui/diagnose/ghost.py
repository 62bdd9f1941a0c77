"""What a ladder will look like, without a single number: for pages that have none yet."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.theme import NOTE, color, font, tokens
from workbench.gui.widgets.painting import box, painter_on

_BARS = (("Bayes", 0.10), ("human", 0.16), ("train", 0.52), ("dev", 0.78), ("test", 0.82))
_ROW, _LABEL = 22, 56


class GhostLadder(QWidget):
    """Five pale bars."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(300, _ROW * len(_BARS))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = painter_on(self), tokens()
        painter.setFont(font(NOTE))
        room = self.width() - _LABEL
        for place, (name, share) in enumerate(_BARS):
            top = place * _ROW
            painter.setPen(color(colors.faint))
            painter.drawText(QRectF(0, top, _LABEL - 12, _ROW), Qt.AlignmentFlag.AlignVCenter, name)
            box(painter, QRectF(_LABEL, top + 5, room * share, _ROW - 10), 2, fill=colors.soft)
