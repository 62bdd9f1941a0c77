"""Whether the sets have the same mixture of distributions."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from workbench.data.profile import Profile

Likeness = Literal["alike", "train differs", "dev and test differ"]
_Z95 = 1.96
_LEAST = 0.02
"""A difference of shares below this is of no importance, however surely it is measured."""


@dataclass(frozen=True)
class Mixture:
    """One distribution's part in the sets.

    Attributes:
        name: of the distribution; empty for sources without a tag.
        shares: of each set, None for an empty one: train, dev, test.
        likeness: whether the sets agree. Dev and test must: what is chosen by one is measured on the other.
    """

    name: str
    shares: tuple[float | None, ...]
    likeness: Likeness


def mixtures(profile: Profile) -> tuple[Mixture, ...]:
    """The distributions of a dataset; none where its sources carry no tags."""
    if not any(profile.distributions) or not profile.sets:
        return ()
    return tuple(_mixture(number, profile) for number in range(len(profile.distributions)))


def _mixture(number: int, profile: Profile) -> Mixture:
    counts = [(one.by_distribution[number], one.rows) for one in profile.sets]
    train, dev, test = counts
    if differ(*dev, *test):
        likeness: Likeness = "dev and test differ"
    elif differ(*train, *dev) or differ(*train, *test):
        likeness = "train differs"
    else:
        likeness = "alike"
    shares = tuple(count / rows if rows else None for count, rows in counts)
    return Mixture(profile.distributions[number], shares, likeness)


def differ(count: int, rows: int, other_count: int, other_rows: int) -> bool:
    """Whether two shares differ by more than chance and by at least 2 points.

    The test of two proportions with a common variance, at 95 %.
    """
    if not rows or not other_rows:
        return False
    difference = abs(count / rows - other_count / other_rows)
    common = (count + other_count) / (rows + other_rows)
    error = sqrt(common * (1 - common) * (1 / rows + 1 / other_rows))
    return difference >= _LEAST and difference > _Z95 * error
