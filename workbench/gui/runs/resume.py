"""Whether a run can go on from its last checkpoint, and what to say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QCoreApplication

from workbench.errors import RecipeError
from workbench.gui.figures import grouped
from workbench.gui.run_desk import RunDesk
from workbench.gui.runs.words import changes_text, run_name
from workbench.gui.text import visible
from workbench.session.curves import RunCurves
from workbench.store.project import RunEntry


@dataclass(frozen=True)
class Offer:
    """What is said of a run that ended early.

    Attributes:
        title, text: words.
        resumable: whether it can go on.
        action: what to do instead, on a button; empty where there is nothing.
        patch: the change of the recipe that it stands for, by path.
    """

    title: str
    text: str
    resumable: bool
    action: str = ""
    patch: dict[str, Any] = field(default_factory=dict)


def why_not_resume(runs: RunDesk, entry: RunEntry) -> str:
    """Why a run cannot go on; empty where it can."""
    if runs.project is None or not runs.project.writable:
        return _tr("The project is read-only.")
    if entry.number in runs.busy():
        return _tr("It is going on.")
    if entry.status not in ("stopped", "interrupted", "failed"):
        return _tr("It has come to its end.")
    if not (entry.folder / "run.sqlite").is_file():
        return _tr("It has saved nothing yet.")
    return ""


def offer_of(runs: RunDesk, entry: RunEntry, curves: RunCurves) -> Offer | None:
    """What to offer for a run that ended early; None for one that goes on or did all that it should."""
    if entry.number in runs.busy() or entry.status not in ("stopped", "interrupted", "failed", "diverged"):
        return None
    heads = {
        "stopped": _tr("{0} was stopped"),
        "interrupted": _tr("{0} was cut off"),
        "failed": _tr("{0} failed"),
        "diverged": _tr("{0} diverged"),
    }
    started, done = curves.started, curves.epochs[-1].epoch if curves.epochs else 0
    title = heads[entry.status].format(run_name(entry.number))
    if started is not None:
        place = _tr("after epoch {0} of {1}").format(grouped(done), grouped(started.epochs))
        if done >= started.epochs and entry.status != "failed":
            return None
        title = f"{title} {place}"
    resumable = not why_not_resume(runs, entry)
    kept = _tr("Every finished epoch is saved; it can go on from there.") if resumable else ""
    action, patch = _instead(runs, entry, curves)
    return Offer(title, visible(entry.message) or kept, resumable and not patch, action, patch)


def _instead(runs: RunDesk, entry: RunEntry, curves: RunCurves) -> tuple[str, dict[str, Any]]:
    """What a run that failed proposed to change, in words and by path."""
    patch, recipe = curves.ended.patch if curves.ended else {}, runs.recipe(entry.number)
    if not patch or recipe is None or runs.project is None or not runs.project.writable:
        return "", {}
    try:
        changed = recipe.replace(patch)
    except RecipeError:
        return "", {}  # Of another version's making.
    return _tr("Train with {0}").format(changes_text(tuple(recipe.diff(changed)), changed)), patch


def _tr(text: str) -> str:
    return QCoreApplication.translate("runs", text)
