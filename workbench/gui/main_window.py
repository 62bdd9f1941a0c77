"""The main window: bars, steps, menus and keys. What they do stands in ``commands``."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from workbench.errors import WorkbenchError
from workbench.gui import drops
from workbench.gui.actions import STEPS, fill_menu, make_actions
from workbench.gui.bottom import BottomStatus
from workbench.gui.commands import Commands
from workbench.gui.estimates import Estimates
from workbench.gui.focus import next_panel
from workbench.gui.notice import Notice
from workbench.gui.palette import Palette
from workbench.gui.runs.resume import why_not_resume
from workbench.gui.text import safe
from workbench.gui.theme import theme
from workbench.gui.widgets.bars import BottomBar, TopBar
from workbench.gui.widgets.drop_sheet import DropSheet
from workbench.gui.widgets.panel import GAP
from workbench.gui.workspace import Workspace

_SMALLEST = QSize(1024, 640)
_USUAL = QSize(1440, 900)


class MainWindow(QMainWindow):
    """The application's window around a workspace.

    Attributes:
        workspace: what it shows.
        step: the step that is open, one of ``actions.STEPS``.
        commands: what menus and keys do.
        message: what is said above the pages.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.setWindowTitle("Workbench")
        self.setAcceptDrops(True)
        self.setMinimumSize(_SMALLEST)
        names = [self.tr("Data"), self.tr("Network"), self.tr("Train"), self.tr("Diagnose"), self.tr("Export")]
        self.top, self.bottom, self.pages = TopBar("Workbench", names), BottomBar(), QStackedWidget()
        self.message = Notice()
        self.step = "data"
        self._pages: dict[str, QWidget] = {}
        self.commands = Commands(self)
        self.actions_by_key = make_actions(self, self.commands.slots())
        self._lay_out()
        self.status = BottomStatus(self.bottom, workspace, self.commands.train, self._go_on)
        self.estimates = Estimates(workspace)
        self.estimates.changed.connect(self.status.set_estimate)
        self.palette_popup = Palette(self)
        self._sheet = DropSheet(self)
        self._restore()
        self._connect()
        self.show_step("data")

    def _lay_out(self) -> None:
        menu = QMenu(self)
        fill_menu(menu, self.actions_by_key)
        self.top.set_menu(menu)
        middle = QWidget()
        middle.setProperty("look", "window")
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        holder = QVBoxLayout()
        holder.setContentsMargins(GAP, 0, GAP, 0)
        holder.addWidget(self.message)
        column.addLayout(holder)
        column.addWidget(self.pages, 1)
        column.addWidget(self.bottom)
        self.setCentralWidget(middle)

    def _connect(self) -> None:
        workspace = self.workspace
        self.top.steps.chosen.connect(self._on_chosen)
        self.top.search.clicked.connect(self.open_palette)
        workspace.failed.connect(self.show_error)
        workspace.projectChanged.connect(self._on_project)
        workspace.trainingAsked.connect(self._on_training)
        workspace.data.changed.connect(self._on_data)
        workspace.document.problemsChanged.connect(self._mark_steps)
        workspace.runs.listChanged.connect(self._mark_steps)
        workspace.runs.selected.connect(self._enable)
        stack = workspace.document.undo_stack
        stack.canUndoChanged.connect(self.actions_by_key["undo"].setEnabled)
        stack.canRedoChanged.connect(self.actions_by_key["redo"].setEnabled)
        theme().changed.connect(self.commands.check_theme)
        self.commands.check_theme()
        self.commands.show_device()
        self._mark_steps()

    # --- steps ---------------------------------------------------------------------------------------------------

    def show_step(self, step: str) -> None:
        """Open a step; the first one is the start page as long as there are no data."""
        self.step = step
        name = "start" if step == "data" and self._is_fresh() else step
        if name not in self._pages:
            self._pages[name] = self._make_page(name)
            self.pages.addWidget(self._pages[name])
        page = self._pages[name]
        if name == "start":
            self.message.put_away()  # It has its own.
        self.pages.setCurrentWidget(page)
        self.top.steps.set_current(STEPS.index(step))
        self.status.set_step(step)
        self.bottom.setVisible(name != "start" or bool(self.workspace.runs.entries))
        self._enable()
        page.setFocus()

    def page(self, name: str) -> QWidget | None:
        """An opened page: ``start`` or a step's name."""
        return self._pages.get(name)

    def _make_page(self, name: str) -> QWidget:
        """Pages are made when they are first opened: the window is there sooner."""
        from workbench.gui.pages.factory import make_page

        page: Any = make_page(name, self.workspace)
        page.navigate.connect(self.show_step)
        signals = {
            "importRequested": self.commands.ask_files,
            "importFolderRequested": self.commands.ask_folder,
            "pathChosen": lambda path: self.commands.import_paths([path]),
            "sampleChosen": self.commands.run_sample,
        }
        for signal, slot in signals.items():
            if hasattr(page, signal):
                getattr(page, signal).connect(slot)
        _set_expert(page, self.workspace.settings.get("expert", False))
        return page  # type: ignore[no-any-return]

    def set_expert(self, expert: bool) -> None:
        """Show all settings everywhere, or only those that are often needed."""
        for page in self._pages.values():
            _set_expert(page, expert)

    def _is_fresh(self) -> bool:
        return self.workspace.data.state is None and not self.workspace.document.recipe.data.sources

    def _go_on(self) -> None:
        self.show_step(STEPS[min(STEPS.index(self.step) + 1, len(STEPS) - 1)])

    def _on_chosen(self, number: int) -> None:
        self.show_step(STEPS[number])

    def _on_training(self) -> None:
        self.show_step("train")

    def _on_data(self) -> None:
        self._mark_steps()
        if self.step == "data":
            self.show_step("data")

    def _on_project(self) -> None:
        project = self.workspace.project
        self.setWindowTitle(f"{project.name} — Workbench" if project else "Workbench")
        self.message.put_away()
        self.show_step("train" if self.workspace.runs.entries else "data")
        if project is not None and not project.writable:
            title = self.tr("This project is open elsewhere: {0}.").format(safe(project.owner))
            self.message.set_message("info", title, self.tr("It is shown as it was saved; nothing is changed here."))
            self.message.show()

    def _mark_steps(self) -> None:
        workspace, steps = self.workspace, self.top.steps
        has_data = workspace.data.dataset is not None
        steps.set_done(0, has_data)
        steps.set_done(1, has_data and not workspace.document.problems)
        steps.set_done(2, any(entry.ended_well for entry in workspace.runs.entries))
        self._enable()

    def _enable(self) -> None:
        runs, actions = self.workspace.runs, self.actions_by_key
        entry = runs.entry(runs.current)
        actions["resume"].setEnabled(entry is not None and not why_not_resume(runs, entry))
        # Ctrl+D duplicates a layer on the network page and clones a run on the others.
        actions["clone"].setEnabled(entry is not None and self.step != "network")
        actions["edit_run"].setEnabled(entry is not None)
        for key in ("pause", "stop"):
            actions[key].setEnabled(bool(runs.busy()))
        actions["reveal"].setEnabled(self.workspace.project is not None)
        actions["undo"].setEnabled(self.workspace.document.undo_stack.canUndo())
        actions["redo"].setEnabled(self.workspace.document.undo_stack.canRedo())

    def show_error(self, error: WorkbenchError) -> None:
        """Show what could not be done, above the page; the start page shows its own."""
        if self.pages.currentWidget() is not self._pages.get("start"):
            self.message.tell(error)

    # --- popups --------------------------------------------------------------------------------------------------

    def open_palette(self) -> None:
        """Search for something to do."""
        self.palette_popup.open(self.top.search)

    def open_help(self, topic: str) -> None:
        """Show the glossary, the shortcuts or the about page."""
        from workbench.gui.help import open_help

        open_help(self, topic)

    def focus_next_panel(self) -> None:
        """Move the focus to the next panel of the page."""
        next_panel(self.pages.currentWidget())

    # --- the window itself ---------------------------------------------------------------------------------------

    def _restore(self) -> None:
        geometry = self.workspace.settings.get("geometry", "")
        if not geometry or not self.restoreGeometry(QByteArray.fromBase64(geometry.encode())):
            self.resize(_USUAL)
        theme().set_mode(self.workspace.settings.get("theme", "system"))
        self.actions_by_key["expert"].setChecked(self.workspace.settings.get("expert", False))

    def closeEvent(self, event: QCloseEvent) -> None:
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        self.workspace.settings.set("geometry", geometry)
        self.hide()
        self.estimates.close()
        self.workspace.shut_down()
        self.status.close()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        drop = drops.drop_of(event.mimeData())
        if not drop.text:
            event.ignore()
            return
        # A refusal is accepted too, so that it is shown; dropping it then does nothing.
        self._sheet.show_text(drop.text, welcome=drop.welcome)
        event.setDropAction(Qt.DropAction.CopyAction if drop.welcome else Qt.DropAction.IgnoreAction)
        event.accept()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._sheet.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._sheet.hide()
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.commands.import_paths(list(drops.drop_of(event.mimeData()).paths))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and hasattr(self, "_sheet"):
            self._sheet.hide()


def _set_expert(page: QWidget, expert: bool) -> None:
    for widget in (page, *page.findChildren(QWidget)):
        if hasattr(widget, "set_expert"):
            widget.set_expert(expert)
