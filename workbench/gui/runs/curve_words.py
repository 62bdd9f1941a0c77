"""What stands around the curves: levels, legend, the best epoch in words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from workbench.gui.figures import SPACE, grouped, percent
from workbench.gui.plots.legend import Key
from workbench.gui.plots.overlay import Level
from workbench.gui.plots.plot import DASHED, SOLID
from workbench.gui.plots.stroke import Line
from workbench.gui.run_desk import RunDesk
from workbench.gui.runs.curve_lines import ShownRun
from workbench.gui.runs.markers import Marker
from workbench.gui.runs.view import CurveView
from workbench.gui.runs.words import run_name
from workbench.recipe.training import Goals


def goals_of(runs: RunDesk, number: int) -> Goals | None:
    """What a run is measured by; None before its recipe was read."""
    result, recipe = runs.result(number), runs.recipe(number)
    return result.goals if result else recipe.goals if recipe else None


def levels_of(goals: Goals | None, view: CurveView) -> tuple[Level, ...]:
    """Human level and Bayes error as lines; nothing over losses, which they do not measure."""
    if goals is None or view.measure != "error":
        return ()
    found = []
    for value, name, tone in ((goals.human_error, _tr("human level"), "good"), (goals.bayes_error, "Bayes", "grey")):
        if value is not None:
            found.append(Level(value, f"{name} {percent(value)}", tone))
    return tuple(found)


def keys_of(runs: Sequence[ShownRun], lines: Sequence[Line], *, test: bool) -> list[Key]:
    """The legend's entries: kinds of line, then runs where there are several. A run that is alone lends its color."""
    parts = {part_of(line.key) for line in lines}
    marker = runs[0].marker if len(runs) == 1 else Marker("", None)
    ink = marker.color if len(runs) == 1 else ""
    keys = []
    if "train" in parts:
        keys.append(Key("part train", _tr("train"), None, SOLID, ink))
    if "dev" in parts:
        keys.append(Key("part dev", _tr("dev"), None, DASHED, ink))
    if "batches" in parts:
        keys.append(Key("part batches", _tr("batches"), None, SOLID, ink, faint=True))
    if test:
        keys.append(Key("part test", _tr("test"), Marker("circle", marker.ink), None))
    if len(runs) > 1:
        keys += [Key(f"run {run.entry.number}", run_name(run.entry.number), run.marker) for run in runs]
    return keys


def part_of(key: str) -> str:
    """``train`` of ``7 train.raw``."""
    return key.partition(" ")[2].removesuffix(".raw")


def is_hidden(key: str, hidden: frozenset[str]) -> bool:
    """Whether a line is hidden by its kind or by its run."""
    number = key.partition(" ")[0]
    return f"part {part_of(key)}" in hidden or f"run {number}" in hidden


def best_text(run: ShownRun, view: CurveView) -> str:
    """``best dev 3.6 % at epoch 31``."""
    best = run.curves.best
    if best is None:
        return ""
    value = best.dev_error if view.measure == "error" else best.dev_loss
    if value is None:
        return ""
    shown = percent(value) if view.measure == "error" else f"{value:.4g}"
    return _tr("best dev {0} at epoch {1}").format(shown, grouped(best.epoch))


def waiting_text(run: ShownRun, view: CurveView) -> str:
    """What is being waited for in a run's first epoch, which may take minutes; empty later."""
    curves = run.curves
    if curves.started is None or (curves.epochs and curves.epochs[-1].epoch > 0):
        return ""
    if not curves.epochs and not curves.steps:
        return _tr("the untrained network is being measured")
    if view.measure == "loss" or not curves.steps:
        return ""
    last = curves.steps[-1]
    words = _tr("the error is measured after each epoch · step {0} of {1}, loss of its batches {2}")
    return words.format(grouped(last.step), grouped(curves.started.steps_per_epoch), f"{last.loss:.3g}")


def tick_text(value: float, view: CurveView) -> str:
    """A label of the vertical axis."""
    return f"{100 * value:.6g}{SPACE}%" if view.measure == "error" else f"{value:.6g}"


def value_text(value: float, view: CurveView) -> str:
    """A value at the crosshair."""
    return percent(value, 2) if view.measure == "error" else f"{value:.4g}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("curves", text)
