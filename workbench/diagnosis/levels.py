"""The ladder of errors: Bayes, human, train, dev, test; dev and the others also by distribution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

from workbench.errors import InputError, Problem
from workbench.evaluation.intervals import Estimate, rate_of
from workbench.evaluation.predictions import SPLITS
from workbench.recipe.tasks import TASKS, Task
from workbench.recipe.training import Goals

LADDER = ("bayes", "human", "train", "dev", "test")
"""The levels from the bottom up."""

ByDistribution = Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True)
class Levels:
    """What is known of each level; None where nothing is.

    For classification an error is the share of wrong answers, for several labels the mean share of an example's labels
    that is wrong; for regression the share of variance left unexplained
    (1 - R², about the training set's mean), which may exceed 1.

    Attributes:
        bayes: the error that nobody and nothing can get below.
        human: that of the best team of people.
        train, dev, test: measured on the sets.
        by_distribution: by the distribution's name, then by set; sets without examples of it are missing.
        task: what the errors are.
        notes: what the reader of these levels should know about where they come from, by a short id.
    """

    bayes: Estimate | None = None
    human: Estimate | None = None
    train: Estimate | None = None
    dev: Estimate | None = None
    test: Estimate | None = None
    by_distribution: ByDistribution = field(default_factory=dict)
    task: Task = "classification"
    notes: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> Estimate | None:
        """A level by name."""
        assert name in LADDER
        level: Estimate | None = getattr(self, name)
        return level

    def with_goals(self, goals: Goals) -> Levels:
        """The same with human level and Bayes error from the goals where they are not known otherwise."""
        human, bayes = self.human, self.bayes
        if human is None and goals.human_error is not None:
            human = rate_of(goals.human_error, goals.human_examples)
        if bayes is None and goals.bayes_error is not None:
            bayes = Estimate(goals.bayes_error)
        return replace(self, human=human, bayes=bayes)

    def check(self, where: str = "errors") -> None:
        """See that the levels can be what they say.

        Raises:
            InputError: names every level that is out of range, and a Bayes error above the human level.
        """
        problems = list(_problems(self, where))
        if problems:
            raise InputError.of(problems)

    def to_json(self) -> dict[str, Any]:
        """``{bayes, human, train, dev, test}``, each ``{value, n, low, high}`` or None."""
        return {name: _tree(self.get(name)) for name in LADDER}

    def distributions_to_json(self) -> dict[str, Any]:
        """``{name: {train, dev, test}}``, each ``{value, n, low, high}`` or None."""
        return {
            name: {split: _tree(sets.get(split)) for split in SPLITS} for name, sets in self.by_distribution.items()
        }


def levels_of_json(errors: Mapping[str, Any], by_distribution: Mapping[str, Any], task: Task) -> Levels:
    """Levels as ``to_json`` and ``distributions_to_json`` wrote them.

    Raises:
        InputError: a level is no ``{value, n, low, high}``.
    """
    ladder: dict[str, Any] = {name: _estimate(errors.get(name), name) for name in LADDER}
    parts: dict[str, dict[str, Estimate]] = {
        name: {str(split): found for split in SPLITS if (found := _estimate(sets.get(split), f"{name}, {split}"))}
        for name, sets in by_distribution.items()
    }
    return Levels(**ladder, by_distribution=parts, task=task)


def _problems(levels: Levels, where: str) -> Iterator[Problem]:
    for name in LADDER:
        level = levels.get(name)
        above = TASKS[levels.task].rate and level is not None and level.value > 1
        if level is not None and (not isfinite(level.value) or level.value < 0 or above):
            mend = f"{level.value:g} % is {level.value / 100:g}." if 1 < level.value <= 100 else ""
            yield Problem(f"{name} = {level.value:g} is no error between 0 and 1", where, mend)
    if levels.bayes and levels.human and levels.bayes.value > levels.human.upper:
        text = f"bayes = {levels.bayes.value:g} is above human = {levels.human.value:g}"
        yield Problem(text, where, "Nobody can do better than the Bayes error, so it is at most the human-level error.")


def _tree(estimate: Estimate | None) -> dict[str, Any] | None:
    return estimate.to_json() if estimate else None


def _estimate(tree: Any, where: str) -> Estimate | None:
    if tree is None:
        return None
    try:
        value, n = float(tree["value"]), tree.get("n")
        low, high = (None if tree.get(end) is None else float(tree[end]) for end in ("low", "high"))
        return Estimate(value, None if n is None else int(n), low, high)
    except (TypeError, ValueError, KeyError, AttributeError):
        raise InputError("is no level with value, n, low and high", where=where) from None
