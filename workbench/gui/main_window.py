"""The main window: bars, steps, menus and keys. What they do stands elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from workbench.errors import WorkbenchError
from workbench.gui import drops
from workbench.gui.actions import STEPS, fill_menu, make_actions
from workbench.gui.bottom import BottomStatus
from workbench.gui.estimates import Estimates
from workbench.gui.palette import Palette
from workbench.gui.theme import theme
from workbench.gui.widgets.bars import BottomBar, TopBar
from workbench.gui.widgets.drop_sheet import DropSheet
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.workspace import Workspace

_SMALLEST = QSize(1024, 640)


class MainWindow(QMainWindow):
    """The application's window around a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.setWindowTitle("Workbench")
        self.setAcceptDrops(True)
        self.setMinimumSize(_SMALLEST)
        self.actions_by_key = make_actions(self, self._slots())
        names = [self.tr("Data"), self.tr("Network"), self.tr("Train"), self.tr("Diagnose"), self.tr("Export")]
        self.top, self.bottom, self.pages = TopBar("Workbench", names), BottomBar(), QStackedWidget()
        self.message = InlineMessage(closable=True)
        self.message.hide()
        self._pages: dict[str, QWidget] = {}
        self.step = "data"
        self._lay_out()
        self.status = BottomStatus(self.bottom, workspace, self.train, self._go_on)
        self.estimates = Estimates(workspace)
        self.estimates.changed.connect(self.status.set_estimate)
        self.palette_popup = Palette(self)
        self._sheet = DropSheet(self)
        self._connect()
        self._restore()
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
        holder.setContentsMargins(8, 8, 8, 0)
        holder.addWidget(self.message)
        column.addLayout(holder)
        column.addWidget(self.pages, 1)
        column.addWidget(self.bottom)
        self.setCentralWidget(middle)

    def _connect(self) -> None:
        workspace = self.workspace
        self.top.steps.chosen.connect(lambda number: self.show_step(STEPS[number]))
        self.top.search.clicked.connect(self.open_palette)
        workspace.failed.connect(self.show_error)
        workspace.projectChanged.connect(self._on_project)
        workspace.trainingAsked.connect(lambda: self.show_step("train"))
        workspace.data.changed.connect(lambda _: self._on_data())
        workspace.document.problemsChanged.connect(lambda _: self._mark_steps())
        workspace.runs.listChanged.connect(self._mark_steps)
        workspace.runs.selected.connect(lambda _: self._enable())
        stack = workspace.document.undo_stack
        stack.canUndoChanged.connect(self.actions_by_key["undo"].setEnabled)
        stack.canRedoChanged.connect(self.actions_by_key["redo"].setEnabled)
        theme().changed.connect(self._check_theme)
        # Space belongs to buttons and fields; where nothing else wants it, it pauses.
        QShortcut(QKeySequence("Media Pause"), self, self.status.toggle_pause)
        self._check_theme()
        self._show_device()
        self._mark_steps()
        self._enable()

    def _slots(self) -> dict[str, Callable[[], object]]:
        workspace = self.workspace
        slots: dict[str, Callable[[], object]] = {
            "new": workspace.new_project,
            "open": self.ask_open,
            "save": self.ask_save,
            "reveal": self.reveal_project,
            "quit": self.close,
            "undo": workspace.document.undo_stack.undo,
            "redo": workspace.document.undo_stack.redo,
            "import": self.ask_files,
            "import_folder": self.ask_folder,
            "edit_network": lambda: self.show_step("network"),
            "export": lambda: self.show_step("export"),
            "train": self.train,
            "pause": lambda: self.status.toggle_pause(),
            "stop": lambda: self.status.ask_stop(),
            "resume": lambda: workspace.runs.go_on(workspace.runs.current),
            "clone": lambda: self._clone(),
            "edit_run": lambda: workspace.edit_run(workspace.runs.current),
            "palette": self.open_palette,
            "next_panel": self.focus_next_panel,
            "light": lambda: self.set_theme("light"),
            "dark": lambda: self.set_theme("dark"),
            "system": lambda: self.set_theme("system"),
            "expert": self._toggle_expert,
            "explain": lambda: self.open_help("glossary"),
            "shortcuts": lambda: self.open_help("shortcuts"),
            "about": lambda: self.open_help("about"),
            **{f"device_{name}": lambda name=name: self.set_device(name) for name in ("auto", "cpu", "cuda")},
            **{f"step_{name}": lambda name=name: self.show_step(name) for name in STEPS},
        }
        return slots

    # --- steps ---------------------------------------------------------------------------------------------------

    def show_step(self, step: str) -> None:
        """Open a step; the first one is the start page as long as there are no data."""
        self.step = step
        name = "start" if step == "data" and self._is_fresh() else step
        if name not in self._pages:
            self._pages[name] = self._make_page(name)
            self.pages.addWidget(self._pages[name])
        page = self._pages[name]
        self.pages.setCurrentWidget(page)
        self.top.steps.set_current(STEPS.index(step))
        self.status.set_step(step)
        self.bottom.setVisible(name != "start" or bool(self.workspace.runs.entries))
        # Ctrl+D duplicates a layer on the network page and clones a run on the others.
        self.actions_by_key["clone"].setEnabled(step != "network" and bool(self.workspace.runs.current))
        page.setFocus()

    def page(self, name: str) -> QWidget | None:
        """An opened page: ``start`` or a step's name."""
        return self._pages.get(name)

    def _make_page(self, name: str) -> QWidget:
        """Pages are made when they are first opened: the window is there sooner."""
        from workbench.gui.pages.factory import make_page

        page: Any = make_page(name, self.workspace)
        page.navigate.connect(self.show_step)
        if hasattr(page, "importRequested"):
            page.importRequested.connect(self.ask_files)
        if hasattr(page, "set_expert"):
            page.set_expert(self.workspace.settings.get("expert", False))
        return page  # type: ignore[no-any-return]

    def _is_fresh(self) -> bool:
        return self.workspace.data.state is None and not self.workspace.document.recipe.data.sources

    def _go_on(self) -> None:
        self.show_step(STEPS[min(STEPS.index(self.step) + 1, len(STEPS) - 1)])

    def _on_data(self) -> None:
        self._mark_steps()
        if self.step == "data":
            self.show_step("data")

    def _on_project(self) -> None:
        project = self.workspace.project
        self.setWindowTitle(f"{project.name} — Workbench" if project else "Workbench")
        self.message.hide()
        self.show_step("train" if self.workspace.runs.entries else "data")

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
        resumable = entry is not None and entry.status in ("stopped", "interrupted", "failed")
        actions["resume"].setEnabled(resumable and runs.current not in runs.busy())
        actions["clone"].setEnabled(entry is not None and self.step != "network")
        actions["edit_run"].setEnabled(entry is not None)
        for key in ("pause", "stop"):
            actions[key].setEnabled(bool(runs.busy()))
        actions["reveal"].setEnabled(self.workspace.project is not None)
        actions["undo"].setEnabled(self.workspace.document.undo_stack.canUndo())
        actions["redo"].setEnabled(self.workspace.document.undo_stack.canRedo())

    # --- doing ---------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Train the recipe as it stands, and show it."""
        if self.workspace.train():
            self.message.hide()
            self.show_step("train")

    def _clone(self) -> None:
        runs = self.workspace.runs
        entry = runs.entry(runs.current)
        if entry is None:
            return
        try:
            from workbench.recipe.recipe import Recipe

            runs.train(Recipe.load(entry.folder / "recipe.toml"), entry.number)
        except WorkbenchError as error:
            self.show_error(error)

    def show_error(self, error: WorkbenchError) -> None:
        """Show what could not be done, above the page; the start page shows its own."""
        if self.step == "data" and self._is_fresh():
            return
        self.message.show_error(error)

    def ask_files(self) -> None:
        """Choose files to import."""
        chosen, _ = QFileDialog.getOpenFileNames(self, self.tr("Import files"), "", drops.file_filter())
        self.import_paths([Path(name) for name in chosen])

    def ask_folder(self) -> None:
        """Choose a folder to import."""
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Import a folder"))
        self.import_paths([Path(chosen)] if chosen else [])

    def import_paths(self, paths: list[Path]) -> None:
        """Import files and folders; a project, run or recipe among them is opened instead."""
        if not paths:
            return
        self.show_step("data")
        if len(paths) == 1 and drops.opens(paths[0]):
            self.workspace.open_path(paths[0])
        else:
            self.workspace.import_files(paths)

    def ask_open(self) -> None:
        """Choose a project folder, a run folder or a recipe."""
        chosen, _ = QFileDialog.getOpenFileName(
            self, self.tr("Open"), "", self.tr("Projects and recipes (project.sqlite recipe.toml *.toml)")
        )
        if chosen:
            path = Path(chosen)
            self.workspace.open_path(path.parent if path.name == "project.sqlite" else path)

    def ask_save(self) -> None:
        """Choose a file for the recipe."""
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the recipe"), "recipe.toml", "TOML (*.toml)")
        if not chosen:
            return
        try:
            self.workspace.document.save(Path(chosen))
        except WorkbenchError as error:
            self.show_error(error)

    def reveal_project(self) -> None:
        """Open the project's folder in the file manager."""
        from PySide6.QtCore import QUrl
        from PySide6.QtGui import QDesktopServices

        if self.workspace.project:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.workspace.project.path)))

    def open_palette(self) -> None:
        """Search for something to do."""
        self.palette_popup.open(self.top.search)

    def open_help(self, topic: str) -> None:
        """Show the glossary, the shortcuts or the about page."""
        from workbench.gui.help import open_help

        open_help(self, topic)

    def focus_next_panel(self) -> None:
        """Move the focus to the next panel of the page."""
        from workbench.gui.focus import next_panel

        next_panel(self.pages.currentWidget())

    # --- looks and device ----------------------------------------------------------------------------------------

    def set_theme(self, mode: Any) -> None:
        """Switch the theme, and remember it."""
        theme().set_mode(mode)
        self.workspace.settings.set("theme", mode)
        self._check_theme()

    def _check_theme(self) -> None:
        for mode in ("light", "dark", "system"):
            self.actions_by_key[mode].setChecked(theme().mode == mode)

    def _toggle_expert(self) -> None:
        expert = self.actions_by_key["expert"].isChecked()
        self.workspace.settings.set("expert", expert)
        for page in self._pages.values():
            if hasattr(page, "set_expert"):
                page.set_expert(expert)

    def set_device(self, device: str) -> None:
        """Compute elsewhere from the next run on, and remember it."""
        self.workspace.runs.device = device
        self.workspace.settings.set("device", device)
        self._show_device()

    def _show_device(self) -> None:
        runs = self.workspace.runs
        for name in ("auto", "cpu", "cuda"):
            self.actions_by_key[f"device_{name}"].setChecked(runs.device == name)
        threads = self.tr("%n thread(s)", "", runs.threads)
        self.top.device.set_status(f"CPU · {threads}", "good")
        if runs.device != "cpu":
            self._look_for_gpu(threads)

    def _look_for_gpu(self, threads: str) -> None:
        """In the background: loading CuPy takes seconds where it is installed."""
        from workbench.engine.device import DeviceReport, devices

        def done(reports: tuple[DeviceReport, ...]) -> None:
            gpu = reports[1]
            if gpu.usable:
                self.top.device.set_status(gpu.text, "good")
            elif self.workspace.runs.device == "cuda":
                self.top.device.set_status(self.tr("no GPU · CPU, {0}").format(threads), "warning")
                self.top.device.setToolTip(gpu.text)

        self.workspace.background.start("device", lambda _: devices(), done, lambda _: None)

    # --- the window itself ---------------------------------------------------------------------------------------

    def _restore(self) -> None:
        geometry = self.workspace.settings.get("geometry", "")
        if not geometry or not self.restoreGeometry(QByteArray.fromBase64(geometry.encode())):
            self.resize(1440, 900)
        theme().set_mode(self.workspace.settings.get("theme", "system"))
        self.actions_by_key["expert"].setChecked(self.workspace.settings.get("expert", False))

    def closeEvent(self, event: QCloseEvent) -> None:
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        self.workspace.settings.set("geometry", geometry)
        self.estimates.close()
        self.workspace.shut_down()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        drop = drops.drop_of(event.mimeData())
        self._sheet.show_drop(drop)
        event.setAccepted(bool(drop.paths))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._sheet.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._sheet.hide()
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.import_paths(list(drops.drop_of(event.mimeData()).paths))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange:
            self._sheet.hide()
