"""Data mismatch: training has not seen all distributions in their shares."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.diagnosis.augmenting import appended, applies
from workbench.diagnosis.context import Context
from workbench.diagnosis.mismatch import Contrast, hard_distributions
from workbench.diagnosis.rule import Finding, Knob, Rule
from workbench.diagnosis.wording import error_with_interval, gap_with_interval, listed
from workbench.recipe.kinds import AugmentSpec


class MismatchFinding(Rule):
    """Dev errors that differ by distribution."""

    id = "data_mismatch"

    def findings(self, context: Context) -> Iterator[Finding]:
        mismatch = context.mismatch
        if mismatch and mismatch.unseen:
            text = (
                "Training has hardly seen any example of the dev set's distributions: dev error minus training error is"
                " variance and data mismatch in one. A part of the dev set drawn from training's distributions would"
                " tell them apart."
            )
            yield self.finding(text, **_sizes(context))
        elif mismatch:
            text = f"Dev errors differ by distribution: {_contrasts(mismatch.worse)}."
            if mismatch.worse[0].trained is None:
                text += " How much of each is in the training set is not known."
            else:
                text += f" Training has hardly seen {listed([c.name for c in mismatch.worse])}."
            if mismatch.explains_variance and mismatch.seen:
                text += f" On the others the dev error is {error_with_interval(mismatch.seen)}."
            yield self.finding(text, **{contrast.name: contrast.difference.to_json() for contrast in mismatch.worse})
        hard = hard_distributions(context.gaps)
        if hard:
            text = (
                f"Dev errors differ by distribution: {_contrasts(hard)}. Training has seen its share of"
                f" {'it' if len(hard) == 1 else 'them'}, so this is no mismatch: the examples are harder."
            )
            yield Finding("hard_distribution", {c.name: c.difference.to_json() for c in hard}, text)


def _contrasts(worse: tuple[Contrast, ...]) -> str:
    return "; ".join(
        f"{error_with_interval(c.dev)} on {listed([c.name])}, {gap_with_interval(c.difference)} above the rest"
        for c in worse[:3]
    )


def _sizes(context: Context) -> dict[str, dict[str, int | None]]:
    return {
        name: {split: error.n for split, error in sets.items()} for name, sets in context.levels.by_distribution.items()
    }


class PoolSources(Rule):
    """Let a source that is pinned to one set take part in the split; advice where that is not one change."""

    id = "pool_and_reshuffle"
    gap = "mismatch"
    rank = 5
    direction = "dev error on the unseen distributions falls"
    lecture = (
        "“Take the data from both distributions together and shuffle them” – “When training the model using data from"
        " different distributions, we should construct training, dev and test sets from all distributions!”"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        why = "A network cannot be good at what it has not seen: each set needs its share of each distribution."
        sources = context.recipe.data.sources if context.recipe else ()
        pinned = [index for index, source in enumerate(sources) if source.set in ("dev", "test")]
        if len(pinned) == 1:
            name = sources[pinned[0]].distribution or sources[pinned[0]].path
            title = f"Let {listed([name])} take part in the split of all sets"
            path = f"data.sources[{pinned[0]}].set"
            yield from self.offer(context, title, why, path, "any", cost="another dev set: errors are not comparable")
            return
        yield from self.offer(
            context,
            "Pool all distributions, shuffle, and split anew",
            why,
            id="advice_pool_and_reshuffle",
            cost="another dev set: errors are not comparable",
        )


class Synthesize(Rule):
    """Make training examples look like those of the other distribution."""

    id = "synthesize"
    gap = "mismatch"
    direction = "dev error on the unseen distributions falls; training error may rise"
    lecture = (
        "“We can add typical noise to training data.” “Blur training data.” “Add some distortions to training data.”"
        " – Overcome the Data Mismatch Problem"
    )

    def knobs(self, context: Context) -> Iterator[Knob]:
        if context.recipe is not None and context.is_pictures is not None:
            used = {spec.kind for spec in context.recipe.data.augment}
            rank = 10
            for kind in ("noise", "blur", "brightness", "contrast") if context.is_pictures else ("noise",):
                if kind not in used and applies(kind, context):
                    title = f"Augment: {AugmentSpec.kinds()[kind].human_name()}"
                    why = f"If {kind} is what sets the other distribution apart, training examples need it, too."
                    value = appended(context, kind)
                    yield from self.offer(
                        context, title, why, "data.augment", value,
                        cost="some time per epoch", rank=rank, id=f"mismatch_{kind}",
                    )  # fmt: skip
                    rank += 5
        why = "Look at what sets the distributions apart, and make training examples that have it."
        yield from self.offer(
            context,
            "Synthesize training data like the real ones",
            why,
            id="advice_synthesize",
            cost="preparing data",
            rank=40,
        )


class CollectThere(Rule):
    """Advice: training data of the other distribution."""

    id = "advice_collect_from_distribution"
    gap = "mismatch"
    rank = 30
    direction = "dev error on the unseen distributions falls"
    lecture = "“Training data were not representative” – Knobs for Tuning the Training Process"

    def knobs(self, context: Context) -> Iterator[Knob]:
        names = [c.name for c in context.mismatch.worse] if context.mismatch else []
        where = listed(names) or "the dev set's distributions"
        why = "Nothing replaces real examples of what the model will meet."
        yield from self.offer(context, f"Training data from {where}", why, cost="collecting and labeling")
