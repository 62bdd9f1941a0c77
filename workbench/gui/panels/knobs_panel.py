"""All knobs, written out: what to turn first, what comes later and why, and what only people can do."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.diagnose.knob_list import KnobList
from workbench.gui.diagnose.knobs import KnobViews, views_of
from workbench.gui.diagnose.watch import RunWatch
from workbench.gui.run_desk import RunDesk
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import GAP, INSIDE, Panel, Scroll


class KnobsPanel(Panel):
    """The knobs of the run that is looked at.

    Signals:
        navigate: leads to another step, where advice is followed.
    """

    navigate = Signal(str)

    def __init__(self, runs: RunDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Knobs"))
        self._runs = runs
        self._watch = RunWatch(runs, self, self.refresh)
        self.knobs = KnobList(roomy=True)
        self.message = InlineMessage("error", closable=True)
        self.message.hide()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(INSIDE, 0, INSIDE, INSIDE)
        column.setSpacing(GAP)
        column.addWidget(self.message)
        column.addWidget(self.knobs)
        column.addStretch(1)
        self._scroll = Scroll(content, least=280)
        self.empty = EmptyState(
            self.tr("Knobs will appear here"),
            self.tr("At most three to try first, each a single change; the others below them with what comes before."),
        )
        self.add(self._scroll, stretch=1)
        self.add(self.empty, stretch=1)
        self._watch.turned.connect(self.message.hide)
        self._watch.denied.connect(self.message.show_error)
        self.knobs.tryAsked.connect(self._watch.try_knob)
        self.knobs.runAsked.connect(runs.select)
        self.knobs.openAsked.connect(self.navigate)
        self.refresh()

    def refresh(self) -> None:
        """Show the knobs of the run that is looked at."""
        result, number = self._watch.result, self._watch.number
        self._scroll.setVisible(result is not None)
        self.empty.setVisible(result is None)
        views = views_of(self._runs, number, result) if result else KnobViews()
        self.knobs.show_views(views, result.diagnosis.focus if result else "")
