"""Step 1, Data, in the middle: the examples themselves, by column, by row, as pictures or as curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from workbench.data.content import Array
from workbench.errors import Problem
from workbench.gui.data.columns_table import ColumnsTable
from workbench.gui.data.editor import DataEditor
from workbench.gui.data.examples_view import ExamplesView
from workbench.gui.data.facts import facts_line, head_note, notices_of
from workbench.gui.data.picture_grid import PictureGrid
from workbench.gui.data.reasons_popup import ReasonsPopup
from workbench.gui.data.rows_table import RowsTable
from workbench.gui.data_desk import DataDesk, DataState
from workbench.gui.document import Document
from workbench.gui.text import visible
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import ElidedLabel
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import Panel
from workbench.gui.widgets.segmented import Segmented

COLUMNS, ROWS, PICTURES = "columns", "rows", "pictures"
"""The last shows sequences too, as curves."""


class ExamplesPanel(Panel):
    """What was read, with what is wrong with it.

    Signals:
        addRequested: files shall be added to the sources.
    """

    addRequested = Signal()

    def __init__(self, document: Document, desk: DataDesk, editor: DataEditor, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._document, self._desk = document, desk
        self._kind, self._curves = "", False
        self.choice = Segmented()
        self.choice.setAccessibleName(self.tr("Show"))
        self.columns = ColumnsTable(editor, desk)
        self.rows = ExamplesView(editor, RowsTable())
        self.pictures = ExamplesView(editor, PictureGrid())
        self.problem = InlineMessage("error")
        self.refusal = InlineMessage("warning", closable=True)
        self._views: dict[str, QWidget] = {COLUMNS: self.columns, ROWS: self.rows, PICTURES: self.pictures}
        self._stack = QStackedWidget()
        self.facts = ElidedLabel("", "muted")
        self.why = Button("", "link", clicked=self.open_reasons)
        self._lay_out()
        self.choice.valueChanged.connect(lambda view: self.show_view(str(view)))
        self.refusal.closed.connect(self._fit_messages)
        editor.failed.connect(self._on_refusal)
        desk.changed.connect(self._show_state)
        desk.proposed.connect(lambda _: self._name_reasons())
        document.recipeChanged.connect(lambda *_: self._name_sources())
        self._show_state(desk.state)

    def _lay_out(self) -> None:
        self.add_control(self.choice)
        self.add_control(Button(self.tr("Add source…"), clicked=self.addRequested.emit))
        for view in self._views.values():
            self._stack.addWidget(view)
        self.add(self._stack, stretch=1)
        self._messages = QWidget()
        column = QVBoxLayout(self._messages)
        column.setContentsMargins(12, 0, 12, 10)
        for message in (self.problem, self.refusal):
            message.hide()
            column.addWidget(message)
        self._messages.hide()
        self.add(self._messages)
        foot = self.foot()
        foot.addWidget(self.facts, 1)
        foot.addWidget(self.why)
        # A line of words, no higher than it needs to be.
        foot.setContentsMargins(12, 4, 12, 4)

    def view(self) -> str:
        """What is shown: ``columns``, ``rows`` or ``pictures``."""
        return next(name for name, widget in self._views.items() if widget is self._stack.currentWidget())

    def show_view(self, name: str) -> None:
        """Show the columns, the rows or the pictures."""
        self._stack.setCurrentWidget(self._views[name])
        self.setFocusProxy(self._views[name])
        self.choice.setValue(name)
        self._fill(self._desk.state)

    def show_rows(self, rows: Array) -> None:
        """Select some rows, by number from 0, where they can be seen."""
        name = PICTURES if self._kind == PICTURES else ROWS
        self.show_view(name)
        view = self._views[name]
        if isinstance(view, ExamplesView):
            view.select_rows(rows)

    def _show_state(self, state: DataState | None) -> None:
        kind = "" if state is None else PICTURES if state.content.arrays is not None else COLUMNS
        curves = state is not None and state.content.sequences is not None
        if kind and (kind, curves) != (self._kind, self._curves):
            self._kind, self._curves = kind, curves
            examples = self.tr("Curves") if curves else self.tr("Pictures")
            texts = {PICTURES: examples, COLUMNS: self.tr("Columns"), ROWS: self.tr("Rows")}
            shown = (PICTURES, COLUMNS, ROWS) if kind == PICTURES else (COLUMNS, ROWS)
            self.choice.set_options([(name, texts[name]) for name in shown])
            self.show_view(kind)
        else:
            self._fill(state)
        self._show_words(state)

    def _fill(self, state: DataState | None) -> None:
        """Only what is seen: a table of a million rows costs nothing while the columns are looked at."""
        view = self._stack.currentWidget()
        if isinstance(view, ExamplesView):
            view.show_state(state)

    def _name_sources(self) -> None:
        sources = self._document.recipe.data.sources
        more = f" + {len(sources) - 1}" if len(sources) > 1 else ""
        self.set_title(f"{Path(sources[0].path).name}{more}" if sources else self.tr("Data"))

    def _show_words(self, state: DataState | None) -> None:
        self._name_sources()
        self.set_note(head_note(state) if state else "")
        self.facts.set_name(facts_line(state) if state else "")
        problems = state.problem.problems if state and state.problem else ()
        if problems:
            self.problem.set_message("error", *self._problem_words(problems))
        self.problem.setVisible(bool(problems))
        self._fit_messages()
        self._name_reasons()

    def _problem_words(self, problems: Sequence[Problem]) -> tuple[str, str]:
        """A heading and a text: without the recipe's paths, which the sections at the right stand for."""
        told = [(f"{one.what[:1].upper()}{one.what[1:]}.", one.mend) for one in problems]
        if len(told) == 1:
            return told[0]
        heading = self.tr("{0} things keep the data from being used").format(len(told))
        return heading, "\n".join(" ".join(part for part in one if part) for one in told)

    def _fit_messages(self) -> None:
        """No room for messages where there are none."""
        self._messages.setVisible(not (self.problem.isHidden() and self.refusal.isHidden()))

    def _on_refusal(self, text: str) -> None:
        if text:
            self.refusal.set_message("warning", self.tr("Not done"), visible(text))
        self.refusal.setVisible(bool(text))
        self._fit_messages()

    # --- reasons -------------------------------------------------------------------------------------------------

    def open_reasons(self) -> ReasonsPopup:
        """Say what is worth knowing of the data, and why they were proposed to be treated so."""
        groups = (
            (self.tr("Worth knowing"), notices_of(self._desk.state)),
            (self.tr("Why it was proposed so"), self._desk.reasons),
        )
        popup = ReasonsPopup(groups, self)
        popup.open_above(self.why)
        return popup

    def _name_reasons(self) -> None:
        count = len(notices_of(self._desk.state)) + len(self._desk.reasons)
        self.why.setVisible(count > 0)
        words = self.tr("Why so? 1 reason") if count == 1 else self.tr("Why so? {0} reasons").format(count)
        self.why.setText(words)
