"""From gaps to words: the verdict, what to focus on, the gates of the lecture's chain of goals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from workbench.diagnosis.gaps import Gaps, State
from workbench.diagnosis.mismatch import Mismatch
from workbench.diagnosis.wording import error_with_interval, gap_with_interval, listed, percent, points
from workbench.evaluation.intervals import Estimate

Verdict = Literal["high_bias_high_variance", "high_bias", "high_variance", "good", "undecided"]
Focus = Literal["data", "bias", "variance", "mismatch", "none"]
GateState = Literal["passed", "failed", "undecided", "unknown"]


@dataclass(frozen=True)
class Gate:
    """One goal of the chain train, dev, test, real world.

    Attributes:
        goal: ``train``, ``dev``, ``test`` or ``real_world``.
        state: whether it is reached.
        current: whether it is the first one not passed: the one to work on.
    """

    goal: str
    state: GateState
    current: bool

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Opinion:
    """What is said of a ladder.

    Attributes:
        verdict: the joint state of bias and variance; ``undecided`` if one of them is.
        focus: what to work on first.
        headline: a few words, which may say more than the verdict.
        summary: one or two sentences with the numbers.
        gates: the chain of goals.
    """

    verdict: Verdict
    focus: Focus
    headline: str
    summary: str
    gates: tuple[Gate, ...]


def opinion_of(gaps: Gaps, mismatch: Mismatch | None) -> Opinion:
    """The verdict and all that goes with it."""
    verdict = verdict_of(gaps.bias_state, gaps.variance_state)
    focus = focus_of(gaps, mismatch)
    return Opinion(verdict, focus, _headline(gaps, focus), _summary(gaps, focus, mismatch), gates_of(gaps))


def verdict_of(bias: State, variance: State) -> Verdict:
    """The joint state of bias and variance."""
    if {bias, variance} - {"high", "low"}:
        return "undecided"
    if bias == "high":
        return "high_bias_high_variance" if variance == "high" else "high_bias"
    return "high_variance" if variance == "high" else "good"


def focus_of(gaps: Gaps, mismatch: Mismatch | None) -> Focus:
    """What to work on first: bias before variance (the lecture), then mismatch or variance, then the data.

    What is undecided is focused on where the measured value is above the tolerance; for a bias without reference that
    value is the training error.
    """
    if gaps.bias_state == "high" or (gaps.bias_state in ("undecided", "unknown") and _bias_may_be_high(gaps)):
        return "bias"
    if mismatch and mismatch.explains_variance and (gaps.variance_state == "high" or not mismatch.unseen):
        return "mismatch"
    if gaps.variance_state == "high" or _above(gaps.variance.value, gaps):
        return "variance"
    if gaps.bias_state == gaps.variance_state == "low" and gaps.surpassed_human is not True and reference_is_high(gaps):
        return "data"
    return "none"


def _bias_may_be_high(gaps: Gaps) -> bool:
    if gaps.bias_state == "unknown":
        return gaps.levels.train is not None and _above(gaps.levels.train.value, gaps)
    return _above(gaps.deciding_bias.value, gaps)


def _above(value: float | None, gaps: Gaps) -> bool:
    return value is not None and value > gaps.tolerance


def reference_is_high(gaps: Gaps) -> bool:
    """Whether the best that is known to be possible is itself an error above the tolerance."""
    reference = reference_level(gaps)
    return reference is not None and reference.lower > gaps.tolerance


def reference_level(gaps: Gaps) -> Estimate | None:
    """The human level, or without it the Bayes error."""
    return gaps.levels.human or gaps.levels.bayes


def gates_of(gaps: Gaps) -> tuple[Gate, ...]:
    """The lecture's chain of goals; the real world is a gate that no file can open."""
    states = {
        "train": gaps.bias_state,
        "dev": gaps.variance_state,
        "test": gaps.dev_test_gap.state,
        "real_world": "unknown",
    }
    named: dict[str, GateState] = {"low": "passed", "high": "failed", "undecided": "undecided", "unknown": "unknown"}
    first = next(goal for goal, state in states.items() if state != "low")
    return tuple(Gate(goal, named[state], goal == first) for goal, state in states.items())


