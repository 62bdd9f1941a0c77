"""The settings of training: what is minimized and how, for how long, what lowers variance, and the goals."""

from __future__ import annotations

from math import ceil
from typing import cast

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from workbench.engine.layer import Loss, ShapeError
from workbench.gui.data_facts import DataFacts
from workbench.gui.document import Document
from workbench.gui.figures import DASH, grouped, rate
from workbench.gui.forms.binding import Binding
from workbench.gui.forms.form import Form
from workbench.gui.forms.kind import KindEditor
from workbench.gui.plots.schedule_curve import Curve, ScheduleCurve, curve_of, watched_words
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.facts_row import FactsRow
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import GAP, INSIDE, Panel, Scroll
from workbench.gui.widgets.segmented import Segmented
from workbench.recipe.kinds import LossSpec
from workbench.recipe.training import Goals, TrainingRecipe

_AVERAGES = ("beta", "beta1", "beta2", "rho")
_LEARNING = ("loss", "optimizer", "epochs", "batch_size", "shuffle", "seed", "accumulate", "precision")
_REGULARIZATION = (
    "l2", "dropout", "clip_norm", "early_stopping", "l1", "max_norm", "clip_value", "ema",
)  # fmt: skip
_THREE, _TWO, _ONE = 960, 640, 280
"""Widths from which there are so many columns."""


