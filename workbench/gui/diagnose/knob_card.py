"""A card for one knob: what it changes, which way it moves errors, what it costs; later what it moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from workbench.gui.diagnose.knobs import KnobView
from workbench.gui.diagnose.words import EffectPart
from workbench.gui.icons import draw_icon
from workbench.gui.text import tip
from workbench.gui.theme import tokens
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.buttons import Look as ButtonLook
from workbench.gui.widgets.labels import ElidedLabel, Label, Look
from workbench.gui.widgets.painting import box, focus_ring, painter_on

_MARKS = {"good": "check", "warning": "arrow-up", "muted": "minus"}


class _Mark(QWidget):
    """How a try came out: a check, an arrow up (errors rose) or a line (nothing to be measured)."""

    def __init__(self, tone: str) -> None:
        super().__init__()
        self._tone = tone
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(18, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = tokens()
        ink = {"good": colors.good, "warning": colors.warning}.get(self._tone, colors.grey)
        draw_icon(painter_on(self), _MARKS[self._tone], QRectF(1, 1, 16, 16), ink, 1.8)


_LOOKS: dict[str, Look] = {"good": "effect-good", "warning": "effect-warning"}


def _effect_grid(parts: Sequence[EffectPart]) -> QGridLayout:
    """A line for each error and gap that moved, in its own color, with the interval of its change."""
    grid = QGridLayout()
    grid.setContentsMargins(0, 1, 0, 0)
    grid.setHorizontalSpacing(10)
    grid.setVerticalSpacing(0)
    grid.setColumnStretch(1, 1)
    for row, part in enumerate(parts):
        grid.addWidget(Label(part.text, _LOOKS.get(part.tone, "note")), row, 0)
        span = ElidedLabel(f"({part.span})" if part.span else "", "note")
        span.setToolTip(QCoreApplication.translate("diagnose", "95 % interval of the change"))
        grid.addWidget(span, row, 1)
    return grid


def open_button(view: KnobView, clicked: Callable[[str], object], look: ButtonLook = "secondary") -> Button:
    """Leads to the step where advice is followed: ``Open Network``."""
    tr = QCoreApplication.translate
    text = {"network": tr("diagnose", "Open Network"), "data": tr("diagnose", "Open Data")}[view.leads]
    button = Button(text, look, clicked=lambda: clicked(view.leads))
    button.setAccessibleName(tr("diagnose", "{0}: {1}").format(text, view.title))
    return button


class KnobCard(QWidget):
    """A card. One whose knob was tried leads to the run that did, by a click or Enter.

    Args:
        view: what it shows.
        primary: whether its button is the accent one.
        roomy: whether why, the lecture's words and the reason for later are written out rather than in the tool tip.

    Signals:
        tryAsked: the user wants the knob turned.
        runAsked: the user wants to see the run that tries or tried it: its number.
        openAsked: the user wants to follow advice in another step: its name.
    """

    tryAsked = Signal()
    runAsked = Signal(int)
    openAsked = Signal(str)

    def __init__(
        self, view: KnobView, *, primary: bool = False, roomy: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.view = view
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setAccessibleName(f"{view.title}. {view.change}")
        self.setToolTip(tip(view.tip))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 9, 10, 10)
        row.setSpacing(10)
        column = QVBoxLayout()
        column.setSpacing(1)
        title, *words = self._words()
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(title, 1)
        column.addLayout(head)
        for label in words:
            column.addWidget(label)
        if view.parts:
            column.addLayout(_effect_grid(view.parts))
            self.setAccessibleDescription(view.effect)
        for label in self._reasons() if roomy else ():
            column.addSpacing(4)
            column.addWidget(label)
        row.addLayout(column, 1)
        self.button = self._button(primary)
        if self.button is not None:
            row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        if view.state == "done":
            head.addWidget(_Mark(view.tone), 0, Qt.AlignmentFlag.AlignTop)
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def _words(self) -> list[Label]:
        view = self.view
        change = " · ".join(part for part in (view.change, view.cost) if part)
        words = [Label(view.title, "strong", wrap=True)]
        if change:
            words.append(Label(change, "note", wrap=True))
        if view.parts:
            moved = any(part.tone != "muted" for part in view.parts)
            words += [] if moved else [Label(self.tr("no measurable change"), "effect", wrap=True)]
        elif view.effect and view.state in ("done", "failed"):
            words.append(Label(view.effect, _LOOKS.get(view.tone, "effect"), wrap=True))
        elif view.direction:
            words.append(Label(view.direction, "note", wrap=True))
        return [*words, *([Label(view.how, "note", wrap=True)] if view.how else [])]

    def _reasons(self) -> list[Label]:
        view = self.view
        later = self.tr("Later, because: {0}").format(view.reason) if view.reason else ""
        return [Label(part, "note", wrap=True) for part in (view.why, view.lecture, later) if part]

    def _button(self, primary: bool) -> Button | None:
        view = self.view
        if view.state in ("running", "waiting"):
            text = self.tr("Running") if view.state == "running" else self.tr("Waiting")
            number = view.run
            return Button(text, clicked=lambda: self.runAsked.emit(number), tip=self.tr("Show this run"))
        if view.state == "done" and view.run:
            return None
        if view.leads:
            return open_button(view, self.openAsked.emit)
        if view.knob is None or not view.knob.patch:
            return None
        text = self.tr("Try again") if view.state == "failed" else self.tr("Try")
        button = Button(text, "primary" if primary else "secondary", clicked=self.tryAsked.emit)
        button.setAccessibleName(self.tr("Try: {0}").format(view.title))
        return button

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = tokens()
        tried = self.view.state in ("done", "failed")
        tones = {"good": colors.good, "warning": colors.warning}
        line = tones.get(self.view.tone, colors.line) if tried else colors.line
        painter, area = painter_on(self), QRectF(self.rect())
        box(painter, area, 8, fill=colors.panel, line=line)
        if self.hasFocus():
            focus_ring(painter, area, 8)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.view.state == "done" and self.rect().contains(event.position().toPoint()):
            self.runAsked.emit(self.view.run)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.view.state == "done" and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.runAsked.emit(self.view.run)
        else:
            super().keyPressEvent(event)
