"""The last two gates: the test set and the real world."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.diagnosis.context import Context
from workbench.diagnosis.mismatch import same_mixture
from workbench.diagnosis.rule import Finding, Knob, Rule
from workbench.diagnosis.wording import gap_with_interval


class BeyondDev(Rule):
    """Test error beyond dev error."""

    id = "overfitting_dev"

    def findings(self, context: Context) -> Iterator[Finding]:
        gap = context.gaps.dev_test_gap.estimate
        if gap is None or not (gap.lower > 0 or gap.upper < 0):
            return
        same = same_mixture(context.gaps, "dev", "test")
        size = gap_with_interval(gap)
        if gap.upper < 0:
            text = f"Test error is below dev error by {size.replace('−', '')}: the sets differ in what they hold."
            yield Finding("test_below_dev", gap.to_json(), text)
        elif same is False:
            text = (
                f"Test error is {size} above dev error, but the two sets hold the distributions in different shares, so"
                " this need not be overfitting to the dev set."
            )
            yield Finding("dev_and_test_differ", gap.to_json(), text)
        else:
            given = "" if same else ", if both sets come from the same distribution"
            text = f"Test error is {size} above dev error: overfitting to the dev set{given}."
            yield self.finding(text, **gap.to_json())


class BiggerDevSet(Rule):
    """Advice: more dev examples."""

    id = "advice_bigger_dev_set"
    gap = "test"
    rank = 10
    direction = "test error comes nearer to dev error"
    lecture = "“Bigger dev set” – Knobs for Tuning the Training Process, “Fit a test set”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "Every choice made by the dev set fits it a little; a bigger one is harder to fit by chance."
        yield from self.offer(context, "A bigger dev set", why, cost="examples that training then lacks")


class Representative(Rule):
    """Advice: whether training data stand for the real world."""

    id = "advice_representative_data"
    gap = "real_world"
    rank = 10
    direction = "errors in use come nearer to the test error"
    lecture = "“Training data were not representative” – Knobs for Tuning the Training Process, “Fit on real-word data”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "All sets passed. If the model does worse in use, the data did not stand for what it meets there."
        yield from self.offer(context, "Data that stand for the real world", why, cost="collecting and labeling")


class CostFunction(Rule):
    """Advice: whether the loss asks for what is wanted."""

    id = "advice_cost_function"
    gap = "real_world"
    rank = 20
    direction = "errors in use that matter fall"
    lecture = "“Cost function not enough well defined” – Knobs for Tuning the Training Process, “Fit on real-word data”"

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "A low error may be the wrong goal: give weight to the examples and mistakes that matter in use."
        yield from self.offer(context, "A loss that asks for what is wanted", why, cost="example strengths")
