"""How the examples are divided: the bar, the reason, what the sets can tell apart, and shares of one's own."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from workbench.gui.data.editor import DataEditor
from workbench.gui.data.sections.section import Section
from workbench.gui.data.split_bar import SplitBar
from workbench.gui.data_desk import DataState
from workbench.gui.document import Document
from workbench.gui.figures import regrouped
from workbench.gui.forms.binding import Binding
from workbench.gui.forms.form import Form
from workbench.gui.text import tip
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.segmented import Segmented
from workbench.recipe.data import DataRecipe, Split

_SHARES = {"60/20/20": (0.6, 0.2, 0.2), "98/1/1": (0.98, 0.01, 0.01)}
AUTO, OWN = "auto", "own"


class SplitSection(Section):
    """The division into sets.

    Attributes:
        choice: the control that goes into the panel's head.
    """

    paths = ("data.split",)

    def __init__(self, document: Document, editor: DataEditor, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._document, self._editor = document, editor
        self.choice = Segmented([(AUTO, self.tr("auto")), *((name, name) for name in _SHARES), (OWN, self.tr("own"))])
        self.choice.setAccessibleName(self.tr("Split"))
        self._own_asked = False
        self.bar = SplitBar()
        self._reason, self._resolution = Label("", "muted", wrap=True), Label("", "muted", wrap=True)
        self._kept_group = Label(
            self.tr("Shares as auto takes them: auto itself would not keep groups together."), "note", wrap=True
        )
        self._form: Form | None = None
        for widget in (self.bar, self._reason, self._resolution, self._kept_group):
            self.column.addWidget(widget)
        self._kept_group.hide()
        self.finish()
        self.choice.valueChanged.connect(self._on_choice)
        self.bar.sharesChosen.connect(editor.set_shares)
        document.recipeChanged.connect(self._on_recipe)
        self._show_choice()

    def form(self) -> Form | None:
        """The form of one's own shares; None before it is first needed."""
        return self._form

    def show_state(self, state: DataState | None) -> None:
        dataset = state.dataset if state else None
        sets = state.profile.sets if state else ()
        self.bar.set_parts([(one.name, one.rows) for one in sets])
        self._reason.setText(regrouped(dataset.split_reason) if dataset else self.tr("Not divided yet."))
        told = state.profile.resolution if state else ()
        # The test set's, as the final error is measured on it; that of the dev set on hovering.
        self._resolution.setText(regrouped(told[-1]) if told else "")
        self._resolution.setToolTip(tip(regrouped("\n".join(told))))
        self._resolution.setVisible(bool(told))
        self.bar.set_adjustable(state is not None and _divisible(self._document.recipe.data, state))
        if self._form and state:
            self._form.set_choices({"columns": state.content.names})

    def _on_choice(self, key: object) -> None:
        self._own_asked = key == OWN
        grouped = isinstance(self._document.recipe.data.split, Split) and self._document.recipe.data.split.group
        self._kept_group.setVisible(key == AUTO and bool(grouped))
        if key == OWN:
            self._editor.own_split()
        else:
            self._editor.set_shares(_SHARES.get(str(key)))
        self._show_choice()

    def _on_recipe(self, recipe: object, paths: tuple[str, ...]) -> None:
        if any(path.startswith("data.split") for path in paths):
            self._own_asked = self._own_asked and self._document.recipe.data.split != AUTO
        self._show_choice()

    def _show_choice(self) -> None:
        split = self._document.recipe.data.split
        self.choice.setValue(OWN if self._own_asked else _name_of(split))
        own = isinstance(split, Split) and self.choice.value() == OWN
        if own and self._form is None:
            self._make_form()
        if self._form:
            self._form.setVisible(own)
        if split == AUTO:
            self._kept_group.hide()

    def _make_form(self) -> None:
        self._form = Form(Split)
        Binding(self._form, self._document, "data.split")
        facts = self._document.facts
        self._form.set_choices({"columns": facts.columns if facts else ()})
        self.column.insertWidget(self.column.count() - 1, self._form)


def _name_of(split: object) -> str:
    if not isinstance(split, Split):
        return AUTO
    shares = (split.train, split.dev, split.test)
    return next((name for name, known in _SHARES.items() if shares == known), OWN)


def _divisible(data: DataRecipe, state: DataState) -> bool:
    """Whether shares of all examples are what the sets are: no source fixes one of them."""
    fixed = state.content.sets is not None and bool((state.content.sets >= 0).any())
    return state.dataset is not None and not fixed and all(source.set == "any" for source in data.sources)
