"""Data mismatch: whether dev errors differ by distribution because training has not seen all of them.

The lecture's pattern is ``train < dev1 < dev < dev2``, where the training set holds only distribution 1. A distribution
that is harder although training has seen its share of it is no mismatch but a hard distribution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from workbench.diagnosis.gaps import Gaps, State, state_of
from workbench.evaluation.intervals import CONFIDENCE, Estimate, difference, z_of

RARE = 0.25
"""A distribution counts as hardly trained on if its share of the training set is below this part of that of dev."""


@dataclass(frozen=True)
class Contrast:
    """One distribution's dev error against that of all others.

    Attributes:
        name: the distribution.
        dev: its dev error.
        others: the dev error of the rest together.
        difference: ``dev - others``; its interval is wide enough for all distributions to be compared at once
            (Bonferroni).
        trained: whether training has seen its share of it; None where that is not known.
    """

    name: str
    dev: Estimate
    others: Estimate
    difference: Estimate
    trained: bool | None


@dataclass(frozen=True)
class Mismatch:
    """Distributions that do worse because training has not seen them, or where that cannot be ruled out.

    Attributes:
        worse: those with a dev error above the others' beyond its interval, the worst first.
        unseen: whether training has hardly seen any of the dev set's distributions, so that variance and mismatch
            cannot be told apart at all.
        seen: dev error on the other distributions, None where there are none.
        seen_state: of the gap between it and the training error: what is left of the variance without the mismatch.
        explains_variance: whether it is what makes the dev error exceed the training error.
    """

    worse: tuple[Contrast, ...]
    unseen: bool
    seen: Estimate | None
    seen_state: State
    explains_variance: bool


def mismatch_of(gaps: Gaps) -> Mismatch | None:
    """The data mismatch that the dev errors by distribution show; None where they show none."""
    devs, trained = _dev_errors(gaps), _trained(gaps)
    if devs and trained and not any(trained[name] for name in devs):
        return Mismatch((), True, None, "unknown", gaps.levels.train is not None)
    worse = tuple(c for c in contrasts(gaps) if c.difference.lower > 0 and c.trained is not True)
    if not worse:
        return None
    left_out = {name for name in devs if not trained[name]} if trained else {c.name for c in worse}
    seen = pooled(error for name, error in devs.items() if name not in left_out)
    train = gaps.levels.train
    gap = difference(seen, train) if seen and train else None
    state = state_of(gap, gaps.tolerance)
    worst = difference(worse[0].dev, train) if train else None
    excess = worst is not None and worst.lower > gaps.tolerance
    left_low = gap is not None and state != "high" and gap.value <= gaps.tolerance
    return Mismatch(worse, False, seen, state, excess and left_low)


def hard_distributions(gaps: Gaps) -> tuple[Contrast, ...]:
    """Distributions with a dev error above the others' although training has seen its share of them."""
    return tuple(c for c in contrasts(gaps) if c.difference.lower > 0 and c.trained is True)


def contrasts(gaps: Gaps) -> tuple[Contrast, ...]:
    """Each distribution's dev error against the others', the largest difference first."""
    devs, trained = _dev_errors(gaps), _trained(gaps)
    if len(devs) < 2:
        return ()
    widening = z_of(1.0 - (1.0 - CONFIDENCE) / len(devs)) / z_of()
    found = []
    for name, dev in devs.items():
        others = pooled(error for other, error in devs.items() if other != name)
        assert others is not None
        apart = _widened(difference(dev, others), widening)
        found.append(Contrast(name, dev, others, apart, trained.get(name)))
    return tuple(sorted(found, key=lambda contrast: -contrast.difference.value))


def pooled(errors: Iterable[Estimate]) -> Estimate | None:
    """The error of several sets together: the mean by size, its interval by the rule of ``intervals.difference``.

    Sets of unknown size count alike, and the sum then counts as exact.
    """
    parts = list(errors)
    if len(parts) < 2:
        return parts[0] if parts else None
    sizes = [part.n for part in parts]
    counts = [float(size) for size in sizes if size is not None]
    known = len(counts) == len(parts)
    shares = [count / sum(counts) for count in counts] if known else [1.0 / len(parts)] * len(parts)
    value = sum(share * part.value for share, part in zip(shares, parts, strict=True))
    if not known:
        return Estimate(value)
    down = sqrt(sum((share * (part.value - part.lower)) ** 2 for share, part in zip(shares, parts, strict=True)))
    up = sqrt(sum((share * (part.upper - part.value)) ** 2 for share, part in zip(shares, parts, strict=True)))
    return Estimate(value, int(sum(counts)), max(0.0, value - down), value + up)


def same_mixture(gaps: Gaps, one: str, other: str) -> bool | None:
    """Whether two sets are made of the distributions in like shares (at most a tenth lies elsewhere).

    Returns:
        None where distributions are not known.
    """
    first, second = _shares(gaps, one), _shares(gaps, other)
    if not first or not second:
        return None
    apart = sum(abs(first.get(name, 0.0) - second.get(name, 0.0)) for name in {*first, *second})
    return apart / 2.0 <= 0.1


def _dev_errors(gaps: Gaps) -> dict[str, Estimate]:
    return {name: sets["dev"] for name, sets in gaps.levels.by_distribution.items() if "dev" in sets}


def _shares(gaps: Gaps, split: str) -> Mapping[str, float]:
    sizes = {name: sets[split].n for name, sets in gaps.levels.by_distribution.items() if split in sets}
    total = sum(size or 0 for size in sizes.values())
    return {name: (size or 0) / total for name, size in sizes.items()} if total else {}


def _trained(gaps: Gaps) -> dict[str, bool]:
    """Whether training has seen its share of each dev distribution; empty where training's mixture is not known."""
    named = [name for name, sets in gaps.levels.by_distribution.items() if "train" in sets]
    if not named:
        return {}
    train, dev = _shares(gaps, "train"), _shares(gaps, "dev")
    return {
        name: name in named and (not train or not dev or train.get(name, 0.0) >= RARE * dev.get(name, 0.0))
        for name in _dev_errors(gaps)
    }


def _widened(estimate: Estimate, factor: float) -> Estimate:
    if estimate.exact:
        return estimate
    low = estimate.value - factor * (estimate.value - estimate.lower)
    return Estimate(estimate.value, estimate.n, low, estimate.value + factor * (estimate.upper - estimate.value))
