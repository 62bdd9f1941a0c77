"""The command palette: everything that can be done, the runs, the samples and the terms, found by typing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from workbench.diagnosis.glossary import GLOSSARY
from workbench.gui.actions import DEEDS
from workbench.gui.runs.words import run_name
from workbench.gui.widgets.choice_popup import Choice, ChoicePopup
from workbench.session.samples import samples

if TYPE_CHECKING:
    from workbench.gui.main_window import MainWindow


class Palette(QObject):
    """Opens the palette of a window and does what is chosen."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.popup = ChoicePopup(self.tr("Search or run a command"), window)
        self.popup.chosen.connect(self._do)

    def open(self, anchor: QWidget) -> None:
        """Show the palette below a widget."""
        self.popup.open_below(anchor, list(self._choices()))

    def _choices(self) -> Iterator[Choice]:
        for deed in DEEDS:
            action = self._window.actions_by_key[deed.key]
            if deed.key != "palette":
                hint = deed.keys[0] if deed.keys else ""
                yield Choice(deed.key, action.text(), deed.about, self.tr("Commands"), hint, action.isEnabled())
        for entry in reversed(self._window.workspace.runs.entries):
            yield Choice(
                f"run {entry.number}", self.tr("Show {0}").format(run_name(entry.number)), entry.status, self.tr("Runs")
            )
        for sample in samples():
            title = self.tr("Run the sample {0}").format(sample.title)
            yield Choice(f"sample {sample.name}", title, sample.goal, self.tr("Samples"))
        for term in GLOSSARY.values():
            yield Choice(f"term {term.name}", term.name, term.text, self.tr("Terms"))

    def _do(self, key: str) -> None:
        window = self._window
        kind, _, rest = key.partition(" ")
        if kind == "run":
            window.workspace.runs.select(int(rest))
            window.show_step("train")
        elif kind == "sample":
            window.commands.run_sample(next(each for each in samples() if each.name == rest))
        elif kind == "term":
            window.open_help(f"term {rest}")
        else:
            window.actions_by_key[key].trigger()
