"""Which knobs are offered, in which order: at most three for the gap in focus, everything else later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from workbench.diagnosis.compare import Direction
from workbench.diagnosis.context import Context, Tried
from workbench.diagnosis.rule import Finding, GapName, Knob, Rule, rules
from workbench.diagnosis.verdict import reference_is_high

FIRST = 3
_ORDER: tuple[GapName, ...] = ("bias", "mismatch", "variance", "test", "data", "real_world")
_MEASURED_BY: Mapping[GapName, str] = {"bias": "bias", "variance": "variance", "test": "test"}


def findings_of(context: Context) -> tuple[Finding, ...]:
    """What all rules find."""
    return tuple(finding for rule in rules() for finding in rule.findings(context))


def knobs_of(context: Context) -> tuple[Knob, ...]:
    """What the rules offer for gaps that are not known to be low, the gap in focus first."""
    offered = [
        knob for rule in rules() if rule.always or _concerns(rule.gap, context) for knob in _offered(rule, context)
    ]
    focus = context.opinion.focus
    offered.sort(key=lambda knob: (knob.gap != focus, _ORDER.index(knob.gap), knob.rank, knob.id))
    return tuple(_arranged(list(_unlike(offered)), context))


def _unlike(knobs: Iterable[Knob]) -> Iterator[Knob]:
    """Knobs without those that make the same change as one before them: one reason for it is enough."""
    seen: list[Mapping[str, Any]] = []
    for knob in knobs:
        if knob.patch and knob.patch in seen:
            continue
        seen.append(knob.patch)
        yield knob


def merged(knobs: Iterable[Knob]) -> tuple[tuple[Knob, tuple[GapName, ...]], ...]:
    """Knobs to be listed: what differs only by the gap it acts on stands once, with all of its gaps.

    Only mere advice is merged: knobs that change a recipe are told apart by their change.
    """
    found: dict[tuple[str, str], tuple[Knob, tuple[GapName, ...]]] = {}
    for knob in knobs:
        key = (knob.title, knob.id if knob.patch else "")
        first, gaps = found.get(key, (knob, ()))
        found[key] = (first, gaps if knob.gap in gaps else (*gaps, knob.gap))
    return tuple(found.values())


def _concerns(gap: GapName, context: Context) -> bool:
    """Whether knobs of a gap are worth showing at all."""
    gaps, focus = context.gaps, context.opinion.focus
    if gap == "bias":
        return focus == "bias" or gaps.bias_state in ("high", "undecided")
    if gap == "variance":
        return gaps.variance_state in ("high", "undecided") or focus == "variance"
    if gap == "mismatch":
        return context.mismatch is not None
    if gap == "test":
        return gaps.dev_test_gap.state == "high"
    if gap == "data":
        return reference_is_high(gaps)
    return context.opinion.verdict == "good" and gaps.dev_test_gap.state == "low"


def _offered(rule: Rule, context: Context) -> Iterator[Knob]:
    for knob in rule.knobs(context):
        tried = _last_try(knob.patch, context.run.tried)
        yield replace(knob, effect=tried.effect.text) if tried else knob


def _last_try(patch: Mapping[str, Any], tried: tuple[Tried, ...]) -> Tried | None:
    return next((one for one in reversed(tried) if patch and dict(one.patch) == dict(patch)), None)


def _arranged(offered: list[Knob], context: Context) -> Iterator[Knob]:
    focus, first = context.opinion.focus, 0
    late = []
    for knob in offered:
        reason = _reason(knob, context)
        if not reason and first < FIRST:
            first += 1
            yield knob
        else:
            late.append(replace(knob, later=True, reason=reason or f"after the first {FIRST} for {focus}"))
    # Untried ones of the focus before those that have been tried in vain.
    yield from sorted(late, key=lambda knob: (knob.gap != focus, bool(knob.effect) and knob.gap == focus))


def _reason(knob: Knob, context: Context) -> str:
    """Why a knob comes later; empty where nothing speaks against it."""
    focus = context.opinion.focus
    if knob.gap != focus:
        if focus == "none":
            return "nothing is known to be high" if knob.gap in ("bias", "variance") else "only if it is worth it"
        return f"{focus} first"
    tried = _last_try(knob.patch, context.run.tried)
    if tried is None:
        return ""
    directions = _directions(knob.gap, tried)
    if "worse" in directions:
        return f"tried, and made it worse: {tried.effect.text}"
    return "" if "better" in directions else f"tried: {tried.effect.text}"


def _directions(gap: GapName, tried: Tried) -> tuple[Direction, ...]:
    """Where a try took the knob's own gap, and the dev error, which counts in the end."""
    own = tried.effect.direction(_MEASURED_BY.get(gap, "dev"))
    if own == "unknown" and gap == "bias":
        own = tried.effect.direction("train")
    dev = tried.effect.direction("dev")
    if gap == "bias":
        return (own,)
    # A variance that fell only because the training error rose is no success.
    return ("worse",) if dev == "worse" else (own,) if dev == "unknown" else (dev,)
