"""A form, made entirely of what a model's fields know about themselves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from workbench.gui.forms.editor import Choices, Editor
from workbench.gui.forms.factory import editor_for
from workbench.gui.parsing import number_text
from workbench.gui.text import wrapped
from workbench.gui.values import plain
from workbench.gui.widgets.fold import Fold
from workbench.gui.widgets.labels import Label
from workbench.gui.wording import shown, translated_label
from workbench.recipe.fields import FieldFacts, Frozen, facts

LABELS = 116
"""Pixels of the column of labels, the same in a form and in the forms within it."""


class Row:
    """A field's place in a form: label, editor, and what is said below them.

    Attributes:
        field: its facts.
        editor: its editor.
        wrong: what is wrong with its value; empty where nothing is.
    """

    def __init__(self, field: FieldFacts, editor: Editor) -> None:
        self.field, self.editor, self.wrong = field, editor, ""
        self.title = translated_label(field)
        bare = editor.block is not None and editor.layout() is None
        self.label = Label(self.title, "strong" if bare else "text", wrap=True)
        self.label.setFixedWidth(LABELS)
        self.label.setBuddy(editor)
        self.note, self.error = Label("", "note", wrap=True), Label("", "error", wrap=True)
        self.note.hide()
        self.error.hide()
        for widget in (self.label, editor):
            widget.setToolTip(tip(field))
        editor.name(field, self.title)
        editor.refused.connect(self.say)

    def place(self, grid: QGridLayout) -> None:
        """Put it at the end of a grid of two columns."""
        row = grid.rowCount()
        grid.addWidget(self.label, row, 0, Qt.AlignmentFlag.AlignTop)
        cell = QVBoxLayout()
        cell.setSpacing(2)
        self._line = QHBoxLayout()
        self._line.setSpacing(8)
        self._line.addWidget(self.editor, 1)
        cell.addLayout(self._line)
        for widget in (self.error, self.note):
            cell.addWidget(widget)
        grid.addLayout(cell, row, 1)
        if self.editor.block is not None:
            grid.addWidget(self.editor.block, row + 1, 0, 1, 2)
        # One line of label stands as high as the control beside it.
        self.label.setMinimumHeight(28)
        self.label.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)

    def say(self, text: str) -> None:
        """Show what is wrong with the value; empty takes it away."""
        if text == self.wrong:
            return
        self.wrong = text
        self.error.setText(text[:1].upper() + text[1:])
        self.error.setVisible(bool(text))
        self.editor.set_wrong(bool(text))
        self.editor.setAccessibleDescription(text or self.field.help)

    def offer(self, widget: QWidget) -> None:
        """Put something that helps to find a value beside the editor."""
        self._line.addWidget(widget)

    def explain(self, text: str) -> None:
        """Show a muted sentence below the editor; empty takes it away."""
        self.note.setText(text)
        self.note.setVisible(bool(text))


class Form(Editor):
    """Edits a model.

    Args:
        model: its type.
        order: fields that come first, in this order; the others follow as they are declared.
        only: the fields with a row; all where empty.
        hide: fields without a row. Values without a row are kept as they were set.
        expert: whether advanced fields show from the start.

    Signals:
        valueChanged: a field's path within the model, and its new value.
    """

    def __init__(
        self,
        model: type[Frozen],
        *,
        order: Sequence[str] = (),
        only: Sequence[str] = (),
        hide: Collection[str] = (),
        expert: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.model = model
        self._keys = {name: field.alias or name for name, field in model.model_fields.items()}
        self._hidden: dict[str, Any] = {}
        self._rows: dict[str, Row] = {}
        self._more: Fold | None = None
        self._shown: dict[str, bool] = {}
        self._expert = expert
        known = facts(model)
        listed = only or [*order, *(name for name in known if name not in order)]
        fields = [known[name] for name in listed if name not in hide]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._grid([field for field in fields if not field.advanced]))
        advanced = [field for field in fields if field.advanced]
        if advanced:
            holder = QWidget()
            holder.setLayout(self._grid(advanced))
            self._more = Fold(self.tr("More"), holder, open_=expert)
            column.addWidget(self._more)

    def _grid(self, fields: Sequence[FieldFacts]) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for field in fields:
            row = Row(field, editor_for(field, self._form_within))
            row.place(grid)
            row.editor.valueChanged.connect(lambda path, value, name=field.name: self._on_change(name, path, value))
            self._rows[field.name] = row
        return grid

    def _form_within(self, model: type[Frozen]) -> Editor:
        return Form(model, expert=self._expert)

    def value(self) -> Any:
        """The model as edited.

        Raises:
            pydantic.ValidationError: the fields do not hold together.
        """
        tree = {**self._hidden, **{name: row.editor.value() for name, row in self._rows.items()}}
        return self.model.model_validate({self._keys[name]: plain(value) for name, value in tree.items()})

    def setValue(self, value: Any) -> None:
        self._keep_hidden(value)
        for name, row in self._rows.items():
            row.say("")
            row.editor.clear_problems()
            row.editor.setValue(getattr(value, name))
        self._count_set(value)

    def refresh(self, value: Any) -> None:
        self._keep_hidden(value)
        for name, row in self._rows.items():
            if not row.wrong:
                row.editor.refresh(getattr(value, name))
        self._count_set(value)

    def row(self, name: str) -> Row:
        """A field's row."""
        return self._rows[name]

    def rows(self) -> dict[str, Row]:
        """All rows by field name."""
        return dict(self._rows)

    def set_row_visible(self, name: str, visible: bool) -> None:
        """Show or hide a field that matters only sometimes."""
        row = self._rows[name]
        row.label.setVisible(visible)
        row.editor.setVisible(visible)
        if row.editor.block is not None:
            row.editor.block.setVisible(visible)
        self._shown[name] = visible
        if self._more and row.field.advanced:
            advanced = [name for name, row in self._rows.items() if row.field.advanced]
            self._more.setVisible(any(self._shown.get(name, True) for name in advanced))

    def set_expert(self, expert: bool) -> None:
        """Open or fold the advanced fields, here and in the forms within."""
        for form in (self, *self.findChildren(Form)):
            form._expert = expert
            if form._more:
                form._more.set_open(expert)

    def set_choices(self, choices: Choices) -> None:
        for row in self._rows.values():
            row.editor.set_choices(choices)

    def show_problem(self, path: str, text: str) -> bool:
        first, _, rest = path.replace("[", ".").replace("]", "").partition(".")
        row = self._rows.get(first)
        if row is None:
            return False
        if not (rest and row.editor.show_problem(rest, text)):
            row.say(text)
        if self._more and row.field.advanced:
            self._more.set_open(True)
        return True

    def clear_problems(self) -> None:
        for row in self._rows.values():
            row.say("")
            row.editor.clear_problems()

    def _count_set(self, value: Any) -> None:
        """Say on the fold how many of the settings behind it are not at their defaults: what acts must not hide."""
        if self._more is None:
            return
        fields = [row.field for row in self._rows.values() if row.field.advanced]
        count = sum(getattr(value, field.name) != field.default for field in fields)
        self._more.set_title(self.tr("More · {0} set").format(count) if count else self.tr("More"))

    def _keep_hidden(self, value: Any) -> None:
        self._hidden = {name: getattr(value, name) for name in self._keys if name not in self._rows}

    def _on_change(self, name: str, path: str, value: object) -> None:
        key = self._keys[name]
        self.valueChanged.emit(f"{key}.{path}" if path else key, value)


def tip(field: FieldFacts) -> str:
    """Help, range and default of a field, for its tool tip."""
    lines = [_tr(field.help)]
    span = _span(field)
    if span:
        lines.append(span)
    if field.default is not None and isinstance(field.default, bool | int | float | str) and field.default != "":
        lines.append(_tr("Default: {0}").format(shown(field.default, field)))
    return wrapped("\n".join(lines))


def _span(field: FieldFacts) -> str:
    unit = "%" if field.unit == "fraction" else field.unit
    low, high = (_bound_text(end, field) for end in (field.low, field.high))
    if not low and not high:
        return _tr("In {0}").format(unit) if unit else ""
    ends = []
    if low:
        ends.append(_tr("above {0}" if field.open_low else "at least {0}").format(low))
    if high:
        ends.append(_tr("below {0}" if field.open_high else "at most {0}").format(high))
    text = ", ".join(ends)
    return f"{text[:1].upper()}{text[1:]} {unit}".strip()


def _bound_text(end: float | None, field: FieldFacts) -> str:
    if end is None:
        return ""
    return number_text(float(end), percent=field.unit == "fraction", log=field.log)


def _tr(text: str) -> str:
    return QCoreApplication.translate("fields", text)
