"""Finding a learning rate: the range test in the background, its curve, and one button that takes the suggestion."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from workbench.errors import WorkbenchError
from workbench.gui.background import Report
from workbench.gui.figures import rate
from workbench.gui.plots.rate_curve import RateCurve
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import INSIDE, Panel
from workbench.gui.widgets.progress import ProgressBar
from workbench.gui.workspace import Workspace
from workbench.recipe.recipe import Recipe
from workbench.session.prepare import prepare_at_hand
from workbench.session.rates import RangeTest, range_test

_PATH = "training.optimizer.learning_rate"
_OF_NO_MATTER = (_PATH, "goals", "training.epochs", "training.schedule", "training.early_stopping")
"""Settings that the test does not depend on."""
_TOPIC = "rates"


class RatesPanel(Panel):
    """Hidden until it is asked for. Tries rates out on a copy of the recipe's start; nothing that runs is changed.

    Args:
        workspace: its data and recipe are what is tried out; the suggestion goes into its document.

    Signals:
        grown: it shows more than before, and should be seen.
    """

    grown = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Find a learning rate"))
        self._workspace = workspace
        self._tested: Recipe | None = None
        self.result: RangeTest | None = None
        self.bar, self.curve = ProgressBar(), RateCurve()
        self.message = InlineMessage()
        self.text = Label("", wrap=True)
        self.how = Label("", "note", wrap=True)
        self.stale = Label(self.tr("Other settings have changed since: try again."), "error", wrap=True)
        self.take = Button("", clicked=self._take)
        self.again = Button(self.tr("Try again"), clicked=self.begin)
        self.cancel = Button(self.tr("Cancel"), clicked=self.put_away)
        self._lay_out()
        workspace.runs.listChanged.connect(self._on_runs)
        workspace.document.recipeChanged.connect(self._on_recipe)
        workspace.data.changed.connect(lambda _: self.put_away())
        self.hide()

    def _lay_out(self) -> None:
        close = Button("", "quiet", icon_name="close", tip=self.tr("Close"), clicked=self.put_away)
        self.add_control(close)
        for widget in (self.message, self.bar, self.text, self.curve, self.stale, self.how):
            self.add(widget, padded=widget is not self.curve)
        self.add_space(INSIDE)
        for button in (self.take, self.again, self.cancel):
            self.foot().addWidget(button)
        self.foot().addStretch(1)

    # --- the test ------------------------------------------------------------------------------------------------

    def why_not(self) -> str:
        """Why nothing can be tried out now; empty where it can."""
        workspace = self._workspace
        if workspace.runs.busy():
            return self.tr("A run is going on: both would be slowed down. Try it when the run has ended.")
        if workspace.data.state is not None and not workspace.data.up_to_date:
            return self.tr("Data are being read.")
        return workspace.why_not_train()

    def begin(self) -> None:
        """Try rates out, in the background."""
        self.show()
        reason = self.why_not()
        dataset, workspace = self._workspace.data.dataset, self._workspace
        self.result = None
        if reason or dataset is None:
            self._show_message("info", self.tr("Not now"), reason)
            return
        recipe, threads = workspace.document.recipe, workspace.runs.threads
        self._tested = recipe

        def work(report: Report) -> RangeTest:
            # To compile would hold the window up: kernels are used where they are there.
            return range_test(prepare_at_hand(recipe, dataset, threads), progress=report, compiles=False)

        self.bar.set_share(0.0)
        self._show("bar", "text", "cancel")
        self.text.setText(self.tr("The rate rises from step to step on a copy of the network…"))
        # A time that is being estimated just now would come out wrong.
        workspace.background.cancel("estimate")
        workspace.background.start(_TOPIC, work, self._on_done, self._on_failure, self._on_progress)

    def put_away(self) -> None:
        """End the test, if one goes on, and close the panel."""
        self._workspace.background.cancel(_TOPIC)
        self._tested = self.result = None
        self.hide()

    @property
    def running(self) -> bool:
        """Whether rates are being tried out."""
        return self._tested is not None and self.result is None

    def _on_progress(self, _: str, done: int, total: int) -> None:
        self.bar.set_share(done / total if total else None)

    def _on_done(self, found: RangeTest) -> None:
        self.result = found
        self._show_result()

    def _on_failure(self, error: WorkbenchError) -> None:
        self._tested = None
        self._show("message", "again")
        self.message.show_error(error)

    def _on_runs(self) -> None:
        """A run goes first: what it measures must not be disturbed."""
        if self.running and self._workspace.runs.busy():
            self._workspace.background.cancel(_TOPIC)
            self._tested = None
            self._show_message("info", self.tr("Ended"), self.tr("A run has begun, and goes first."))

    # --- what it gave --------------------------------------------------------------------------------------------

    def _show_result(self) -> None:
        found = self.result
        assert found is not None
        self._show("curve" if len(found.rates) > 1 else "", "text", "how", "again")
        self._show_figures()

    def _show_figures(self) -> None:
        found, now = self.result, self._workspace.document.recipe.training.optimizer.learning_rate
        assert found is not None
        if found.suggestion is None:
            self.text.setText(self.tr("Cannot tell. {0}").format(found.doubt))
        else:
            words = self.tr("Steepest fall at {0}; lowest at {1}, a tenth of it is {2}.")
            rates = (rate(float(f"{value or 0.0:.1e}")) for value in (found.steepest, found.minimum, found.tenth))
            self.text.setText(words.format(*rates))
            self.take.setText(self.tr("Use {0}").format(rate(found.suggestion)))
            self.take.setEnabled(found.suggestion != now)
            self.take.show()
        self.how.setText(self.tr("Smoothed by the bias-corrected average; raw at 25\u00a0%. Smith’s range test, 2017."))
        self.curve.show_test(found, now)
        self._show_staleness()

    def _take(self) -> None:
        if self.result is not None and self.result.suggestion is not None:
            self._workspace.document.set(_PATH, self.result.suggestion)

    def _on_recipe(self, *_: object) -> None:
        if self.result is not None:
            self._show_figures()

    def _show_staleness(self) -> None:
        assert self._tested is not None
        changes = self._tested.diff(self._workspace.document.recipe)
        self.stale.setVisible(any(not change.path.startswith(_OF_NO_MATTER) for change in changes))

    def _show_message(self, kind: str, title: str, text: str) -> None:
        self._tested = None
        self.message.set_message("info" if kind == "info" else "warning", title, text)
        self._show("message", "again")

    def _show(self, *names: str) -> None:
        for name in ("message", "bar", "text", "curve", "stale", "how", "take", "again", "cancel"):
            getattr(self, name).setVisible(name in names)
        self.grown.emit()
