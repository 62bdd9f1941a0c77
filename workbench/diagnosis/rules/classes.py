"""Whether mistakes prevail in one class, and whether classes are represented evenly."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.diagnosis.context import Context
from workbench.diagnosis.mistakes import ClassMistakes, mistakes_by_class
from workbench.diagnosis.rule import Finding, Knob, Rule
from workbench.diagnosis.wording import listed, percent, points

_PREVAILS = 2.0
"""A class prevails among the mistakes if its share of them is at least this many times its share of examples."""
_UNEVEN = 3.0
"""Classes are uneven if the largest is at least this many times the smallest."""


def _prevailing(context: Context) -> ClassMistakes | None:
    """The class with the most mistakes on the dev set, if they are far more than its share and not by chance."""
    if context.run.predictions is None or context.run.predictions.task != "classification":
        return None
    dev = context.run.predictions.labeled().of_split("dev")
    found = mistakes_by_class(dev)
    if not found or not found[0].mistakes or len(found) < 2:
        return None
    most = found[0]
    overall = float(dev.wrong.mean())
    beyond_chance = most.rate is not None and most.rate.lower > overall
    return most if beyond_chance and most.share >= _PREVAILS * most.support / dev.n else None


class PrevailingClass(Rule):
    """One class with far more mistakes than its share."""

    id = "prevailing_class"

    def findings(self, context: Context) -> Iterator[Finding]:
        most = _prevailing(context)
        if most is None or most.rate is None:
            return
        text = (
            f"{percent(most.share)} of all dev mistakes are examples of {listed([most.name])}, of which"
            f" {percent(most.rate.value)} are missed. Without them the dev error would be"
            f" {points(most.ceiling)} lower: the most that work on this class can give."
        )
        yield self.finding(text, name=most.name, share=most.share, ceiling=most.ceiling, **most.rate.to_json())


class BalanceClasses(Rule):
    """Let rare classes weigh as much as frequent ones."""

    id = "balance_classes"
    gap = "data"
    rank = 5
    always = True
    direction = "errors on rare classes fall; those on frequent ones may rise"
    lecture = (
        "“Are trained classes represented evenly in the training set? If not, try to balance the size of all classes”"
        " – error analysis"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        predictions = context.run.predictions
        if predictions is None or predictions.task != "classification" or context.recipe is None:
            return
        train = predictions.labeled().of_split("train")
        counts = sorted((one.support for one in mistakes_by_class(train)), reverse=True)
        if len(counts) < 2 or counts[0] < _UNEVEN * counts[-1]:
            return
        why = f"The largest class has {counts[0] / counts[-1]:.3g} times the examples of the smallest."
        path = "data.weights.class_balance"
        yield from self.offer(
            context, "Balance classes by strength", why, path, "inverse_frequency", cost="the same time", factor=1.0
        )
