"""Dividing examples into sets: complete, disjoint, alike in classes, whole in groups, and the same every time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.content import Array
from workbench.data.split import Division, Examples, divide, shares_for
from workbench.recipe.data import Split

SHARES = st.sampled_from(
    [(0.6, 0.2, 0.2), (0.8, 0.1, 0.1), (0.98, 0.01, 0.01), (0.5, 0.5, 0.0), (0.7, 0.0, 0.3), (1.0, 0.0, 0.0)]
)


def split_of(shares: tuple[float, float, float], **more: Any) -> Split:
    return Split(train=shares[0], dev=shares[1], test=shares[2], **more)


def examples(classes: Any, **more: Any) -> Examples:
    numbers = np.asarray(classes, np.int64)
    names = tuple(f"c{number}" for number in range(int(numbers.max(initial=0)) + 1))
    usable = more.pop("usable", numbers >= 0)
    return Examples(usable, classes=numbers, class_names=names, **more)


def divided(split: Split | None, given: Examples) -> Division:
    division, problems = divide(split, given)
    assert not problems
    return division


def assert_complete(division: Division, usable: Array) -> None:
    rows = np.concatenate(list(division.sets.values()))
    assert sorted(rows.tolist()) == np.flatnonzero(usable).tolist()
    for part in division.sets.values():
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=200), SHARES, st.integers(0, 2**32 - 1), st.booleans())
def test_that_sets_are_disjoint_complete_and_in_source_order(
    classes: list[int], shares: tuple[float, float, float], seed: int, stratify: bool
) -> None:
    given = examples(classes)
    division, problems = divide(split_of(shares, seed=seed, stratify=stratify), given)
    assert_complete(division, given.usable)
    assert bool(problems) == (not given.usable.any())


@given(st.lists(st.integers(3, 60), min_size=2, max_size=6), SHARES, st.integers(0, 1000))
def test_that_each_class_has_its_share_in_each_set_to_one_example(
    counts: list[int], shares: tuple[float, float, float], seed: int
) -> None:
    classes = np.repeat(np.arange(len(counts)), counts)
    division = divided(split_of(shares, seed=seed), examples(classes))
    for name, share in zip(("train", "dev", "test"), shares, strict=True):
        found = np.bincount(classes[division.sets[name]], minlength=len(counts))
        # The training set takes what rounding leaves, so it may differ by one for each other set.
        assert (np.abs(found - share * np.array(counts)) < (2 if name == "train" else 1) + 1e-9).all(), (name, found)
    sizes = {name: len(rows) for name, rows in division.sets.items()}
    assert sizes["dev"] == int(np.floor(len(classes) * shares[1] + 0.5))
    assert sizes["test"] == int(np.floor(len(classes) * shares[2] + 0.5))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), SHARES, st.integers(0, 1000))
def test_that_every_class_is_left_with_an_example_to_learn_from(
    classes: list[int], shares: tuple[float, float, float], seed: int
) -> None:
    division = divided(split_of(shares, seed=seed), examples(classes))
    assert set(np.array(classes)[division.sets["train"]].tolist()) == set(classes)


@given(st.integers(4, 300), SHARES)
def test_that_without_stratification_the_shares_hold_as_a_whole(count: int, shares: tuple[float, float, float]) -> None:
    division = divided(split_of(shares, stratify=False), examples(np.arange(count) % 3))
    assert len(division.sets["dev"]) == int(np.floor(count * shares[1] + 0.5))
    assert len(division.sets["test"]) == int(np.floor(count * shares[2] + 0.5))


def test_that_another_seed_is_another_division_and_the_same_one_the_same() -> None:
    given = examples(np.arange(300) % 3)
    first, again, other = (divided(split_of((0.6, 0.2, 0.2), seed=seed), given) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.sets["dev"], again.sets["dev"])
    assert first.sets["dev"].tolist() != other.sets["dev"].tolist()
    overlap = len(set(first.sets["dev"].tolist()) & set(other.sets["dev"].tolist()))
    assert overlap < 30


def test_that_what_is_added_at_the_end_reorders_nobody() -> None:
    # The counter of the random numbers is the row itself: only the share that is cut off moves.
    fewer = divided(split_of((0.5, 0.5, 0.0)), examples(np.zeros(1000, int))).sets["dev"]
    more = divided(split_of((0.5, 0.5, 0.0)), examples(np.zeros(1010, int))).sets["dev"]
    assert len(set(fewer.tolist()) - set(more.tolist())) < 15


GROUPS = st.lists(st.integers(-1, 12), min_size=30, max_size=120)


@given(GROUPS, st.integers(1, 3), SHARES, st.integers(0, 1000))
def test_that_groups_are_never_torn(
    groups: list[int], kinds: int, shares: tuple[float, float, float], seed: int
) -> None:
    numbers = np.array(groups)
    given = examples(np.arange(len(groups)) % kinds, groups=numbers, group_name="patient")
    division, problems = divide(split_of(shares, seed=seed), given)
    alone = int((numbers < 0).sum())
    needed = sum(share > 0 for share in shares)
    assert bool(problems) == (len(set(groups) - {-1}) + alone < needed)
    if problems:
        return
    assert_complete(division, given.usable)
    found = [set(numbers[rows][numbers[rows] >= 0].tolist()) for rows in division.sets.values()]
    assert sum(map(len, found)) == len(set.union(*found))
    for share, rows in zip(shares, division.sets.values(), strict=True):
        assert (len(rows) > 0) == (share > 0)


@pytest.mark.parametrize("count", [400, 30_000])
def test_that_groups_are_stratified_as_far_as_possible(count: int) -> None:
    chance = np.random.default_rng(0)
    groups = np.repeat(np.arange(count), chance.integers(1, 6, count))
    classes = (chance.random(count) < 0.3).astype(int)[groups]
    division = divided(split_of((0.6, 0.2, 0.2)), examples(classes, groups=groups, group_name="g"))
    for share, rows in zip((0.6, 0.2, 0.2), division.sets.values(), strict=True):
        assert len(rows) == pytest.approx(share * len(groups), rel=0.02)
        assert classes[rows].mean() == pytest.approx(classes.mean(), abs=0.02)


def test_that_too_few_groups_are_said() -> None:
    given = examples([0, 1] * 5, groups=np.array([0, 1] * 5), group_name="patient")
    _, problems = divide(split_of((0.6, 0.2, 0.2)), given)
    assert "'patient' has 2 different values for 3 sets" in str(problems[0])
    assert not divide(split_of((0.5, 0.5, 0.0)), given)[1]


def test_that_examples_follow_their_group_into_a_fixed_set() -> None:
    groups = np.array([0, 0, 1, 1, 2, 3, 4, 5, 6, 7])
    fixed = np.array([2, -1, -1, -1, -1, -1, -1, -1, -1, -1], np.int8)
    given = examples([0, 1] * 5, groups=groups, fixed=fixed, group_name="patient", group_texts=tuple("abcdefgh"))
    division = divided(split_of((0.6, 0.2, 0.2)), given)
    assert division.sets["test"].tolist() == [0, 1]
    assert any("1 example put into the set" in notice for notice in division.notices)


def test_that_a_group_that_the_sources_tear_is_said() -> None:
    fixed = np.array([0, 2, -1, -1], np.int8)
    given = examples(
        [0, 1, 0, 1], groups=np.array([0, 0, 1, 2]), fixed=fixed, group_name="patient", group_texts=("p7", "q", "r")
    )
    _, problems = divide(split_of((0.6, 0.2, 0.2)), given)
    assert "fix examples of one 'patient' in several sets: 'p7'" in str(problems[0])


def test_that_nothing_is_added_to_a_fixed_test_set_and_dev_is_taken_from_the_pool() -> None:
    fixed = np.array([-1] * 60 + [2] * 10, np.int8)
    division = divided(split_of((0.6, 0.2, 0.2)), examples(np.arange(70) % 2, fixed=fixed))
    assert division.sets["test"].tolist() == list(range(60, 70))
    assert len(division.sets["dev"]) == 12
    assert len(division.sets["train"]) == 48
    assert "fix 10 test; the other 60 are divided" in division.reason


@pytest.mark.parametrize(("code", "expected"), [(0, (80, 10, 10)), (1, (45, 50, 5)), (2, (45, 5, 50))])
def test_that_each_set_may_be_fixed(code: int, expected: tuple[int, int, int]) -> None:
    fixed = np.array([-1] * 50 + [code] * 50, np.int8)
    shares = (0.6, 0.2, 0.2) if code == 0 else (0.8, 0.1, 0.1)
    division = divided(split_of(shares), examples(np.arange(100) % 2, fixed=fixed))
    assert tuple(len(rows) for rows in division.sets.values()) == expected


def test_that_fixed_dev_and_test_leave_all_else_to_training() -> None:
    fixed = np.array([-1] * 6 + [1, 1, 2, 2], np.int8)
    division = divided(None, examples(np.arange(10) % 2, fixed=fixed))
    assert [len(rows) for rows in division.sets.values()] == [6, 2, 2]


def test_that_all_sets_fixed_without_training_is_a_problem() -> None:
    _, problems = divide(None, examples([0, 1], fixed=np.array([2, 2], np.int8)))
    assert "no example is left for the training set" in str(problems[0])


@pytest.mark.parametrize(
    ("count", "shares"),
    [
        (99_999, (0.6, 0.2, 0.2)),
        (100_000, (0.8, 0.1, 0.1)),
        (1_000_000, (0.8, 0.1, 0.1)),
        (1_000_001, (0.98, 0.01, 0.01)),
    ],
)
def test_that_auto_follows_the_lectures_rule(count: int, shares: tuple[float, float, float]) -> None:
    split, reason = shares_for(count)
    assert (split.train, split.dev, split.test) == shares
    assert f"{count:,} examples" in reason
    division = divided(None, examples(np.arange(count) % 2))
    assert [len(rows) / count for rows in division.sets.values()] == pytest.approx(shares, abs=1e-5)
    assert division.reason == reason


def test_that_empty_sets_and_absent_classes_are_told() -> None:
    assert "no dev set and no test set" in divided(split_of((1.0, 0.0, 0.0)), examples([0, 1])).notices[0]
    assert "no dev set" in divided(split_of((0.5, 0.0, 0.5)), examples([0, 1] * 4)).notices[0]
    assert "no test set" in divided(split_of((0.5, 0.5, 0.0)), examples([0, 1] * 4)).notices[0]
    notices = divided(split_of((0.6, 0.2, 0.2)), examples([0] * 20 + [1])).notices
    assert notices == ("The dev set has no example of 'c1'.", "The test set has no example of 'c1'.")
    fixed = np.array([0, 0, -1, 2], np.int8)
    notices = divided(split_of((0.5, 0.5, 0.0)), examples([0, 0, 0, 1], fixed=fixed)).notices
    assert "The training set has no example of 'c1': it cannot be learned." in notices
