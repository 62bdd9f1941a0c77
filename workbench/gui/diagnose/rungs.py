"""From errors to what the ladder draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from PySide6.QtCore import QCoreApplication

from workbench.diagnosis.diagnose import Diagnosis
from workbench.diagnosis.gaps import Gap, Gaps, gaps_of
from workbench.diagnosis.levels import LADDER, Levels
from workbench.diagnosis.wording import error_with_interval, figure, gap_with_interval
from workbench.evaluation.intervals import Estimate, rate_of
from workbench.events import EpochDone, RunStarted
from workbench.gui.figures import points, regrouped
from workbench.gui.text import safe
from workbench.gui.widgets.ladder import Between, Row, Rung, interval_text
from workbench.recipe.tasks import TASKS, Task
from workbench.recipe.training import Goals

_ROLES = {"bayes": "grey", "human": "good", "train": "accent", "dev": "accent", "test": "accent"}
_STRENGTHS = {"dev": 0.45, "test": 0.45}
_FOCUS = {"bias": ("avoidable_bias", "bias"), "variance": ("variance",), "mismatch": ("variance",)}


def rows_of(diagnosis: Diagnosis, *, detailed: bool = False) -> tuple[Row, ...]:
    """The ladder of a diagnosis, the limiting gap marked.

    Args:
        diagnosis: of a finished run.
        detailed: also the dev error by distribution, and gaps that cannot be told in numbers.
    """
    limiting = _FOCUS.get(diagnosis.focus, ())
    return tuple(_rows(diagnosis.gaps, limiting, detailed=detailed))


def provisional_rows(epoch: EpochDone, started: RunStarted, goals: Goals, task: Task) -> tuple[Row, ...]:
    """The ladder so far, of a run that still trains: no verdict, only what the last epoch measured."""
    measured = {
        "train": _measured(epoch.train_error, started.train_sample, task),
        "dev": _measured(epoch.dev_error, started.examples.get("dev"), task),
    }
    levels = Levels(train=measured["train"], dev=measured["dev"], task=task).with_goals(goals)
    return tuple(_rows(gaps_of(levels, goals.tolerance), (), detailed=False))


def _measured(error: float | None, n: int | None, task: Task) -> Estimate | None:
    if error is None or not isfinite(error):
        return None
    # The share of unexplained variance is no proportion: without predictions it has no interval.
    return rate_of(min(1.0, max(0.0, error)), n) if TASKS[task].rate and n else Estimate(error)


def _rows(gaps: Gaps, limiting: tuple[str, ...], *, detailed: bool) -> Iterator[Row]:
    levels = gaps.levels
    for name in LADDER:
        error = levels.get(name)
        if error is None:
            continue
        yield from _below(name, gaps, limiting, detailed=detailed)
        tip = regrouped(f"{level_name(name)}: {error_with_interval(error)}")
        yield Rung(level_name(name), error, _ROLES[name], _STRENGTHS.get(name, 1.0), tip=tip)
        if name == "dev" and detailed:
            yield from parts_of(levels.by_distribution)


def parts_of(by_distribution: Mapping[str, Mapping[str, Estimate]]) -> Iterator[Rung]:
    """The dev error by distribution, the lowest first: the lecture's dev1 and dev2; nothing where there is but one."""
    errors = [(name, sets["dev"]) for name, sets in by_distribution.items() if "dev" in sets]
    if len(errors) > 1:
        for name, error in sorted(errors, key=lambda pair: pair[1].value):
            tip = _tr("dev error on {0}: {1}").format(safe(name), regrouped(error_with_interval(error)))
            yield Rung(name, error, "purple", 0.75, part=True, tip=tip)


def _below(name: str, gaps: Gaps, limiting: tuple[str, ...], *, detailed: bool) -> Iterator[Between]:
    """What lies between a level and the one below it."""
    if name == "train":
        yield _bias(gaps, limiting)
    elif name == "dev" and gaps.variance.estimate is not None:
        yield between(gaps.variance, gaps, limiting=gaps.variance.name in limiting)
    elif name == "test" and gaps.dev_test_gap.estimate is not None:
        yield _dev_to_test(gaps, detailed=detailed)


def _bias(gaps: Gaps, limiting: tuple[str, ...]) -> Between:
    gap = gaps.deciding_bias
    if gap.estimate is not None:
        return between(gap, gaps, limiting=gap.name in limiting)
    if gaps.surpassed_human and gaps.human_margin is not None:
        return Between(_tr("human level surpassed"), _tr("by {0}").format(figure(-gaps.human_margin.value)))
    if gaps.bias_state == "low":
        return Between(_tr("bias low"), "· " + _tr("at most the training error"))
    return Between(_tr("bias unknown"), _tr("without a human level"))


def between(gap: Gap, gaps: Gaps, *, limiting: bool) -> Between:
    """A gap that was measured, in words."""
    estimate = gap.estimate
    assert estimate is not None
    told = f"{gap_name(gap.name)} {points(estimate.value)}"
    rest = "· " + _tr("cannot tell yet") if gap.state == "undecided" else _interval(estimate)
    # Bold and colored is only what is known to be high.
    return Between(told, rest, limiting and gap.state == "high", _ends(gap, gaps), gap_tip(gap, gaps))


def _dev_to_test(gaps: Gaps, *, detailed: bool) -> Between:
    gap = gaps.dev_test_gap
    if gap.state != "undecided" or detailed:
        return between(gap, gaps, limiting=False)
    told = f"{gap_name(gap.name)}: " + _tr("cannot tell yet")
    return Between(told, "", False, _ends(gap, gaps), gap_tip(gap, gaps))


def _interval(estimate: Estimate) -> str:
    return "" if estimate.exact else f"({interval_text(estimate)})"


def _ends(gap: Gap, gaps: Gaps) -> tuple[float, float] | None:
    ends = [gaps.levels.get(name) for name in (gap.lower, gap.upper)]
    return (ends[0].value, ends[1].value) if ends[0] and ends[1] else None


def gap_tip(gap: Gap, gaps: Gaps) -> str:
    """A gap with its numbers, and why it is called what it is called."""
    if gap.estimate is None:
        return ""
    head = f"{gap_name(gap.name)} = {level_name(gap.upper)} − {level_name(gap.lower)}"
    return f"{head}: {gap_with_interval(gap.estimate)}\n{state_reason(gap, gaps.tolerance)}"


def state_reason(gap: Gap, tolerance: float) -> str:
    """Why a gap counts as high, low or undecided."""
    words = {
        "high": _tr("High: its whole interval lies above the tolerance of {0} points."),
        "low": _tr("Low: none of its interval lies above the tolerance of {0} points."),
        "undecided": _tr("Cannot be told yet: the tolerance of {0} points lies within its interval."),
        "unknown": _tr("Unknown: one of the two errors is missing."),
    }
    return words[gap.state].format(figure(tolerance))


def level_name(name: str) -> str:
    """A level for people."""
    return {"bayes": "Bayes"}.get(name, _tr(name))


def gap_name(name: str) -> str:
    """A gap for people."""
    names = {
        "avoidable_bias": _tr("avoidable bias"),
        "bias": _tr("bias"),
        "variance": _tr("variance"),
        "dev_test_gap": _tr("dev → test"),
    }
    return names[name]


def _tr(text: str) -> str:
    return QCoreApplication.translate("diagnose", text)
