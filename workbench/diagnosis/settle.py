"""What would settle a gap that the intervals leave open: how many more examples, if the errors stay as measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

from workbench.diagnosis.gaps import Gap, Gaps, state_of
from workbench.diagnosis.levels import Levels
from workbench.diagnosis.wording import figure, rounded_up
from workbench.evaluation.intervals import Estimate, difference, wilson_ends, z_of
from workbench.recipe.tasks import TASKS, Task

MOST_EXAMPLES = 1_000_000_000
"""Where more than this would be needed, counting examples settles nothing."""


@dataclass(frozen=True)
class Settle:
    """One thing that would settle a gap.

    Attributes:
        gap: ``bias`` or ``variance``.
        needs: examples in all by level (``{"dev": 12000}``); empty where examples alone do not settle it.
        text: a sentence.
    """

    gap: str
    needs: dict[str, int]
    text: str

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return dict(self.__dict__)


def what_would_settle(gaps: Gaps) -> tuple[Settle, ...]:
    """What would settle the states of bias and variance; nothing for those that are decided."""
    found = []
    if gaps.bias_state == "unknown":
        found.append(Settle("bias", {}, _missing_for_bias(gaps.levels)))
    elif gaps.bias_state == "undecided":
        found.append(_by_counting("bias", gaps.deciding_bias, gaps))
    if gaps.variance_state == "unknown":
        missing = "training" if gaps.levels.train is None else "dev"
        found.append(Settle("variance", {}, f"Give the {missing} error: variance is dev error minus training error."))
    elif gaps.variance_state == "undecided":
        found.append(_by_counting("variance", gaps.variance, gaps))
    return tuple(found)


def _missing_for_bias(levels: Levels) -> str:
    if levels.train is None:
        return "Give the training error: bias is training error minus human-level (or Bayes) error."
    return (
        "Give a human-level error (of the best team of people) or a Bayes error: "
        "without one nobody can tell how much of the training error could be avoided."
    )


def _by_counting(name: str, gap: Gap, gaps: Gaps) -> Settle:
    upper, lower = gaps.levels.get(gap.upper), gaps.levels.get(gap.lower)
    assert upper is not None
    assert lower is not None
    needs = examples_needed(gap, upper, lower, gaps.tolerance, gaps.levels.task)
    if not needs:
        near = f"{figure(gap.value or 0.0)} points lies too near the tolerance of {figure(gaps.tolerance)} points"
        return Settle(name, {}, f"The measured {name} of {near} to be settled by more examples.")
    counts = " and ".join(f"{count:,} {_called(level)}" for level, count in needs.items())
    have = " and ".join(f"{gaps.levels.get(level).n:,}" for level in needs)  # type: ignore[union-attr]
    return Settle(name, needs, f"About {counts} instead of {have} would settle the {name}, if errors stay as measured.")


def _called(level: str) -> str:
    return "examples for the human level" if level == "human" else f"{level} examples"


def examples_needed(gap: Gap, upper: Estimate, lower: Estimate, tolerance: float, task: Task) -> dict[str, int]:
    """How many examples, by level, would decide the gap at the measured errors.

    One set is enlarged if that is enough, the one that needs fewer additional examples; else both by one factor.

    Returns:
        empty where more than ``MOST_EXAMPLES`` would be needed.
    """
    sizes = {name: level.n for name, level in ((gap.upper, upper), (gap.lower, lower)) if level.n and not level.exact}

    def decided(factors: dict[str, float]) -> bool:
        ends = [scaled(e, factors.get(name, 1.0), task) for name, e in ((gap.upper, upper), (gap.lower, lower))]
        return state_of(difference(*ends), tolerance) != "undecided"

    alone = []
    for name, size in sizes.items():
        factor = _least(lambda f, name=name: decided({name: f}), MOST_EXAMPLES / size)  # type: ignore[misc]
        if factor is not None:
            alone.append((size * factor - size, {name: rounded_up(size * factor)}))
    if alone:
        return min(alone, key=lambda option: option[0])[1]
    most = MOST_EXAMPLES / max(sizes.values(), default=1)
    factor = _least(lambda f: decided(dict.fromkeys(sizes, f)), most) if sizes else None
    return {} if factor is None else {name: rounded_up(size * factor) for name, size in sizes.items()}


def scaled(estimate: Estimate, factor: float, task: Task) -> Estimate:
    """The estimate as it would be with ``factor`` times the examples and the same value."""
    if estimate.exact or estimate.n is None or factor == 1.0:
        return estimate
    n = round(estimate.n * factor)
    if TASKS[task].rate:
        return Estimate(estimate.value, n, *wilson_ends(estimate.value, _effective(estimate) * factor))
    shrink = 1.0 / sqrt(factor)
    low = estimate.value - (estimate.value - estimate.lower) * shrink
    return Estimate(estimate.value, n, low, estimate.value + (estimate.upper - estimate.value) * shrink)


def _effective(estimate: Estimate) -> float:
    """The number of examples behind a Wilson interval, which is less than n where they are weighted.

    Solves ``(end - value)² = z² end (1 - end) / n`` for n, at the end that lies further inside 0 and 1.
    """
    end = estimate.upper if estimate.value < 0.5 else estimate.lower
    distance = end - estimate.value
    if distance == 0 or not 0 < end < 1:
        return float(estimate.n or 1)
    return z_of() ** 2 * end * (1.0 - end) / distance**2


def _least(decided: Callable[[float], bool], most: float) -> float | None:
    """The smallest factor from 1 to ``most`` that decides, to a thousandth; more examples never undo a decision."""
    low, high = 1.0, 2.0
    while not decided(min(high, most)):
        if high >= most:
            return None
        low, high = high, high * 4.0
    high = min(high, most)
    while high / low > 1.001:
        middle = sqrt(low * high)
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high
