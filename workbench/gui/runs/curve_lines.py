"""From what runs have measured to the lines and signs of a plot."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PySide6.QtCore import QCoreApplication

from workbench.gui.figures import rate
from workbench.gui.plots.overlay import Moment, Sign
from workbench.gui.plots.plot import DASHED, SOLID
from workbench.gui.plots.stroke import Line, Weight
from workbench.gui.runs.markers import Marker
from workbench.gui.runs.view import Axis, CurveView
from workbench.gui.runs.words import run_name
from workbench.session.curves import RunCurves
from workbench.session.series import Columns
from workbench.session.smoothing import Average
from workbench.store.project import RunEntry

Numbers = np.ndarray[Any, Any]
Part = Literal["train", "dev", "batches"]


@dataclass(frozen=True)
class ShownRun:
    """A run in the plot.

    Attributes:
        entry: the run.
        curves: what it has said.
        marker: its sign.
        selected: whether it is the one looked at.
    """

    entry: RunEntry
    curves: RunCurves
    marker: Marker
    selected: bool


class LineMaker:
    """Makes the lines of runs. What was averaged before is not averaged again."""

    def __init__(self) -> None:
        self._averages: dict[tuple[int, str], tuple[Columns, int, float, Average]] = {}

    def lines(self, run: ShownRun, view: CurveView, axis: Axis, *, alone: bool) -> list[Line]:
        """The lines of the error or the loss of a run.

        Args:
            run: which one.
            view: what to show.
            axis: the horizontal one.
            alone: whether no other run is shown, so that it need not be named.
        """
        series = run.curves.series
        found: list[Line] = []
        if view.measure == "loss" and run.selected and len(series.steps):
            found.append(_line(run, "batches", series.steps, "loss", axis, "raw", alone=alone))
        for part in ("train", "dev"):
            column = f"{part}_{view.measure}"
            if np.isfinite(series.epochs[column]).any():
                found += self._smoothed(run, part, column, view.beta, axis, alone)
        return found

    def _smoothed(self, run: ShownRun, part: Part, column: str, beta: float, axis: Axis, alone: bool) -> list[Line]:
        epochs = run.curves.series.epochs
        weight: Weight = "strong" if run.selected else "plain"
        if beta == 0:
            return [_line(run, part, epochs, column, axis, weight, alone=alone)]
        raw = _line(run, part, epochs, column, axis, "raw", alone=alone)
        name = _tr("{0}, smoothed").format(raw.name)
        y = self._average(run.entry.number, epochs, column, beta)
        # One key for both: the raw line is known as that of the smoothed one.
        smooth = Line(raw.key.removesuffix(".raw"), name, raw.x, y, raw.ink, (raw.version, beta), _style(part), weight)
        return [raw, smooth]

    def _average(self, number: int, epochs: Columns, column: str, beta: float) -> Numbers:
        """The untrained network's value stands first and does not count: it would drag the average for many epochs."""
        known = self._averages.get((number, column))
        cuts = epochs.cuts
        if known is None or known[0] is not epochs or known[1:3] != (cuts, beta):
            known = self._averages[number, column] = epochs, cuts, beta, Average(beta)
        first = 1 if len(epochs) and epochs["epoch"][0] == 0 else 0
        values = epochs[column]
        return np.concatenate([values[:first], known[3].follow(values[first:])])


def _line(run: ShownRun, part: Part, columns: Columns, column: str, axis: Axis, weight: Weight, *, alone: bool) -> Line:
    x = columns[axis.column]
    version: Hashable = (id(columns), columns.version, column, axis.across, axis.unit)
    words = {"train": _tr("train"), "dev": _tr("dev"), "batches": _tr("batches as trained")}[part]
    name = words if alone else f"{run_name(run.entry.number)} {words}"
    key = f"{run.entry.number} {part}{'.raw' if weight == 'raw' else ''}"
    style = SOLID if weight == "raw" else _style(part)
    return Line(
        key, name, x / axis.unit if axis.unit != 1 else x, columns[column], run.marker.color, version, style, weight
    )


def _style(part: Part) -> Any:
    return DASHED if part == "dev" else SOLID


def signs_of(run: ShownRun, view: CurveView, axis: Axis) -> list[Sign]:
    """The best epoch, the run's shape; for the error also the test set's, a disc, at the epoch that was kept."""
    found: list[tuple[object, float | None, bool, float]] = []
    shape, ink = run.marker.shape, run.marker.color
    best = run.curves.best
    if best is not None:
        y = best.dev_error if view.measure == "error" else best.dev_loss
        found.append((best.epoch, y, False, 9.0))
    test = _test_error(run.entry)
    if test is not None and view.measure == "error":
        kept = run.entry.figures.get("best_epoch" if run.entry.figures.get("kept") == "best" else "epochs")
        found.append((kept, test, True, 6.5))
    signs = []
    for epoch, y, filled, size in found:
        x = _x_of_epoch(run.curves, epoch, axis)
        if x is not None and isinstance(y, int | float) and np.isfinite(y):
            signs.append(Sign(x, float(y), "circle" if filled else shape, ink, filled, size))
    return signs


def _x_of_epoch(curves: RunCurves, epoch: object, axis: Axis) -> float | None:
    epochs = curves.series.epochs
    if not isinstance(epoch, int) or not len(epochs):
        return None
    place = int(np.searchsorted(epochs["epoch"], epoch))
    if place >= len(epochs) or epochs["epoch"][place] != epoch:
        return None
    return float(epochs[axis.column][place]) / axis.unit


def _test_error(entry: RunEntry) -> float | None:
    errors = entry.figures.get("errors")
    value = (errors.get("test") or {}).get("value") if isinstance(errors, dict) else None
    return float(value) if isinstance(value, int | float) else None


def moments_of(curves: RunCurves, axis: Axis) -> tuple[Moment, ...]:
    """Where the learning rate was changed by hand, or by a schedule that watches the dev set."""
    found = []
    for change in curves.changes:
        words = _tr("plateau: learning rate {0} → {1}") if change.by_schedule else _tr("learning rate {0} → {1}")
        text = words.format(rate(change.before), rate(change.after))
        found.append(Moment(x_of_step(curves, change.step, change.epoch, axis), text))
    return tuple(found)


def x_of_step(curves: RunCurves, step: int, epoch: float, axis: Axis) -> float:
    """Where a step stands on the axis."""
    if axis.across == "epoch":
        return epoch
    if axis.across == "step":
        return float(step)
    steps = curves.series.steps
    return float(np.interp(step, steps["step"], steps["seconds"])) / axis.unit if len(steps) else 0.0


def _tr(text: str) -> str:
    return QCoreApplication.translate("curves", text)
