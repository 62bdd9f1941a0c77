"""The data page on the real engine, opened on files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot
from shots import settle

from workbench.gui.pages.data_page import DataPage
from workbench.gui.workspace import Workspace

LONG = 20_000
Opener = Callable[..., DataPage]


def opener(qtbot: QtBot, workspace: Workspace) -> Opener:
    """Opens the page on files; for a fixture."""

    def open_page(*paths: Path, target: str | Sequence[str] | None = None) -> DataPage:
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


def made_anew(qtbot: QtBot, workspace: Workspace) -> None:
    """Wait until the dataset is that of the recipe."""
    qtbot.waitUntil(lambda: workspace.data.up_to_date, timeout=LONG)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def undo(workspace: Workspace) -> None:
    workspace.document.undo_stack.undo()


def action_of(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text() == text)
