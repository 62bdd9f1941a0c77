"""Why the verdict is what it is: every gap with its rule, and what follows from them. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from workbench.diagnosis.diagnose import Diagnosis
from workbench.diagnosis.gaps import Gap, Gaps, State
from workbench.diagnosis.health import KINDS, LEAST
from workbench.diagnosis.wording import figure
from workbench.gui.diagnose.rungs import gap_name, level_name, state_reason
from workbench.gui.diagnose.words import told as written
from workbench.gui.figures import points
from workbench.gui.widgets.ladder import interval_text
from workbench.recipe.tasks import TASKS
from workbench.session.curves import RunCurves


@dataclass(frozen=True)
class GapReason:
    """A gap and what is said of it.

    Attributes:
        name: ``avoidable bias``.
        formula: ``train − human``.
        value, interval: ``+16.5`` and ``13.8 – 19.5``; empty where it is not known.
        state: what is said of it.
        rule: why, with the threshold.
        decides: whether the verdict rests on it.
    """

    name: str
    formula: str
    value: str
    interval: str
    state: State
    rule: str
    decides: bool


@dataclass(frozen=True)
class HealthLine:
    """One thing to see to beside the errors.

    Attributes:
        title: what was looked at; empty where the text says it.
        text: what was found.
        good: whether nothing is to be done.
    """

    title: str
    text: str
    good: bool


def gap_reasons(gaps: Gaps) -> tuple[GapReason, ...]:
    """The gaps of a ladder, from the bottom up. A bias that nothing was given to compare with is left out."""
    deciding = {gaps.deciding_bias.name, "variance"}
    known = [gap for gap in gaps.all() if gap.estimate is not None or gap.name in deciding]
    return tuple(_reason(gap, gaps, gap.name in deciding) for gap in known)


def _reason(gap: Gap, gaps: Gaps, decides: bool) -> GapReason:
    estimate, state = gap.estimate, gap.state
    if gap.name == gaps.deciding_bias.name:
        state = gaps.bias_state
    interval = "" if estimate is None or estimate.exact else interval_text(estimate)
    formula = f"{level_name(gap.upper)} − {level_name(gap.lower)}"
    value = points(estimate.value) if estimate is not None else ""
    return GapReason(gap_name(gap.name), formula, value, interval, state, _rule(gap, gaps, state), decides)


def _rule(gap: Gap, gaps: Gaps, state: State) -> str:
    if gap.estimate is None and gaps.surpassed_human and gap.name == "avoidable_bias":
        return _tr("The training error is below the human level: nobody has shown that anything can be avoided.")
    if gap.estimate is None and state == "low":
        text = _tr("Low: bias is at most the training error, and that is within the tolerance of {0} points.")
        return text.format(figure(gaps.tolerance))
    if gap.name == "bias" and gaps.levels.train is not None and gap.estimate is None:
        return _tr("Unknown: there is neither a human level nor a Bayes error to compare with.")
    return state_reason(gap, gaps.tolerance)


def conclusions(diagnosis: Diagnosis) -> tuple[str, ...]:
    """From the gaps to the verdict and its focus, a sentence each."""
    gaps = diagnosis.gaps
    told = [
        _tr("Bias is {0} and variance is {1}, so the verdict is: {2}.").format(
            state_word(gaps.bias_state), state_word(gaps.variance_state), written(diagnosis.headline).lower()
        ),
        _focus_sentence(diagnosis),
    ]
    if gaps.levels.task == "multilabel":
        told.append(_tr("An error is the share of an example’s labels that is wrong, on average over the examples."))
        told.append(_tr("Intervals are 95 % intervals over examples, as labels of one are not independent."))
    elif TASKS[gaps.levels.task].rate:
        told.append(_tr("Intervals are 95 % intervals: Wilson’s for an error, Newcombe’s for a difference of two."))
    else:
        told.append(_tr("An error is the share of variance left unexplained, 1 − R², about the training set’s mean."))
    return (*told, *(written(note) for note in gaps.levels.notes.values()))


def _focus_sentence(diagnosis: Diagnosis) -> str:
    bias = diagnosis.gaps.bias_state
    sentences = {
        "bias": _tr("Bias first: the lecture turns to variance only when bias is low.")
        if bias == "high"
        else _tr("Bias first: it may be high, and comes before variance."),
        "variance": _variance_next(bias),
        "mismatch": _tr("The data mismatch next: it explains the variance."),
        "data": _tr("Then the data: both gaps are small, and the level to compare with is itself high."),
        "none": _tr("Nothing is known to be high, so no gap is in focus."),
    }
    return sentences[diagnosis.focus]


def _variance_next(bias: State) -> str:
    if bias == "undecided":
        return _tr("Variance next: bias cannot be told yet, but what was measured of it is within the tolerance.")
    if bias == "unknown":
        return _tr("Variance next: it is above the tolerance, and of bias nothing is known to be.")
    return _tr("Variance next: bias is not what holds the model back.")


def state_word(state: State) -> str:
    """What is said of a gap, in a word."""
    words = {
        "high": _tr("high"),
        "low": _tr("low"),
        "undecided": _tr("undecided"),
        "unknown": _tr("unknown"),
    }
    return words[state]


def health_lines(diagnosis: Diagnosis, curves: RunCurves) -> tuple[HealthLine, ...]:
    """Whether gradients, updates and units were healthy; nothing where there are too few records."""
    lines = [HealthLine("", written(one.text), False) for one in diagnosis.findings if one.id in KINDS]
    if not lines and len(curves.series.steps) >= LEAST:
        lines.append(HealthLine("", _tr("Gradients reach all layers, and updates are of a healthy size."), True))
    lines += [HealthLine(_tr("Notice"), written(notice.text), False) for notice in curves.notices]
    return tuple(lines)


def _tr(text: str) -> str:
    return QCoreApplication.translate("diagnose", text)
