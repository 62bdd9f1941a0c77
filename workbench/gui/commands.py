"""What the menus, keys and the palette do, apart from showing a step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog

from workbench.diagnosis.glossary import term
from workbench.engine.device import DeviceReport, devices
from workbench.errors import WorkbenchError
from workbench.gui import drops
from workbench.gui.actions import STEPS
from workbench.gui.recovery import CutOff, cut_off_in
from workbench.gui.runs.words import run_name
from workbench.gui.theme import Mode, theme
from workbench.session.samples import Sample

if TYPE_CHECKING:
    from workbench.gui.main_window import MainWindow


class Commands(QObject):
    """The deeds of a window, by the names that ``actions.DEEDS`` gives them."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._workspace = window, window.workspace

    def slots(self) -> dict[str, Callable[[], object]]:
        """What to call for each deed."""
        window, workspace, runs = self._window, self._workspace, self._workspace.runs
        return {
            "new": partial(self.unless_busy, self.tr("begin with nothing"), workspace.new_project),
            "open": self.ask_open,
            "save": self.ask_save,
            "reveal": self.reveal_project,
            "quit": window.close,
            "undo": workspace.document.undo_stack.undo,
            "redo": workspace.document.undo_stack.redo,
            "import": self.ask_files,
            "import_folder": self.ask_folder,
            "edit_network": partial(window.show_step, "network"),
            "export": partial(window.show_step, "export"),
            "train": self.train,
            "pause": runs.toggle_pause,
            "find_rate": self.find_rate,
            "stop": lambda: window.status.ask_stop(),
            "resume": lambda: self.resume(runs.current),
            "clone": self.clone,
            "edit_run": lambda: workspace.edit_run(runs.current),
            "palette": window.open_palette,
            "next_panel": window.focus_next_panel,
            "expert": self.toggle_expert,
            "explain": self.explain,
            "shortcuts": partial(window.open_help, "shortcuts"),
            "about": partial(window.open_help, "about"),
            **{name: partial(self.set_theme, name) for name in ("light", "dark", "system")},
            **{f"device_{name}": partial(self.set_device, name) for name in ("auto", "cpu", "cuda")},
            **{f"step_{name}": partial(window.show_step, name) for name in STEPS},
        }

    # --- training ------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Train the recipe as it stands, and show it."""
        if self._have_data() and self._workspace.train():
            self._window.message.put_away()
            self._window.show_step("train")

    def find_rate(self) -> None:
        """Look for a learning rate on the train page."""
        if not self._have_data():
            return
        self._window.show_step("train")
        page: Any = self._window.page("train")
        page.find_rate()

    def _have_data(self) -> bool:
        """Whether there are data to train on; says so where there are none."""
        if self._workspace.data.state is not None or self._workspace.data.importing:
            return True
        title, text = self.tr("There are no data to train on yet."), self.tr("Import some, or run a sample.")
        self._window.message.offer("info", title, text, self.tr("Import files…"), self.ask_files)
        return False

    def clone(self) -> None:
        """Train the recipe of the selected run once more."""
        runs = self._workspace.runs
        try:
            runs.train_again(runs.current)
        except WorkbenchError as error:
            self._window.show_error(error)
            return
        self._window.show_step("train")

    def resume(self, number: int) -> None:
        """Go on with a run that ended early."""
        try:
            self._workspace.runs.go_on(number)
        except WorkbenchError as error:
            self._window.show_error(error)
            return
        self._window.show_step("train")

    def run_sample(self, sample: Sample) -> None:
        """Begin a project with a sample, and train it."""
        self.unless_busy(self.tr("run the sample"), partial(self._workspace.run_sample, sample))

    def unless_busy(self, what: str, do: Callable[[], object]) -> None:
        """Do something that closes the project; ask first where a run would be stopped."""
        busy = self._workspace.runs.busy()
        if not busy:
            do()
            return
        title = self.tr("{0} is still training.").format(run_name(busy[0]).capitalize())
        text = self.tr("Going on stops it. Its finished epochs and a checkpoint are kept, and it can be resumed.")
        self._window.message.offer("warning", title, text, self.tr("Stop it and {0}").format(what), do)

    def explain(self) -> None:
        """Explain what has the focus, where the glossary knows it; show the whole glossary otherwise."""
        focused = QApplication.focusWidget()
        known = term(focused.accessibleName()) if focused is not None else None
        self._window.open_help(f"term {known.name}" if known else "glossary")

    # --- files ---------------------------------------------------------------------------------------------------

    def ask_files(self) -> None:
        """Choose files to import."""
        chosen, _ = QFileDialog.getOpenFileNames(self._window, self.tr("Import files"), "", drops.file_filter())
        self.import_paths([Path(name) for name in chosen])

    def ask_folder(self) -> None:
        """Choose a folder to import."""
        chosen = QFileDialog.getExistingDirectory(self._window, self.tr("Import a folder"))
        self.import_paths([Path(chosen)] if chosen else [])

    def import_paths(self, paths: list[Path]) -> None:
        """Import files and folders; a project, run or recipe among them is opened instead."""
        if not paths:
            return
        if len(paths) == 1 and drops.begins_with(paths[0]):
            self.begin_with(paths[0])
            return
        opened = len(paths) == 1 and drops.opens(paths[0])
        do = partial(self._open, paths[0]) if opened else partial(self._import, paths)
        self.unless_busy(self.tr("open") if opened else self.tr("import"), do)

    def begin_with(self, path: Path) -> None:
        """Let the next run begin with the weights in a file, and show what fits of them."""
        if not self._have_data():
            return
        self._window.show_step("train")
        page: Any = self._window.page("train")
        page.begin_with(path)

    def _open(self, path: Path) -> None:
        self._window.message.put_away()
        self._workspace.open_path(path)

    def _import(self, paths: list[Path]) -> None:
        self._window.message.put_away()
        self._window.show_step("data")
        self._workspace.import_files(paths)

    def ask_open(self) -> None:
        """Choose a project folder, a run folder or a recipe."""
        filters = self.tr("Projects, runs and recipes (project.sqlite run.sqlite *.toml)")
        chosen, _ = QFileDialog.getOpenFileName(self._window, self.tr("Open"), "", filters)
        if chosen:
            path = Path(chosen)
            self.import_paths([path.parent if path.name in ("project.sqlite", "run.sqlite") else path])

    def ask_save(self) -> None:
        """Choose a file for the recipe."""
        name = self.tr("Save the recipe")
        chosen, _ = QFileDialog.getSaveFileName(self._window, name, "recipe.toml", "TOML (*.toml)")
        if not chosen:
            return
        try:
            self._workspace.document.save(Path(chosen))
        except WorkbenchError as error:
            self._window.show_error(error)

    def reveal_project(self) -> None:
        """Open the project's folder in the file manager."""
        if self._workspace.project:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._workspace.project.path)))

    # --- what was cut off ----------------------------------------------------------------------------------------

    def look_for_cut_off(self) -> None:
        """Offer to go on with a run that ended with its program, in the project that was opened last."""
        recent = self._workspace.settings.recent()

        def done(found: CutOff | None) -> None:
            if found is not None and self._workspace.project is None:
                self._offer_to_resume(found)

        self._workspace.background.start("recovery", lambda _: cut_off_in(recent), done, lambda _: None)

    def _offer_to_resume(self, found: CutOff) -> None:
        title = self.tr("{0} of “{1}” was cut off while it trained.").format(
            run_name(found.number).capitalize(), found.project.name
        )
        text = self.tr("Every epoch that it finished is saved.")
        do = partial(self._resume, found)
        self._window.message.offer("info", title, text, self.tr("Open it and resume"), do)

    def _resume(self, found: CutOff) -> None:
        self._workspace.open_path(found.project)
        if self._workspace.project is not None and self._workspace.project.path == found.project:
            self.resume(found.number)

    # --- looks and device ----------------------------------------------------------------------------------------

    def set_theme(self, mode: str) -> None:
        """Switch the theme, and remember it."""
        theme().set_mode(cast("Mode", mode))
        self._workspace.settings.set("theme", mode)
        self.check_theme()

    def check_theme(self) -> None:
        """Mark the theme in force in the menu."""
        for mode in ("light", "dark", "system"):
            self._window.actions_by_key[mode].setChecked(theme().mode == mode)

    def toggle_expert(self) -> None:
        """Show all settings, or only those that are often needed."""
        expert = self._window.actions_by_key["expert"].isChecked()
        self._workspace.settings.set("expert", expert)
        self._window.set_expert(expert)

    def set_device(self, device: str) -> None:
        """Compute elsewhere from the next run on, and remember it."""
        self._workspace.runs.device = device
        self._workspace.settings.set("device", device)
        self._workspace.runs.deviceChanged.emit()
        self.show_device()

    def show_device(self) -> None:
        """Say at the top what computes."""
        runs, pill = self._workspace.runs, self._window.top.device
        for name in ("auto", "cpu", "cuda"):
            self._window.actions_by_key[f"device_{name}"].setChecked(runs.device == name)
        threads = self.tr("1 thread") if runs.threads == 1 else self.tr("{0} threads").format(runs.threads)
        pill.set_status(f"CPU · {threads}", "good")
        pill.setToolTip(self.tr("What the next run computes on. The menu’s Train section changes it."))
        if runs.device != "cpu":
            self._look_for_gpu(threads)

    def _look_for_gpu(self, threads: str) -> None:
        """In the background: loading CuPy takes seconds where it is installed."""
        runs, pill = self._workspace.runs, self._window.top.device

        def done(reports: tuple[DeviceReport, ...]) -> None:
            gpu = reports[1]
            runs.has_gpu = gpu.usable
            runs.deviceChanged.emit()
            if gpu.usable:
                pill.set_status(gpu.text, "good")
            elif runs.device == "cuda":
                pill.set_status(self.tr("no GPU · CPU, {0}").format(threads), "warning")
                pill.setToolTip(gpu.text)

        self._workspace.background.start("device", lambda _: devices(), done, lambda _: None)
