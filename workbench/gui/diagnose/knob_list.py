"""The knobs of a run as cards: what was tried, what to try first, and the rest folded away."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui.diagnose import words
from workbench.gui.diagnose.knob_card import KnobCard, open_button
from workbench.gui.diagnose.knobs import KnobView, KnobViews, later_title
from workbench.gui.text import tip
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.fold import Fold
from workbench.gui.widgets.labels import ElidedLabel, Label
from workbench.gui.widgets.panel import GAP, heading

_MOST_TRIED = 2
"""Cards of tried knobs; older ones are folded away."""


class KnobList(QWidget):
    """Cards, one below the other.

    Args:
        roomy: whether everything that is known of a knob is written out, also of those for later.

    Signals:
        tryAsked: a ``Knob`` to be turned.
        runAsked: the number of a run to be looked at.
        openAsked: another step, where advice is followed.
    """

    tryAsked = Signal(object)
    runAsked = Signal(int)
    openAsked = Signal(str)

    def __init__(self, *, roomy: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._roomy = roomy
        self._shown: tuple[KnobViews, str] | None = None
        self._later_open = self._tried_open = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GAP)
        self.later: Fold | None = None

    def cards(self) -> list[KnobCard]:
        """The cards, in order."""
        return [card for card in self.findChildren(KnobCard) if card.isVisibleTo(self)]

    def show_views(self, views: KnobViews, focus: str) -> None:
        """Show the cards of a run; nothing happens where they are those that stand here."""
        if self._shown == (views, focus):
            return
        self._shown = (views, focus)
        self._clear()
        if views.tried:
            self._column.addWidget(heading(self.tr("Knobs tried"), self.tr("what each moved, with 95 % intervals")))
        for view in views.tried[:_MOST_TRIED]:
            self._column.addWidget(self._card(view))
        if views.tried[_MOST_TRIED:]:
            self._fold_tried(views.tried[_MOST_TRIED:])
        if views.first:
            self._column.addWidget(heading(words.gap_title(focus), self.tr("one change at a time")))
        offered = next((view for view in views.first if view.state == "offered"), None)
        for view in views.first:
            self._column.addWidget(self._card(view, primary=view is offered))
        if views.later:
            self._fold_later(views.later, focus)

    def _clear(self) -> None:
        self.later = None
        while item := self._column.takeAt(0):
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _card(self, view: KnobView, *, primary: bool = False) -> KnobCard:
        card = KnobCard(view, primary=primary, roomy=self._roomy)
        card.tryAsked.connect(lambda knob=view.knob: self.tryAsked.emit(knob))
        card.runAsked.connect(self.runAsked)
        card.openAsked.connect(self.openAsked)
        return card

    def _fold_tried(self, views: tuple[KnobView, ...]) -> None:
        content, column = _column()
        for view in views:
            column.addWidget(self._card(view))
        fold = Fold(self.tr("Tried before ({0})").format(len(views)), content, open_=self._tried_open)
        fold.toggled.connect(lambda open_: setattr(self, "_tried_open", open_))
        self._column.addWidget(fold)

    def _fold_later(self, views: tuple[KnobView, ...], focus: str) -> None:
        content, column = _column()
        column.setSpacing(GAP if self._roomy else 0)
        for gap, group in groupby(views, key=lambda view: view.knob.gap if view.knob else ""):
            column.addWidget(Label(words.later_gap(gap, focus), "note"))
            for view in group:
                column.addWidget(self._card(view) if self._roomy else self._line(view))
        self.later = Fold(later_title(views, focus), content, open_=self._later_open)
        self.later.toggled.connect(lambda open_: setattr(self, "_later_open", open_))
        self._column.addWidget(self.later)

    def _line(self, view: KnobView) -> QWidget:
        line = QWidget()
        line.setToolTip(tip(view.tip))
        row = QHBoxLayout(line)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(GAP)
        row.addWidget(ElidedLabel(view.title), 1)
        if view.state in ("running", "waiting"):
            text = self.tr("Running") if view.state == "running" else self.tr("Waiting")
            row.addWidget(Button(text, "link", clicked=lambda: self.runAsked.emit(view.run)))
        elif view.knob is not None and view.knob.patch and view.state != "done":
            button = Button(self.tr("Try"), "link", clicked=lambda: self.tryAsked.emit(view.knob))
            button.setAccessibleName(self.tr("Try: {0}").format(view.title))
            row.addWidget(button)
        elif view.leads:
            row.addWidget(open_button(view, self.openAsked.emit, "link"))
        line.setMinimumHeight(28)
        return line


def _column() -> tuple[QWidget, QVBoxLayout]:
    content = QWidget()
    column = QVBoxLayout(content)
    column.setContentsMargins(0, 0, 0, 4)
    column.setSpacing(GAP)
    return content, column
