"""What the numbers are worth: what is missing, what is taken as exact, and what contradicts a definition."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.diagnosis.context import Context
from workbench.diagnosis.levels import LADDER
from workbench.diagnosis.rule import Finding, Rule
from workbench.diagnosis.wording import error_with_interval, gap_with_interval, listed, percent, points


class Notes(Rule):
    """What the reader of the errors had to assume."""

    id = "notes"

    def findings(self, context: Context) -> Iterator[Finding]:
        for name, text in context.levels.notes.items():
            yield Finding(name, {}, text)


class TakenAsExact(Rule):
    """Errors without a number of examples."""

    id = "taken_as_exact"

    def findings(self, context: Context) -> Iterator[Finding]:
        known = {name: level for name in LADDER if (level := context.levels.get(name)) is not None}
        exact = [name for name, level in known.items() if level.exact and name != "bayes"]
        if not exact:
            return
        text = (
            f"On how many examples {listed(exact)} {'was' if len(exact) == 1 else 'were'} measured is not known, so"
            f" {'it is' if len(exact) == 1 else 'they are'} taken as exact. On 1,000 examples an error of 4 % may as"
            " well be 3 or 5 %."
        )
        yield self.finding(text, levels=exact)


class NoReference(Rule):
    """Neither human level nor Bayes error."""

    id = "no_reference"

    def findings(self, context: Context) -> Iterator[Finding]:
        train = context.levels.train
        if context.levels.human or context.levels.bayes or train is None:
            return
        if context.gaps.bias_state == "low":
            text = (
                f"No human-level or Bayes error is given. The training error of {error_with_interval(train)} is within"
                " the tolerance, and bias cannot exceed it, so bias is low all the same."
            )
        else:
            text = (
                f"No human-level or Bayes error is given, so {percent(train.value)} is the training error and nothing"
                " more: how much of it is bias cannot be told."
            )
        yield self.finding(text, train=train.value)


class Surpassed(Rule):
    """A training error below the human level."""

    id = "surpassed_human"

    def findings(self, context: Context) -> Iterator[Finding]:
        margin = context.gaps.human_margin
        if margin is None or margin.value >= 0:
            return
        if not context.gaps.surpassed_human:
            text = "The training error is below the human level, but within its interval: it may have been surpassed."
            yield Finding("may_surpass_human", margin.to_json(), text)
            return
        text = (
            f"The training error is {points(-margin.value)} below the human level. How much bias could still be avoided"
            " is not known then, so bias counts as low."
        )
        bias = context.gaps.bias
        if bias.state == "high" and bias.estimate:
            text += f" Above the Bayes error there are still {gap_with_interval(bias.estimate)}."
        dev, human = context.levels.dev, context.levels.human
        if dev and human and dev.value >= human.value:
            text += " The dev error is not below it: on new examples people are still at least as good."
        yield self.finding(text, **margin.to_json())


class BelowBayes(Rule):
    """A training error below the Bayes error."""

    id = "below_bayes"

    def findings(self, context: Context) -> Iterator[Finding]:
        bias = context.gaps.bias.estimate
        if bias is None or bias.upper >= 0:
            return
        text = (
            "The training error is below the Bayes error, which nothing can be on new examples: either the Bayes error"
            " is set too high, or the network has learned its training examples by heart."
        )
        yield self.finding(text, **bias.to_json())


class DevBelowTrain(Rule):
    """A dev error below the training error."""

    id = "dev_below_train"

    def findings(self, context: Context) -> Iterator[Finding]:
        variance = context.gaps.variance.estimate
        if variance is None or variance.upper >= 0:
            return
        text = (
            f"The dev error is {gap_with_interval(variance).replace('−', '')} below the training error, beyond chance:"
            " the dev set is easier, or the training error was measured with augmentation or dropout."
        )
        yield self.finding(text, **variance.to_json())


class NoDevSet(Rule):
    """Nothing to see variance by."""

    id = "no_dev_set"

    def findings(self, context: Context) -> Iterator[Finding]:
        if context.levels.train is not None and context.levels.dev is None:
            yield self.finding("There is no dev error, so variance cannot be seen.")


class TooSlow(Rule):
    """Predictions that take longer than they may: accuracy is optimized, time must be satisfied."""

    id = "latency"

    def findings(self, context: Context) -> Iterator[Finding]:
        latency, most = context.run.latency, context.most_latency_ms
        if latency is None or most is None:
            return
        kept = latency.p95_ms <= most
        text = (
            f"A prediction takes {latency.median_ms:.3g} ms (95 % within {latency.p95_ms:.3g} ms),"
            f" {'within' if kept else 'more than'} the {most:g} ms that are allowed."
        )
        yield self.finding(text, **latency.to_json(), most_ms=most, kept=kept)
