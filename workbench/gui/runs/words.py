"""Runs in words: their names, how they stand, what they changed, what they came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication

from workbench.events import RunEnded
from workbench.gui.figures import grouped
from workbench.gui.run_desk import RunDesk
from workbench.gui.text import safe
from workbench.gui.wording import describe_change
from workbench.recipe.paths import Change
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import EarlyStopping
from workbench.session.curves import RunCurves
from workbench.store.project import RunEntry

_MOST = 3
"""Changes that are told one by one."""


def run_name(number: int) -> str:
    """``run 7``."""
    return _tr("run {0}").format(number)


def change_text(entry: RunEntry, recipe: Recipe) -> str:
    """What a run changed: ``run 6 + filters 16 → 32``.

    Args:
        entry: the run.
        recipe: one whose fields give the changed paths their names; the one being worked on will do.
    """
    if entry.linked:
        return _tr("from {0}").format(safe(entry.folder.name))
    if entry.parent is None:
        return _tr("baseline")
    parent = run_name(entry.parent)
    if not entry.changes:
        return _tr("{0} again").format(parent)
    return f"{parent} + {changes_text(entry.changes, recipe)}"


def changes_text(changes: Sequence[Change], recipe: Recipe) -> str:
    """``filters 16 → 32``, or how many settings."""
    if len(changes) > _MOST:
        return _tr("{0} settings").format(len(changes))
    return ", ".join(dict.fromkeys(safe(describe_change(recipe, change)) for change in changes))


def state_text(runs: RunDesk, entry: RunEntry, curves: RunCurves | None) -> str:
    """How a run stands, in a word or two; empty for one that simply finished."""
    if runs.is_queued(entry.number):
        return _tr("queued")
    if runs.is_stopping(entry.number):
        return _tr("stopping")
    if runs.is_live(entry.number):
        stage = curves.stage if curves else ""
        return _tr(stage) if stage else _tr("training") if curves and curves.started else _tr("starting")
    words = {
        "running": _tr("trains elsewhere") if entry.linked else _tr("trains in another window"),
        "stopped": _tr("stopped"),
        "interrupted": _tr("interrupted"),
        "diverged": _tr("diverged"),
        "failed": _tr("failed"),
    }
    return words.get(entry.status, "")


def stop_text(ended: RunEnded | None, status: str, recipe_epochs: int, patience: EarlyStopping | None = None) -> str:
    """Why a run ended, in a few words; empty while it has not."""
    reason = ended.reason if ended else status
    if reason == "finished":
        return _tr("all {0} epochs done").format(grouped(recipe_epochs))
    if reason == "early_stopping":
        waited = _tr("no better for {0} epochs").format(patience.patience) if patience else ""
        return waited or _tr("no better for a while")
    words = {
        "stopped": _tr("stopped by you"),
        "diverged": _tr("diverged"),
        "failed": _tr("failed"),
        "interrupted": _tr("cut off"),
    }
    return words.get(reason, "")


def error_of(entry: RunEntry, curves: RunCurves | None) -> tuple[float | None, str]:
    """The error that a run is judged by, and the set that it was measured on: dev, or train where there is none.

    Of a run that has ended, of the model that was kept; of one that goes on or was cut off, the best so far.
    """
    errors: Any = entry.figures.get("errors")
    if isinstance(errors, dict):
        for name in ("dev", "train"):
            value = errors.get(name)
            if isinstance(value, dict) and isinstance(value.get("value"), int | float):
                return float(value["value"]), name
    best = curves.best if curves else None
    if best is not None and best.dev_error is not None:
        return best.dev_error, "dev"
    last = curves.epochs[-1] if curves and curves.epochs else None
    return (last.train_error, "train") if last else (None, "")


def interval_of(entry: RunEntry) -> tuple[float, float] | None:
    """The 95 % interval of the error that ``error_of`` gives for a run that has ended; None where there is none."""
    errors: Any = entry.figures.get("errors")
    for name in ("dev", "train"):
        value = errors.get(name) if isinstance(errors, dict) else None
        if isinstance(value, dict):
            low, high = value.get("low"), value.get("high")
            return (float(low), float(high)) if isinstance(low, int | float) and isinstance(high, int | float) else None
    return None


def _tr(text: str) -> str:
    return QCoreApplication.translate("runs", text)
