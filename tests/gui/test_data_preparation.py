"""Step 1, Data: split, sources, augmentation, levels, and what is broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot
from shots import grab, settle
from support.data_page import LONG, Opener, action_of, made_anew, opener, plain, undo
from support.small_runs import write_numbers, write_pictures, write_table

from workbench.gui.data.picture_grid import PictureGrid
from workbench.gui.data.sections.sources_section import SourceRow
from workbench.gui.pages.data_page import DataPage
from workbench.gui.panels.examples_panel import COLUMNS
from workbench.gui.workspace import Workspace


@pytest.fixture
def opened(qtbot: QtBot, workspace: Workspace) -> Opener:
    """Opens the page on files."""
    return opener(qtbot, workspace)


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
    made_anew(qtbot, workspace)
    assert bar.accessibleName().startswith("train 168")
    undo(workspace)
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
    made_anew(qtbot, workspace)
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
    made_anew(qtbot, workspace)
    rows = page.preparation.sources.rows()
    assert [plain(row.size_label.text()) for row in rows] == ["240 rows", "60 rows"]
    field = rows[1].distribution
    field.setFocus()
    qtbot.keyClicks(field, "web")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    rows[1].sets.valueChanged.emit("test")
    made_anew(qtbot, workspace)
    source = workspace.document.recipe.data.sources[1]
    assert (source.distribution, source.set) == ("web", "test")
    assert page.preparation.mixture.isVisible()
    popup = page.preparation.sources._open_settings(1, rows[1])
    popup.buttons[0].click()
    made_anew(qtbot, workspace)
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
    action_of(panel.menu, "rotate").trigger()
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
    undo(workspace)
    assert workspace.document.recipe.data.augment[0].degrees == 10
    undo(workspace)
    settle()
    assert panel.hint.isVisible()


def test_that_several_augmentations_show_alone_and_together(opened: Opener, tmp_path: Path) -> None:
    page = opened(write_pictures(tmp_path))
    for kind in ("rotate", "noise"):
        page.editor.add_augmentation(kind)
    settle()
    captions = [plain(text) for text in page.augmentation.strip.captions()]
    assert captions[:5] == ["original", "rotate ±10°", "noise 5 %", "epoch 1", "epoch 2"]
    page.augmentation.draw.click()
    settle()
    assert plain(page.augmentation.strip.captions()[3]) == "epoch 2"


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
    action_of(panel.menu, "noise").trigger()
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
    made_anew(qtbot, workspace)
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
    undo(workspace)
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
