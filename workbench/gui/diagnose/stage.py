"""How far a run is on the way to its diagnosis, and what to say of it before it has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QCoreApplication

from workbench.diagnosis.diagnose import Diagnosis
from workbench.errors import WorkbenchError
from workbench.gui.diagnose import words
from workbench.gui.diagnose.rungs import provisional_rows
from workbench.gui.figures import grouped
from workbench.gui.run_desk import RunDesk
from workbench.gui.text import visible
from workbench.gui.widgets.ladder import Row
from workbench.gui.widgets.verdict_box import VerdictKind
from workbench.recipe.training import Goals
from workbench.store.project import RunEntry

Stage = Literal["none", "waiting", "training", "elsewhere", "reading", "failed", "ready"]
"""How far a run is on the way to its diagnosis; ``elsewhere``: it trains in another window."""


@dataclass(frozen=True)
class Said:
    """What the verdict's box says.

    Attributes:
        kind: its shape.
        headline: a few words.
        sentence: one or two sentences.
    """

    kind: VerdictKind
    headline: str
    sentence: str


def stage_of(runs: RunDesk, number: int, error: WorkbenchError | None = None) -> Stage:
    """How far a run is.

    Args:
        runs: the list.
        number: the run, 0 for none.
        error: why its result could not be read.
    """
    entry = runs.entry(number)
    if entry is None:
        return "none"
    if runs.is_queued(number):
        return "waiting"
    if runs.is_live(number):
        return "training"
    if runs.result(number) is not None:
        return "ready"
    if entry.status == "running" and runs.project is not None and not runs.project.writable:
        return "elsewhere"
    return "reading" if entry.ended_well and error is None else "failed"


def said_of(diagnosis: Diagnosis) -> Said:
    """The verdict of a diagnosis, in its own words."""
    return Said(words.kind_of(diagnosis.verdict), words.told(diagnosis.headline), words.told(diagnosis.summary))


def said_before(runs: RunDesk, number: int, stage: Stage, error: WorkbenchError | None = None) -> Said:
    """What there is to say as long as there is no verdict."""
    entry = runs.entry(number)
    if stage == "waiting":
        return Said("busy", _tr("Waiting"), _tr("It starts when the run before it has ended."))
    if stage == "training":
        paused = runs.curves(number).stage == "paused"
        return Said("busy", _tr("Paused") if paused else _tr("Still training"), _training(runs, number, paused=paused))
    if stage == "elsewhere":
        text = _tr("It is followed there. Its verdict is shown here once it has ended and the project is opened anew.")
        return Said("busy", _tr("Trains in another window"), text)
    if stage == "reading" or entry is None:
        return Said("busy", _tr("Reading the result"), _tr("The verdict is worked out from all predictions."))
    return _failed(entry, error)


def _training(runs: RunDesk, number: int, *, paused: bool) -> str:
    curves = runs.curves(number)
    if curves.started is None or not curves.epochs:
        if paused:
            return _tr("It waits before its first epoch. Let it go on, and the verdict comes when it ends.")
        return _tr("The verdict comes when it ends: what limits the model, and which knob to turn first.")
    done, of = grouped(curves.epochs[-1].epoch), grouped(curves.started.epochs)
    if paused:
        return _tr("After epoch {0} of {1}. Let it go on, and the verdict comes at the end.").format(done, of)
    return _tr("After epoch {0} of {1}. The verdict comes at the end; this is the ladder so far.").format(done, of)


def _failed(entry: RunEntry, error: WorkbenchError | None) -> Said:
    headlines = {
        "diverged": _tr("Diverged"),
        "failed": _tr("Failed"),
        "interrupted": _tr("Cut off"),
    }
    if error is not None:
        return Said("failed", _tr("The result cannot be read"), visible(str(error)))
    safe_words = {
        "interrupted": _tr("The program ended before the run did. Every finished epoch is saved: resume to go on."),
        "failed": _tr("It ended before it had results. Finished epochs are saved."),
        "diverged": _tr("The loss grew beyond all bounds. The last finite checkpoint is kept."),
    }
    told = entry.message or safe_words.get(entry.status, "")
    return Said("failed", headlines.get(entry.status, _tr("No result")), visible(told))


def ladder_so_far(runs: RunDesk, number: int) -> tuple[Row, ...]:
    """The provisional ladder of a run that trains; nothing before its first epoch."""
    curves = runs.curves(number)
    if curves.started is None or not curves.epochs:
        return ()
    recipe = runs.recipe(number)
    goals, task = (recipe.goals, recipe.data.task) if recipe else (Goals(), "classification")
    return provisional_rows(curves.epochs[-1], curves.started, goals, task)


def can_resume(runs: RunDesk, number: int) -> bool:
    """Whether a run can go on from a checkpoint."""
    entry = runs.entry(number)
    return entry is not None and entry.status in ("interrupted", "failed") and (entry.folder / "run.sqlite").is_file()


def _tr(text: str) -> str:
    return QCoreApplication.translate("diagnose", text)
