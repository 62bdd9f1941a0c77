"""The diagnosis: what is holding the model back, and which single knob to turn next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.diagnosis.advice import findings_of, knobs_of
from workbench.diagnosis.context import Context, RunFacts
from workbench.diagnosis.gaps import Gaps, State, gaps_of
from workbench.diagnosis.levels import Levels
from workbench.diagnosis.mismatch import Mismatch, mismatch_of
from workbench.diagnosis.rule import Finding, Knob
from workbench.diagnosis.settle import Settle, what_would_settle
from workbench.diagnosis.verdict import Focus, Gate, Opinion, Verdict, opinion_of
from workbench.recipe.training import Goals


@dataclass(frozen=True)
class Diagnosis:
    """What was measured, what follows from it, and what is advised; the three are kept apart.

    Attributes:
        gaps: the gaps with their intervals and states, and in ``gaps.levels`` the errors.
        mismatch: distributions that training has not seen, None where dev errors show none.
        opinion: verdict, focus, headline, summary and gates.
        findings: what was measured and what it means.
        settle: what would settle the states that the intervals leave open.
        knobs: what can be changed, the first ones first; see ``Knob.later``.
    """

    gaps: Gaps
    mismatch: Mismatch | None
    opinion: Opinion
    findings: tuple[Finding, ...]
    settle: tuple[Settle, ...]
    knobs: tuple[Knob, ...]

    @property
    def levels(self) -> Levels:
        """The errors."""
        return self.gaps.levels

    @property
    def verdict(self) -> Verdict:
        """The joint state of bias and variance."""
        return self.opinion.verdict

    @property
    def focus(self) -> Focus:
        """What to work on first."""
        return self.opinion.focus

    @property
    def headline(self) -> str:
        """The verdict in a few words."""
        return self.opinion.headline

    @property
    def summary(self) -> str:
        """One or two sentences with the numbers."""
        return self.opinion.summary

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The chain of goals."""
        return self.opinion.gates

    @property
    def states(self) -> dict[str, State]:
        """Of bias and variance."""
        return {"bias": self.gaps.bias_state, "variance": self.gaps.variance_state}

    @property
    def first_knobs(self) -> tuple[Knob, ...]:
        """The knobs to try first, at most three."""
        return tuple(knob for knob in self.knobs if not knob.later)

    def to_json(self) -> dict[str, Any]:
        """The tree that ``workbench diagnose --json`` prints."""
        gaps = self.gaps
        return {
            "task": self.levels.task,
            "errors": self.levels.to_json(),
            **{gap.name: gap.value for gap in gaps.all()},
            "gaps": {gap.name: gap.to_json() for gap in gaps.all()},
            "by_distribution": self.levels.distributions_to_json(),
            "tolerance": gaps.tolerance,
            "states": self.states,
            "reference": gaps.reference or None,
            "surpassed_human": gaps.surpassed_human,
            "verdict": self.verdict,
            "focus": self.focus,
            "headline": self.headline,
            "summary": self.summary,
            "gates": [gate.to_json() for gate in self.gates],
            "settle": [settle.to_json() for settle in self.settle],
            "findings": [finding.to_json() for finding in self.findings],
            "knobs": [knob.to_json() for knob in self.knobs],
        }


def diagnose(levels: Levels, goals: Goals | None = None, run: RunFacts | None = None) -> Diagnosis:
    """Diagnose a model by its errors.

    Args:
        levels: the errors; human level and Bayes error may come with the goals instead.
        goals: human level, Bayes error, tolerance, time limit; those of the run's recipe where left out.
        run: what else is known; nothing for a model trained elsewhere.

    Raises:
        InputError: an error is out of range, or the Bayes error is above the human level.
    """
    run = run or RunFacts()
    if goals is None:
        goals = run.recipe.goals if run.recipe else Goals()
    levels = levels.with_goals(goals)
    levels.check()
    gaps = gaps_of(levels, goals.tolerance)
    mismatch = mismatch_of(gaps)
    context = Context(gaps, mismatch, opinion_of(gaps, mismatch), run, goals.max_latency_ms)
    return Diagnosis(gaps, mismatch, context.opinion, findings_of(context), what_would_settle(gaps), knobs_of(context))
