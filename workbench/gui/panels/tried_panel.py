"""What was tried so far, and what each try moved."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from workbench.gui.diagnose.tried_table import TriedTable, tried_rows
from workbench.gui.diagnose.watch import RunWatch
from workbench.gui.run_desk import RunDesk
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.panel import Panel


class TriedPanel(Panel):
    """The tries of a run, of its ancestors and of their children as a table."""

    def __init__(self, runs: RunDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Tried so far"))
        self._watch = RunWatch(runs, self, self.refresh)
        self.table = TriedTable()
        self.empty = EmptyState(
            self.tr("Tries will appear here"),
            self.tr("Each run that differs in one setting, and what that moved."),
        )
        self.add(self.table, stretch=1)
        self.add(self.empty, stretch=1)
        self.table.runAsked.connect(runs.select)
        self.refresh()

    def refresh(self) -> None:
        """Show the tries around the run that is looked at."""
        result = self._watch.result
        rows = tried_rows(result) if result else ()
        if rows != self.table.tries.rows:
            self.table.tries.set_rows(rows)
        self.table.setVisible(bool(rows))
        self.empty.setVisible(not rows)
        self.set_note(self.tr("bold where the change is measurable") if rows else "")
