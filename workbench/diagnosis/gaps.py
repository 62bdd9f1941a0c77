"""The gaps between the levels, each with its interval and what can be said of it.

``avoidable bias = train - human``, ``bias = train - Bayes``, ``variance = dev - train`` (the lecture's definitions),
and ``test - dev``. A gap is high only if its whole interval lies above the tolerance, low only if none of it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from workbench.diagnosis.levels import Levels
from workbench.evaluation.intervals import Estimate, difference

State = Literal["high", "low", "undecided", "unknown"]
Reference = Literal["human", "bayes", "training error", "surpassed human", ""]


@dataclass(frozen=True)
class Gap:
    """A difference of two levels.

    Attributes:
        name: ``avoidable_bias``, ``bias``, ``variance`` or ``dev_test_gap``.
        upper, lower: the names of the levels, ``upper - lower``.
        estimate: the difference with its interval; None where a level is missing.
        state: what can be said of it.
    """

    name: str
    upper: str
    lower: str
    estimate: Estimate | None
    state: State

    @property
    def value(self) -> float | None:
        """The difference."""
        return None if self.estimate is None else self.estimate.value

    def to_json(self) -> dict[str, Any]:
        """``{value, low, high, state}``."""
        low, high = (self.estimate.low, self.estimate.high) if self.estimate else (None, None)
        return {"value": self.value, "low": low, "high": high, "state": self.state}


@dataclass(frozen=True)
class Gaps:
    """All gaps of a ladder, and the states that the verdict is made of.

    Attributes:
        levels: what they are taken from.
        tolerance: a gap above it counts as high.
        avoidable_bias: train - human; unknown where the human level is surpassed.
        bias: train - Bayes.
        variance: dev - train.
        dev_test_gap: test - dev.
        human_margin: train - human as measured, surpassed or not.
        reference: what the state of the bias was decided against; ``training error`` where that alone is within the
            tolerance, so that the bias must be; empty where nothing decides.
        bias_state: of the avoidable bias if there is a human level, else of the bias.
        surpassed_human: whether the training error is below the human level, interval and all; None where one of
            them is missing.
    """

    levels: Levels
    tolerance: float
    avoidable_bias: Gap
    bias: Gap
    variance: Gap
    dev_test_gap: Gap
    human_margin: Estimate | None
    reference: Reference
    bias_state: State
    surpassed_human: bool | None

    @property
    def variance_state(self) -> State:
        """Of the variance."""
        return self.variance.state

    @property
    def deciding_bias(self) -> Gap:
        """The gap that stands for bias: the avoidable bias where there is a human level, else the bias."""
        return self.avoidable_bias if self.levels.human else self.bias

    def all(self) -> tuple[Gap, ...]:
        """The four gaps from the bottom of the ladder up."""
        return self.avoidable_bias, self.bias, self.variance, self.dev_test_gap


def state_of(estimate: Estimate | None, tolerance: float) -> State:
    """``high`` if the interval lies above the tolerance, ``low`` if it lies at or below it, else ``undecided``."""
    if estimate is None:
        return "unknown"
    if estimate.lower > tolerance:
        return "high"
    return "low" if estimate.upper <= tolerance else "undecided"


def gaps_of(levels: Levels, tolerance: float) -> Gaps:
    """The gaps of a ladder.

    Args:
        levels: with human level and Bayes error, where known.
        tolerance: a gap above it counts as high.
    """
    margin = _difference(levels.train, levels.human)
    surpassed = None if margin is None else margin.upper < 0
    avoidable = None if surpassed else margin
    bias = _difference(levels.train, levels.bayes)
    reference, bias_state = _bias_state(levels, avoidable, bias, bool(surpassed), tolerance)
    variance, test_gap = _difference(levels.dev, levels.train), _difference(levels.test, levels.dev)
    return Gaps(
        levels,
        tolerance,
        Gap("avoidable_bias", "train", "human", avoidable, state_of(avoidable, tolerance)),
        Gap("bias", "train", "bayes", bias, state_of(bias, tolerance)),
        Gap("variance", "dev", "train", variance, state_of(variance, tolerance)),
        Gap("dev_test_gap", "test", "dev", test_gap, state_of(test_gap, tolerance)),
        margin,
        reference,
        bias_state,
        surpassed,
    )


def _bias_state(
    levels: Levels, avoidable: Estimate | None, bias: Estimate | None, surpassed: bool, tolerance: float
) -> tuple[Reference, State]:
    if surpassed:
        # How much could still be avoided is not known then, but nobody has shown that anything can.
        return "surpassed human", "low"
    if avoidable is not None:
        return "human", state_of(avoidable, tolerance)
    if bias is not None:
        return "bayes", state_of(bias, tolerance)
    if levels.train is not None and levels.train.upper <= tolerance:
        # No reference is below 0, so the bias cannot exceed the training error.
        return "training error", "low"
    return "", "unknown"


def _difference(upper: Estimate | None, lower: Estimate | None) -> Estimate | None:
    return None if upper is None or lower is None else difference(upper, lower)
