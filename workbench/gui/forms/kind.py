"""An editor of what comes in kinds: which one, when to choose it, and its own fields."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.forms.editor import Choices, Editor
from workbench.gui.forms.parts import FormMaker
from workbench.gui.forms.simple import in_a_row
from workbench.gui.text import wrapped
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.labels import Label
from workbench.recipe.fields import FieldFacts, facts
from workbench.recipe.kinds import Kinded


class KindEditor(Editor):
    """A list of kinds; below the row the sentence on the chosen one and the form of its fields.

    A field that two kinds share keeps its value when the kind changes, unless it stood at the old kind's default: then
    the new kind's own default is the better start. What was set for a kind comes back with it.
    """

    def __init__(self, base: type[Kinded], form: FormMaker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._base, self._make = base, form
        self._kinds: dict[str, type[Kinded]] = base.kinds()
        self._left: dict[str, Kinded] = {}
        self._form: Editor | None = None
        self._choices: Choices = {}
        self._combo = Combo()
        self._about = Label("", "note", wrap=True)
        self.block = QWidget()
        self._column = QVBoxLayout(self.block)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(self._about)
        in_a_row(self, self._combo)
        self._offer(tuple(self._kinds))
        self._combo.valueChanged.connect(self._on_kind)
        self.setValue(_first(next(iter(self._kinds.values()))))

    def form(self) -> Editor | None:
        """The form of the chosen kind's fields."""
        return self._form

    def value(self) -> Any:
        assert self._form is not None
        return self._form.value()

    def setValue(self, value: Any) -> None:
        self._show(value)
        assert self._form is not None
        self._form.setValue(value)

    def refresh(self, value: Any) -> None:
        if self._combo.value() != value.kind:
            self.setValue(value)
        elif self._form:
            self._form.refresh(value)

    def set_choices(self, choices: Choices) -> None:
        self._choices = choices
        self._offer(tuple(choices.get(self._base.family, self._kinds)))
        if self._form:
            self._form.set_choices(choices)

    def show_problem(self, path: str, text: str) -> bool:
        return bool(path) and self._form is not None and self._form.show_problem(path, text)

    def clear_problems(self) -> None:
        if self._form:
            self._form.clear_problems()

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self._combo.setAccessibleName(label)

    def _offer(self, names: tuple[str, ...]) -> None:
        known = [self._kinds[name] for name in names if name in self._kinds]
        options = [(kind.kind, _translated(kind.human_name())) for kind in known]
        self._combo.set_options(options, [wrapped(_translated(kind.about)) for kind in known])

    def _show(self, value: Kinded) -> None:
        """Have the form of the value's kind."""
        kind = type(value)
        if self._form is not None and self._combo.value() == value.kind and self._form.property("kind") == value.kind:
            return
        if self._combo.value() != value.kind:
            offered = [str(key) for key in self._combo.offered()]
            if value.kind not in offered:
                self._offer((*offered, value.kind))
            self._combo.setValue(value.kind)
        if self._form is not None:
            self._column.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
        self._form = self._make(kind)
        self._form.setProperty("kind", value.kind)
        self._form.set_choices(self._choices)
        self._form.valueChanged.connect(self.valueChanged)
        self._column.addWidget(self._form)
        self._form.setVisible(bool(facts(kind)))
        self._about.setText(_translated(kind.about))

    def _on_kind(self, name: object) -> None:
        before = self.value()
        self._left[before.kind] = before
        after = self._left.get(str(name)) or _carried(before, self._kinds[str(name)])
        self.setValue(after)
        self.valueChanged.emit("", after)


def _first(kind: type[Kinded]) -> Kinded:
    """A kind with its defaults; required fields get a small value that is only ever a start."""
    required = {name: 10 for name, field in kind.model_fields.items() if field.is_required()}
    return kind(**required)


def _carried(before: Kinded, kind: type[Kinded]) -> Kinded:
    """A value of another kind, with what both have and the user has changed."""
    after, old = _first(kind), facts(type(before))
    for name, field in facts(kind).items():
        if name in old and old[name].annotation == field.annotation and getattr(before, name) != old[name].default:
            after = after.model_copy(update={name: getattr(before, name)})
    return after


def _translated(text: str) -> str:
    return QCoreApplication.translate("kinds", text) if text else ""
