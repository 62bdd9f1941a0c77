"""Several labels an example: whether mistakes prevail in one, and whether labels are missed more than misnamed."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.diagnosis.context import Context
from workbench.diagnosis.label_mistakes import LabelMistakes, mistakes_by_label
from workbench.diagnosis.rule import Finding, Knob, Rule
from workbench.diagnosis.wording import listed, percent, points
from workbench.evaluation.labels import multilabel_figures
from workbench.evaluation.predictions import Predictions

_PREVAILS = 2.0
"""A label prevails among the mistakes if its share of them is at least this many times what each would have alike."""
_MISSED = 2.0
"""Labels are rather missed if that happens at least this many times as often as the other mistake."""
_FEWEST = 10


def _dev(context: Context) -> Predictions | None:
    """The dev set's predictions of labels; None of anything else."""
    predictions = context.run.predictions
    if predictions is None or predictions.task != "multilabel":
        return None
    dev = predictions.labeled().of_split("dev")
    return dev if dev.n else None


def _prevailing(dev: Predictions) -> LabelMistakes | None:
    """The label with the most mistakes, if they are far more than its share and not by chance."""
    found = mistakes_by_label(dev)
    if len(found) < 2 or not found[0].mistakes:
        return None
    most, overall = found[0], sum(one.mistakes for one in found) / sum(one.known for one in found)
    beyond_chance = most.rate is not None and most.rate.lower > overall
    return most if beyond_chance and most.share >= _PREVAILS / len(found) else None


class PrevailingLabel(Rule):
    """One label with far more mistakes than the others."""

    id = "prevailing_label"

    def findings(self, context: Context) -> Iterator[Finding]:
        dev = _dev(context)
        most = _prevailing(dev) if dev is not None else None
        if most is None or most.rate is None:
            return
        text = (
            f"{percent(most.share)} of all wrong dev labels are {listed([most.name])}, which is wrong in"
            f" {percent(most.rate.value)} of the examples ({most.missed:,} missed, {most.named_wrongly:,} named"
            f" wrongly). Without them the dev error would be {points(most.ceiling)} lower: the most that work on this"
            " label can give."
        )
        yield self.finding(text, name=most.name, share=most.share, ceiling=most.ceiling, **most.rate.to_json())


class NoBetterThanNo(Rule):
    """An error that is not below that of never naming a label."""

    id = "no_better_than_no"

    def findings(self, context: Context) -> Iterator[Finding]:
        dev = _dev(context)
        figures = multilabel_figures(dev) if dev is not None else None
        if figures is None or figures.error is None or figures.always_no is None:
            return
        if figures.error.upper < figures.always_no:
            return
        text = (
            f"Saying that no example has any label would give a dev error of {percent(figures.always_no)}: the model is"
            f" not clearly better ({percent(figures.error.value)}). Labels are rare, so look at recall and F1 by label."
        )
        yield self.finding(text, always_no=figures.always_no, **figures.error.to_json())


class FindMoreLabels(Rule):
    """Let a label that is there count more than one that is not."""

    id = "find_more_labels"
    gap = "data"
    rank = 6
    always = True
    direction = "fewer labels are missed; more are named wrongly"
    lecture = (
        "“Are trained classes represented evenly in the training set? If not, try to balance the size of all classes”"
        " – error analysis"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        dev = _dev(context)
        weight = getattr(context.recipe.training.loss, "positive_weight", None) if context.recipe else None
        if dev is None or weight is None:
            return
        found = mistakes_by_label(dev)
        missed, wrongly = sum(one.missed for one in found), sum(one.named_wrongly for one in found)
        if missed < max(_FEWEST, _MISSED * wrongly):
            return
        why = f"On the dev set {missed:,} labels are missed, and {wrongly:,} named wrongly."
        yield from self.offer(
            context, "Weigh labels that are there", why, "training.loss.positive_weight", 2.0 * weight,
            cost="the same time", factor=1.0,
        )  # fmt: skip
