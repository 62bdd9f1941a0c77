"""The figures of a run that stand under its curves, in words."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from workbench.gui.figures import DASH, duration, grouped, rate
from workbench.gui.run_desk import RunDesk
from workbench.gui.runs.curve_lines import ShownRun
from workbench.gui.runs.words import state_text, stop_text
from workbench.gui.text import safe


@dataclass(frozen=True)
class RunFacts:
    """What the row says.

    Attributes:
        status, epoch, step, speed, elapsed, device: words.
        applied: the learning rate of the last step; None before.
        asked: the base learning rate in force: the recipe's, or what was asked for since; None where not known.
        tip: why the run ended, and what it was measured on.
    """

    status: str = DASH
    epoch: str = DASH
    step: str = DASH
    applied: float | None = None
    asked: float | None = None
    speed: str = DASH
    elapsed: str = DASH
    device: str = DASH
    tip: str = ""


def facts_of(run: ShownRun, runs: RunDesk) -> RunFacts:
    """The figures of a run as they stand now."""
    curves, entry = run.curves, run.entry
    started, series = curves.started, curves.series
    number = entry.number
    live = runs.is_live(number)
    status = state_text(runs, entry, curves)
    reason = _reason(run, runs)
    steps, epochs = series.steps, series.epochs
    last_step = max(int(part["step"][-1]) if len(part) else 0 for part in (steps, epochs))
    applied = float(steps["learning_rate"][-1]) if len(steps) else None
    return RunFacts(
        status or (_tr("stopped early") if entry.status == "early_stopping" else _tr("finished")),
        _epoch(run, live=live),
        grouped(last_step) if started else DASH,
        applied,
        base_rate(run, runs),
        _speed(run),
        duration(_elapsed(run, live=live)) if started else DASH,
        safe(started.device) if started else DASH,
        "\n".join(part for part in (reason, _sample(run)) if part),
    )


def base_rate(run: ShownRun, runs: RunDesk) -> float | None:
    """The base learning rate in force (alpha0 of the schedule)."""
    asked = [change for change in run.curves.changes if not change.by_schedule]
    if asked:
        return asked[-1].after
    recipe = runs.recipe(run.entry.number)
    return recipe.training.optimizer.learning_rate if recipe else None


def rate_text(facts: RunFacts) -> str:
    """The applied learning rate."""
    return rate(facts.applied) if facts.applied is not None else DASH


def _reason(run: ShownRun, runs: RunDesk) -> str:
    if run.curves.started is None or runs.is_live(run.entry.number):
        return ""
    recipe = runs.recipe(run.entry.number)
    patience = recipe.training.early_stopping if recipe else None
    return stop_text(run.curves.ended, run.entry.status, run.curves.started.epochs, patience)


def _epoch(run: ShownRun, *, live: bool) -> str:
    curves = run.curves
    if curves.started is None:
        return DASH
    done = curves.epochs[-1].epoch if curves.epochs else 0
    now = min(curves.started.epochs, int(curves.position) + 1) if live else done
    return f"{grouped(now)} / {grouped(curves.started.epochs)}"


def _speed(run: ShownRun) -> str:
    value = run.curves.examples_per_second
    if not value:
        return DASH
    # Three figures: the others change with every epoch.
    return grouped(int(float(f"{value:.3g}"))) if value >= 100 else f"{value:.3g}"


def _elapsed(run: ShownRun, *, live: bool) -> float:
    return max(0.0, run.curves.elapsed(time.time() if live else None))


def _sample(run: ShownRun) -> str:
    started = run.curves.started
    if started is None:
        return ""
    words = _tr("{0} parameters · train error on {1} examples, dev on {2}")
    dev = started.examples.get("dev", 0)
    return words.format(grouped(started.parameters), grouped(started.train_sample), grouped(dev))


def _tr(text: str) -> str:
    return QCoreApplication.translate("facts", text)
