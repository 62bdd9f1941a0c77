"""Step 1, Data, as a user works in it: on tables, on pictures, and on what is broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot
from shots import grab, settle
from support.data_rig import FASHION, picture_folder, write_idx
from support.small_runs import write_numbers, write_pictures, write_table

from workbench.gui.data.picture_grid import PictureGrid
from workbench.gui.data.rows_table import RowsTable
from workbench.gui.data.sections.sources_section import SourceRow
from workbench.gui.models.columns_model import ROLE, STRENGTH, TYPE
from workbench.gui.pages.data_page import DataPage
from workbench.gui.panels.examples_panel import COLUMNS, PICTURES, ROWS
from workbench.gui.workspace import Workspace

LONG = 20_000
Opener = Callable[..., DataPage]


@pytest.fixture
def opened(qtbot: QtBot, workspace: Workspace) -> Opener:
    """Opens the page on files."""

    def open_page(*paths: Path, target: str | None = None) -> DataPage:
        page = DataPage(workspace)
        qtbot.addWidget(page)
        page.resize(1440, 810)
        page.show()
        page.activateWindow()
        qtbot.waitUntil(page.isActiveWindow)
        with qtbot.waitSignal(workspace.data.proposed, timeout=LONG):
            workspace.import_files(list(paths), target)
        settle()
        return page

    return open_page


def _made_anew(qtbot: QtBot, workspace: Workspace) -> None:
    """Wait until the dataset is that of the recipe."""
    qtbot.waitUntil(lambda: workspace.data.up_to_date, timeout=LONG)


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def _undo(workspace: Workspace) -> None:
    workspace.document.undo_stack.undo()


def _action(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text() == text)


# --- the preview -------------------------------------------------------------------------------------------------


def test_that_a_table_is_told_of_in_the_head_and_in_the_foot(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_text("age;dose;kind\n" + "\n".join(f"{n};{n % 9},5;{'ab'[n % 2]}" for n in range(60)) + "\n3;;a\n")
    page = opened(path)
    assert page.preview.accessibleName() == "study.csv"
    assert _plain(page.preview.note()).startswith("61 rows · 3 columns · separator ; · decimal comma")
    told = _plain(page.preview.facts.text())
    assert told.startswith("The network reads 2 inputs and answers with 2 classes · 1 missing values")
    model = page.preview.columns.columns()
    assert [model.facts(row).role for row in range(3)] == ["feature", "feature", "target"]
    assert model.facts(1).profile.missing == 1


def test_that_the_reasons_of_the_proposal_are_a_click_away(opened: Opener, tmp_path: Path, qtbot: QtBot) -> None:
    page = opened(write_table(tmp_path))
    assert page.preview.why.text() == f"Why so? {len(page.preview._desk.reasons)} reasons"
    popup = page.preview.open_reasons()
    assert "Target 'kind'" in popup.text()
    assert "60/20/20" in popup.text()
    qtbot.keyClick(popup, Qt.Key.Key_Escape)


def test_that_a_table_shows_its_columns_and_its_rows(opened: Opener, tmp_path: Path) -> None:
    page = opened(write_table(tmp_path))
    assert page.preview.view() == COLUMNS
    page.preview.show_view(ROWS)
    shown = page.preview.rows.shown
    assert isinstance(shown, RowsTable)
    assert shown.model().rowCount() == 240
    first = [shown.model().index(0, column).data() for column in range(6)]
    assert first[0] == "1"
    assert first[5] in "abc"


def test_that_pictures_show_as_a_grid_that_draws_only_what_is_seen(
    opened: Opener, tmp_path: Path, qtbot: QtBot
) -> None:
    random = np.random.default_rng(0)
    np.savez(tmp_path / "many.npz", x=random.integers(0, 255, (3000, 8, 8), dtype=np.uint8), y=np.arange(3000) % 3)
    page = opened(tmp_path / "many.npz")
    assert page.preview.view() == PICTURES
    grid = page.preview.pictures.shown
    assert isinstance(grid, PictureGrid)
    grab(page, (1440, 810), "light")
    assert 0 < len(grid._thumbs) < 200
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
    grid.viewport().repaint()
    assert (2999, 64) in grid._thumbs


def test_that_a_folder_of_pictures_is_told_of(opened: Opener, tmp_path: Path) -> None:
    page = opened(picture_folder(tmp_path / "animals", each=6))
    assert _plain(page.preview.note()).startswith("12 pictures · 6 × 6 · color · uint8")
    assert page.preparation.classes.bars.accessibleDescription() == "cat 4, dog 4"


def test_that_idx_files_keep_their_own_test_set(opened: Opener, tmp_path: Path, workspace: Workspace) -> None:
    random = np.random.default_rng(0)
    for stem, count in (("train", 60), ("t10k", 20)):
        write_idx(tmp_path / f"{stem}-images-idx3-ubyte.gz", random.integers(0, 255, (count, 6, 6)))
        write_idx(tmp_path / f"{stem}-labels-idx1-ubyte.gz", np.arange(count) % 3)
    page = opened(tmp_path)
    assert workspace.data.dataset is not None
    assert len(workspace.data.dataset.sets["test"]) == 20
    assert not page.preparation.split.bar.accessibleDescription(), "fixed sets cannot be dragged"


@pytest.mark.skipif(not FASHION.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_that_fashion_mnist_is_shown_and_augmented(opened: Opener, workspace: Workspace) -> None:
    page = opened(FASHION)
    assert _plain(page.preview.note()).startswith("70 000 pictures · 28 × 28 · gray")
    page.editor.add_augmentation("rotate")
    settle()
    assert page.augmentation.strip.captions()[:2] == ["original", "epoch 1"]
    before, after = (strip.pictures[0] for strip in page.augmentation.strip.strips()[:2])
    assert before.shape == after.shape == (28, 28, 1)
    assert (before != after).any()


# --- columns -----------------------------------------------------------------------------------------------------


def test_that_another_target_brings_its_task_and_loss_in_one_step(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_table(tmp_path))
    table = page.preview.columns
    table.open_menu(table.columns().place("left"), ROLE)
    _action(table._menu, "Predict it").trigger()
    table._menu.hide()
    recipe = workspace.document.recipe
    assert (recipe.data.target, recipe.data.task, recipe.training.loss.kind) == (
        "left",
        "regression",
        "mean_squared_error",
    )
    _made_anew(qtbot, workspace)
    assert workspace.data.dataset is not None
    assert workspace.data.dataset.encoder.task == "regression"
    assert page.preparation.learning.form.row("task").editor.value() == "regression"
    _undo(workspace)
    assert workspace.document.recipe.data.target == "kind"
    assert not workspace.document.undo_stack.canUndo()


def test_that_a_type_is_changed_from_its_menu(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code,kind\n" + "\n".join(f"{n % 4},{'ab'[n % 2]}" for n in range(80)))
    page = opened(path)
    table = page.preview.columns
    table.open_menu(0, TYPE)
    _action(table._menu, "Category: each value by itself").trigger()
    table._menu.hide()
    _made_anew(qtbot, workspace)
    assert workspace.data.dataset is not None
    assert workspace.data.dataset.encoder.feature_names == ("code=0", "code=1", "code=2", "code=3")


def test_that_a_strength_is_dragged_and_taken_back(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_table(tmp_path))
    table = page.preview.columns
    cell = table.visualRect(table.columns().index(0, STRENGTH))
    middle = QPoint(cell.left() + 16 + (cell.width() - 66) // 2, cell.center().y())
    qtbot.mousePress(table.viewport(), Qt.MouseButton.LeftButton, pos=middle + QPoint(30, 0))
    qtbot.mouseMove(table.viewport(), middle)
    qtbot.mouseRelease(table.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert workspace.document.recipe.data.weights.attributes == {"left": 0.5}
    assert "0.50" in workspace.document.undo_text()
    _made_anew(qtbot, workspace)
    assert workspace.data.dataset is not None
    encoder = workspace.data.dataset.encoder
    values = workspace.data.dataset.inputs[workspace.data.dataset.sets["train"], 0]
    assert encoder.scale[0] == pytest.approx(0.5 / values.std(), rel=1e-4)
    _undo(workspace)
    assert workspace.document.recipe.data.weights.attributes == {}


def test_that_keys_change_a_strength_and_zero_leaves_the_column_out(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_table(tmp_path))
    table = page.preview.columns
    table.setFocus()
    table.setCurrentIndex(table.columns().index(1, 0))
    for _ in range(20):
        qtbot.keyClick(table, Qt.Key.Key_Left)
    assert workspace.document.recipe.data.weights.attributes == {"right": 0.0}
    assert table.columns().facts(1).role == "left out"
    _made_anew(qtbot, workspace)
    assert workspace.data.dataset is not None
    assert workspace.data.dataset.encoder.feature_names == ("left",)


def test_that_a_strength_that_is_no_number_is_refused_in_words(opened: Opener, tmp_path: Path) -> None:
    page = opened(write_table(tmp_path))
    model = page.preview.columns.columns()
    assert not model.setData(model.index(0, STRENGTH), "much")
    assert "much" in page.preview.refusal.text()
    model.setData(model.index(0, STRENGTH), "11")
    assert "between 0 and 10" in page.preview.refusal.text()
    model.setData(model.index(0, STRENGTH), "0.5")
    assert not page.preview.refusal.isVisible()


# --- strengths of examples ---------------------------------------------------------------------------------------


def test_that_selected_rows_are_given_a_strength_by_hand(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_table(tmp_path))
    view = page.preview.rows
    page.preview.show_view(ROWS)
    view.select_rows(np.array([1, 2, 3, 9]))
    assert _plain(view._chosen.text()) == "4 selected"
    view._number.findChild(QLineEdit).setText("")
    qtbot.keyClicks(view._number.findChild(QLineEdit), "2.5")
    view._set.click()
    (rule,) = workspace.document.recipe.data.weights.rows
    assert (rule.rows, rule.weight) == ("2-4, 10", 2.5)
    _made_anew(qtbot, workspace)
    assert workspace.data.dataset is not None
    assert np.flatnonzero(workspace.data.dataset.strengths == 2.5).tolist() == [1, 2, 3, 9]
    view.select_rows(np.array([2]))
    view._clear.click()
    (rule,) = workspace.document.recipe.data.weights.rows
    assert rule.rows == "2, 4, 10"


def test_that_a_rule_shows_its_rows_and_can_be_removed(opened: Opener, tmp_path: Path, workspace: Workspace) -> None:
    page = opened(write_table(tmp_path))
    page.editor.set_row_strength(np.array([4, 5]), 3.0)
    settle()
    page.preparation.weights.ruleClicked.emit(np.array([4, 5]))
    assert page.preview.view() == ROWS
    assert page.preview.rows.shown.selected_rows().tolist() == [4, 5]
    page.editor.remove_rule(0)
    assert workspace.document.recipe.data.weights.rows == ()


def test_that_pictures_are_selected_with_keys_and_weighted(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_pictures(tmp_path))
    grid = page.preview.pictures.shown
    grid.setFocus()
    qtbot.keyClick(grid, Qt.Key.Key_Home)
    qtbot.keyClick(grid, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(grid, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert grid.selected_rows().tolist() == [0, 1, 2]
    page.preview.pictures._set.click()
    assert workspace.document.recipe.data.weights.rows[0].rows == "1-3"
    _made_anew(qtbot, workspace)
    assert grid._caption(0).endswith("×2")


def test_that_the_class_filter_shows_one_class(opened: Opener, tmp_path: Path, workspace: Workspace) -> None:
    page = opened(write_table(tmp_path))
    page.preview.show_view(ROWS)
    view = page.preview.rows
    view._classes.setValue(1)
    view._filter()
    dataset = workspace.data.dataset
    assert dataset is not None
    assert view.shown.model().rowCount() == int((dataset.targets == 1).sum())
    assert _plain(view._count.text()).endswith("of 240 rows")


def test_that_inverse_frequency_lets_every_class_weigh_the_same(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_table(tmp_path))
    combo = page.preparation.weights.form.row("class_balance").editor
    combo.valueChanged.emit("", "inverse_frequency")
    _made_anew(qtbot, workspace)
    dataset = workspace.data.dataset
    assert dataset is not None
    train = dataset.sets["train"]
    totals = np.bincount(dataset.targets[train], dataset.strengths[train])
    assert totals == pytest.approx([len(train) / 3] * 3, rel=1e-4)
    assert "s lies between" in page.preparation.weights._spread.text()


# --- split and sources -------------------------------------------------------------------------------------------


def test_that_dragging_a_border_of_the_bar_is_one_step(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    bar = opened(write_table(tmp_path)).preparation.split.bar
    at = round(0.6 * bar.width())
    qtbot.mousePress(bar, Qt.MouseButton.LeftButton, pos=QPoint(at, 10))
    for x in range(at, round(0.7 * bar.width()), 5):
        qtbot.mouseMove(bar, QPoint(x, 10))
    qtbot.mouseMove(bar, QPoint(round(0.7 * bar.width()), 10))
    qtbot.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=QPoint(round(0.7 * bar.width()), 10))
    split = workspace.document.recipe.data.split
    assert split != "auto"
    assert (split.train, split.dev, split.test) == pytest.approx((0.7, 0.1, 0.2))
    _made_anew(qtbot, workspace)
    assert bar.accessibleName().startswith("train 168")
    _undo(workspace)
    assert workspace.document.recipe.data.split == "auto"


def test_that_keys_move_the_borders(opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot) -> None:
    bar = opened(write_table(tmp_path)).preparation.split.bar
    bar.setFocus()
    qtbot.keyClick(bar, Qt.Key.Key_Down)
    qtbot.keyClick(bar, Qt.Key.Key_Right)
    split = workspace.document.recipe.data.split
    assert (split.train, split.dev, split.test) == pytest.approx((0.6, 0.21, 0.19))


def test_that_own_shares_are_typed_and_wrong_ones_say_why(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    split = opened(write_table(tmp_path)).preparation.split
    split.choice.valueChanged.emit("own")
    form = split.form()
    assert form is not None
    line = form.row("train").editor.findChild(QLineEdit)
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "70")
    qtbot.keyClick(line, Qt.Key.Key_Tab)
    assert "add up to" in form.row("train").wrong
    line = form.row("dev").editor.findChild(QLineEdit)
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "10")
    qtbot.keyClick(line, Qt.Key.Key_Tab)
    assert form.row("train").wrong == ""
    assert workspace.document.recipe.data.split.train == 0.7


def test_that_a_group_stays_in_one_set(opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot) -> None:
    path = tmp_path / "patients.csv"
    path.write_text("patient,x,kind\n" + "\n".join(f"p{n // 4},{n % 7},{'ab'[n % 2]}" for n in range(200)))
    page = opened(path)
    page.editor.set_role("patient", "group")
    _made_anew(qtbot, workspace)
    dataset = workspace.data.dataset
    assert dataset is not None
    groups = [set((rows // 4).tolist()) for rows in dataset.sets.values()]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]


def test_that_a_source_is_added_tagged_and_removed(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_table(tmp_path))
    page.editor.add_sources([write_table(tmp_path, rows=60, name="other.csv")])
    _made_anew(qtbot, workspace)
    rows = page.preparation.sources.rows()
    assert [_plain(row.size_label.text()) for row in rows] == ["240 rows", "60 rows"]
    field = rows[1].distribution
    field.setFocus()
    qtbot.keyClicks(field, "web")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    rows[1].sets.valueChanged.emit("test")
    _made_anew(qtbot, workspace)
    source = workspace.document.recipe.data.sources[1]
    assert (source.distribution, source.set) == ("web", "test")
    assert page.preparation.mixture.isVisible()
    popup = page.preparation.sources._open_settings(1, rows[1])
    popup.buttons[0].click()
    _made_anew(qtbot, workspace)
    assert len(workspace.document.recipe.data.sources) == 1
    assert not page.preparation.mixture.isVisible()


def test_that_the_only_source_cannot_be_removed(opened: Opener, tmp_path: Path) -> None:
    section = opened(write_table(tmp_path)).preparation.sources
    row: SourceRow = section.rows()[0]
    popup = section._open_settings(0, row)
    assert not popup.buttons[0].isEnabled()
    popup.close()


# --- augmentation ------------------------------------------------------------------------------------------------


def test_that_an_augmentation_is_added_shown_live_and_undone(
    opened: Opener, tmp_path: Path, workspace: Workspace
) -> None:
    page = opened(write_pictures(tmp_path))
    panel = page.augmentation
    assert panel.hint.isVisible()
    assert {action.text() for action in panel.menu.actions()} >= {"rotate", "shift", "flip", "crop", "noise", "blur"}
    _action(panel.menu, "rotate").trigger()
    settle()
    assert not panel.hint.isVisible()
    assert panel.strip.isVisible()
    (row,) = panel.dials.rows()
    first = panel.strip.strips()[1].pictures[0]
    row.sliders["degrees"].valueChanged.emit(1.0)
    settle()
    assert workspace.document.recipe.data.augment[0].degrees == 180
    assert (panel.strip.strips()[1].pictures[0] != first).any()
    assert panel.dials.rows() == [row], "a slider that is dragged must stay"
    _undo(workspace)
    assert workspace.document.recipe.data.augment[0].degrees == 10
    _undo(workspace)
    settle()
    assert panel.hint.isVisible()


def test_that_several_augmentations_show_alone_and_together(opened: Opener, tmp_path: Path) -> None:
    page = opened(write_pictures(tmp_path))
    for kind in ("rotate", "noise"):
        page.editor.add_augmentation(kind)
    settle()
    captions = [_plain(text) for text in page.augmentation.strip.captions()]
    assert captions[:5] == ["original", "rotate ±10°", "noise 5 %", "epoch 1", "epoch 2"]
    page.augmentation.draw.click()
    settle()
    assert _plain(page.augmentation.strip.captions()[3]) == "epoch 2"


def test_that_order_and_removal_are_behind_the_button(opened: Opener, tmp_path: Path, workspace: Workspace) -> None:
    page = opened(write_pictures(tmp_path))
    for kind in ("rotate", "noise"):
        page.editor.add_augmentation(kind)
    popup = page.augmentation.dials.rows()[1].open_settings()
    popup.buttons[0].click()
    assert [spec.kind for spec in workspace.document.recipe.data.augment] == ["noise", "rotate"]
    page.augmentation.dials.rows()[0].open_settings().buttons[2].click()
    assert [spec.kind for spec in workspace.document.recipe.data.augment] == ["rotate"]
    page.augmentation.dials.rows()[0].check.click()
    assert not workspace.document.recipe.data.augment[0].enabled


def test_that_a_table_is_offered_noise_only_and_shows_it_on_a_column(
    opened: Opener, tmp_path: Path, workspace: Workspace
) -> None:
    page = opened(write_table(tmp_path))
    panel = page.augmentation
    assert [action.text() for action in panel.menu.actions()] == ["noise"]
    _action(panel.menu, "noise").trigger()
    settle()
    assert panel.noise.isVisible()
    assert panel.noise.moves is not None
    assert panel.noise.moves.column == "left"
    small = np.abs(panel.noise.moves.after - panel.noise.moves.before).mean()
    page.editor.set_augmentation(0, "sigma", 1.0, "noise")
    assert np.abs(panel.noise.moves.after - panel.noise.moves.before).mean() == pytest.approx(20 * small, rel=1e-3)
    panel.columns.valueChanged.emit("right")
    assert panel.noise.moves.column == "right"


def test_that_what_does_not_fit_the_examples_is_said(opened: Opener, tmp_path: Path, workspace: Workspace) -> None:
    page = opened(write_table(tmp_path))
    page.editor.add_augmentation("rotate")
    settle()
    assert "rotate" in page.augmentation.problem.text()
    assert page.augmentation.problem.isVisible()


# --- what is learned, and levels ---------------------------------------------------------------------------------


def test_that_levels_are_typed_as_per_cent(opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot) -> None:
    form = opened(write_table(tmp_path)).preparation.levels.form
    line = form.row("human_error").editor.findChild(QLineEdit)
    line.setFocus()
    qtbot.keyClicks(line, "0.7")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert workspace.document.recipe.goals.human_error == pytest.approx(0.007)
    line = form.row("bayes_error").editor.findChild(QLineEdit)
    line.setFocus()
    qtbot.keyClicks(line, "2")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert "above human_error" in form.row("bayes_error").wrong
    assert workspace.document.recipe.goals.bayes_error is None


def test_that_regression_shows_no_classes(opened: Opener, tmp_path: Path) -> None:
    page = opened(write_numbers(tmp_path), target="price")
    assert not page.preparation.classes.isVisible()
    assert "answers with one number" in page.preview.facts.text()


# --- what is broken ----------------------------------------------------------------------------------------------


def test_that_a_target_of_one_class_is_told_inline_and_mended_in_the_table(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    path = tmp_path / "one.csv"
    path.write_text("a,b,kind\n" + "\n".join(f"{n},{'uv'[n % 2]},x" for n in range(40)))
    page = opened(path, target="kind")
    assert page.preview.problem.isVisible()
    assert "one class only" in page.preview.problem.text()
    assert page.preparation.split.bar.accessibleName() == "not divided yet"
    assert workspace.why_not_train()
    page.editor.set_role("b", "target")
    _made_anew(qtbot, workspace)
    assert not page.preview.problem.isVisible()
    assert workspace.data.dataset is not None


def test_that_a_source_that_cannot_be_read_leaves_the_data_as_they_were(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_table(tmp_path))
    state = workspace.data.state
    (tmp_path / "notes.docx").write_bytes(b"PK\x03\x04\x00 not a table")
    with qtbot.waitSignal(workspace.failed, timeout=LONG) as caught:
        page.editor.add_sources([tmp_path / "notes.docx"])
    assert "notes.docx" in str(caught.args[0])
    assert workspace.data.state is state
    _undo(workspace)
    assert len(workspace.document.recipe.data.sources) == 1


def test_that_an_empty_page_offers_the_import(workspace: Workspace, qtbot: QtBot) -> None:
    page = DataPage(workspace)
    qtbot.addWidget(page)
    page.resize(1024, 550)
    page.show()
    assert page._empty.isVisible()
    with qtbot.waitSignal(page.importRequested):
        page._empty.button.click()
    workspace.data.busyChanged.emit("reading pictures", 1, 4)
    assert page._progress.isVisible()
    assert page._progress.share() == 0.25
    workspace.data.busyChanged.emit("", 0, 0)


def test_that_names_from_the_data_are_shown_as_text(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "<b>evil.csv"
    long = "n" * 300
    path.write_text(f"<img src=x>,{long},kind\n" + "\n".join(f"{n},{n % 5},{'ab'[n % 2]}" for n in range(40)))
    page = opened(path)
    settle()
    model = page.preview.columns.columns()
    assert model.index(0, 0).data() == "<img src=x>"
    assert len(model.index(1, 0).data()) == 200
    assert page.preview.accessibleName() == "<b>evil.csv"


# --- looks and keys ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["table", "pictures"])
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 810), (1024, 540)], ids=str)
def test_that_everything_fits_the_smallest_window(
    opened: Opener, tmp_path: Path, kind: str, mode: str, size: tuple[int, int]
) -> None:
    page = opened(write_table(tmp_path) if kind == "table" else write_pictures(tmp_path))
    for name in ("rotate", "noise", "blur") if kind == "pictures" else ("noise",):
        page.editor.add_augmentation(name)
    grab(page, size, mode)  # type: ignore[arg-type]
    settle()
    assert page.minimumSizeHint().width() <= size[0]
    assert page.minimumSizeHint().height() <= size[1]
    assert page.augmentation.geometry().bottom() <= page._left.height()
    content = page.preparation.levels.parentWidget()
    assert content.minimumSizeHint().width() <= page.preparation.width() - 2


def test_that_every_control_has_a_name(opened: Opener, tmp_path: Path) -> None:
    page = opened(write_pictures(tmp_path))
    page.editor.add_augmentation("rotate")
    settle()
    nameless = [
        widget
        for widget in page.findChildren(QLineEdit) + page.findChildren(PictureGrid) + [page.augmentation.strip]
        if widget.isVisible() and not widget.accessibleName()
    ]
    assert nameless == []


def test_that_the_page_gives_the_focus_to_what_it_shows(opened: Opener, tmp_path: Path) -> None:
    page = opened(write_pictures(tmp_path))
    page.setFocus()
    assert QApplication.focusWidget() is page.preview.pictures.shown
    page.preview.show_view(COLUMNS)
    page.setFocus()
    assert QApplication.focusWidget() is page.preview.columns


def test_that_tab_leads_through_the_whole_page(opened: Opener, tmp_path: Path, qtbot: QtBot) -> None:
    page = opened(write_table(tmp_path))
    page.setFocus()
    seen = []
    for _ in range(60):
        widget = QApplication.focusWidget()
        assert widget is not None
        if seen and widget is seen[0]:
            break
        seen.append(widget)
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    for part in (page.preview, page.augmentation, page.preparation):
        assert any(part.isAncestorOf(widget) for widget in seen)
