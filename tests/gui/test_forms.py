"""Forms and their editors under a user's hands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from workbench.gui.document import Document
from workbench.gui.forms.binding import Binding
from workbench.gui.forms.editor import Editor
from workbench.gui.forms.factory import editor_for
from workbench.gui.forms.form import Form, tip
from workbench.gui.forms.kind import KindEditor
from workbench.gui.forms.names import NamesEditor
from workbench.gui.forms.number import NumberEditor
from workbench.gui.forms.pair import PairEditor
from workbench.gui.forms.sizes import SizesEditor
from workbench.gui.forms.stepping import step
from workbench.gui.values import object_at
from workbench.recipe.data import DataRecipe, Split
from workbench.recipe.fields import Frozen, facts, knob
from workbench.recipe.kinds import LayerSpec, OptimizerSpec
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import Goals, TrainingRecipe


class _Numbers(Frozen):
    count: int = knob(5, help="A count.", ge=1, le=10)
    size: int = knob(32, help="A size.", ge=1, log=True, unit="px")
    rate: float = knob(1e-3, help="A rate.", gt=0, le=10, log=True)
    share: float = knob(0.3, help="A share.", ge=0, lt=1, unit="fraction")
    beta: float = knob(0.9, help="A beta.", ge=0, lt=1)
    limit: float | None = knob(None, help="A limit.", gt=0, placeholder="off")


def _shown(qtbot: QtBot, widget: QWidget) -> None:
    qtbot.addWidget(widget)
    widget.show()
    widget.activateWindow()
    qtbot.waitUntil(widget.isActiveWindow)


def _form(qtbot: QtBot, model: Frozen) -> tuple[Form, list[tuple[str, object]]]:
    form, told = Form(type(model)), []
    form.valueChanged.connect(lambda path, value: told.append((path, value)))
    form.setValue(model)
    _shown(qtbot, form)
    return form, told


def _number(form: Form, name: str) -> QLineEdit:
    editor = form.row(name).editor
    assert isinstance(editor, NumberEditor)
    return editor.line


def _type(qtbot: QtBot, line: QLineEdit, text: str) -> None:
    line.setFocus()
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Backspace)
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def _wheel(widget: QWidget, turns: int) -> None:
    event = QWheelEvent(
        QPointF(5, 5), widget.mapToGlobal(QPointF(5, 5)), QPoint(), QPoint(0, 120 * turns),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_that_a_number_counts_while_it_is_typed(qtbot: QtBot) -> None:
    form, told = _form(qtbot, _Numbers())
    _type(qtbot, _number(form, "size"), "128")
    assert told == [("size", 1), ("size", 12), ("size", 128)]


def test_that_what_is_typed_out_of_range_is_only_offered_when_typing_ends(qtbot: QtBot) -> None:
    form, told = _form(qtbot, _Numbers())
    _type(qtbot, _number(form, "count"), "99")
    assert told == [("count", 9), ("count", 99)]


def test_that_no_number_is_refused_at_the_field_and_nothing_is_told(qtbot: QtBot) -> None:
    form, told = _form(qtbot, _Numbers())
    _type(qtbot, _number(form, "rate"), "fast")
    assert told == []
    row = form.row("rate")
    assert row.error.isVisible()
    assert row.error.text() == 'Must be a number, not "fast"'
    assert _number(form, "rate").property("wrong") is True
    _type(qtbot, _number(form, "rate"), "2e-3")
    assert not row.error.isVisible()
    assert told[-1] == ("rate", 2e-3)


def test_that_an_empty_field_is_none_where_it_may_be_and_missing_elsewhere(qtbot: QtBot) -> None:
    form, told = _form(qtbot, _Numbers(limit=3.0))
    _type(qtbot, _number(form, "limit"), "")
    assert told[-1] == ("limit", None)
    assert _number(form, "limit").placeholderText() == "off"
    _type(qtbot, _number(form, "count"), "")
    assert form.row("count").wrong == "is missing"


def test_that_a_fraction_is_typed_and_shown_as_per_cent(qtbot: QtBot) -> None:
    form, told = _form(qtbot, _Numbers())
    assert _number(form, "share").text() == "30"
    _type(qtbot, _number(form, "share"), "0.7 %")
    assert told[-1] == ("share", 0.007)


def test_that_a_number_is_written_properly_once_it_is_left(qtbot: QtBot) -> None:
    form, _ = _form(qtbot, _Numbers())
    _type(qtbot, _number(form, "rate"), "0,0010")
    assert _number(form, "rate").text() == "1e-3"


@pytest.mark.parametrize(
    ("name", "start", "by", "end"),
    [
        ("count", 5, 1, 6), ("count", 10, 1, 10), ("count", 1, -1, 1), ("count", 5, 10, 10),
        ("size", 32, 1, 64), ("size", 32, -1, 16), ("size", 1, -1, 1),
        ("rate", 1e-3, 1, 2e-3), ("rate", 2e-3, 1, 5e-3), ("rate", 5e-3, 1, 1e-2), ("rate", 3e-3, -1, 2e-3),
        ("rate", 10.0, 1, 10.0),
        ("share", 0.3, 1, 0.31), ("share", 0.015, 1, 0.016),
        ("beta", 0.9, 1, 0.95), ("beta", 0.95, 1, 0.98), ("beta", 0.99, 1, 0.995), ("beta", 0.99, -1, 0.98),
        ("beta", 0.9, -1, 0.85),
    ],
)  # fmt: skip
def test_that_a_step_goes_where_it_makes_sense(name: str, start: float, by: int, end: float) -> None:
    field = facts(_Numbers)[name]
    assert step(start, by, field, whole=isinstance(start, int)) == pytest.approx(end, rel=1e-12)


@pytest.mark.parametrize("name", ["count", "size", "rate", "share", "beta"])
@pytest.mark.parametrize("by", [1, -1, 10, -10])
def test_that_no_step_leaves_the_range(name: str, by: int) -> None:
    value = getattr(_Numbers(), name)
    for _ in range(50):
        value = step(value, by, facts(_Numbers)[name], whole=isinstance(value, int))
        _Numbers.model_validate({name: value})


def test_that_arrow_keys_step_a_number(qtbot: QtBot) -> None:
    form, told = _form(qtbot, _Numbers())
    line = _number(form, "size")
    line.setFocus()
    qtbot.keyClick(line, Qt.Key.Key_Up)
    qtbot.keyClick(line, Qt.Key.Key_Down)
    assert told == [("size", 64), ("size", 32)]


def test_that_the_small_arrows_step_a_number(qtbot: QtBot) -> None:
    form, told = _form(qtbot, _Numbers())
    line = _number(form, "size")
    qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPoint(line.width() - 8, 4))
    qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPoint(line.width() - 8, line.height() - 4))
    assert told == [("size", 64), ("size", 32)]


def test_that_the_wheel_does_nothing_until_the_field_has_the_focus(qtbot: QtBot) -> None:
    form, told = _form(qtbot, _Numbers())
    line, other = _number(form, "size"), _number(form, "rate")
    other.setFocus()
    _wheel(line, 1)
    assert told == []
    line.setFocus()
    _wheel(line, 1)
    assert told == [("size", 64)]


def test_that_a_pair_is_typed_in_one_field(qtbot: QtBot) -> None:
    conv = LayerSpec.model_validate({"kind": "conv2d"})
    form, told = _form(qtbot, conv)
    editor = form.row("kernel").editor
    assert isinstance(editor, PairEditor)
    assert editor.line.text() == "3 × 3"
    _type(qtbot, editor.line, "3x5")
    assert told[-1] == ("kernel", (3, 5))
    assert editor.line.text() == "3 × 5"
    _type(qtbot, editor.line, "wide")
    assert "one number or two" in form.row("kernel").wrong


def test_that_a_shape_is_typed_in_one_field(qtbot: QtBot) -> None:
    form, told = _form(qtbot, LayerSpec.model_validate({"kind": "reshape"}))
    editor = form.row("shape").editor
    assert isinstance(editor, SizesEditor)
    assert editor.line.text() == "-1 × 1"
    _type(qtbot, editor.line, "4x3")
    _type(qtbot, editor.line, "12")
    assert told == [("shape", (4, 3)), ("shape", (12,))]
    _type(qtbot, editor.line, "long")
    assert "one or more whole numbers" in form.row("shape").wrong
    assert editor.value() == (12,)
    _type(qtbot, editor.line, "-1 2 3")
    assert form.row("shape").wrong == ""
    assert editor.line.text() == "-1 × 2 × 3"


def test_that_padding_of_a_sequence_is_a_word_or_one_number(qtbot: QtBot) -> None:
    form, told = _form(qtbot, LayerSpec.model_validate({"kind": "conv1d"}))
    editor = form.row("padding").editor
    combo = editor.findChild(QComboBox)
    for number in (2, 3):
        combo.setCurrentIndex(number)
        combo.activated.emit(number)
    assert told == [("padding", "causal"), ("padding", 1)]
    line = editor.findChild(SizesEditor).line
    assert line.isVisible()
    assert line.text() == "1"
    _type(qtbot, line, "3")
    assert told[-1] == ("padding", 3)
    _type(qtbot, line, "1 2")
    assert form.row("padding").wrong == 'must be 1 whole number, not "1 2"'


def test_that_padding_of_ones_own_opens_a_field(qtbot: QtBot) -> None:
    form, told = _form(qtbot, LayerSpec.model_validate({"kind": "conv2d"}))
    editor = form.row("padding").editor
    _button(editor, "own").click()
    assert told[-1] == ("padding", 1)
    _button(editor, "valid").click()
    assert told[-1] == ("padding", "valid")


def _button(within: QWidget, text: str) -> QAbstractButton:
    return next(button for button in within.findChildren(QAbstractButton) if button.text() == text)


def test_that_units_can_be_a_number_or_the_word_classes(qtbot: QtBot) -> None:
    form, told = _form(qtbot, LayerSpec.model_validate({"kind": "dense", "units": 128}))
    button = _button(form, "classes")
    button.click()
    assert told[-1] == ("units", "classes")
    button.click()
    assert told[-1] == ("units", 64)
    _type(qtbot, _number(form, "units"), "classes")
    assert told[-1] == ("units", "classes")
    assert button.isChecked()


def test_that_choices_are_side_by_side_where_few_and_a_list_where_many(qtbot: QtBot) -> None:
    form, told = _form(qtbot, LayerSpec.model_validate({"kind": "conv2d"}))
    combo: Any = form.row("initializer").editor._widget  # type: ignore[attr-defined]
    combo.setCurrentIndex(2)
    combo.activated.emit(2)
    assert told == [("initializer", "glorot_normal")]


def test_that_a_kind_is_chosen_with_its_fields_and_what_was_set_comes_back(qtbot: QtBot) -> None:
    form, told = _form(qtbot, TrainingRecipe())
    editor = form.row("optimizer").editor
    assert isinstance(editor, KindEditor)
    _take(editor, "sgd")
    assert told[-1][0] == "optimizer"
    assert told[-1][1].learning_rate == 0.01, "a rate at its default gives way to the new kind's own default"  # type: ignore[attr-defined]
    inner = editor.form()
    assert isinstance(inner, Form)
    _type(qtbot, _number(inner, "learning_rate"), "0.3")
    assert told[-1] == ("optimizer.learning_rate", 0.3)
    _take(editor, "rmsprop")
    assert told[-1][1].learning_rate == 0.3, "a rate that was set is kept"  # type: ignore[attr-defined]
    _take(editor, "sgd")
    assert told[-1][1].learning_rate == 0.3  # type: ignore[attr-defined]


def _take(editor: KindEditor, kind: str) -> None:
    combo = editor._combo
    number = combo.offered().index(kind)
    combo.setCurrentIndex(number)
    combo.activated.emit(number)


def test_that_a_warm_up_nests_any_other_schedule_and_tells_its_path(qtbot: QtBot) -> None:
    form, told = _form(qtbot, TrainingRecipe())
    editor = form.row("schedule").editor
    assert isinstance(editor, KindEditor)
    _take(editor, "warmup")
    inner = editor.form()
    assert isinstance(inner, Form)
    then = inner.row("then").editor
    assert isinstance(then, KindEditor)
    _take(then, "staircase")
    assert told[-1][0] == "schedule.then"
    last = then.form()
    assert isinstance(last, Form)
    _type(qtbot, _number(last, "every"), "7")
    assert told[-1] == ("schedule.then.every", 7)


def test_that_kinds_can_be_limited_and_one_that_is_in_use_is_still_shown(qtbot: QtBot) -> None:
    form, _ = _form(qtbot, TrainingRecipe())
    form.set_choices({"loss": ("mean_squared_error",)})
    editor = form.row("loss").editor
    assert isinstance(editor, KindEditor)
    editor.setValue(TrainingRecipe().loss)
    assert editor._combo.offered() == ["mean_squared_error", "cross_entropy"]
    assert editor.value() == TrainingRecipe().loss


def test_that_a_part_that_is_off_is_switched_on_with_its_defaults(qtbot: QtBot) -> None:
    form, told = _form(qtbot, TrainingRecipe())
    editor = form.row("early_stopping").editor
    assert editor.block is not None
    assert not editor.block.isVisible()
    editor.findChildren(QAbstractButton)[0].click()
    assert told[-1][0] == "early_stopping"
    assert told[-1][1].patience == 5  # type: ignore[attr-defined]
    assert editor.block.isVisible()


def test_that_advanced_fields_are_folded_until_expert_mode(qtbot: QtBot) -> None:
    form, _ = _form(qtbot, OptimizerSpec.kinds()["adam"]())
    assert not form.row("beta1").editor.isVisible()
    form.set_expert(True)
    assert form.row("beta1").editor.isVisible()


def test_that_expert_mode_reaches_forms_that_are_made_later(qtbot: QtBot) -> None:
    form, _ = _form(qtbot, TrainingRecipe())
    form.set_expert(True)
    editor = form.row("optimizer").editor
    assert isinstance(editor, KindEditor)
    _take(editor, "rmsprop")
    inner = editor.form()
    assert isinstance(inner, Form)
    assert inner.row("epsilon").editor.isVisible()


def test_that_a_tip_tells_help_range_and_default() -> None:
    assert tip(facts(TrainingRecipe)["dropout"]).endswith("At least 0, below 100 %\nDefault: 0 %")
    assert "Above 0" in tip(facts(OptimizerSpec.kinds()["adam"])["learning_rate"])


def test_that_names_are_taken_in_order_and_given_back(qtbot: QtBot) -> None:
    form, told = _form(qtbot, DataRecipe(exclude=("id",)))
    editor = form.row("exclude").editor
    assert isinstance(editor, NamesEditor)
    form.set_choices({"columns": ("id", "age", "<b>name</b>")})
    editor.toggle("<b>name</b>")
    editor.toggle("id")
    assert told == [("exclude", ("id", "<b>name</b>")), ("exclude", ("<b>name</b>",))]


def test_that_the_list_of_names_opens_by_key_and_takes_by_key(qtbot: QtBot) -> None:
    form, told = _form(qtbot, DataRecipe())
    editor = form.row("exclude").editor
    assert isinstance(editor, NamesEditor)
    form.set_choices({"columns": ("id", "age")})
    qtbot.keyClick(editor._field, Qt.Key.Key_Space)
    popup = editor._popup
    assert popup is not None
    assert popup.isVisible()
    qtbot.keyClick(popup._list, Qt.Key.Key_Down)
    qtbot.keyClick(popup._list, Qt.Key.Key_Return)
    assert told == [("exclude", ("age",))]
    popup.hide()


def test_that_a_type_without_an_editor_is_an_error_of_the_programmer() -> None:
    class Odd(Frozen):
        odd: bytes = knob(b"", help="Nothing edits bytes.")

    with pytest.raises(TypeError, match="no editor for odd"):
        editor_for(facts(Odd)["odd"], lambda model: Editor())


def _bound(qtbot: QtBot, path: str, recipe: dict[str, Any]) -> tuple[Form, Document]:
    document = Document(Recipe.parse(recipe))
    form = Form(type(object_at(document.recipe, path)))
    Binding(form, document, path)
    _shown(qtbot, form)
    return form, document


def test_that_a_bound_form_writes_to_the_document_and_shows_what_undo_brings_back(qtbot: QtBot) -> None:
    form, document = _bound(qtbot, "training", {})
    _type(qtbot, _number(form, "epochs"), "7")
    assert document.recipe.training.epochs == 7
    document.undo_stack.undo()
    assert _number(form, "epochs").text() == "20"


def test_that_a_refused_value_stays_in_its_field_with_the_reason(qtbot: QtBot) -> None:
    form, document = _bound(qtbot, "training", {})
    _type(qtbot, _number(form, "epochs"), "-3")
    row = form.row("epochs")
    assert row.error.text() == "Must be at least 0, not -3"
    assert _number(form, "epochs").text() == "-3"
    assert document.recipe.training.epochs == 20
    _type(qtbot, _number(form, "batch_size"), "8")
    assert document.recipe.training.batch_size == 8, "other fields can be changed meanwhile"
    assert row.wrong
    assert _number(form, "epochs").text() == "-3"
    _type(qtbot, _number(form, "epochs"), "3")
    assert not row.wrong
    assert document.recipe.training.epochs == 3


def test_that_shares_that_must_add_up_can_be_changed_one_after_the_other(qtbot: QtBot) -> None:
    form, document = _bound(qtbot, "data.split", {"data": {"split": {"train": 0.6, "dev": 0.2, "test": 0.2}}})
    _type(qtbot, _number(form, "train"), "70")
    assert "add up to 1.1" in form.row("train").wrong
    _type(qtbot, _number(form, "dev"), "10")
    assert document.recipe.data.split == Split(train=0.7, dev=0.1, test=0.2)
    assert not form.row("train").wrong
    assert not form.row("dev").wrong


def test_that_goals_that_contradict_each_other_are_told_where_they_are_edited(qtbot: QtBot) -> None:
    form, document = _bound(qtbot, "goals", {})
    _type(qtbot, _number(form, "human_error"), "1")
    _type(qtbot, _number(form, "bayes_error"), "2")
    assert "nobody can do better" in form.row("bayes_error").wrong
    assert document.recipe.goals == Goals(human_error=0.01)


def test_that_undo_from_elsewhere_takes_unfinished_corrections_away(qtbot: QtBot) -> None:
    form, document = _bound(qtbot, "training", {})
    document.set("training.batch_size", 16)
    _type(qtbot, _number(form, "epochs"), "-3")
    document.undo_stack.undo()
    assert _number(form, "epochs").text() == "20"
    assert not form.row("epochs").wrong


def test_that_a_mistake_within_a_kind_is_shown_at_its_own_field(qtbot: QtBot) -> None:
    form, document = _bound(qtbot, "training", {})
    editor = form.row("optimizer").editor
    assert isinstance(editor, KindEditor)
    inner = editor.form()
    assert isinstance(inner, Form)
    _type(qtbot, _number(inner, "learning_rate"), "0")
    assert inner.row("learning_rate").wrong == "must be above 0, not 0.0"
    assert document.recipe.training.optimizer.learning_rate == 1e-3


def test_that_the_document_refuses_a_warm_up_after_a_warm_up_in_words(qtbot: QtBot) -> None:
    form, document = _bound(qtbot, "training", {"training": {"schedule": "warmup"}})
    editor = form.row("schedule").editor
    assert isinstance(editor, KindEditor)
    inner = editor.form()
    assert isinstance(inner, Form)
    then = inner.row("then").editor
    assert isinstance(then, KindEditor)
    _take(then, "warmup")
    assert "cannot follow" in inner.row("then").wrong
    assert document.recipe.get("training.schedule.then.kind") == "constant"


def test_that_a_fold_says_how_many_settings_behind_it_are_set(qtbot: QtBot) -> None:
    form, document = _bound(qtbot, "training", {"training": {"l1": 1e-3, "optimizer": {"kind": "adam", "beta1": 0.8}}})
    editor = form.row("optimizer").editor
    assert isinstance(editor, KindEditor)
    inner = editor.form()
    assert isinstance(inner, Form)
    assert [_fold_title(one) for one in (form, inner)] == ["More · 1 set", "More · 1 set"]
    document.set("training.ema", {"decay": 0.99})
    assert _fold_title(form) == "More · 2 set"
    document.set_many({"training.ema": None, "training.l1": 0.0, "training.optimizer.beta1": 0.9})
    assert [_fold_title(one) for one in (form, inner)] == ["More", "More"]


def _fold_title(form: Form) -> str:
    assert form._more is not None
    return form._more._button.text()


def _ways_to_break(form: Form) -> list[Callable[[], None]]:
    return [lambda row=row: row.say("wrong") for row in form.rows().values()]


def test_that_every_field_of_a_form_can_show_what_is_wrong_and_lose_it_again(qtbot: QtBot) -> None:
    form, _ = _form(qtbot, TrainingRecipe())
    assert isinstance(form, Form)
    form.set_expert(True)
    for make_wrong in _ways_to_break(form):
        make_wrong()
    assert all(row.error.isVisible() for row in form.rows().values())
    form.setValue(TrainingRecipe())
    assert not any(row.error.isVisible() for row in form.rows().values())
