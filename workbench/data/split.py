"""Which examples go into the training, dev and test set: random by a counter, so the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.data.content import SET_NAMES, Array, counted, names_listed
from workbench.engine.random import bits, key_of
from workbench.errors import Problem
from workbench.recipe.data import Split

_MOST_GROUPS_WEIGHED = 20_000
_POOL = -1
_TRAIN, _DEV, _TEST = 0, 1, 2


@dataclass(frozen=True)
class Division:
    """The sets of N examples.

    Attributes:
        sets: row numbers in source order, int64, by ``train``, ``dev``, ``test``.
        reason: why it is divided so, in plain words.
        notices: what the user should know.
    """

    sets: dict[str, Array]
    reason: str
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Examples:
    """What is known of N examples before they are divided.

    Attributes:
        usable: those with a known target, bool ``(N,)``; others go into no set.
        fixed: int8 codes ``(N,)``: -1 to be divided, 0 train, 1 dev, 2 test; None where nothing is fixed.
        classes: class numbers ``(N,)``, or labels ``(N, K)`` of 0 and 1, NaN where unknown; None for regression.
        class_names: the names of classes or labels.
        groups: group numbers ``(N,)``, -1 for an example that is a group of its own; None without groups.
        group_name: the groups' column.
        group_texts: the groups' names.
    """

    usable: Array
    fixed: Array | None = None
    classes: Array | None = None
    class_names: tuple[str, ...] = ()
    groups: Array | None = None
    group_name: str = ""
    group_texts: tuple[str, ...] = ()


def shares_for(count: int) -> tuple[Split, str]:
    """The lecture's rule for the shares by the number of examples, and its reason."""
    if count < 100_000:
        return Split(train=0.6, dev=0.2, test=0.2), (
            f"60/20/20: with {count:,} examples, fewer than 100,000, "
            "dev and test need large shares to measure anything."
        )
    if count <= 1_000_000:
        return Split(train=0.8, dev=0.1, test=0.1), (
            f"80/10/10: with {count:,} examples (100,000 to 1,000,000) a tenth is enough for dev and for test."
        )
    return Split(train=0.98, dev=0.01, test=0.01), (
        f"98/1/1: with {count:,} examples, more than 1,000,000, 1 % is plenty for dev and for test."
    )


def divide(split: Split | None, examples: Examples) -> tuple[Division, list[Problem]]:
    """Divide examples into sets.

    The shares are shares of what is not fixed to a set. Where dev or test examples are fixed, none are added to that
    set; its share then stays in the training set.

    Args:
        split: the shares; None for the rule by size.

    Returns:
        the division, and what makes it impossible.
    """
    count = int(examples.usable.sum())
    shares, reason = shares_for(count) if split is None else (split, _given_reason(split))
    fixed = np.full(len(examples.usable), _POOL, np.int8) if examples.fixed is None else examples.fixed
    codes = np.where(examples.usable, fixed, -2)
    problems, notices = _follow_groups(codes, examples)
    pool = np.flatnonzero(codes == _POOL)
    has = {code: bool((codes == code).any()) for code in (_TRAIN, _DEV, _TEST)}
    dev, test = (0.0 if has[_DEV] else shares.dev), (0.0 if has[_TEST] else shares.test)
    if examples.groups is not None and not problems:
        problems += _too_few_groups(examples, pool, 1 + (dev > 0) + (test > 0))
    if not problems:
        codes[pool] = _pool_codes(pool, dev, test, shares, examples)
    sets = {name: np.flatnonzero(codes == code).astype(np.int64) for code, name in enumerate(SET_NAMES)}
    alike = _labels_reason(shares, examples) if len(pool) and dev + test > 0 else []
    reason = " ".join([reason, *_fixed_reason(codes, fixed, has, len(pool)), *alike])
    notices += [*_empty_sets(sets), *_absent_classes(sets, examples)]
    if not len(sets["train"]) and not problems:
        problems.append(Problem("no example is left for the training set", "data.split"))
    return Division(sets, reason, tuple(notices)), problems


def _given_reason(split: Split) -> str:
    shares = "/".join(f"{100 * share:g}" for share in (split.train, split.dev, split.test))
    return f"{shares}: as the recipe says."


def _fixed_reason(codes: Array, fixed: Array, has: dict[int, bool], pool: int) -> list[str]:
    given = [f"{int((fixed == code).sum()):,} {name}" for code, name in enumerate(SET_NAMES) if has[code]]
    if not given:
        return []
    if not pool:
        return [f"The sources fix all sets ({', '.join(given)})."]
    counts = ", ".join(f"{int((codes == code).sum()):,} {name}" for code, name in enumerate(SET_NAMES))
    return [f"The sources fix {' and '.join(given)}; the other {pool:,} are divided, which makes {counts}."]


def _labels_reason(shares: Split, examples: Examples) -> list[str]:
    """How sets are made alike in labels, which is less exact than in classes."""
    if examples.classes is None or examples.classes.ndim == 1:
        return []
    if not shares.stratify:
        return ["Labels fall as chance has it."]
    if examples.groups is not None:
        return ["Labels are spread as evenly as whole groups allow."]
    return [f"The sets are alike in {counted(examples.classes.shape[1], 'label')}, most exactly in the rarest."]


