"""The list of runs: which one is looked at, which are compared with it, and what can be done with each."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QMenu, QVBoxLayout, QWidget

from workbench.errors import WorkbenchError
from workbench.gui.document import Document
from workbench.gui.figures import grouped
from workbench.gui.models.runs_model import RunsModel
from workbench.gui.run_desk import RunDesk
from workbench.gui.runs.comparison import Comparison
from workbench.gui.runs.list_view import RunsView
from workbench.gui.runs.resume import why_not_resume
from workbench.gui.runs.words import run_name
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import Panel

_FILTER_FROM = 5
"""Runs from which the list has a filter: fewer are seen at a glance."""


class RunsPanel(QWidget):
    """The runs of the project.

    Signals:
        newAsked: the recipe as it stands shall be trained.
        againAsked: a run's recipe shall be trained once more: its number.
        editAsked: a run's recipe shall become the one being edited: its number.
    """

    newAsked = Signal()
    againAsked = Signal(int)
    editAsked = Signal(int)

    def __init__(
        self, document: Document, runs: RunDesk, comparison: Comparison, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._runs, self._comparison = runs, comparison
        self._hidden = 0
        self.model = RunsModel(document, runs, comparison, self)
        self.view = RunsView(self.model)
        self.panel = Panel(self.tr("Runs"))
        self.new = Button(self.tr("+ New"), tip=self.tr("Train the recipe as it stands (F5)"))
        self.new.clicked.connect(lambda: self.newAsked.emit())
        self.filter = QLineEdit()
        self.message = InlineMessage("error", closable=True)
        self.gone = InlineMessage("info", action=self.tr("Put it back"), closable=True)
        self.empty = EmptyState(
            self.tr("Runs will appear here"), self.tr("Each one stays, also after a restart: compare them at leisure.")
        )
        self._lay_out()
        self._connect()
        self._on_list()
        self.view.set_current(runs.current)

    def _lay_out(self) -> None:
        self.panel.add_control(self.new)
        self.filter.setPlaceholderText(self.tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(self.tr("Filter the runs by any of their words"))
        self.panel.add(self.filter, padded=True)
        for message in (self.message, self.gone):
            message.hide()
            self.panel.add(message, padded=True)
        self.panel.add(self.view, stretch=1)
        self.panel.add(self.empty, stretch=1)
        note = Label(self.tr("dev error, 95 % interval · a click on a sign compares"), "note", wrap=True)
        self.panel.foot().addWidget(note, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.panel)

    def _connect(self) -> None:
        self._runs.listChanged.connect(self._on_list)
        self._runs.selected.connect(self.view.set_current)
        self.view.chosen.connect(self._select)
        self.view.toggled.connect(self._comparison.toggle)
        self.view.hideAsked.connect(self.hide_run)
        self.view.menuAsked.connect(self._open_menu)
        self.filter.textChanged.connect(self._on_filter)
        self.gone.actionClicked.connect(self._put_back)

    def _select(self, number: int) -> None:
        if number != self._runs.current:
            self._runs.select(number)

    def _on_list(self) -> None:
        count = len(self._runs.entries)
        self.panel.set_note(grouped(count) if count else "")
        self.view.setVisible(bool(count))
        self.empty.setVisible(not count)
        self.panel.foot_frame().setVisible(bool(count))
        self.filter.setVisible(count >= _FILTER_FROM or bool(self.filter.text()))
        self.new.setEnabled(self._runs.project is not None and self._runs.project.writable)
        if self._runs.project is None:
            self.gone.hide()

    def _on_filter(self, text: str) -> None:
        self.view.set_filter(text)
        self.view.set_current(self._runs.current)
        found, count = self.view.proxy.rowCount(), len(self._runs.entries)
        words = self.tr("{0} of {1}").format(grouped(found), grouped(count))
        self.panel.set_note(words if text.strip() else grouped(count))

    # --- what can be done with a run -----------------------------------------------------------------------------

    def menu_of(self, number: int) -> QMenu:
        """What can be done with a run."""
        menu = QMenu(self)
        entry = self._runs.entry(number)
        shown = self._comparison.is_shown(number)
        compare = menu.addAction(self.tr("Take out of the plots") if shown else self.tr("Compare in the plots"))
        compare.triggered.connect(lambda: self._comparison.toggle(number))
        compare.setEnabled(not shown or number != self._runs.current)
        again = menu.addAction(self.tr("Train its recipe again"))
        again.triggered.connect(lambda: self.againAsked.emit(number))
        edit = menu.addAction(self.tr("Edit its recipe"))
        edit.triggered.connect(lambda: self.editAsked.emit(number))
        resume = menu.addAction(self.tr("Resume"))
        resume.triggered.connect(lambda: self.resume(number))
        resume.setEnabled(entry is not None and not why_not_resume(self._runs, entry))
        menu.addSeparator()
        hide = menu.addAction(self.tr("Hide from the list"))
        hide.triggered.connect(lambda: self.hide_run(number))
        hide.setEnabled(number not in self._runs.busy())
        return menu

    def _open_menu(self, number: int, place: QPoint) -> None:
        menu = self.menu_of(number)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def resume(self, number: int) -> None:
        """Let a run go on."""
        self._try(lambda: self._runs.go_on(number))

    def hide_run(self, number: int) -> None:
        """Take a run off the list, and offer the way back."""
        if number in self._runs.busy():
            return
        if self._try(lambda: self._runs.hide(number)):
            self._hidden = number
            text = self.tr("Its folder stays where it is.")
            self.gone.set_message(
                "info", self.tr("{0} is hidden").format(run_name(number)), text, action=self.tr("Put it back")
            )
            self.gone.show()

    def _put_back(self) -> None:
        self.gone.hide()
        self._try(lambda: self._runs.put_back(self._hidden))

    def _try(self, deed: object) -> bool:
        try:
            deed()  # type: ignore[operator]
        except WorkbenchError as error:
            self.message.show_error(error)
            return False
        self.message.hide()
        return True
