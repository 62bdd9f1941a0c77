"""Step 1, Data, at the right: split, distributions, classes, strengths, normalization, levels."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.data.editor import DataEditor
from workbench.gui.data.sections.learning_section import ClassesSection, LearningSection
from workbench.gui.data.sections.levels_section import LevelsSection
from workbench.gui.data.sections.mixture_section import MixtureSection
from workbench.gui.data.sections.section import Section
from workbench.gui.data.sections.sources_section import SourcesSection
from workbench.gui.data.sections.split_section import SplitSection
from workbench.gui.data.sections.weights_section import WeightsSection
from workbench.gui.data_desk import DataDesk, DataState
from workbench.gui.document import Document
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.panel import INSIDE, Panel, Scroll


class PreparationPanel(Panel):
    """What is made of the examples before they are trained on.

    Signals:
        rowsAsked: rows shall be shown in the preview: their numbers from 0.
    """

    rowsAsked = Signal(object)

    def __init__(self, document: Document, desk: DataDesk, editor: DataEditor, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Split"))
        self._document = document
        self.split = SplitSection(document, editor)
        self.mixture, self.classes = MixtureSection(), ClassesSection()
        self.sources = SourcesSection(document, editor)
        self.weights = WeightsSection(document, editor)
        self.learning = LearningSection(document, editor)
        self.levels = LevelsSection(document)
        self.add_control(self.split.choice)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(INSIDE, 2, INSIDE, INSIDE)
        column.setSpacing(8)
        for section in self.sections():
            column.addWidget(section)
        column.addStretch(1)
        self.add(Scroll(content, least=330), stretch=1)
        self._foot_text = Label("", "muted", wrap=True)
        self.foot().addWidget(self._foot_text)
        self.weights.ruleClicked.connect(self.rowsAsked)
        desk.changed.connect(self._show_state)
        document.recipeChanged.connect(self._tell_normalization)
        self._show_state(desk.state)
        self._tell_normalization()

    def sections(self) -> tuple[Section, ...]:
        """All parts, from above."""
        return (
            self.split, self.mixture, self.sources, self.learning, self.classes, self.weights, self.levels
        )  # fmt: skip

    def _show_state(self, state: DataState | None) -> None:
        problems = state.problem.problems if state and state.problem else ()
        for section in self.sections():
            section.show_state(state)
            section.show_problems(problems)

    def _tell_normalization(self) -> None:
        words = {
            "standard": self.tr("Normalized by the training set’s mean and deviation."),
            "minmax": self.tr("Normalized by the training set’s range."),
            "none": self.tr("Not normalized: values reach the network as they are."),
        }
        self._foot_text.setText(words[self._document.recipe.data.normalize])
