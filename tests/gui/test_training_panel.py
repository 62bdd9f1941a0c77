"""The settings of training, made from the recipe's fields."""

from __future__ import annotations

from math import ceil

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from workbench.gui.data_facts import DataFacts
from workbench.gui.document import Document
from workbench.gui.forms.form import Form
from workbench.gui.forms.kind import KindEditor
from workbench.gui.panels.training_panel import TrainingPanel, losses_for
from workbench.gui.plots.schedule_curve import curve_of
from workbench.recipe.kinds import ScheduleSpec
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import TrainingRecipe
from workbench.training.schedules.base import Moment

_TWO = DataFacts((30,), classes=("a", "b"), sizes={"train": 341})
_TEN = DataFacts((784,), classes=tuple("abcdefghij"), sizes={"train": 60_000})
_NUMBER = DataFacts((5,), task="regression", sizes={"train": 100})


def _panel(qtbot: QtBot, facts: DataFacts | None = None) -> TrainingPanel:
    document = Document(Recipe.parse({"network": {"layers": [{"kind": "dense", "units": "classes"}]}}))
    document.set_facts(facts)
    panel = TrainingPanel(document)
    document.setParent(panel)
    qtbot.addWidget(panel)
    panel.resize(1200, 700)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def test_that_every_field_of_training_and_goals_has_a_row_exactly_once(qtbot: QtBot) -> None:
    panel = _panel(qtbot)
    shown = [name for form in panel.forms()[:3] for name in form.rows()]
    # What the weights begin with has a panel of its own, which needs the project's runs: see test_start_panel.
    assert sorted([*shown, "start_from"]) == sorted(TrainingRecipe.model_fields)
    assert sorted(panel.goals.rows()) == sorted(type(panel._document.recipe.goals).model_fields)


def test_that_losses_suit_the_task_and_the_number_of_classes(qtbot: QtBot) -> None:
    many = ("cross_entropy", "focal", "hinge", "normalized_logistic")
    two = tuple(sorted(("binary_cross_entropy", "binary_hinge", *many)))
    assert losses_for("classification", _TWO) == two
    assert losses_for("classification", _TEN) == many
    assert losses_for("regression", _NUMBER) == ("huber", "mean_absolute_error", "mean_squared_error")
    assert losses_for("classification", None) == two
    panel = _panel(qtbot, _TEN)
    editor = panel.learning.row("loss").editor
    assert isinstance(editor, KindEditor)
    assert editor._combo.offered() == list(many)


def test_that_a_rate_that_depends_on_the_dev_set_is_drawn_as_far_as_it_is_known(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _TEN)
    assert not panel._unknown.isVisible()
    plateau = {"kind": "reduce_on_plateau", "metric": "dev_error"}
    panel._document.set("training.schedule", {"kind": "warmup", "epochs": 2, "then": plateau})
    assert panel._unknown.isVisible()
    assert "each time the dev error stops improving" in panel._unknown.text()
    rates = curve_of(panel._document.recipe.training, 60_000).rates
    assert rates[0] < rates[-1] == max(rates)
    panel._document.set("training.schedule", "one_cycle")
    assert not panel._unknown.isVisible()


def test_that_gathered_batches_are_counted_as_updates(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _TWO)
    note = panel.learning.row("accumulate").note
    assert not note.text()
    panel._document.set("training.accumulate", 4)
    # 6 batches of 64 of 341 examples.
    assert note.text() == "2 updates an epoch"
    training = TrainingRecipe.model_validate({"schedule": "cosine", "epochs": 3, "accumulate": 4})
    assert len(curve_of(training, 341).rates) == 6


def test_that_a_loss_that_does_not_suit_the_data_is_said_above_it(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _TEN)
    assert not panel._problem.isVisible()
    panel._document.set("training.loss", "binary_cross_entropy")
    assert "tells two classes apart" in panel._problem.text()
    assert panel._problem.isVisible()
    panel._document.undo_stack.undo()
    assert not panel._problem.isVisible()


