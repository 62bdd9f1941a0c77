"""Several labels an example, in the window: roles of columns, what is learned, figures by label, mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from shots import grab
from support.data_page import Opener, action_of, made_anew, opener, plain, undo
from support.finished_runs import finished_run
from support.labels import NAMES, labels_csv, labels_recipe
from support.train_page import finish, open_recipe, shown_page

from workbench.evaluation.labels import multilabel_figures
from workbench.evaluation.predictions import Predictions
from workbench.gui.diagnose.reasons import conclusions
from workbench.gui.export.work import preview
from workbench.gui.models.columns_model import ROLE
from workbench.gui.pages.train_page import TrainPage
from workbench.gui.results.class_table import (
    AUC,
    ERROR,
    F1,
    NAME,
    PRECISION,
    RECALL,
    SUPPORT,
    ClassesModel,
    ClassTable,
)
from workbench.gui.results.views import view_of
from workbench.gui.workspace import Workspace
from workbench.session.results import diagnosis_of_run
from workbench.store.run_folder import RunFolder

TOGETHER = "Predict it too: an example may have several labels"


@pytest.fixture
def opened(qtbot: QtBot, workspace: Workspace) -> Opener:
    """Opens the data page on files."""
    return opener(qtbot, workspace)


@pytest.fixture
def page(workspace: Workspace, qtbot: Any) -> Iterator[TrainPage]:
    """The train page."""
    yield from shown_page(workspace, qtbot)


def roles_of(page: Any) -> dict[str, str]:
    model = page.preview.columns.columns()
    return {model.facts(row).name: model.facts(row).role for row in range(model.rowCount())}


def menu_of(page: Any, name: str) -> Any:
    table = page.preview.columns
    table.open_menu(table.columns().place(name), ROLE)
    return table._menu


# --- the data page ---------------------------------------------------------------------------------------------------


def test_that_a_table_of_labels_is_told_of(opened: Opener, tmp_path: Path) -> None:
    page = opened(labels_csv(tmp_path / "t.csv", unknown=0.1), target=NAMES)
    assert roles_of(page) == {"a": "feature", "b": "feature", **dict.fromkeys(NAMES, "target")}
    assert plain(page.preview.facts.text()).startswith("The network reads 2 inputs and answers with 3 labels")
    assert page.preparation.classes.accessibleName() == "Labels"
    learning = page.preparation.learning.form
    assert learning.row("targets").editor.isVisibleTo(page)
    assert not learning.row("target").editor.isVisibleTo(page)
    assert not grab(page, (1024, 640), "dark").isNull()


def test_that_a_second_label_is_a_click_away_and_brings_task_and_loss(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(labels_csv(tmp_path / "t.csv"), target="low")
    assert workspace.document.recipe.data.task == "classification"
    assert TOGETHER not in [action.text() for action in menu_of(page, "a").actions()]
    action_of(menu_of(page, "odd"), TOGETHER).trigger()
    recipe = workspace.document.recipe
    assert (recipe.data.task, recipe.data.targets, recipe.data.target) == ("multilabel", ("low", "odd"), None)
    assert recipe.training.loss.kind == "sigmoid_cross_entropy"
    made_anew(qtbot, workspace)
    assert not workspace.document.problems
    assert workspace.data.dataset is not None
    assert workspace.data.dataset.classes == ("low", "odd")
    undo(workspace)
    assert workspace.document.recipe.data.target == "low"


def test_that_a_label_can_be_taken_away_or_predicted_alone(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(labels_csv(tmp_path / "t.csv"), target=NAMES)
    action_of(menu_of(page, "high"), "Leave it out").trigger()
    data = workspace.document.recipe.data
    assert (data.targets, data.exclude) == (("low", "odd"), ("high",))
    made_anew(qtbot, workspace)
    action_of(menu_of(page, "odd"), "Predict it alone").trigger()
    data = workspace.document.recipe.data
    assert (data.task, data.target, data.targets) == ("classification", "odd", ())
    assert set(data.exclude) == {"high", "low"}, "labels tell of each other: none is learned from by itself"
    made_anew(qtbot, workspace)
    assert workspace.data.state is not None
    assert workspace.data.state.problem is None


def test_that_other_columns_of_yes_and_no_are_pointed_out_where_one_is_chosen(
    opened: Opener, tmp_path: Path, qtbot: QtBot, workspace: Workspace
) -> None:
    page = opened(labels_csv(tmp_path / "t.csv"), target="low")
    hint = page.preparation.learning.several
    assert hint.text().startswith("2 other columns say yes or no as well.")
    assert "multilabel" in hint.text()
    assert hint.isVisibleTo(page)
    # What it says works.
    page.editor.set_task("multilabel")
    made_anew(qtbot, workspace)
    assert page.preparation.learning.form.row("targets").editor.isVisibleTo(page)
    workspace.document.set("data.targets", ["low", "high"], "targets")
    made_anew(qtbot, workspace)
    assert workspace.data.dataset.classes == ("low", "high")
    assert not hint.isVisibleTo(page)


def test_that_a_target_of_numbers_is_no_reason_to_speak_of_labels(opened: Opener, tmp_path: Path) -> None:
    page = opened(labels_csv(tmp_path / "t.csv"), target="a")
    assert not page.preparation.learning.several.isVisibleTo(page)


def test_that_the_task_takes_the_targets_with_it(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(labels_csv(tmp_path / "t.csv"), target="odd")
    assert not page.editor.set_task("multilabel")
    assert workspace.document.recipe.data.targets == ("odd",)
    made_anew(qtbot, workspace)
    page.editor.add_target("low")
    made_anew(qtbot, workspace)
    assert not page.editor.set_task("classification")
    data = workspace.document.recipe.data
    assert (data.target, data.targets, data.exclude) == ("odd", (), ("low",))
    assert workspace.document.recipe.training.loss.kind == "cross_entropy"


def test_that_examples_can_be_looked_through_by_label(opened: Opener, tmp_path: Path, workspace: Workspace) -> None:
    from workbench.gui.data.examples import Examples

    opened(labels_csv(tmp_path / "t.csv"), target=NAMES)
    assert workspace.data.state is not None
    assert workspace.data.dataset is not None
    examples, truth = Examples.of(workspace.data.state), workspace.data.dataset.targets
    assert examples.rows(class_number=2).tolist() == np.flatnonzero(truth[:, 2] > 0).tolist()
    both = int(np.flatnonzero((truth == [1, 1, 0]).all(axis=1))[0])
    assert examples.class_name(both) == "low, high"


def test_that_labels_stand_first_among_the_values_of_a_row(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(labels_csv(tmp_path / "t.csv"), target=NAMES)
    page.preview.show_view("rows")
    table = page.preview.rows.shown
    model = table.model()

    def headers() -> list[str]:
        return [model.headerData(place, Qt.Orientation.Horizontal) for place in range(model.columnCount())]

    assert headers() == ["row", *NAMES, "set", "strength", "a", "b"]
    state = workspace.data.state
    assert state is not None
    assert [model.index(3, place).data() for place in range(1, 4)] == [state.content.column(n).text(3) for n in NAMES]
    assert model.index(3, 4).data() in ("train", "dev", "test")
    assert "predicted" in model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert table.columnWidth(4) < table.columnWidth(1), "the set needs less room than a value"
    page.editor.set_role("odd", "target")
    made_anew(qtbot, workspace)
    assert headers() == ["row", "odd", "set", "strength", "a", "b", "low", "high"]


# --- results ---------------------------------------------------------------------------------------------------------


def test_that_a_run_of_labels_shows_figures_and_mistakes_by_label(page: TrainPage, qtbot: Any, tmp_path: Path) -> None:
    open_recipe(page, qtbot, labels_recipe(labels_csv(tmp_path / "t.csv", unknown=0.1)))
    finish(page, qtbot)
    results, view = page.results, page.results.view()
    assert view is not None
    given = view.predictions
    assert results.tabs.value() == "classes"
    assert results.stack.currentWidget() is results.class_table
    assert [results.classes.index(row, 0).data() for row in range(3)] == list(NAMES)
    assert results.classes.names[:2] == ("label, p > 0.5", "present")
    assert "wrong labels" in plain(results.note.text())
    results.show_tab("mistakes")
    assert results.mistakes.rowCount() == int(given.wrong_labels.sum())
    row = results.mistakes.index(0, 1).data(), results.mistakes.index(0, 2).data()
    example, label = view.example_at(int(view.worst[0]))
    assert row == (NAMES[label], "yes → no" if given.y_true[example, label] else "no → yes")
    counts = f"{given.wrong_labels.sum()} of {given.known_labels.sum()} labels wrong"
    assert plain(results.note.text()).startswith(counts)
    header = results.mistake_table.header()
    assert header.sectionSize(2) >= header.fontMetrics().horizontalAdvance("true → said") + 20
    assert not grab(page, (1024, 640), "light").isNull()


def test_that_error_f1_and_auc_of_each_label_stand_beside_its_name_in_the_smallest_window(
    page: TrainPage, qtbot: Any, tmp_path: Path
) -> None:
    open_recipe(page, qtbot, labels_recipe(labels_csv(tmp_path / "t.csv", unknown=0.1)))
    finish(page, qtbot)
    grab(page, (1024, 540), "light")
    table, model = page.results.class_table, page.results.classes
    shown = [column for column in range(model.columnCount()) if not table.isColumnHidden(column)]
    assert shown == [NAME, ERROR, PRECISION, RECALL, F1, AUC]
    assert table.header().sectionSize(NAME) >= 88
    assert table.header().length() <= table.viewport().width(), "nothing needs to be scrolled to"
    metrics = table.fontMetrics()
    for column in shown[1:]:
        widest = max(metrics.horizontalAdvance(model.text(row, column)) for row in range(3))
        assert widest <= table.header().sectionSize(column) - 8
    view = page.results.view()
    assert view is not None
    figures = multilabel_figures(view.predictions)
    odd, error = NAMES.index("odd"), figures.errors["odd"]
    assert error is not None
    assert model.text(odd, ERROR) == f"{100 * error.value:.1f}"
    assert model.text(odd, AUC) == f"{figures.roc_by_label['odd']:.2f}"
    whole = plain(model.index(odd, NAME).data(Qt.ItemDataRole.ToolTipRole))
    assert whole.startswith("odd")
    assert f"present {round(figures.by_label['odd'].support)}" in whole
    assert f"AUC {figures.roc_by_label['odd']:.3f}" in whole.replace("\n", " ")


def test_that_figures_by_label_are_written_out_where_there_is_room_and_give_way_to_names_where_there_is_not(
    qtbot: QtBot,
) -> None:
    truth = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
    chances = np.array([[0.9, 0.2], [0.7, 0.9], [0.6, 0.45], [0.1, 0.2]])
    view = view_of(Predictions.of_outputs(truth, chances, ("a", "b"), split="dev"), "dev")
    model = ClassesModel()
    table = ClassTable("figures", model)
    qtbot.addWidget(table)
    model.show_view(view)
    grab(table, (620, 200), "light")
    assert not any(table.isColumnHidden(column) for column in range(model.columnCount()))
    assert [plain(model.text(0, column)) for column in (ERROR, AUC)] == ["25.0 %", "0.750"]
    grab(table, (200, 200), "light")
    assert not any(table.isColumnHidden(column) for column in (NAME, ERROR, F1))
    assert table.isColumnHidden(SUPPORT)
    assert table.header().sectionSize(NAME) >= 60
    tip = table.model().headerData(NAME, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert "probability is above 0.5" in plain(tip).replace("\n", " ")


def test_that_classes_have_no_error_of_their_own_to_show(qtbot: QtBot) -> None:
    chances = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]])
    view = view_of(Predictions.of_outputs(np.array([0, 1, 1]), chances, ("a", "b"), split="dev"), "dev")
    model = ClassesModel()
    table = ClassTable("figures", model)
    qtbot.addWidget(table)
    model.show_view(view)
    grab(table, (620, 200), "light")
    assert [table.isColumnHidden(column) for column in (SUPPORT, ERROR, F1, AUC)] == [False, True, False, True]
    assert model.names[NAME] == "class"


def test_that_a_view_of_labels_lists_the_surest_mistakes_first() -> None:
    truth = np.array([[1, 0], [0, -1], [1, 1]])
    chances = np.array([[0.1, 0.2], [0.7, 0.9], [0.6, 0.45]])
    view = view_of(Predictions.of_outputs(truth, chances, ("a", "b"), split="dev"), "dev")
    assert [view.example_at(int(place)) for place in view.worst] == [(0, 0), (1, 0), (2, 1)]
    assert view.confidence()[view.worst].tolist() == pytest.approx([0.9, 0.7, 0.55])
    assert view.labels
    assert not view.regression
    assert view.error is not None
    assert view.error.value == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)


def test_that_the_verdicts_reasons_say_what_an_error_of_labels_is(tmp_path: Path) -> None:
    from support.finished_runs import finished_run

    folder = finished_run(labels_recipe(labels_csv(tmp_path / "t.csv")), tmp_path / "run")
    with RunFolder.open(folder) as run:
        told = " ".join(conclusions(diagnosis_of_run(run)))
    assert "the share of an example’s labels that is wrong" in told
    assert "labels of one are not independent" in told


@pytest.mark.parametrize(("kind", "words"), [("onnx", "of the labels, each by itself"), ("safetensors", "labels")])
def test_that_an_export_says_that_it_gives_labels(kind: str, words: str, tmp_path: Path) -> None:
    run = finished_run(labels_recipe(labels_csv(tmp_path / "t.csv"), epochs=1), tmp_path / "run")
    rows = [row for row in preview(run, kind, "kept").facts if row[0].startswith("output")]
    assert any(words in note for _, _, note in rows)
