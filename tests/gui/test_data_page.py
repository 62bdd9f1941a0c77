"""Step 1, Data: what is shown of tables and pictures, columns, and strengths of examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit
from pytestqt.qtbot import QtBot
from shots import grab, settle
from support.data_page import Opener, action_of, made_anew, opener, plain, undo
from support.data_rig import FASHION, picture_folder, write_idx
from support.small_runs import write_pictures, write_sequences, write_table

from workbench.gui.data.picture_grid import PictureGrid
from workbench.gui.data.rows_table import RowsTable
from workbench.gui.models.columns_model import ROLE, STRENGTH, TYPE
from workbench.gui.pages.data_page import DataPage
from workbench.gui.panels.examples_panel import COLUMNS, PICTURES, ROWS
from workbench.gui.workspace import Workspace


@pytest.fixture
def opened(qtbot: QtBot, workspace: Workspace) -> Opener:
    """Opens the page on files."""
    return opener(qtbot, workspace)


def _choices(page: DataPage) -> list[str]:
    return [button.text() for button in page.preview.choice.findChildren(QAbstractButton)]


# --- the preview -------------------------------------------------------------------------------------------------


def test_that_a_table_is_told_of_in_the_head_and_in_the_foot(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_text("age;dose;kind\n" + "\n".join(f"{n};{n % 9},5;{'ab'[n % 2]}" for n in range(60)) + "\n3;;a\n")
    page = opened(path)
    assert page.preview.accessibleName() == "study.csv"
    assert plain(page.preview.note()).startswith("61 rows · 3 columns · separator ; · decimal comma")
    told = plain(page.preview.facts.text())
    assert told.startswith("The network reads 2 inputs and answers with 2 classes · 1 missing value ")
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
    assert first[1] in "abc"


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


def test_that_sequences_show_as_curves_and_offer_what_suits_them(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_sequences(tmp_path))
    assert page.preview.view() == PICTURES
    assert _choices(page) == ["Curves", "Columns", "Rows"]
    assert plain(page.preview.note()).startswith("150 sequences · 24 steps × 3 features")
    assert plain(page.preview.facts.text()).startswith("The network reads 24 × 3 and answers with 3 classes")
    assert [action.text() for action in page.augmentation.menu.actions()] == ["noise"]
    grid = page.preview.pictures.shown
    assert isinstance(grid, PictureGrid)
    light = grab(page, (1440, 810), "light")
    drawn = {key: pixmap.toImage() for key, pixmap in grid._thumbs.items()}
    assert drawn
    assert len({bytes(image.constBits()) for image in drawn.values()}) == len(drawn)
    dark = grab(page, (1440, 810), "dark")
    assert grid._thumbs[next(iter(drawn))].toImage() != drawn[next(iter(drawn))], "curves have the theme's colors"
    assert light != dark
    action_of(page.augmentation.menu, "noise").trigger()
    made_anew(qtbot, workspace)
    assert workspace.data.state is not None
    assert workspace.data.state.problem is None


def test_that_sequences_can_be_read_as_pictures_instead(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_sequences(tmp_path))
    workspace.document.set("data.sources[0].examples", "pictures")
    made_anew(qtbot, workspace)
    settle()
    assert plain(page.preview.note()).startswith("150 pictures · 24 × 3 · gray · float32")
    assert _choices(page) == ["Pictures", "Columns", "Rows"]
    undo(workspace)
    made_anew(qtbot, workspace)
    settle()
    assert plain(page.preview.note()).startswith("150 sequences")


def test_that_a_folder_of_pictures_is_told_of(opened: Opener, tmp_path: Path) -> None:
    page = opened(picture_folder(tmp_path / "animals", each=6))
    assert plain(page.preview.note()).startswith("12 pictures · 6 × 6 · color · uint8")
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
    assert plain(page.preview.note()).startswith("70 000 pictures · 28 × 28 · gray")
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
    action_of(table._menu, "Predict it").trigger()
    table._menu.hide()
    recipe = workspace.document.recipe
    assert (recipe.data.target, recipe.data.task, recipe.training.loss.kind) == (
        "left",
        "regression",
        "mean_squared_error",
    )
    made_anew(qtbot, workspace)
    assert workspace.data.dataset is not None
    assert workspace.data.dataset.encoder.task == "regression"
    assert page.preparation.learning.form.row("task").editor.value() == "regression"
    undo(workspace)
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
    action_of(table._menu, "Category: each value by itself").trigger()
    table._menu.hide()
    made_anew(qtbot, workspace)
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
    made_anew(qtbot, workspace)
    assert workspace.data.dataset is not None
    encoder = workspace.data.dataset.encoder
    values = workspace.data.dataset.inputs[workspace.data.dataset.sets["train"], 0]
    assert encoder.scale[0] == pytest.approx(0.5 / values.std(), rel=1e-4)
    undo(workspace)
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
    made_anew(qtbot, workspace)
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
    assert plain(view._chosen.text()) == "4 selected"
    view._number.findChild(QLineEdit).setText("")
    qtbot.keyClicks(view._number.findChild(QLineEdit), "2.5")
    view._set.click()
    (rule,) = workspace.document.recipe.data.weights.rows
    assert (rule.rows, rule.weight) == ("2-4, 10", 2.5)
    made_anew(qtbot, workspace)
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
    made_anew(qtbot, workspace)
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
    assert plain(view._count.text()).endswith("of 240 rows")


def test_that_inverse_frequency_lets_every_class_weigh_the_same(
    opened: Opener, tmp_path: Path, workspace: Workspace, qtbot: QtBot
) -> None:
    page = opened(write_table(tmp_path))
    combo = page.preparation.weights.form.row("class_balance").editor
    combo.valueChanged.emit("", "inverse_frequency")
    made_anew(qtbot, workspace)
    dataset = workspace.data.dataset
    assert dataset is not None
    train = dataset.sets["train"]
    totals = np.bincount(dataset.targets[train], dataset.strengths[train])
    assert totals == pytest.approx([len(train) / 3] * 3, rel=1e-4)
    assert "s lies between" in page.preparation.weights._spread.text()
