"""A bundled sample: what it is, what one learns from it, and the button that runs it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from workbench.gui.text import wrapped
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import ElidedLabel, Label
from workbench.gui.widgets.panel import Card
from workbench.session.samples import Sample


class SampleCard(Card):
    """One sample.

    Signals:
        runClicked: it shall be trained: ``Sample``.
    """

    runClicked = Signal(object)

    def __init__(self, sample: Sample, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sample = sample
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.column.setContentsMargins(14, 14, 14, 14)
        goal = Label(self.tr(sample.goal), "muted", wrap=True)
        goal.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.button = Button(self.tr("Run the sample"), clicked=lambda: self.runClicked.emit(sample))
        self.button.setAccessibleName(self.tr("Run the sample {0}").format(sample.title))
        self.button.setAccessibleDescription(sample.goal)
        self.setToolTip(wrapped(self.tr("Source: {0}. License: {1}").format(sample.source, sample.license)))
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(ElidedLabel(sample.about, "note"), 1)
        foot.addWidget(self.button)
        self.column.addWidget(Label(sample.title, "strong"))
        self.column.addWidget(goal, 1)
        self.column.addSpacing(10)
        self.column.addLayout(foot)
