"""Why the verdict is what it is."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.diagnose.reasons_view import ReasonsView
from workbench.gui.diagnose.watch import RunWatch
from workbench.gui.run_desk import RunDesk
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.panel import INSIDE, Panel, Scroll


class ReasonsPanel(Panel):
    """Rules and thresholds behind the verdict, findings, and the health of the training."""

    def __init__(self, runs: RunDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Why"))
        self._runs = runs
        self._watch = RunWatch(runs, self, self.refresh)
        self.view = ReasonsView()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(INSIDE, 0, INSIDE, INSIDE)
        column.addWidget(self.view)
        self._scroll = Scroll(content, least=280)
        self.empty = EmptyState(
            self.tr("The reasons will appear here"),
            self.tr("Each gap with its rule and its threshold, and what else was found."),
        )
        self.add(self._scroll, stretch=1)
        self.add(self.empty, stretch=1)
        runs.updated.connect(self._on_curves)
        self.refresh()

    def _on_curves(self, number: int) -> None:
        """The figures of an older run come from disk a moment after it was chosen."""
        if number == self._watch.number and not self._runs.is_live(number):
            self._watch.change()

    def refresh(self) -> None:
        """Show the reasons of the run that is looked at."""
        result = self._watch.result
        self._scroll.setVisible(result is not None)
        self.empty.setVisible(result is None)
        self.set_note(self.tr("95 % intervals against the tolerance") if result else "")
        if result is not None:
            self.view.show_reasons(result.diagnosis, self._runs.curves(self._watch.number))