class TrainingPanel(QWidget):
    """Forms of the training section and of the goals, made from the recipe's fields; the schedule is drawn beside.

    One, two or three columns by width; what is too high scrolls.

    Args:
        document: holds the recipe.
        inset: pixels around the panels.
        more: further panels: what helps to find a learning rate, and what the weights begin with.

    Signals:
        findRateAsked: the user wants help with the learning rate.
    """

    findRateAsked = Signal()

    def __init__(
        self,
        document: Document,
        *,
        inset: int = GAP,
        more: tuple[QWidget, QWidget] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Training"))
        self._inset = inset
        self._document = document
        self.learning = Form(TrainingRecipe, only=_LEARNING)
        self.schedule = Form(TrainingRecipe, only=("schedule",))
        self.regularization = Form(TrainingRecipe, only=_REGULARIZATION)
        self.goals = Form(Goals)
        self._problem = InlineMessage("error")
        self._curve = ScheduleCurve()
        self._unknown = Label("", "note", wrap=True)
        self._facts = FactsRow(self._fact_names())
        self._panels = [
            self._form_panel(self.tr("Learning"), self._problem, self.learning),
            self._schedule_panel(),
            self._form_panel(self.tr("Regularization"), self.regularization, note=self.tr("lowers variance")),
            self._form_panel(self.tr("Goals"), self.goals, note=self.tr("what to compare with")),
        ]
        self._more = more or ()
        self._finds: Form | None = None
        self._columns = 0
        self._lay_out()
        self._bind()

    def forms(self) -> tuple[Form, ...]:
        """All forms, in the order of the panels."""
        return (self.learning, self.schedule, self.regularization, self.goals)

    def set_expert(self, expert: bool) -> None:
        """Open or fold the advanced fields."""
        for form in self.forms():
            form.set_expert(expert)

    def reveal(self, panel: QWidget) -> None:
        """Scroll to one of the panels."""
        # Once it has got its size.
        QTimer.singleShot(0, panel, lambda: self._scroll.ensureWidgetVisible(panel, 0, GAP))

    def _form_panel(self, title: str, *widgets: QWidget, note: str = "") -> Panel:
        panel = Panel(title, note)
        for widget in widgets:
            panel.add(widget, padded=True)
        panel.add_space(INSIDE)
        panel.add_stretch()
        return panel

    def _schedule_panel(self) -> Panel:
        panel = Panel(self.tr("Learning rate"), self.tr("over the epochs"))
        scale = Segmented([(False, self.tr("lin")), (True, self.tr("log"))])
        scale.setAccessibleName(self.tr("Scale"))
        scale.valueChanged.connect(lambda log: self._curve.set_log(bool(log)))
        panel.add_control(scale)
        panel.add(self.schedule, padded=True)
        panel.add(self._curve, stretch=1)
        panel.add(self._unknown, padded=True)
        panel.add(self._facts)
        return panel

    def _fact_names(self) -> tuple[str, ...]:
        return (self.tr("first"), self.tr("highest"), self.tr("last"), self.tr("steps/epoch"), self.tr("steps"))

    def _lay_out(self) -> None:
        content = QWidget()
        self._grid = QGridLayout(content)
        self._grid.setContentsMargins(self._inset, self._inset, self._inset, self._inset)
        self._grid.setSpacing(GAP)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._scroll = Scroll(content, least=_ONE)
        column.addWidget(self._scroll)
        self._arrange(3)

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for panel in (*self._panels, *self._more):
            self._grid.removeWidget(panel)
        places = {
            3: [(0, 0, 2, 1), (0, 1, 2, 1), (0, 2, 1, 1), (1, 2, 1, 1)],
            2: [(0, 0, 1, 1), (0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 1, 1)],
            1: [(row, 0, 1, 1) for row in (0, 2, 4, 5)],
        }[columns]
        # In one column they stand where they belong: below the learning rate, and before what lowers variance.
        extra = [(1, 0, 1, 1), (3, 0, 1, 1)] if columns == 1 else [(2, 0, 1, 1), (2, 1, 1, 1)]
        for panel, place in zip((*self._panels, *self._more), places + extra, strict=False):
            self._grid.addWidget(panel, *place)
        for number in range(3):
            wide = 6 if columns == 3 and number == 1 else 5
            self._grid.setColumnStretch(number, wide if number < columns else 0)
            self._grid.setRowStretch(number, 1 if columns == 3 and number == 1 else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = event.size().width()
        self._arrange(3 if width >= _THREE else 2 if width >= _TWO else 1)

    def _bind(self) -> None:
        for form in (self.learning, self.schedule, self.regularization):
            Binding(form, self._document, "training")
        Binding(self.goals, self._document, "goals")
        self._document.recipeChanged.connect(self._update)
        self._document.factsChanged.connect(self._on_facts)
        self._document.problemsChanged.connect(self._show_problem)
        self._on_facts()

    def _on_facts(self) -> None:
        losses = losses_for(self._document.recipe.data.task, self._document.facts)
        self.learning.set_choices({"loss": losses})
        self._show_problem()
        self._update()

    def _show_problem(self) -> None:
        """The loss does not suit the data: said above it, as the mistake is in none of the fields' values."""
        found = [one for one in self._document.problems if one.where.startswith("training")]
        if found:
            self._problem.set_message("error", self.tr("It does not fit the data"), str(found[0].what))
        self._problem.setVisible(bool(found))

    def _update(self) -> None:
        training, facts = self._document.recipe.training, self._document.facts
        curve = curve_of(training, facts.examples if facts else 0)
        self._curve.show_curve(curve)
        self._unknown.setText(watched_words(training))
        self._unknown.setVisible(bool(self._unknown.text()))
        self._show_rates(curve, training.epochs)
        self._explain_averages()
        self._offer_to_find()
        steps = self.tr("{0} steps an epoch").format(grouped(curve.steps_per_epoch)) if curve.steps_per_epoch else ""
        self.learning.row("batch_size").explain(steps)
        self.learning.row("accumulate").explain(self._update_words(training.accumulate, curve))
        none = self.tr("The run will hold the initial weights.") if training.epochs == 0 else ""
        self.learning.row("epochs").explain(none)

    def _update_words(self, accumulate: int, curve: Curve) -> str:
        if accumulate == 1 or not curve.steps_per_epoch:
            return ""
        return self.tr("{0} updates an epoch").format(grouped(ceil(curve.steps_per_epoch / accumulate)))

    def _show_rates(self, curve: Curve, epochs: int) -> None:
        rates = curve.rates
        top = max(rates, default=0.0)
        # A soft end never quite reaches 0; its last digits tell nothing.
        values = [rate(one if one > 1e-6 * top else 0.0) for one in (rates[0], top, rates[-1])] if rates else [DASH] * 3
        if self._unknown.text():
            values[-1] = DASH  # depends on the dev set
        known = bool(curve.steps_per_epoch)
        values.append(grouped(curve.steps_per_epoch) if known else DASH)
        values.append(grouped(curve.steps_per_epoch * epochs) if known else DASH)
        for name, value in zip(self._fact_names(), values, strict=True):
            self._facts.set_value(name, value)

    def _offer_to_find(self) -> None:
        """A way to find the learning rate, beside it; the field is made anew with every kind of optimizer."""
        editor = self.learning.row("optimizer").editor
        form = editor.form() if isinstance(editor, KindEditor) else None
        if not self._more or form is self._finds or not isinstance(form, Form):
            return
        self._finds = form
        tip = self.tr("Try rising rates out on a copy of the network, and see where the loss falls fastest.")
        form.row("learning_rate").offer(Button(self.tr("Find…"), "link", clicked=self.findRateAsked.emit, tip=tip))

    def _explain_averages(self) -> None:
        """How far back an exponentially weighted average looks: 1 / (1 - beta) steps (the lecture's rule)."""
        editor = self.learning.row("optimizer").editor
        form = editor.form() if isinstance(editor, KindEditor) else None
        optimizer = self._document.recipe.training.optimizer
        if not isinstance(form, Form) or form.model is not type(optimizer):
            return
        for name in _AVERAGES:
            if name in form.rows():
                steps = round(1 / (1 - getattr(optimizer, name)))
                form.row(name).explain(self.tr("averages over about {0} steps").format(grouped(steps)))


def losses_for(task: str, facts: DataFacts | None) -> tuple[str, ...]:
    """The names of the losses that suit the task and the number of classes."""
    kinds = [cast(type[Loss], kind) for kind in LossSpec.kinds().values()]
    return tuple(kind.kind for kind in kinds if kind.task == task and _takes(kind, facts))


def _takes(kind: type[Loss], facts: DataFacts | None) -> bool:
    try:
        return facts is None or kind.task != facts.task or kind().outputs(facts.outputs) > 0
    except ShapeError:
        return False
