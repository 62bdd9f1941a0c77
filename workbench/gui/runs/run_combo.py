"""The run that is looked at, to be chosen from all of the project's."""

from __future__ import annotations

from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.gui.figures import percent
from workbench.gui.run_desk import RunDesk
from workbench.gui.runs.words import changes_text, error_of, run_name, state_text
from workbench.gui.text import safe
from workbench.gui.widgets.combo import Combo
from workbench.recipe.recipe import Recipe
from workbench.store.project import RunEntry


class RunCombo(Combo):
    """All runs, the latest first; choosing one makes it the current run of the desk."""

    def __init__(self, runs: RunDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._runs = runs
        self._changes: dict[int, tuple[RunEntry, str]] = {}
        self.setAccessibleName(self.tr("Run"))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(160)
        self.setMaximumWidth(280)
        self.setMinimumContentsLength(26)
        self.valueChanged.connect(runs.select)
        runs.listChanged.connect(self._fill)
        runs.selected.connect(lambda _: self._show_current())
        runs.updated.connect(self._on_update)
        self._fill()

    def _fill(self) -> None:
        self.set_options([(entry.number, self._text(entry)) for entry in reversed(self._runs.entries)])
        self._show_current()

    def _show_current(self) -> None:
        if self._runs.entry(self._runs.current) is not None:
            self.setValue(self._runs.current)
        self.setVisible(bool(self._runs.entries))

    def _on_update(self, number: int) -> None:
        """It says many times a second what it does; seldom is that another word."""
        entry = self._runs.entry(number)
        if entry is None or number not in self.offered():
            return
        place, text = self.offered().index(number), self._text(entry)
        if self.itemText(place) != text:
            self.setItemText(place, text)

    def _text(self, entry: RunEntry) -> str:
        """``run 3 · 4.0 % · filters 16 → 32``."""
        state = state_text(self._runs, entry, self._runs.curves_if_known(entry.number))
        error, _ = error_of(entry, None)
        parts = [run_name(entry.number), state, percent(error) if error is not None else "", self._change(entry)]
        return safe(" · ".join(part for part in parts if part))

    def _change(self, entry: RunEntry) -> str:
        """Putting a change into words takes a while: once for each run."""
        known = self._changes.get(entry.number)
        if known is None or (known[0].folder, known[0].changes) != (entry.folder, entry.changes):
            told = changes_text(entry.changes, self._runs.recipe(entry.number) or Recipe()) if entry.changes else ""
            known = self._changes[entry.number] = entry, told
        return known[1]