def _pool_codes(pool: Array, dev: float, test: float, shares: Split, examples: Examples) -> Array:
    stratify = shares.stratify and examples.classes is not None
    classes = examples.classes[pool] if stratify and examples.classes is not None else np.zeros(len(pool), np.int64)
    if examples.groups is not None:
        return _by_groups(pool, classes, examples.groups[pool], (1 - dev - test, dev, test), shares.seed)
    by = _by_class if classes.ndim == 1 else _by_labels
    return by(pool, classes, (dev, test), shares.seed)


def _by_class(pool: Array, classes: Array, shares: tuple[float, float], seed: int) -> Array:
    """Codes for the pool: of each class its share, exact to one example, and one at least left to train on."""
    order = bits(np, key_of(seed, "split"), pool.astype(np.uint64))
    _, classes, counts = np.unique(classes, return_inverse=True, return_counts=True)
    test = _shared_out(counts, shares[1], counts - 1)
    dev = _shared_out(counts, shares[0], counts - 1 - test)
    codes = np.zeros(len(pool), np.int8)
    by_class = np.lexsort((order, classes))
    starts = np.cumsum(counts) - counts
    place = np.arange(len(pool)) - np.repeat(starts, counts)
    test_of, dev_of = np.repeat(test, counts), np.repeat(test + dev, counts)
    codes[by_class] = np.where(place < test_of, _TEST, np.where(place < dev_of, _DEV, _TRAIN))
    return codes


def _by_labels(pool: Array, labels: Array, shares: tuple[float, float], seed: int) -> Array:
    """Codes for the pool: of each label about its share, of the rarest the most exactly, and sizes exact.

    Examples are put in order by their labels, rare labels first, in random order where these are equal, and each set
    takes them at even distances (systematic sampling from an ordered list: Cochran, Sampling Techniques, chapter 8).
    """
    present = labels > 0
    rare_first = present[:, np.argsort(present.sum(axis=0), kind="stable")]
    columns = np.packbits(rare_first, axis=1).T
    order = np.lexsort((bits(np, key_of(seed, "split"), pool.astype(np.uint64)), *columns[::-1]))
    codes = np.zeros(len(pool), np.int8)
    test = _evenly(len(order), round(len(pool) * shares[1]))
    codes[order[test]] = _TEST
    rest = order[~test]
    codes[rest[_evenly(len(rest), min(len(rest) - 1, round(len(pool) * shares[0])))]] = _DEV
    return codes


def _evenly(count: int, chosen: int) -> Array:
    """``chosen`` of ``count`` places at even distances, bool ``(count,)``."""
    steps = (2 * np.arange(count + 1) * max(0, chosen) + count) // max(1, 2 * count)
    return np.diff(steps) > 0


def _shared_out(counts: Array, share: float, most: Array) -> Array:
    """``share`` of each count in whole numbers that add up to the share of the sum: the largest remainders round up."""
    wanted = counts * share
    # A share of 0.2 of 10 is 2 and not 1.9999999.
    floor = np.floor(wanted + 1e-9).astype(np.int64)
    missing = int(np.floor(counts.sum() * share + 0.5)) - int(floor.sum())
    rounded_up = np.argsort(-(wanted - floor), kind="stable")[: max(0, missing)]
    floor[rounded_up] += 1
    return np.minimum(floor, np.maximum(most, 0))


def _by_groups(pool: Array, classes: Array, groups: Array, shares: tuple[float, float, float], seed: int) -> Array:
    """Codes for the pool with each group in one set; groups of -1 are single examples."""
    own = groups < 0
    numbers = np.where(own, groups.max(initial=0) + 1 + np.arange(len(groups)), groups)
    distinct, members, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
    first = np.full(len(distinct), len(pool))
    np.minimum.at(first, members, np.arange(len(pool)))
    chance = bits(np, key_of(seed, "split groups"), pool[first].astype(np.uint64))
    if len(distinct) > _MOST_GROUPS_WEIGHED:
        return _cut(np.argsort(chance, kind="stable"), sizes, shares)[members]
    return _weighed(np.lexsort((chance, -sizes)), _table_of(members, classes, len(distinct)), shares)[members]


def _table_of(members: Array, classes: Array, groups: int) -> Array:
    """What each group holds, ``(groups, classes)``; of labels beside each one all examples, so that sizes count too."""
    if classes.ndim == 2:
        table = np.zeros((groups, 1 + classes.shape[1]))
        np.add.at(table, members, np.column_stack([np.ones(len(classes)), classes > 0]))
        return table
    kinds, kind_of = np.unique(classes, return_inverse=True)
    table = np.zeros((groups, len(kinds)))
    np.add.at(table, (members, kind_of), 1)
    return table


def _cut(order: Array, sizes: Array, shares: tuple[float, float, float]) -> Array:
    """Many small groups: in random order they fill test, dev and training set; chance keeps the classes alike."""
    filled = np.cumsum(sizes[order])
    total = filled[-1]
    codes = np.zeros(len(sizes), np.int8)
    middle = filled - sizes[order] / 2
    codes[order] = np.where(
        middle < shares[2] * total, _TEST, np.where(middle < (shares[1] + shares[2]) * total, _DEV, _TRAIN)
    )
    return codes


