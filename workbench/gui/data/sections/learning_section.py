"""What is learned, how the values are normalized, and how the classes are spread."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from workbench.gui.data.class_bars import ClassBars
from workbench.gui.data.editor import DataEditor
from workbench.gui.data.sections.section import Section
from workbench.gui.data_desk import DataState
from workbench.gui.document import Document
from workbench.gui.figures import grouped
from workbench.gui.forms.binding import Binding
from workbench.gui.forms.form import Form
from workbench.gui.widgets.labels import Label
from workbench.recipe.data import DataRecipe
from workbench.recipe.tasks import TASKS


class LearningSection(Section):
    """Task, targets and normalization."""

    paths = ("data.task", "data.target", "data.targets", "data.normalize", "data.features")

    def __init__(self, document: Document, editor: DataEditor, parent: QWidget | None = None) -> None:
        super().__init__("What is learned", parent=parent)
        self._document = document
        self.form = Form(DataRecipe, only=("task", "target", "targets", "normalize", "normalize_target"))
        Binding(self.form, document, "data", {"task": editor.set_task, "target": self._set_target})
        self._editor = editor
        self._yes_no: tuple[str, ...] = ()
        self.several = Label("", "note", wrap=True)
        self.column.addWidget(self.form)
        self.column.addWidget(self.several)
        self.finish()
        document.recipeChanged.connect(self._update)
        self._update()

    def show_state(self, state: DataState | None) -> None:
        self.form.set_choices({"columns": state.content.names if state else ()})
        self._yes_no = state.yes_no if state else ()
        self._update()

    def _set_target(self, value: object) -> tuple[()]:
        if value is not None:
            # Choosing another one brings the task that suits it, as in the table.
            self._editor.set_role(str(value), "target")
        return ()

    def _update(self) -> None:
        data = self._document.recipe.data
        self.form.set_row_visible("normalize_target", TASKS[data.task].scaled)
        # Labels are columns, or stand in one column's texts.
        several = data.task == "multilabel" and data.target is None
        self.form.set_row_visible("targets", several or bool(data.targets))
        self.form.set_row_visible("target", not several)
        self._hint_at_labels()

    def _hint_at_labels(self) -> None:
        """Where one column of yes and no is predicted and there are others: that all could be."""
        targets, left_out = self._editor.targets, self._editor.recipe.exclude
        alone = len(targets) == 1 and targets[0] in self._yes_no
        others = sum(name not in (*targets, *left_out) for name in self._yes_no) if alone else 0
        words = (
            self.tr("1 other column says yes or no as well.")
            if others == 1
            else self.tr("{0} other columns say yes or no as well.").format(grouped(others))
        )
        how = self.tr("If they are labels too, choose task multilabel and add them to targets.")
        self.several.setText(f"{words} {how}" if others else "")
        self.several.setVisible(bool(others))


class ClassesSection(Section):
    """The classes of the training set."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Classes", "in the training set", parent=parent)
        self.bars, self._unlabeled = ClassBars(), Label("", "note", wrap=True)
        self.column.addWidget(self.bars)
        self.column.addWidget(self._unlabeled)
        self.finish()
        self.hide()

    def show_state(self, state: DataState | None) -> None:
        profile = state.profile if state else None
        self.setVisible(bool(profile and profile.classes and profile.sets))
        if profile is None or not profile.classes or not profile.sets:
            return
        labels = state is not None and state.dataset is not None and state.dataset.encoder.task == "multilabel"
        self.set_title(self.tr("Labels") if labels else self.tr("Classes"))
        self.bars.set_counts(profile.classes, profile.sets[0].by_class)
        words = self.tr("{0} examples without a {1} are in no set.")
        missing = words.format(grouped(profile.unlabeled), self.tr("known label") if labels else self.tr("class"))
        self._unlabeled.setText(missing if profile.unlabeled else "")
        self._unlabeled.setVisible(bool(profile.unlabeled))
