"""The first page, as somebody uses it who has never seen the window."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot
from shots import grab
from support.small_runs import table_recipe, write_table

from workbench.errors import InputError
from workbench.gui.pages.start_page import StartPage
from workbench.gui.start.recent import recent_projects, when_text
from workbench.gui.start.recent_list import RecentRow
from workbench.gui.workspace import Workspace
from workbench.session.samples import samples
from workbench.store.project import Project

_DAY = 24 * 3600


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace) -> StartPage:
    made = StartPage(workspace)
    qtbot.addWidget(made)
    made.resize(1024, 592)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def _focused_text() -> str:
    widget = QApplication.focusWidget()
    return widget.text() if isinstance(widget, QPushButton | RecentRow) else ""


def _keep_project(workspace: Workspace, path: Path) -> Path:
    Project.create(path).close()
    workspace.settings.add_recent(path)
    return path


def test_that_tab_and_enter_alone_run_the_first_sample(page: StartPage, qtbot: QtBot, workspace: Workspace) -> None:
    page.setFocus()
    presses = 0
    while _focused_text() != "Run the sample":
        qtbot.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Tab)
        presses += 1
        assert presses <= 4
    with qtbot.waitSignal(workspace.trainingAsked, timeout=20_000):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert workspace.project is not None
    assert workspace.project.name == samples()[0].name
    qtbot.waitUntil(lambda: workspace.runs.current > 0)
    workspace.runs.kill(workspace.runs.current)


def test_that_each_sample_says_what_is_learned_from_it(page: StartPage) -> None:
    assert [card.sample for card in page.cards] == list(samples())
    assert all(card.sample.goal in card.button.accessibleDescription() for card in page.cards)


def test_that_the_buttons_ask_for_files_and_for_a_folder(page: StartPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.importRequested):
        page.zone.files.click()
    with qtbot.waitSignal(page.importFolderRequested):
        page.zone.folder.click()


def test_that_a_file_that_cannot_be_read_is_told_inline_with_all_its_problems(
    page: StartPage, qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    broken = tmp_path / "ragged.csv"
    broken.write_text("a,b,c\n1,2,3\n4,5\n6,7,8,9\n")
    with qtbot.waitSignal(workspace.failed):
        workspace.import_files([broken])
    assert page.message.isVisible()
    assert "ragged.csv" in page.message.text()
    page.message._close.click()
    assert not page.message.isVisible()


def test_that_the_next_try_takes_the_message_away(page: StartPage, qtbot: QtBot, workspace: Workspace) -> None:
    workspace.failed.emit(InputError("is empty", where="a.csv", mend="Choose another file."))
    assert "Choose another file." in page.message.text()
    workspace.data.busyChanged.emit("reading data", 0, 0)
    assert not page.message.isVisible()


def test_that_what_fails_while_another_page_shows_is_not_kept_for_this_one(
    page: StartPage, workspace: Workspace
) -> None:
    page.hide()
    workspace.failed.emit(InputError("is empty"))
    page.show()
    assert not page.message.isVisible()


def test_that_a_long_reading_shows_a_bar_and_can_be_called_off(page: StartPage, workspace: Workspace) -> None:
    workspace.data.busyChanged.emit("reading pictures", 200, 800)
    assert not page.zone.reading, "what is over in a second needs no bar"
    assert not page.cards[0].button.isEnabled()
    page._late.timeout.emit()
    assert page.zone.reading
    assert page.zone.progress.share() == 0.25
    assert page.zone.stage.text() == "Reading pictures…"
    page.zone.cancel.click()
    assert not page.zone.reading
    assert page.cards[0].button.isEnabled()


def test_that_recent_projects_are_listed_and_opened_by_enter(
    page: StartPage, qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    _keep_project(workspace, tmp_path / "letters")
    path = _keep_project(workspace, tmp_path / "scanner-study")
    page.hide()
    page.show()
    qtbot.waitUntil(lambda: len(page.recent.rows()) == 2)
    row = page.recent.rows()[0]
    assert row.text() == "scanner-study"
    assert row.recent.text == "no runs yet · today"
    qtbot.keyClick(row, Qt.Key.Key_Return)
    assert workspace.project is not None
    assert workspace.project.path == path


def test_that_a_project_that_is_gone_is_forgotten_with_a_word(
    page: StartPage, qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    path = _keep_project(workspace, tmp_path / "letters")
    page.hide()
    page.show()
    qtbot.waitUntil(lambda: bool(page.recent.rows()))
    shutil.rmtree(path)
    page.recent.rows()[0].click()
    assert "no longer there" in page.message.text()
    assert workspace.settings.recent() == []
    qtbot.waitUntil(lambda: not page.recent.rows())
    assert not page._recent_head.isVisible()


def test_that_a_recent_project_tells_its_runs_and_its_best_error(tmp_path: Path) -> None:
    with Project.create(tmp_path / "study") as project:
        project.save_draft(table_recipe(write_table(tmp_path)))
        for error in (0.08, 0.036):
            entry = project.add_run()
            errors = {"dev": {"value": error, "n": 100, "low": 0.0, "high": 0.1}}
            project.note(entry.number, "finished", figures={"errors": errors})
    (told,) = recent_projects([tmp_path / "study", tmp_path / "nothing"])
    assert told.text.replace("\u00a0", " ") == "2 runs · best dev error 3.6 % · today"


def test_that_a_damaged_project_is_listed_with_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "project.sqlite").write_bytes(b"no database at all")
    (told,) = recent_projects([tmp_path / "study"])
    assert told.text


@pytest.mark.parametrize(
    ("days", "text"),
    [(0, "today"), (1, "yesterday"), (5, "5 days ago"), (21, "3 weeks ago"), (-3, "today")],
)
def test_that_days_are_counted_by_the_calendar(days: int, text: str) -> None:
    now = time.mktime((2024, 5, 20, 0, 30, 0, 0, 0, -1))
    assert when_text(now - days * _DAY, now) == text
    assert when_text(now - 3600, now) == "yesterday"
    assert when_text(now - 400 * _DAY, now).startswith("2023-")


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 850), (1024, 592)], ids=str)
def test_that_everything_fits_across(page: StartPage, mode: str, size: tuple[int, int]) -> None:
    grab(page, size, mode)  # type: ignore[arg-type]
    buttons = [page.zone.files, page.zone.folder, *(card.button for card in page.cards)]
    for button in buttons:
        right = button.mapTo(page, button.rect().topRight()).x()
        assert 0 < right < size[0]
        assert button.width() >= button.minimumSizeHint().width()
