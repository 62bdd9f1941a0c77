"""What is written, of which checkpoint, and where to; then what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from workbench.errors import WorkbenchError
from workbench.export.formats.base import exporter, exporters
from workbench.export.source import KEPT
from workbench.gui.background import Background
from workbench.gui.export import work
from workbench.gui.export.format_list import FormatChoice, FormatList
from workbench.gui.export.work import Order, Written
from workbench.gui.run_desk import RunDesk
from workbench.gui.runs.run_combo import RunCombo
from workbench.gui.runs.words import run_name
from workbench.gui.settings import Settings
from workbench.gui.text import tip, visible
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.check_box import CheckBox
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import GAP, INSIDE, Panel, Scroll

_ORDER = ("onnx", "safetensors", "npz", "pytorch", "html", "pdf")


class ExportPanel(Panel):
    """Exports the run that is looked at.

    Signals:
        changed: another file would be written now.
        exported: the files that were written, as ``Written``.
        trainAsked: there is no run yet, and the user wants one.
        importAsked: there is nothing to train on yet, and the user wants to choose data.
    """

    changed = Signal()
    exported = Signal(object)
    trainAsked = Signal()
    importAsked = Signal()

    def __init__(
        self, runs: RunDesk, background: Background, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Export"))
        self._runs, self._background, self._settings = runs, background, settings
        self._busy = False
        self._has_data = True
        self._way: Callable[[], None] = lambda: None
        self.run = RunCombo(runs)
        self.add_control(self.run)
        self.formats = FormatList(_choices())
        self.checkpoint, self.weights = Combo(), CheckBox(self.tr("with its weights beside it, .safetensors"))
        self.path = QLineEdit()
        self.browse = Button(self.tr("Browse…"), clicked=self._browse)
        self.message = InlineMessage(closable=True)
        self.message.hide()
        self.status = Label("", "note")
        self.button = Button(self.tr("Export"), "primary", clicked=self.export)
        self.empty = EmptyState(
            self.tr("Models and reports leave from here"),
            self.tr(
                "Once a run has trained: the model as ONNX, safetensors, NumPy arrays or PyTorch source, "
                "and its diagnosis report as a page or a PDF. Each file is checked before it is written."
            ),
            button=self.tr("Go to Train"),
            look="primary",
            icon_name="upload",
        )
        self._lay_out()
        self._connect()
        self.refresh()

    def set_has_data(self, known: bool) -> None:
        """Whether there is anything to train on: where there is not, that comes first."""
        self._has_data = known
        self.empty.button.setText(self.tr("Go to Train") if known else self.tr("Import data…"))

    # --- layout --------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(INSIDE, 0, INSIDE, INSIDE)
        column.setSpacing(INSIDE)
        column.addWidget(self.formats)
        column.addLayout(self._options())
        column.addWidget(self.message)
        column.addStretch(1)
        self._scroll = Scroll(content, least=320)
        self.add(self._scroll, stretch=1)
        self.add(self.empty, stretch=1)
        foot = self.foot()
        foot.addWidget(self.status, 1)
        foot.addWidget(self.button)

    def _options(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(INSIDE)
        grid.setVerticalSpacing(GAP)
        grid.setColumnMinimumWidth(0, 72)
        self._which = Label(self.tr("model"), "muted")
        self._which.setBuddy(self.checkpoint)
        self.checkpoint.setAccessibleName(self.tr("Checkpoint"))
        self.path.setAccessibleName(self.tr("File"))
        file_ = Label(self.tr("file"), "muted")
        file_.setBuddy(self.path)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.path, 1)
        row.addWidget(self.browse)
        grid.addWidget(self._which, 0, 0)
        grid.addWidget(self.checkpoint, 0, 1)
        grid.addWidget(file_, 1, 0)
        grid.addLayout(row, 1, 1)
        grid.addWidget(self.weights, 2, 1)
        return grid

    def _connect(self) -> None:
        runs = self._runs
        runs.selected.connect(lambda _: self._on_run())
        runs.listChanged.connect(self.refresh)
        runs.resultReady.connect(lambda number: self._read_checkpoints() if number == runs.current else None)
        self.formats.chosen.connect(self._on_format)
        self.checkpoint.valueChanged.connect(lambda _: self.changed.emit())
        self.path.textEdited.connect(lambda _: self._forget_message())
        self.path.textChanged.connect(lambda text: self.path.setToolTip(tip(text, 90)))
        self.path.returnPressed.connect(self.export)
        self.message.actionClicked.connect(lambda: self._way())
        self.empty.clicked.connect(lambda: (self.trainAsked if self._has_data else self.importAsked).emit())
        self.weights.setChecked(True)

    # --- state ---------------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path | None:
        """The folder of the run that is looked at; None where there is nothing to export."""
        entry = self._runs.entry(self._runs.current)
        return entry.folder if entry is not None and not self._runs.is_queued(entry.number) else None

    @property
    def which(self) -> str:
        """The chosen checkpoint."""
        return KEPT if self.formats.value() in work.REPORTS else str(self.checkpoint.value() or KEPT)

    def order(self) -> Order | None:
        """What the button would do; None without a run."""
        if self.folder is None:
            return None
        kind = self.formats.value()
        path = Path(self.path.text().strip()).expanduser()
        return Order(self.folder, kind, self.which, path, kind == "pytorch" and self.weights.isChecked())

    def refresh(self) -> None:
        """Show what can be exported now."""
        if self._show_what_there_is() and not self.path.text():
            self._on_run()
        self._show_options()

    def _show_what_there_is(self) -> bool:
        any_run = self._runs.entry(self._runs.current) is not None
        self.empty.setVisible(not any_run)
        self._scroll.setVisible(any_run)
        self.foot_frame().setVisible(any_run)
        return any_run

    def _show_options(self) -> None:
        kind = self.formats.value()
        model = kind not in work.REPORTS
        self._which.setVisible(model)
        self.checkpoint.setVisible(model)
        self.weights.setVisible(kind == "pytorch")
        live = self._runs.is_live(self._runs.current)
        self.button.setEnabled(self.folder is not None and not self._busy)
        told = self.tr("{0} still trains").format(run_name(self._runs.current)) if live else ""
        self.status.setText(self.tr("Exporting and checking…") if self._busy else told)

    def _on_run(self) -> None:
        self._forget_message()
        self._suggest()
        # The list of another project comes before the run of it that is looked at.
        self._show_what_there_is()
        self._show_options()
        self._read_checkpoints()

    def _read_checkpoints(self) -> None:
        """A result that comes a moment later changes what there is to choose from, not the name that was typed."""
        folder = self.folder
        if folder is None or not folder.is_dir():
            self.checkpoint.set_options([])
            return

        def done(options: tuple[tuple[str, str], ...]) -> None:
            if self.folder == folder:
                self.checkpoint.set_options(options)
                self.changed.emit()

        self._background.start("checkpoints", lambda _: work.checkpoints_of(folder), done, self._show_error)

    def _on_format(self, kind: str) -> None:
        self._forget_message()
        self._suggest()
        self._show_options()
        self.changed.emit()

    def _suggest(self) -> None:
        """The folder stays what it is; the name follows the run and the format."""
        project = self._runs.project
        if self.folder is None or project is None:
            return
        typed = self.path.text().strip()
        home = (
            Path(typed).parent if typed else Path(self._settings.get("export_folder", "") or project.path / "exports")
        )
        name = work.default_name(project.path.name, self._runs.current, self.formats.value())
        self.path.setText(str(home / name))

    def _forget_message(self) -> None:
        self.message.hide()

    # --- doing ---------------------------------------------------------------------------------------------------

    def _browse(self) -> None:
        kind = self.formats.choice()
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            self.tr("Export to"),
            self.path.text(),
            f"{kind.title} (*{kind.suffix})",
            # Replacing is asked for when it is about to happen, beside the button.
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            self._forget_message()
            self.path.setText(chosen)

    def export(self) -> None:
        """Write the file; where it exists already, ask first."""
        wrong = work.problem_of(self.path.text())
        if self.order() is None or self._busy:
            return
        if wrong is not None:
            self._show_error(wrong)
            return
        order = self._with_ending()
        if order is None:
            return
        there = work.existing(order)
        if there:
            names = ", ".join(visible(path.name) for path in there)
            title = self.tr("{0} exists already").format(names)
            self._ask(title, self.tr("Nothing was written."), self.tr("Replace it"), lambda: self._start(order))
            return
        self._start(order)

    def _with_ending(self) -> Order | None:
        """What is to be written under a name that fits its format; None where the user is asked about it first."""
        path, kind = Path(self.path.text().strip()), self.formats.choice()
        other = work.belongs_to(path, kind.kind)
        if other:
            better = work.with_ending(path, kind.kind, instead=True)
            title = self.tr("The ending {0} belongs to another format: {1}").format(visible(path.suffix), other)
            text = self.tr("The file would hold the {0}; other programs go by its ending. Nothing was written.")
            rename = self.tr("Name it {0}").format(visible(better.name))
            self._ask(title, text.format(exporter(kind.kind).title), rename, lambda: self._rename(better))
            return None
        self.path.setText(str(work.with_ending(path, kind.kind)))
        return self.order()

    def _rename(self, path: Path) -> None:
        self._forget_message()
        self.path.setText(str(path))
        self.path.setFocus()

    def _ask(self, title: str, text: str, action: str, way: Callable[[], None]) -> None:
        self._way = way
        self.message.set_message("warning", title, text, action=action)
        self.message.show()
        # It may stand below what is seen of a low window.
        QTimer.singleShot(0, self, lambda: self._scroll.ensureWidgetVisible(self.message, 0, GAP))

    def _start(self, order: Order) -> None:
        self._busy = True
        self._forget_message()
        self._show_options()
        self._background.start("export", lambda _: work.write(order), self._on_written, self._on_failed)

    def _on_written(self, files: tuple[Written, ...]) -> None:
        self._busy = False
        self._show_options()
        self._settings.set("export_folder", str(files[0].path.parent))
        self.exported.emit(files)

    def _on_failed(self, error: WorkbenchError) -> None:
        self._busy = False
        self._show_options()
        self._show_error(error)

    def _show_error(self, error: WorkbenchError) -> None:
        self.message.show_error(error)


def _choices() -> list[FormatChoice]:
    """All exporters there are, those that are known here in the order in which they are mostly wanted."""
    kinds = exporters()
    listed = [*(kind for kind in _ORDER if kind in kinds), *(kind for kind in kinds if kind not in _ORDER)]
    found = [exporter(kind) for kind in listed]
    return [
        FormatChoice(one.kind, one.title[:1].upper() + one.title[1:], one.suffix, one.about.replace("`", ""))
        for one in found
    ]
