"""The learning rate over the epochs, as the schedule will set it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import cast

import numpy as np
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from workbench.gui.figures import rate, scientific
from workbench.gui.plots.plot import Plot, line_pen
from workbench.gui.theme import color, theme, tokens
from workbench.recipe.training import TrainingRecipe
from workbench.training.schedules.base import Moment, Schedule

_SAMPLES = 480
_STEPS_IF_UNKNOWN = 100


@dataclass(frozen=True)
class Curve:
    """Learning rates of a run.

    Attributes:
        epochs: positions, in epochs from 0.
        rates: the learning rate there, as far as it is known beforehand.
        steps_per_epoch: batches of the training set; 0 where the data is not known.
    """

    epochs: Sequence[float]
    rates: Sequence[float]
    steps_per_epoch: int


def curve_of(recipe: TrainingRecipe, examples: int) -> Curve:
    """The learning rate at evenly spread steps of a run.

    Args:
        recipe: optimizer, schedule, epochs and batch size.
        examples: in the training set; 0 where it is not known.
    """
    known = ceil(examples / recipe.batch_size) if examples else 0
    per_epoch = known or _STEPS_IF_UNKNOWN
    per_epoch = ceil(per_epoch / recipe.accumulate)
    total = recipe.epochs * per_epoch
    steps = sorted({round(step) for step in np.linspace(0, max(0, total - 1), min(total, _SAMPLES))})
    schedule, base = cast(Schedule, recipe.schedule), recipe.optimizer.learning_rate
    moments = (Moment(step // per_epoch, step, recipe.epochs, per_epoch) for step in steps)
    rates = [base * schedule.factor(moment) for moment in moments]
    kept = [(step / per_epoch, value) for step, value in zip(steps, rates, strict=True) if isfinite(value)]
    return Curve([epoch for epoch, _ in kept], [value for _, value in kept], known)


def watched_words(recipe: TrainingRecipe) -> str:
    """What the curve cannot show of a schedule that reacts to the dev set; empty for the others."""
    metric = cast(Schedule, recipe.schedule).watches()
    if not metric:
        return ""
    words = QCoreApplication.translate(
        "schedule", "The highest it will be: each time the {0} stops improving, it falls below this line from there on."
    )
    return words.format(metric.replace("_", " "))


class ScheduleCurve(Plot):
    """Draws a ``Curve``; linear or logarithmic."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._curve = Curve((), (), 0)
        super().__init__("", y_text=self._tick, fixed=True, parent=parent)
        self.setAccessibleName(self.tr("The learning rate over the epochs"))
        self.setMinimumHeight(140)
        self._log = False
        # Filled without antialiasing: pyqtgraph fills piece by piece, and soft edges would show as seams.
        self._ground = self.plot([], [], pen=None, fillLevel=0.0)
        self._line = self.plot([], [], antialias=True)
        self.getPlotItem().getViewBox().setLimits(xMin=0)
        theme().changed.connect(self._draw)
        self._draw()

    def show_curve(self, curve: Curve) -> None:
        """Draw another one."""
        self._curve = curve
        self._draw()

    def set_log(self, log: bool) -> None:
        """Whether equal heights are equal factors."""
        self._log = log
        self.setLogMode(False, log)
        self._draw()

    def _tick(self, value: float) -> str:
        # One way of writing for all labels of an axis.
        return scientific(value) if max(self._curve.rates, default=0.0) < 0.1 else rate(value)

    def _draw(self) -> None:
        curve, item = self._curve, self.getPlotItem()
        shown = [(x, y) for x, y in zip(curve.epochs, curve.rates, strict=True) if y > 0 or not self._log]
        across, up = [x for x, _ in shown], [y for _, y in shown]
        self._line.setData(across, up)
        self._line.setPen(line_pen(tokens().accent, points=len(shown)))
        self._ground.setData(across, up)
        self._ground.setBrush(color(tokens().accent_soft))
        self._ground.setVisible(not self._log)
        if not shown:
            return
        item.setXRange(0, max(1.0, curve.epochs[-1]), padding=0.0)
        if self._log:
            item.enableAutoRange(y=True)
        else:
            item.setYRange(0, max(curve.rates) * 1.08, padding=0.0)
        words = self.tr("from {0} to {1} over {2} epochs")
        self.setAccessibleDescription(words.format(rate(curve.rates[0]), rate(curve.rates[-1]), ceil(curve.epochs[-1])))
