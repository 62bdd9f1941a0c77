"""Whether the distributions are mixed alike in all sets."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from workbench.gui.data.likeness import Mixture, mixtures
from workbench.gui.data.sections.section import Section
from workbench.gui.data.status_mark import StatusMark
from workbench.gui.data_desk import DataState
from workbench.gui.figures import percent
from workbench.gui.widgets.labels import ElidedLabel, Label

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class MixtureSection(Section):
    """A line a distribution: its share of each set, and a word with a shape on whether they agree."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Distributions", parent=parent)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self.column.addLayout(self._grid)
        self.finish()
        self.hide()

    def show_state(self, state: DataState | None) -> None:
        found = mixtures(state.profile) if state else ()
        self.setVisible(bool(found))
        while item := self._grid.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        for column, name in enumerate((self.tr("source"), self.tr("train"), self.tr("dev"), self.tr("test"))):
            label = Label(name, "note")
            label.setAlignment(Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft)
            self._grid.addWidget(label, 0, column)
        for row, mixture in enumerate(found, 1):
            self._add(row, mixture)

    def _add(self, row: int, mixture: Mixture) -> None:
        name = mixture.name or self.tr("untagged")
        self._grid.addWidget(ElidedLabel(name), row, 0, Qt.AlignmentFlag.AlignVCenter)
        for column, share in enumerate(mixture.shares, 1):
            self._grid.addWidget(Label(percent(share, 0)), row, column, _RIGHT)
        words = {
            "alike": self.tr("alike"),
            "train differs": self.tr("train differs"),
            "dev and test differ": self.tr("dev ≠ test"),
        }
        good = mixture.likeness == "alike"
        self._grid.addWidget(StatusMark(words[mixture.likeness], "good" if good else "warning"), row, 4)