def _headline(gaps: Gaps, focus: Focus) -> str:
    if gaps.levels.train is None and gaps.levels.dev is None:
        return "Nothing measured yet" if gaps.levels.test is None else "The test error alone gives no verdict"
    bias, variance = _bias_words(gaps), _variance_words(gaps)
    states = {gaps.bias_state, gaps.variance_state}
    if states == {"low"} and not gaps.surpassed_human:
        text = "Low bias and low variance"
    elif states == {"high"}:
        text = "High bias and high variance"
    elif states == {"undecided"}:
        text = "Bias and variance cannot be told yet"
    else:
        text = f"{bias} · {variance}"
    text = text[0].upper() + text[1:]
    return f"{text} · data mismatch" if focus == "mismatch" else text


def _bias_words(gaps: Gaps) -> str:
    if gaps.surpassed_human:
        return "human level surpassed"
    if gaps.bias_state == "unknown":
        if gaps.levels.train is None:
            return "bias unknown without a training error"
        return "bias unknown without a human-level error"
    return "bias cannot be told yet" if gaps.bias_state == "undecided" else f"{gaps.bias_state} bias"


def _variance_words(gaps: Gaps) -> str:
    if gaps.variance_state == "unknown":
        return f"variance unknown without a {'dev' if gaps.levels.dev is None else 'training'} error"
    if gaps.variance_state == "undecided":
        return "variance cannot be told yet"
    return f"{gaps.variance_state} variance"


_TODO = {
    "bias": "Focus on bias first",
    "variance": "Focus on variance",
    "mismatch": "Focus on the data mismatch",
    "data": "What is left lies in the data",
    "none": "",
}


def _summary(gaps: Gaps, focus: Focus, mismatch: Mismatch | None) -> str:
    parts = [text for text in (_bias_sentence(gaps), _variance_sentence(gaps)) if text]
    numbers = "; ".join(parts)
    sentence = f"{numbers[0].upper()}{numbers[1:]}." if numbers else ""
    return f"{sentence} {_advice(gaps, focus, mismatch)}".strip()


def _bias_sentence(gaps: Gaps) -> str:
    train = gaps.levels.train
    if train is None:
        return ""
    if gaps.surpassed_human and gaps.human_margin:
        return f"training error is {points(-gaps.human_margin.value)} below the human level"
    gap = gaps.deciding_bias
    if gap.estimate is None:
        return f"training error is {error_with_interval(train)}"
    return f"{'avoidable bias' if gaps.levels.human else 'bias'} is {gap_with_interval(gap.estimate)}"


def _variance_sentence(gaps: Gaps) -> str:
    if gaps.variance.estimate is not None:
        return f"variance is {gap_with_interval(gaps.variance.estimate)}"
    dev = gaps.levels.dev
    return f"dev error is {error_with_interval(dev)}" if dev else ""


def _advice(gaps: Gaps, focus: Focus, mismatch: Mismatch | None) -> str:
    both_low = gaps.bias_state == gaps.variance_state == "low"
    if focus == "none":
        return f"Both are within the tolerance of {points(gaps.tolerance)}: quite well trained." if both_low else ""
    if focus == "data":
        level = reference_level(gaps)
        assert level is not None
        called = "human-level" if gaps.levels.human else "Bayes"
        return f"{_TODO[focus]}: the {called} error itself is {percent(level.value)}."
    if focus == "mismatch" and mismatch:
        if mismatch.unseen:
            return f"{_TODO[focus]}: training has not seen the dev set's distributions."
        return f"{_TODO[focus]}: the error is higher on {listed([c.name for c in mismatch.worse])}."
    if focus == "bias" and gaps.bias_state != "high":
        return f"{_TODO[focus]}: it may be high, and comes before variance."
    if focus == "bias" and gaps.variance_state == "high":
        return f"{_TODO[focus]}, then on variance."
    return (
        f"{_TODO[focus]}, which may be high."
        if gaps.variance_state != "high" and focus == "variance"
        else f"{_TODO[focus]}."
    )
