"""What a finished run got right and wrong, and how the layers fare of one that still trains."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from workbench.gui.background import Background
from workbench.gui.data_desk import DataDesk
from workbench.gui.figures import grouped, percent
from workbench.gui.results.class_table import ClassesModel, ClassTable
from workbench.gui.results.matrix import ConfusionMatrix
from workbench.gui.results.pictures import pictures_of
from workbench.gui.results.scatter import Scatter
from workbench.gui.results.tables import LayersModel, MistakesModel, ThumbDelegate
from workbench.gui.results.views import SetView, view_of
from workbench.gui.runs.board import Board
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.labels import ElidedLabel
from workbench.gui.widgets.panel import Panel
from workbench.gui.widgets.table import Table
from workbench.gui.widgets.tabs import Tabs
from workbench.recipe.tasks import Task
from workbench.session.health import health_of

_NEEDS_RESULT = ("matrix", "classes", "mistakes")
_LOW = 180
"""Height below which every line is needed for the content."""
_LAYER_COLUMNS: dict[int, int | None] = {0: None, 1: 72, 2: 72, 3: 96, 4: None}
_FROM_WIDTH = {1: 400, 2: 400, 3: 320}
"""Widths from which columns of layers are shown: the state comes first, and gradients and updates are drawn beside."""
_KEPT = 12
"""Views that are kept: the examples of a large data set take some megabytes each."""


class ResultsPanel(QWidget):
    """Confusion matrix, figures by class, mistakes and layers of the selected run."""

    def __init__(self, board: Board, data: DataDesk, background: Background, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board, self._runs, self._data, self._background = board, board.runs, data, background
        self._views: dict[tuple[int, str], SetView] = {}
        self._asked: set[tuple[int, str]] = set()
        self._set, self._cell = "dev", (-1, -1)
        self._tab = "matrix"
        self._shown: object = None
        self.panel = Panel("")
        self.panel.setAccessibleName(self.tr("Results"))
        self.tabs, self.sets = Tabs(), Combo()
        self.note = ElidedLabel("", "note")
        self.matrix, self.scatter = ConfusionMatrix(), Scatter()
        self.classes, self.mistakes, self.layers = ClassesModel(self), MistakesModel(self), LayersModel(self)
        self.all_of_them = Button(self.tr("all mistakes"), "link", clicked=lambda: self.show_cell(None))
        self._lay_out()
        self._connect()
        self._offer_tabs("classification")
        self.refresh()

    # --- layout --------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        head = self.panel.head.layout()
        assert isinstance(head, QHBoxLayout)
        head.insertWidget(0, self.tabs)
        self.tabs.set_name(self.tr("Results"))
        self.sets.setAccessibleName(self.tr("Set"))
        self.sets.setMinimumContentsLength(4)
        self.sets.setFixedWidth(72)
        self.panel.add_control(self.all_of_them)
        self.panel.add_control(self.sets)
        self.stack = QStackedWidget()
        self._scroll = _both_ways(self.matrix)
        self.class_table = ClassTable(self.tr("Figures by class"), self.classes)
        self.mistake_table = _table(self.tr("Mistakes"), self.mistakes, {})
        self.mistake_table.setItemDelegateForColumn(0, ThumbDelegate(self.mistake_table))
        self.layer_table = _table(self.tr("Layers"), self.layers, _LAYER_COLUMNS)
        self._pages: dict[str, QWidget] = {
            "matrix": self._scroll,
            "scatter": self.scatter,
            "classes": self.class_table,
            "mistakes": self.mistake_table,
            "layers": self.layer_table,
        }
        self._empties = {
            "result": EmptyState(
                self.tr("Right and wrong answers appear here"), self.tr("They are measured when the run ends.")
            ),
            "layers": EmptyState(
                self.tr("The layers’ gradients appear here"), self.tr("As soon as the run takes its first steps.")
            ),
        }
        for page in (*self._pages.values(), *self._empties.values()):
            self.stack.addWidget(page)
        self.panel.add(self.note, padded=True)
        self.panel.add(self.stack, stretch=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.panel)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.tabs.set_narrow(event.size().width() < self.tabs.wanted() + 120)
        for column, least in _FROM_WIDTH.items():
            self.layer_table.setColumnHidden(column, event.size().width() < least)
        self._show_note()

    def _connect(self) -> None:
        self.tabs.valueChanged.connect(self.show_tab)
        self.sets.valueChanged.connect(self._on_set)
        self.matrix.chosen.connect(lambda row, column: self.show_cell((row, column)))
        self.layer_table.selectionModel().currentRowChanged.connect(self._on_layer)
        self._runs.opened.connect(self._on_opened)
        self._runs.resultReady.connect(self._on_result)
        self._runs.selected.connect(lambda _: self._on_selected())
        self._data.changed.connect(lambda _: self._show_mistakes())
        self._board.redrawn.connect(self.refresh)

    def _offer_tabs(self, task: Task) -> None:
        by_task: dict[Task, list[tuple[object, str]]] = {
            "classification": [
                ("matrix", self.tr("confusion")), ("classes", self.tr("per class")), ("mistakes", self.tr("mistakes")),
            ],
            "multilabel": [("classes", self.tr("per label")), ("mistakes", self.tr("mistakes"))],
            "regression": [("matrix", self.tr("predictions")), ("mistakes", self.tr("largest errors"))],
        }  # fmt: skip
        options = [*by_task[task], ("layers", self.tr("layers"))]
        if self._tab not in [tab for tab, _ in options]:
            self._tab = str(options[0][0])
        self.tabs.set_options(options)
        self.tabs.setValue(self._tab)

    # --- what is shown -------------------------------------------------------------------------------------------

    def show_tab(self, tab: object) -> None:
        """Show one of ``matrix``, ``classes``, ``mistakes``, ``layers``."""
        self._tab = str(tab)
        self.tabs.setValue(tab)
        self.refresh()

    def show_cell(self, cell: tuple[int, int] | None) -> None:
        """List the examples of a cell of the matrix, or all mistakes."""
        self._cell = cell or (-1, -1)
        self._show_mistakes()
        self.show_tab("mistakes")
        self.mistake_table.setFocus()

    def view(self) -> SetView | None:
        """What is known of the selected run on the chosen set; None before."""
        return self._views.get((self._runs.current, self._set))

    def _on_layer(self, index: QModelIndex) -> None:
        """What is in the layer is drawn beside, where that is looked at."""
        if index.isValid():
            self._board.set_layer(self.layers.layer(index.row()))

    def _on_opened(self) -> None:
        self._views, self._asked, self._cell = {}, set(), (-1, -1)

    def _on_selected(self) -> None:
        self._cell = (-1, -1)
        self.refresh()

    def _on_result(self, number: int) -> None:
        for key in [key for key in self._views if key[0] == number]:
            del self._views[key]
        self._asked = {key for key in self._asked if key[0] != number}
        if number == self._runs.current:
            self.refresh()

    def _on_set(self, name: object) -> None:
        self._set, self._cell = str(name), (-1, -1)
        self.refresh()

    def refresh(self) -> None:
        """Show the selected run as it stands."""
        number = self._runs.current
        result = self._runs.result(number)
        if result is not None:
            self._offer_sets(result.predictions.splits())
            self._ask_for(number, self._set)
        view = self.view()
        if view is not self._shown:
            self._shown = view
            self._fill(view)
        run = self._board.selected
        health = health_of(run.curves, self._board.alarms()) if run else ()
        if self._tab == "layers" or view is None:
            self.layers.show_health(health)
        self._turn_to(view, bool(health))

    def _offer_sets(self, names: tuple[str, ...]) -> None:
        if list(names) != self.sets.offered():
            self.sets.set_options([(name, name) for name in names])
        if self._set not in names:
            self._set = "dev" if "dev" in names else names[-1] if names else "dev"
        if self._set in names:
            self.sets.setValue(self._set)

    def _ask_for(self, number: int, name: str) -> None:
        key = number, name
        result = self._runs.result(number)
        if key in self._views or key in self._asked or result is None:
            return
        self._asked.add(key)
        predictions = result.predictions

        def done(view: SetView) -> None:
            if self._runs.result(number) is not result:
                return  # It belongs to another project, or the run has gone on since.
            while len(self._views) >= _KEPT:
                self._asked.discard(old := next(iter(self._views)))
                del self._views[old]
            self._views[key] = view
            self.refresh()

        self._background.start(f"view {number} {name}", lambda _: view_of(predictions, name), done, lambda _: None)

    def _fill(self, view: SetView | None) -> None:
        if view is not None:
            self._offer_tabs(view.task)
            if view.regression:
                self.scatter.show_view(view)
            elif not view.labels:
                self.matrix.show_matrix(view.predictions.classes, view.matrix)
        self.classes.show_view(view if view and not view.regression else None)
        self._show_mistakes()

    def _show_mistakes(self) -> None:
        view, entry = self.view(), self._runs.entry(self._runs.current)
        fingerprint = entry.figures.get("data_fingerprint") if entry else None
        cell = self._cell if view and view.task == "classification" and self._cell[0] >= 0 else None
        self.mistakes.show_view(view, cell, pictures_of(self._data.state, fingerprint))
        # Of labels the words are always as short as their heading, and names may be long.
        self.mistake_table.size_columns({0: 116, 1: None, 2: 100 if view and view.labels else None, 3: 96})

    def _turn_to(self, view: SetView | None, any_health: bool) -> None:
        # A run that still trains has layers to show, and nothing else yet.
        tab = self._tab if view is not None or self._tab == "layers" or not any_health else "layers"
        page = self._pages["scatter" if tab == "matrix" and view and view.regression else tab]
        if tab in _NEEDS_RESULT and view is None:
            page = self._empties["result"]
        elif tab == "layers" and not any_health:
            page = self._empties["layers"]
        self.tabs.setValue(tab)
        self.stack.setCurrentWidget(page)
        self.sets.setVisible(view is not None and tab != "layers")
        self.all_of_them.setVisible(tab == "mistakes" and view is not None and self._cell[0] >= 0)
        self.note.set_name(self._note(view, tab))
        self._show_note()

    def _show_note(self) -> None:
        self.note.setVisible(bool(self.note.text()) and self.height() >= _LOW)

    def _note(self, view: SetView | None, tab: str) -> str:
        if view is None or tab == "layers":
            return ""
        count, name = grouped(view.predictions.n), view.set
        if tab == "matrix" and view.regression:
            return f"{name}, {self.scatter.note()} · " + self.tr("predicted over true")
        if tab == "matrix":
            return self.tr("{0}, {1} · % of the true class · click a cell for its examples").format(name, count)
        found = grouped(self.mistakes.rowCount())
        if view.labels:
            return self._labels_note(view, tab)
        if tab == "classes":
            return f"{name}, {count}"
        if view.regression:
            return self.tr("{0}, {1} · the largest first").format(name, count)
        if self._cell[0] >= 0:
            true, said = (view.predictions.classes[number] for number in self._cell)
            return self.tr("{0} examples of {1}, said {2}").format(found, true, said)
        return self.tr("{0} of {1} wrong · the most confident first").format(found, count)

    def _labels_note(self, view: SetView, tab: str) -> str:
        given, found = view.predictions, self.mistakes.rowCount()
        if tab == "mistakes":
            words = self.tr("{0} of {1} labels wrong · the most confident first")
            return words.format(grouped(found), grouped(int(given.known_labels.sum())))
        rates = [percent(rate.value if rate else None) for rate in (view.error, view.any_wrong)]
        words = self.tr("{0}, {1} · {2} wrong labels · {3} any wrong")
        return words.format(view.set, grouped(given.n), *rates)


def _table(name: str, model: object, sizes: dict[int, int | None]) -> Table:
    table = Table(name)
    table.setModel(model)  # type: ignore[arg-type]
    table.setUniformRowHeights(True)
    table.setEditTriggers(Table.EditTrigger.NoEditTriggers)
    table.header().setMinimumSectionSize(48)
    table.size_columns(sizes)
    return table


def _both_ways(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidgetResizable(True)
    area.setWidget(widget)
    area.viewport().setAutoFillBackground(False)
    widget.setAutoFillBackground(False)
    return area
