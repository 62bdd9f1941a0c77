"""In what a run differs from the one it was made from: one change is evidence, several are not."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.gui.diagnose import words
from workbench.gui.text import safe, tip
from workbench.gui.widgets.chip import Chip
from workbench.gui.widgets.labels import ElidedLabel
from workbench.recipe.recipe import Recipe
from workbench.store.project import RunEntry


class ChangeLine(QWidget):
    """``one change`` ``run 1: units 6 → 12``; warns where more than one setting differs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chip, self.text = Chip(), ElidedLabel("", "note")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.chip)
        row.addWidget(self.text, 1)

    def show_entry(self, entry: RunEntry | None, recipe: Recipe | None) -> bool:
        """Show a run's changes; whether there is anything to show.

        Args:
            entry: the run.
            recipe: its own where it is known: it gives the changed settings their names.
        """
        if entry is None or entry.parent is None or not entry.changes:
            self.hide()
            return False
        told = [safe(words.change_of(recipe or Recipe(), change)) for change in entry.changes]
        parent, single = words.run_name(entry.parent), len(told) == 1
        self.chip.set_text(self.tr("one change") if single else self.tr("{0} changes").format(len(told)))
        self.chip.set_text(self.chip.text(), "accent" if single else "warning")
        self.text.set_name(f"{parent}: {', '.join(dict.fromkeys(told))}")
        self.setToolTip(tip("\n".join([*told, "", self._why(single, parent)])))
        self.setAccessibleName(f"{self.chip.text()}. {self.text.text()}")
        self.show()
        return True

    def _why(self, single: bool, parent: str) -> str:
        text = (
            self.tr("Everything else is as in {0}: what moved is due to this setting, or to chance.")
            if single
            else self.tr("Several settings differ from {0}: which of them moved the errors cannot be told.")
        )
        return text.format(parent)
