"""What has become of each knob: offered, being tried, tried; read from the list of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.diagnosis.advice import merged
from workbench.diagnosis.context import Tried
from workbench.diagnosis.rule import Knob
from workbench.gui.diagnose import words
from workbench.gui.run_desk import RunDesk, RunResult
from workbench.store.project import RunEntry

KnobState = Literal["offered", "advice", "waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class KnobView:
    """A knob as a card shows it.

    Attributes:
        key: what it is found again by: its id, or the run that tried it.
        state: ``advice`` changes nothing in a recipe and cannot be tried.
        title, change, cost, direction: in words.
        effect: what moved, where it was tried; why it failed, where it did.
        parts: the same by error and gap, each with its interval and its own tone.
        tone: ``good``, ``warning`` or ``muted``, of the effect as a whole: by the gap that the knob was meant for.
        gap: that gap, as a heading would call it; empty where it is not known.
        run: the run that tries or tried it, 0 for none.
        parent: the run that it was tried from.
        tip: why, and the lecture's words; with intervals where it was tried.
        why, lecture, reason: for the page, which has room for them.
        knob: to try it; None where it is only history.
        leads: for advice, the step where it is followed: ``network``, ``data`` or ``train``; empty where it is nowhere.
        how: for advice that no step takes, how to follow it.
    """

    key: str
    state: KnobState
    title: str
    change: str = ""
    cost: str = ""
    direction: str = ""
    effect: str = ""
    parts: tuple[words.EffectPart, ...] = ()
    tone: str = "muted"
    gap: str = ""
    run: int = 0
    parent: int = 0
    tip: str = ""
    why: str = ""
    lecture: str = ""
    reason: str = ""
    knob: Knob | None = None
    leads: str = ""
    how: str = ""


@dataclass(frozen=True)
class KnobViews:
    """The cards of a run.

    Attributes:
        tried: what led to this run, and what was tried from it and ended; the latest first.
        first: the knobs to try first, at most three.
        later: the others, with the gap each acts on.
    """

    tried: tuple[KnobView, ...] = ()
    first: tuple[KnobView, ...] = ()
    later: tuple[KnobView, ...] = ()


def views_of(runs: RunDesk, number: int, result: RunResult) -> KnobViews:
    """The cards of a finished run."""
    ended = tried_here(number, result)
    done = {view.run for view in ended}
    views = [_view(runs, number, result, knob, gaps) for knob, gaps in merged(result.diagnosis.knobs)]
    # What was tried from here stands above with its effect; it need not be offered once more.
    open_ = [view for view in views if view.run not in done or view.run == 0]
    first = tuple(view for view in open_ if view.knob and not view.knob.later)
    later = tuple(view for view in open_ if view.knob and view.knob.later)
    return KnobViews(ended, first, later)


def tried_here(number: int, result: RunResult) -> tuple[KnobView, ...]:
    """The change that led to a run, and the knobs that were tried from it; the latest first."""
    near = [(entry, tried) for entry, tried in result.tried if entry.number == number or entry.parent == number]
    return tuple(_done(entry, tried, result) for entry, tried in reversed(near))


def _done(entry: RunEntry, tried: Tried, result: RunResult) -> KnobView:
    parent = entry.parent or 0
    knob = _knob_of(tried, result.diagnosis.knobs)
    change = words.change_of(result.recipe, entry.changes[0])
    # Seen from the run that tried it the knob is no longer offered: what it was meant for follows from the change.
    gap = knob.gap if knob else words.aim_of(entry.changes[0])
    return KnobView(
        key=f"run {entry.number}",
        state="done",
        title=words.title_of(knob) if knob else change[:1].upper() + change[1:],
        change=f"{words.run_name(parent)} → {words.run_name(entry.number)}",
        effect=words.effect_words(tried.effect),
        parts=words.effect_parts(tried.effect),
        tone=words.effect_tone(tried.effect, gap),
        gap=gap,
        run=entry.number,
        parent=parent,
        tip=f"{change}\n\n{words.effect_tip(tried)}",
    )


def _knob_of(tried: Tried, knobs: Iterable[Knob]) -> Knob | None:
    return next((knob for knob in knobs if knob.patch and dict(knob.patch) == dict(tried.patch)), None)


def _view(runs: RunDesk, number: int, result: RunResult, knob: Knob, gaps: Sequence[str]) -> KnobView:
    child = attempt(runs.entries, number, knob)
    state: KnobState = "offered" if knob.patch else "advice"
    told = ""
    if child is not None and runs.is_queued(child.number):
        state = "waiting"
    elif child is not None and runs.is_live(child.number):
        state = "running"
    elif child is not None and child.ended_well:
        state = "done"
    elif child is not None:
        state, told = "failed", words.failure_words(child)
    return KnobView(
        key=knob.id,
        state=state,
        title=words.title_of(knob),
        change=words.change_words(result.recipe, knob.patch),
        cost=words.cost_words(knob),
        direction=words.direction_words(knob, gaps),
        effect=told or words.sentence(knob.effect),
        tone="warning" if told else "muted",
        run=child.number if child else 0,
        parent=number,
        tip=words.knob_tip(knob),
        why=words.sentence(knob.why),
        lecture=words.sentence(knob.lecture),
        reason=words.told(knob.reason),
        knob=knob,
        leads="" if knob.patch else words.leads_to(knob),
        how="" if knob.patch else words.how_to(knob),
    )


def attempt(entries: Sequence[RunEntry], number: int, knob: Knob) -> RunEntry | None:
    """The latest child of a run that differs from it in just what a knob changes."""
    for entry in reversed(entries):
        if entry.parent != number or len(entry.changes) != 1 or not knob.patch:
            continue
        change = entry.changes[0]
        if {change.path: change.after} == dict(knob.patch):
            return entry
    return None


def later_title(views: Sequence[KnobView], focus: str) -> str:
    """What the fold of the later knobs is called: ``Later: bias first (4 knobs)``."""
    others = any(view.knob is not None and view.knob.gap != focus for view in views)
    return words.later_words(focus if others else "", len(views))
