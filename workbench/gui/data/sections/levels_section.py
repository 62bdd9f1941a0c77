"""The errors to compare with: what people reach, and what nothing gets below."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from workbench.gui.data.sections.section import Section
from workbench.gui.document import Document
from workbench.gui.forms.binding import Binding
from workbench.gui.forms.form import Form
from workbench.recipe.training import Goals


class LevelsSection(Section):
    """Human and Bayes error."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__("Levels to compare with", parent=parent)
        self.form = Form(Goals, only=("human_error", "bayes_error"))
        Binding(self.form, document, "goals")
        self.column.addWidget(self.form)
        self.finish()
