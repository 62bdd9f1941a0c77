"""What the next run begins with: random weights, or those of another run or a file (transfer learning)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QWidget

from workbench.engine.parameters import Layout
from workbench.gui.figures import grouped, shape
from workbench.gui.forms.binding import Binding
from workbench.gui.forms.form import Form
from workbench.gui.forms.names import NamesEditor
from workbench.gui.runs.words import error_of, run_name
from workbench.gui.starting import StartingWeights
from workbench.gui.text import safe
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.fold import Fold
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import INSIDE, Panel
from workbench.gui.workspace import Workspace
from workbench.recipe.training import StartFrom
from workbench.session.start import Start
from workbench.store.project import RunEntry
from workbench.store.weight_files import SUFFIXES

_PATH = "training.start_from"
_LISTED, _MOST_RUNS = 5, 20


class StartPanel(Panel):
    """Chooses the weights to begin with, and says what will be taken of them.

    Args:
        workspace: its document is edited, its runs are offered.
        weights: what they amount to.
    """

    def __init__(self, workspace: Workspace, weights: StartingWeights, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Starting weights"))
        self._workspace, self._document, self._weights = workspace, workspace.document, weights
        self.text, self.details = Label("", wrap=True), Label("", "note", wrap=True)
        self.message = InlineMessage("error")
        self.runs_button = Button(self.tr("A run…"), tip=self.tr("Begin with the weights of a run"))
        self.runs_button.set_menu(self._runs_menu())
        self.file_button = Button(
            self.tr("A file…"), clicked=self.ask_file, tip=self.tr("Begin with weights from a file")
        )
        self.clear = Button(self.tr("Random"), "quiet", tip=self.tr("Begin with random weights"), clicked=self._clear)
        self.freeze = Button("", "link", clicked=lambda: self._set_frozen(True))
        self.unfreeze = Button("", "link", clicked=lambda: self._set_frozen(False))
        self._form: Form | None = None
        self._more = QWidget()
        self._fold = Fold(self.tr("Which layers"), self._more)
        self._lay_out()
        self._document.recipeChanged.connect(self.refresh)
        self._document.networkChanged.connect(self.refresh)
        weights.changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        holder = QHBoxLayout(self._more)
        holder.setContentsMargins(0, 0, 0, 0)
        links = QHBoxLayout()
        links.setContentsMargins(INSIDE, 0, INSIDE, 0)
        links.setSpacing(INSIDE)
        for button in (self.freeze, self.unfreeze):
            links.addWidget(button)
        links.addStretch(1)
        for widget in (self.text, self.message, self.details):
            self.add(widget, padded=True)
        self.add_layout(links)
        self.add(self._fold, padded=True)
        self.add_space(INSIDE - 8)
        self.add_stretch()
        for button in (self.runs_button, self.file_button, self.clear):
            self.foot().addWidget(button)
        self.foot().addStretch(1)

    # --- choosing ------------------------------------------------------------------------------------------------

    def _runs_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.aboutToShow.connect(lambda: self._fill(menu))
        return menu

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        for entry in self.offered():
            error, which = error_of(entry, self._workspace.runs.curves_if_known(entry.number))
            told = f" · {which} {100 * error:.1f}\u00a0%" if error is not None else ""
            action = menu.addAction(f"{run_name(entry.number)}{told}")
            action.triggered.connect(lambda _=False, entry=entry: self.take(entry.folder))
        if menu.isEmpty():
            menu.addAction(self.tr("No run has weights yet")).setEnabled(False)

    def offered(self) -> Sequence[RunEntry]:
        """Runs of the project that have weights, the latest first."""
        entries = reversed(self._workspace.runs.entries)
        return [entry for entry in entries if (entry.folder / "run.sqlite").is_file()][:_MOST_RUNS]

    def ask_file(self) -> None:
        """Choose a file of weights."""
        patterns = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        filters = self.tr("Weights ({0})").format(patterns)
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Weights to begin with"), "", filters)
        if chosen:
            self.take(Path(chosen))

    def take(self, path: Path) -> None:
        """Begin with the weights of a run's folder or a file; can be undone."""
        self._put({_PATH: {"path": str(path.resolve())}}, self.tr("begin with {0}").format(self._name(path)))

    def _clear(self) -> None:
        self._put({_PATH: None}, self.tr("begin with random weights"))

    def _put(self, changes: dict[str, Any], text: str) -> None:
        """Each click is a step of Undo, however quickly they follow each other."""
        self._document.replace(self._document.recipe.replace(changes), text)

    # --- freezing ------------------------------------------------------------------------------------------------

    def freezable(self) -> tuple[str, ...]:
        """The layers that were taken over as a whole; the last layer with weights must go on learning."""
        found, network = self._weights.found, self._document.network
        if found is None or network is None:
            return ()
        last = Layout(network).in_order[-1].layer
        return tuple(name for name in found.transfer.layers if name != last)

    def _set_frozen(self, on: bool) -> None:
        names = self.freezable()
        text = self.tr("freeze {0}") if on else self.tr("unfreeze {0}")
        self._put({f"network.layers.{name}.frozen": on for name in names}, text.format(_listed(names)))

    def _show_freezing(self) -> None:
        names = self.freezable()
        frozen = {layer.name for layer in self._document.recipe.network.layers if layer.frozen}
        open_, shut = [name for name in names if name not in frozen], [name for name in names if name in frozen]
        self.freeze.setVisible(bool(open_))
        self.freeze.setText(self.tr("Freeze {0}").format(_listed(open_)))
        self.freeze.setToolTip(self.tr("They keep these weights while the others learn."))
        self.unfreeze.setVisible(bool(shut))
        self.unfreeze.setText(self.tr("Unfreeze {0}").format(_listed(shut)))

    # --- saying --------------------------------------------------------------------------------------------------

    def refresh(self, *_: object) -> None:
        """Say how things stand."""
        spec = self._document.recipe.training.start_from
        self.clear.setVisible(spec is not None)
        self._fold.setVisible(spec is not None)
        self._have_form(spec)
        self.message.hide()
        found, error = self._weights.found, self._weights.error
        if spec is None:
            self.text.setText(
                self.tr("Random, as the seed {0} gives them.").format(self._document.recipe.training.seed)
            )
        elif found is not None:
            self.text.setText(self._summary(found))
        else:
            self.text.setText(self._waiting(spec))
        if error is not None and spec is not None:
            self.message.show_error(error)
        self.details.setText("\n".join(self._details(found)) if found and spec else "")
        self.details.setVisible(bool(self.details.text()))
        self._show_freezing()

    def _summary(self, found: Start) -> str:
        epoch = found.source.rpartition(", epoch ")[2] if Path(found.path).is_dir() else ""
        name = self._name(Path(found.path)) + (self.tr(", epoch {0}").format(epoch) if epoch else "")
        taken, count = len(found.transfer.tensors), found.transfer.count
        return self.tr("From {0}: {1} of {2} tensors taken.").format(name, grouped(taken), grouped(count))

    def _details(self, found: Start) -> list[str]:
        """What was not taken, a line each, and what was done to the numbers."""
        done, differs = found.transfer, self.tr("{0}: {1} here, {2} there")
        lines = [differs.format(name, shape(here), shape(there)) for name, (here, there) in done.differs.items()]
        lines += [self.tr("{0}: not in the file, stays random").format(name) for name in done.absent]
        left = self.tr("1 tensor left out") if done.left_out == 1 else self.tr("{0} tensors left out")
        lines += [left.format(grouped(done.left_out))] if done.left_out else []
        lines += [self.tr("{0}: not in the network").format(safe(name)) for name in done.unused]
        rest = len(lines) - _LISTED
        more = [self.tr("and {0} more").format(grouped(rest))] if rest > 0 else []
        return [*lines[:_LISTED], *more, *found.notes]

    def _waiting(self, spec: StartFrom) -> str:
        name = self._name(Path(spec.path))
        if self._weights.error is not None:
            return self.tr("From {0}.").format(name)
        if self._weights.looking:
            return self.tr("From {0}; looking what fits…").format(name)
        return self.tr("From {0}. What fits is known once the network’s shapes are.").format(name)

    def _name(self, path: Path) -> str:
        """``run 3`` for a run of this project, else the file's name."""
        entries = self._workspace.runs.entries
        number = next((entry.number for entry in entries if entry.folder.resolve() == path.resolve()), 0)
        return run_name(number) if number else safe(path.name)

    def _have_form(self, spec: StartFrom | None) -> None:
        """The form of the finer points; there is none while there is nothing to begin with."""
        if spec is not None and self._form is None:
            self._form = Form(StartFrom, only=("checkpoint", "layers", "rename"))
            Binding(self._form, self._document, _PATH)
            layout = self._more.layout()
            assert layout is not None
            layout.addWidget(self._form)
        if self._form is not None:
            layers = self._form.row("layers").editor
            assert isinstance(layers, NamesEditor)
            layers.offer([layer.name for layer in self._document.recipe.network.layers])
            self._form.row("checkpoint").editor.setEnabled(spec is not None and Path(spec.path).is_dir())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} … {names[-1]} ({len(names)})"