@pytest.mark.parametrize("kind", list(ScheduleSpec.kinds()))
def test_that_the_curve_is_the_schedules_own(kind: str) -> None:
    training = TrainingRecipe.model_validate({"schedule": kind, "epochs": 7, "batch_size": 100})
    curve = curve_of(training, 1_050)
    assert curve.steps_per_epoch == ceil(1_050 / 100) == 11
    steps = [round(epoch * 11) for epoch in curve.epochs]
    assert steps == list(range(77)), "a short run is drawn step by step"
    schedule = training.schedule
    expected = [
        training.optimizer.learning_rate * schedule.factor(Moment(step // 11, step, 7, 11))  # type: ignore[attr-defined]
        for step in steps
    ]
    assert list(curve.rates) == pytest.approx(expected)


def test_that_a_long_run_is_drawn_with_few_points_from_first_to_last_step() -> None:
    curve = curve_of(TrainingRecipe.model_validate({"epochs": 1_000}), 10**6)
    assert len(curve.epochs) < 600
    assert curve.epochs[0] == 0
    assert curve.epochs[-1] == pytest.approx(1_000, abs=1e-3)


def test_that_without_data_or_epochs_there_is_still_something_sensible(qtbot: QtBot) -> None:
    assert curve_of(TrainingRecipe(), 0).steps_per_epoch == 0
    assert curve_of(TrainingRecipe(epochs=0), 100).rates == []
    panel = _panel(qtbot)
    panel._document.set("training.epochs", 0)
    assert panel.learning.row("epochs").note.text() == "The run will hold the initial weights."
    assert panel._facts._values["first"].text() == "—"


def test_that_the_curve_and_its_figures_follow_every_edit(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _TEN)
    panel._document.set_many({"training.schedule": {"kind": "staircase", "every": 10, "drop": 0.1}})
    values = {name: label.text().replace("\u2212", "-") for name, label in panel._facts._values.items()}
    assert (values["first"], values["last"], values["steps/epoch"]) == ("1e-3", "1e-4", "938")
    _, y = panel._curve._line.getData()
    assert y[0] == pytest.approx(1e-3)
    assert y[-1] == pytest.approx(1e-4)
    assert "from 1e" in panel._curve.accessibleDescription()


def test_that_the_curve_can_be_logarithmic_and_leaves_zeros_out(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _TEN)
    panel._document.set("training.schedule", {"kind": "warmup", "start": 0.0, "epochs": 1.0, "then": "cosine"})
    panel._curve.set_log(True)
    _, y = panel._curve._line.getOriginalDataset()
    assert (y > 0).all()
    panel._curve.set_log(False)


def test_that_averages_say_over_how_many_steps(qtbot: QtBot) -> None:
    panel = _panel(qtbot)
    panel._document.set("training.optimizer", {"kind": "momentum", "beta": 0.98})
    editor = panel.learning.row("optimizer").editor
    assert isinstance(editor, KindEditor)
    form = editor.form()
    assert isinstance(form, Form)
    assert form.row("beta").note.text() == "averages over about 50 steps"
    panel._document.set("training.optimizer", "adam")
    form = editor.form()
    assert isinstance(form, Form)
    assert form.row("beta2").note.text().replace("\u00a0", " ") == "averages over about 1 000 steps"
    assert form.row("beta1").note.text() == "averages over about 10 steps"


def test_that_a_batch_says_how_many_steps_make_an_epoch(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _TEN)
    assert panel.learning.row("batch_size").note.text() == "938 steps an epoch"
    panel._document.set_facts(None)
    assert not panel.learning.row("batch_size").note.isVisible()


def test_that_early_stopping_is_switched_on_in_the_document(qtbot: QtBot) -> None:
    panel = _panel(qtbot)
    panel.regularization.row("early_stopping").editor.findChildren(QAbstractButton)[0].click()
    assert panel._document.recipe.training.early_stopping is not None
    panel._document.undo_stack.undo()
    assert panel._document.recipe.training.early_stopping is None


@pytest.mark.parametrize(("width", "columns"), [(400, 1), (700, 2), (1000, 3)])
def test_that_the_panels_stand_in_as_many_columns_as_fit(qtbot: QtBot, width: int, columns: int) -> None:
    panel = _panel(qtbot)
    panel.resize(width, 700)
    qtbot.waitUntil(lambda: len({one.x() for one in panel._panels}) == columns)
    qtbot.waitUntil(lambda: all(one.geometry().right() <= panel.width() for one in panel._panels))


def test_that_no_field_is_squeezed_in_the_smallest_window(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _TEN)
    panel._document.set("training.optimizer", "momentum")
    panel.resize(1008, 540)
    qtbot.wait(20)
    for form in panel.findChildren(Form):
        for name, row in form.rows().items():
            if row.editor.isVisible() and row.editor.layout() is not None:
                assert row.editor.height() >= 24, name


def test_that_all_words_are_plain_text(qtbot: QtBot) -> None:
    panel = _panel(qtbot, _TEN)
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in panel.findChildren(QLabel))
