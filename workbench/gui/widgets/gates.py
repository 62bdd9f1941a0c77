"""The chain of goals: train, dev, test, real world. The first one that is not reached is the one to work on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from workbench.diagnosis.verdict import Gate
from workbench.gui.icons import draw_icon
from workbench.gui.text import wrapped
from workbench.gui.theme import NOTE, color, font, tokens
from workbench.gui.widgets.painting import box, painter_on

_HEIGHT, _GAP, _ICON = 28, 18, 14
_ICONS = {"passed": "check", "failed": "close", "undecided": "minus", "unknown": ""}


class GateStrip(QWidget):
    """Gates side by side, joined by chevrons. What comes after the current gate is dimmed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gates: tuple[Gate, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Chain of goals"))

    def gates(self) -> tuple[Gate, ...]:
        """What it shows."""
        return self._gates

    def set_gates(self, gates: Sequence[Gate]) -> None:
        """Show other gates."""
        self._gates = tuple(gates)
        self.setAccessibleDescription("; ".join(self._told(gate) for gate in self._gates))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, _HEIGHT)

    def _areas(self) -> list[QRectF]:
        count = max(1, len(self._gates))
        width = (self.width() - (count - 1) * _GAP) / count
        return [QRectF(place * (width + _GAP), 0, width, _HEIGHT) for place in range(len(self._gates))]

    def _dimmed(self, place: int) -> bool:
        current = next((at for at, gate in enumerate(self._gates) if gate.current), len(self._gates))
        return place > current

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painter_on(self)
        for place, (gate, area) in enumerate(zip(self._gates, self._areas(), strict=True)):
            painter.setOpacity(0.6 if self._dimmed(place) else 1.0)
            self._draw_gate(painter, gate, area)
            if place + 1 < len(self._gates):
                side = QRectF(area.right() + (_GAP - 12) / 2, (_HEIGHT - 12) / 2, 12, 12)
                draw_icon(painter, "chevron-right", side, tokens().grey, 1.6)

    def _draw_gate(self, painter: QPainter, gate: Gate, area: QRectF) -> None:
        colors = tokens()
        fill, ink = colors.soft, colors.muted
        if gate.state == "passed":
            fill, ink = colors.good_soft, colors.good_text
        elif gate.current and gate.state == "failed":
            fill, ink = colors.warning_soft, colors.warning_text
        elif gate.current:
            fill, ink = colors.accent_soft, colors.text
        box(painter, area, 6, fill=fill)
        look = font(NOTE, QFont.Weight.DemiBold if gate.current else QFont.Weight.Normal)
        painter.setFont(look)
        painter.setPen(color(ink))
        name = gate_name(gate.goal)
        mark = _ICONS[gate.state]
        wide = painter.fontMetrics().horizontalAdvance(name) + (_ICON + 5 if mark else 0)
        left = max(area.left() + 6, area.center().x() - wide / 2)
        if mark:
            draw_icon(painter, mark, QRectF(left, (_HEIGHT - _ICON) / 2, _ICON, _ICON), ink, 1.8)
            left += _ICON + 5
        room = QRectF(left, 0, area.right() - 4 - left, _HEIGHT)
        text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(room.width()) + 2)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, text)

    def _told(self, gate: Gate) -> str:
        states = {
            "passed": self.tr("reached"),
            "failed": self.tr("not reached"),
            "undecided": self.tr("cannot be told yet"),
            "unknown": self.tr("not measured"),
        }
        told = f"{gate_name(gate.goal)}: {states[gate.state]}"
        return told + (f" ({self.tr('work on this one')})" if gate.current else "")

    def _tip(self, gate: Gate) -> str:
        goals = {
            "train": self.tr("Fit the training set: little avoidable bias."),
            "dev": self.tr("Do as well on the dev set: little variance."),
            "test": self.tr("Do as well on the test set: the dev set was not overfitted."),
            "real_world": self.tr("Do well in the real world: no data of this project can tell."),
        }
        return f"{goals[gate.goal]}\n{self._told(gate)}"

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            pairs = zip(self._gates, self._areas(), strict=True)
            text = next((self._tip(gate) for gate, area in pairs if area.contains(event.pos().toPointF())), "")
            QToolTip.showText(event.globalPos(), wrapped(text), self)
            return True
        return super().event(event)


def gate_name(goal: str) -> str:
    """A goal for people."""
    return {"real_world": "real world"}.get(goal, goal)
