"""The human-level or Bayes error itself is high: what is left lies in the data. All of it is advice."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.diagnosis.context import Context
from workbench.diagnosis.rule import Finding, Knob, Rule
from workbench.diagnosis.verdict import reference_is_high, reference_level
from workbench.diagnosis.wording import error_with_interval

_LECTURE = " – guidelines, “Bayes error or Human-level error is high”"


class HighReference(Rule):
    """The best that is known to be possible is itself a high error."""

    id = "reference_is_high"

    def findings(self, context: Context) -> Iterator[Finding]:
        level = reference_level(context.gaps)
        if level is None or not reference_is_high(context.gaps):
            return
        called = "human-level" if context.levels.human else "Bayes"
        text = (
            f"The {called} error itself is {error_with_interval(level)}: no network gets far below that as long as"
            " the data stay as they are."
        )
        yield self.finding(text, **level.to_json())


class CleanData(Rule):
    """Advice: clean the data."""

    id = "advice_clean_data"
    gap = "data"
    rank = 10
    direction = "human-level error falls, and with it what can be reached"
    lecture = f"“Clean data (remove possible bugs, inaccuracy, blurred data, outliers etc.)”{_LECTURE}"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "What people cannot recognize, a network cannot learn from: mend or remove it."
        yield from self.offer(context, "Clean the data", why, cost="going through examples")


class AddAttributes(Rule):
    """Advice: describe examples by more attributes."""

    id = "advice_add_attributes"
    gap = "data"
    rank = 20
    direction = "human-level and Bayes error fall"
    lecture = f"“Add discriminating attributes”{_LECTURE}"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Examples of different classes that look alike need something that tells them apart."
        yield from self.offer(context, "Add discriminating attributes", why, cost="collecting them")


class RemoveContradictions(Rule):
    """Advice: find examples that contradict each other."""

    id = "advice_remove_contradictions"
    gap = "data"
    rank = 30
    direction = "human-level and Bayes error fall"
    lecture = f"“Remove ambiguity (contradictory training data)”{_LECTURE}"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Equal inputs with different labels cannot all be right; each pair of them is an error for ever."
        yield from self.offer(context, "Remove contradictory examples", why, cost="going through examples")


class ReconstructData(Rule):
    """Advice: make the training data anew."""

    id = "advice_reconstruct_data"
    gap = "data"
    rank = 40
    direction = "human-level and Bayes error fall"
    lecture = f"“Reconstruct training data”{_LECTURE}"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Where cleaning is not enough: measure, photograph or label again, better."
        yield from self.offer(context, "Reconstruct the training data", why, cost="collecting and labeling")
