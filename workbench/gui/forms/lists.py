"""Editors of lists of models, and of tables of names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from workbench.gui.forms.editor import Choices, Editor
from workbench.gui.forms.parts import FormMaker
from workbench.gui.forms.simple import in_a_row
from workbench.gui.text import safe
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import ElidedLabel
from workbench.recipe.fields import FieldFacts, Frozen
from workbench.recipe.kinds import Kinded


class _Item(QWidget):
    """One entry of a list: a line with what it is and its buttons, and its form."""

    def __init__(self, title: str, form: Editor, up: Callable[[], None], remove: Callable[[], None]) -> None:
        super().__init__()
        self.form = form
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(ElidedLabel(title, "strong"), 1)
        head.addWidget(Button("", "quiet", icon_name="arrow-up", tip=self.tr("Move up"), clicked=up))
        head.addWidget(Button("", "quiet", icon_name="trash", tip=self.tr("Remove"), clicked=remove))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(form)


class ListEditor(Editor):
    """Models one after the other; of a base that comes in kinds, any of its kinds."""

    def __init__(self, model: type[Frozen], form: FormMaker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model, self._make = model, form
        self._value: tuple[Any, ...] = ()
        self._items: list[_Item] = []
        self._choices: Choices = {}
        self._add = Button(self.tr("+ Add"))
        in_a_row(self, self._add).addStretch(1)
        self.block = QWidget()
        self._column = QVBoxLayout(self.block)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._prepare_button()

    def _prepare_button(self) -> None:
        if not issubclass(self._model, Kinded):
            self._add.clicked.connect(lambda: self._append(_start_of(self._model)))
            return
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for kind in self._model.kinds().values():
            action = menu.addAction(kind.human_name())
            action.setToolTip(kind.about)
            action.triggered.connect(lambda _=False, kind=kind: self._append(_start_of(kind)))
        self._add.set_menu(menu)

    def value(self) -> tuple[Any, ...]:
        return tuple(item.form.value() for item in self._items)

    def setValue(self, value: Any) -> None:
        if [type(item) for item in value] == [type(item) for item in self._value]:
            for item, model in zip(self._items, value, strict=True):
                item.form.setValue(model)
        else:
            self._build(value)
        self._value = tuple(value)

    def refresh(self, value: Any) -> None:
        if len(value) != len(self._value):
            self.setValue(value)
            return
        for item, model in zip(self._items, value, strict=True):
            item.form.refresh(model)
        self._value = tuple(value)

    def set_choices(self, choices: Choices) -> None:
        self._choices = choices
        for item in self._items:
            item.form.set_choices(choices)

    def show_problem(self, path: str, text: str) -> bool:
        number, _, rest = path.partition(".")
        return (
            number.isdigit()
            and int(number) < len(self._items)
            and self._items[int(number)].form.show_problem(rest, text)
        )

    def clear_problems(self) -> None:
        for item in self._items:
            item.form.clear_problems()

    def _build(self, value: Any) -> None:
        for item in self._items:
            item.hide()
            item.deleteLater()
        self._items = [self._item(number, model) for number, model in enumerate(value)]
        for item in self._items:
            self._column.addWidget(item)

    def _item(self, number: int, model: Frozen) -> _Item:
        form = self._make(type(model))
        form.setValue(model)
        form.set_choices(self._choices)
        form.valueChanged.connect(lambda path, value: self.valueChanged.emit(f"{number}.{path}", value))
        title = model.human_name() if isinstance(model, Kinded) else str(number + 1)
        return _Item(title, form, lambda: self._move_up(number), lambda: self._remove(number))

    def _append(self, model: Frozen) -> None:
        self._take((*self.value(), model))

    def _remove(self, number: int) -> None:
        value = self.value()
        self._take((*value[:number], *value[number + 1 :]))

    def _move_up(self, number: int) -> None:
        if number:
            value = list(self.value())
            value[number - 1], value[number] = value[number], value[number - 1]
            self._take(tuple(value))

    def _take(self, value: tuple[Any, ...]) -> None:
        self._build(value)
        self._value = value
        self.valueChanged.emit("", value)


class _Row(QWidget):
    """A name and its value."""

    def __init__(self, name: str, editor: Editor, remove: Callable[[], None]) -> None:
        super().__init__()
        self.line, self.editor = QLineEdit(name), editor
        self.line.setAccessibleName(self.tr("Name"))
        editor.setAccessibleName(safe(name))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.line, 1)
        row.addWidget(editor, 1)
        row.addWidget(Button("", "quiet", icon_name="trash", tip=self.tr("Remove"), clicked=remove))


class MapEditor(Editor):
    """Names with values: a column's strength, a column's type. A change gives the whole table."""

    def __init__(self, start: Any, editor: Callable[[], Editor], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._start, self._make = start, editor
        self._value: dict[str, Any] = {}
        self._rows: list[_Row] = []
        self._columns: tuple[str, ...] = ()
        self._add = Button(self.tr("+ Add"), clicked=self._on_add)
        in_a_row(self, self._add).addStretch(1)
        self.block = QWidget()
        self._column = QVBoxLayout(self.block)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def value(self) -> dict[str, Any]:
        return {row.line.text(): row.editor.value() for row in self._rows if row.line.text()}

    def setValue(self, value: Any) -> None:
        if value == self.value():
            return
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows = []
        for name, item in value.items():
            self._append(name, item)

    def set_choices(self, choices: Choices) -> None:
        self._columns = tuple(choices.get("columns", ()))

    def name(self, field: FieldFacts, label: str) -> None:
        super().name(field, label)
        self._add.setAccessibleName(self.tr("Add to {0}").format(label))

    def _append(self, name: str, value: Any) -> None:
        editor = self._make()
        editor.setValue(value)
        row = _Row(name, editor, lambda: self._remove(row))
        row.line.editingFinished.connect(self._emit)
        editor.valueChanged.connect(lambda path, value: self._emit())
        self._rows.append(row)
        self._column.addWidget(row)

    def _on_add(self) -> None:
        free = [name for name in self._columns if name not in self.value()]
        self._append(free[0] if free else "", self._start)
        self._rows[-1].line.setFocus(Qt.FocusReason.OtherFocusReason)
        if free:
            self._emit()

    def _remove(self, row: _Row) -> None:
        self._rows.remove(row)
        row.hide()
        row.deleteLater()
        self._emit()

    def _emit(self) -> None:
        if self.value() != self._value:
            self._value = self.value()
            self.valueChanged.emit("", self._value)


def _start_of(model: type[Frozen]) -> Frozen:
    """A first entry: defaults, and for what is required the least that holds together."""
    required = [(name, field.annotation) for name, field in model.model_fields.items() if field.is_required()]
    empty: dict[str, Any] = {name: "" if annotation is str else 1 for name, annotation in required}
    try:
        return model(**empty)
    except ValueError:
        return model(**{name: value or "1" for name, value in empty.items()})