def _weighed(order: Array, table: Array, shares: tuple[float, float, float]) -> Array:
    """Few or large groups: the largest first, each to the set where it brings the class counts nearest to the wanted.

    Nearness is the chi-squared distance. No set with a share stays without a group.

    Args:
        order: the groups, largest first.
        table: examples of each class in each group, ``(groups, classes)``.
    """
    used = np.flatnonzero(np.array(shares) > 0)
    wanted = np.array(shares)[used, None] * table.sum(axis=0)
    filled, members = np.zeros_like(wanted), np.zeros(len(used), int)
    codes = np.zeros(len(table), np.int8)
    for done, group in enumerate(order):
        gain = ((2 * (filled - wanted) + table[group]) * table[group] / np.maximum(wanted, 1e-9)).sum(axis=1)
        empty = members == 0
        if len(order) - done <= empty.sum():
            gain = np.where(empty, gain, np.inf)
        best = np.lexsort((~empty, gain))[0]
        filled[best] += table[group]
        members[best] += 1
        codes[group] = used[best]
    return codes


def _follow_groups(codes: Array, examples: Examples) -> tuple[list[Problem], list[str]]:
    """Examples to be divided whose group is fixed elsewhere go where their group is; changes ``codes``."""
    if examples.groups is None or examples.fixed is None:
        return [], []
    fixed_in: dict[int, set[int]] = {}
    at = np.flatnonzero((codes >= 0) & (examples.groups >= 0))
    for group, code in np.unique(np.stack([examples.groups[at], codes[at]]), axis=1).T.tolist():
        fixed_in.setdefault(group, set()).add(code)
    torn = [examples.group_texts[group] for group, found in fixed_in.items() if len(found) > 1]
    if torn:
        what = f"the sources fix examples of one {examples.group_name!r} in several sets: {names_listed(torn)}"
        return [Problem(what, "data.split.group", "Give each group to one set.")], []
    table = np.full(max(examples.groups.max(initial=-1), 0) + 2, _POOL, np.int8)
    for group, found in fixed_in.items():
        table[group] = next(iter(found))
    moved = (codes == _POOL) & (table[examples.groups] != _POOL)
    codes[moved] = table[examples.groups[moved]]
    followed = counted(int(moved.sum()), "example")
    text = f"{followed} put into the set in which a source fixes the same {examples.group_name!r}."
    return [], [text] if moved.any() else []


def _too_few_groups(examples: Examples, pool: Array, needed: int) -> list[Problem]:
    assert examples.groups is not None
    groups = examples.groups[pool]
    count = len(np.unique(groups[groups >= 0])) + int((groups < 0).sum())
    if not len(pool) or count >= needed:
        return []
    what = f"column {examples.group_name!r} has {counted(count, 'different value')} for {needed} sets"
    return [Problem(what, "data.split.group", "Group by a column with more values, or use fewer sets.")]


def _empty_sets(sets: dict[str, Array]) -> list[str]:
    empty = [name for name in ("dev", "test") if not len(sets[name])]
    if not empty:
        return []
    if len(empty) == 2:
        return ["There is no dev set and no test set: nothing shows how the network does on examples it has not seen."]
    if empty == ["dev"]:
        return ["There is no dev set: nothing tells variance from bias while training."]
    return ["There is no test set: the dev error, by which choices are made, will look better than it is."]


def _absent_classes(sets: dict[str, Array], examples: Examples) -> list[str]:
    if examples.classes is None:
        return []
    notices = []
    for name, rows in sets.items():
        counts = class_counts(examples.classes[rows], len(examples.class_names))
        absent = [examples.class_names[number] for number in np.flatnonzero(counts == 0)]
        if len(rows) and absent:
            notices.append(_absent_text(name, absent, "of"))
        everywhere = _always_there(examples.classes[rows], examples.class_names)
        if everywhere:
            notices.append(_absent_text(name, everywhere, "without"))
    return notices


def _always_there(classes: Array, names: Sequence[str]) -> list[str]:
    """The labels that all examples have of which it is known; none of classes, of which each example has one."""
    if classes.ndim != 2 or not len(classes):
        return []
    always = ~(classes == 0).any(axis=0) & (classes > 0).any(axis=0)
    return [names[number] for number in np.flatnonzero(always).tolist()]


def class_counts(classes: Array, size: int) -> Array:
    """How many examples each class or label has, int64 ``(size,)``; -1 and NaN are unknown."""
    if classes.ndim == 2:
        return np.asarray((classes > 0).sum(axis=0))
    return np.bincount(classes[classes >= 0], minlength=size)


def _absent_text(name: str, absent: Sequence[str], relation: str) -> str:
    what = f"The {'training' if name == 'train' else name} set has no example {relation} {names_listed(absent, 5)}"
    return f"{what}: {'it' if len(absent) == 1 else 'they'} cannot be learned." if name == "train" else f"{what}."
