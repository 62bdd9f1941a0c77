"""Whose settings these are: those of the next run, and what they change in the run that is looked at."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.document import Document
from workbench.gui.run_desk import RunDesk
from workbench.gui.runs.words import changes_text, run_name
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import Label


class NextRun(QWidget):
    """A sentence above the settings, with the way back to the settings of the run that is looked at.

    Args:
        document: the recipe of the next run.
        runs: the run that is looked at.
    """

    def __init__(self, document: Document, runs: RunDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._runs = document, runs
        self.text = Label("", "muted", wrap=True)
        self.take = Button("", "link", clicked=self._take_over)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 4, 0)
        column.setSpacing(0)
        column.addWidget(self.text)
        column.addWidget(self.take)
        for signal in (document.recipeChanged, runs.selected, runs.resultReady, runs.listChanged):
            signal.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say how things stand."""
        number = self._runs.current
        known, name = self._runs.recipe(number), run_name(number)
        changes = known.diff(self._document.recipe) if known is not None else ()
        self.take.setVisible(bool(changes))
        self.take.setText(self.tr("Take those of {0}").format(name))
        if known is None:
            self.text.setText(self.tr("What the next run will do."))
        elif changes:
            what = changes_text(tuple(changes), self._document.recipe)
            self.text.setText(self.tr("What the next run will do. From {0} to it: {1}.").format(name, what))
        else:
            self.text.setText(self.tr("What the next run will do: the same as {0}.").format(name))

    def _take_over(self) -> None:
        known = self._runs.recipe(self._runs.current)
        if known is not None:
            self._document.replace(known, self.tr("recipe of {0}").format(run_name(self._runs.current)))
