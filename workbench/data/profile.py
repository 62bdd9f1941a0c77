"""What a preview shows of data: each column, the classes, the sets, and what the test set can tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from workbench.data.content import Array, Column, Content, as_category
from workbench.data.dataset import Dataset
from workbench.data.roles import group_of
from workbench.recipe.data import ColumnType, DataRecipe

_BINS = 20
_TOP = 12
_SAMPLE = 50
_Z95 = 1.959963984540054
_TYPICAL_ERROR = 0.04


@dataclass(frozen=True)
class Histogram:
    """How often values occur.

    Attributes:
        edges: the bins' edges, one more than bins.
        counts: of each bin.
        by_class: the same for each class, ``(classes, bins)``; empty without classes.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    by_class: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class CategoryCount:
    """How often a category occurs, also in each class (empty without classes)."""

    name: str
    count: int
    by_class: tuple[int, ...]


@dataclass(frozen=True)
class ColumnProfile:
    """One column.

    Attributes:
        name, type: of the column.
        role: ``target``, ``feature``, ``weight``, ``group``, ``excluded``, or ``other`` where nothing is decided.
        missing, distinct: how many values are missing, and how many different ones there are.
        low, mean, high, deviation: of numbers that are not missing; None for categories and empty columns.
        histogram: of numbers in 20 bins; None for categories and empty columns.
        top: the most frequent categories, most frequent first; empty for numbers.
    """

    name: str
    type: ColumnType
    role: str
    missing: int
    distinct: int
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    deviation: float | None = None
    histogram: Histogram | None = None
    top: tuple[CategoryCount, ...] = ()


@dataclass(frozen=True)
class PictureProfile:
    """The pictures: their size, type, and the range and mean of their values."""

    height: int
    width: int
    channels: int
    dtype: str
    low: float
    mean: float
    high: float


@dataclass(frozen=True)
class SequenceProfile:
    """The sequences: their size, and the range of each feature ``(F,)``."""

    steps: int
    features: int
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class SetProfile:
    """One set: its examples, in all, by class and by distribution."""

    name: str
    rows: int
    by_class: tuple[int, ...]
    by_distribution: tuple[int, ...]


@dataclass(frozen=True)
class Profile:
    """Everything a preview shows.

    Attributes:
        rows: examples.
        columns: in the order of the data.
        pictures, sequences: None for others.
        classes: names; empty for regression, or where no target is chosen.
        class_counts: examples of each.
        unlabeled: examples without a target.
        distributions: names; a lone empty one where sources have none.
        sets: train, dev and test; empty where nothing is divided yet.
        sample_rows: row numbers from 0 of some examples: the first of a table, of others some of each class.
        sample: their cells as texts, ``(rows, columns)``.
        resolution: what dev and test set can tell apart, a sentence each.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]
    pictures: PictureProfile | None
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    unlabeled: int
    distributions: tuple[str, ...]
    sets: tuple[SetProfile, ...]
    sample_rows: tuple[int, ...]
    sample: tuple[tuple[str, ...], ...]
    resolution: tuple[str, ...]
    sequences: SequenceProfile | None = None


def profile_of(content: Content, dataset: Dataset | None = None, recipe: DataRecipe | None = None) -> Profile:
    """Describe data.

    Args:
        content: what was read.
        dataset: what was made of it, where a recipe fits already.
        recipe: tells the columns' roles where there is no dataset yet, and which are left out.
    """
    classes: tuple[str, ...] = dataset.encoder.classes if dataset else ()
    numbers = dataset.targets if dataset and classes else None
    rows = _sample_rows(content, numbers)
    known = numbers >= 0 if numbers is not None else _known_target(content, dataset)
    return Profile(
        rows=content.rows,
        columns=tuple(
            _column(column, _role(column.name, dataset, recipe), numbers, len(classes)) for column in content.columns
        ),
        pictures=None if content.pictures is None else _pictures(content.pictures),
        classes=classes,
        class_counts=_counts(numbers, len(classes)) if numbers is not None else (),
        unlabeled=int((~known).sum()),
        distributions=dataset.distributions if dataset else (),
        sets=tuple(_set(name, dataset) for name in dataset.sets) if dataset else (),
        sample_rows=tuple(rows),
        sample=tuple(tuple(column.text(row) for column in content.columns) for row in rows),
        resolution=_resolutions(dataset) if dataset else (),
        sequences=None if content.sequences is None else _sequences(content.sequences),
    )


def _known_target(content: Content, dataset: Dataset | None) -> Array:
    return np.ones(content.rows, bool) if dataset is None else ~np.isnan(dataset.targets[:, 0])


def _role(name: str, dataset: Dataset | None, recipe: DataRecipe | None) -> str:
    targets = (dataset.encoder.target if dataset else None, recipe.target if recipe else None)
    if name in targets:
        return "target"
    if recipe and name == recipe.weights.column:
        return "weight"
    if recipe and name == group_of(recipe):
        return "group"
    if recipe and (name in recipe.exclude or recipe.weights.attributes.get(name) == 0):
        return "excluded"
    if dataset and any(name == feature.name for feature in dataset.encoder.features):
        return "feature"
    return "other"


def _counts(numbers: Array, size: int) -> tuple[int, ...]:
    return tuple(np.bincount(numbers[numbers >= 0], minlength=size).tolist())


def _column(column: Column, role: str, classes: Array | None, count: int) -> ColumnProfile:
    missing = column.missing
    known = column.values[~missing]
    if column.type == "category":
        distinct = len(np.unique(known))
        return ColumnProfile(
            column.name, "category", role, int(missing.sum()), distinct, top=_top(column, classes, count)
        )
    base = ColumnProfile(column.name, "number", role, int(missing.sum()), len(np.unique(known)))
    if not len(known):
        return base
    return ColumnProfile(
        column.name,
        "number",
        role,
        base.missing,
        base.distinct,
        low=float(known.min()),
        mean=float(known.mean()),
        high=float(known.max()),
        deviation=float(known.std()),
        histogram=_histogram(known, None if classes is None else classes[~missing], count),
    )


def _histogram(values: Array, classes: Array | None, count: int) -> Histogram:
    edges = np.histogram_bin_edges(values, _BINS)
    # As NumPy has it: bins are open to the right, but for the last.
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, _BINS - 1)
    counts = tuple(np.bincount(bins, minlength=_BINS).tolist())
    return Histogram(tuple(edges.tolist()), counts, _by_class(bins, classes, count, _BINS))


def _by_class(places: Array, classes: Array | None, count: int, size: int) -> tuple[tuple[int, ...], ...]:
    if classes is None:
        return ()
    known = classes >= 0
    table = np.bincount(classes[known] * size + places[known], minlength=count * size).reshape(count, size)
    return tuple(tuple(row) for row in table.tolist())


def _top(column: Column, classes: Array | None, count: int) -> tuple[CategoryCount, ...]:
    known = column.values >= 0
    counts = np.bincount(column.values[known], minlength=len(column.categories))
    chosen = np.argsort(-counts, kind="stable")[:_TOP]
    place = np.full(len(column.categories) + 1, -1)
    place[chosen] = np.arange(len(chosen))
    among = place[column.values] >= 0
    table = _by_class(place[column.values][among], None if classes is None else classes[among], count, len(chosen))
    return tuple(
        CategoryCount(column.categories[code], int(counts[code]), tuple(row[rank] for row in table))
        for rank, code in enumerate(chosen.tolist())
    )


def _pictures(pictures: Array) -> PictureProfile:
    _, height, width, channels = pictures.shape
    # Mapped from disk they may be large: a few thousand show the range.
    some = pictures[:: max(1, len(pictures) // 2000)]
    return PictureProfile(
        height, width, channels, pictures.dtype.name, float(some.min()), float(some.mean()), float(some.max())
    )


def _sequences(sequences: Array) -> SequenceProfile:
    _, steps, features = sequences.shape
    some = sequences[:: max(1, len(sequences) // 2000)]
    low, high = some.min(axis=(0, 1)), some.max(axis=(0, 1))
    return SequenceProfile(steps, features, tuple(low.tolist()), tuple(high.tolist()))


def _set(name: str, dataset: Dataset) -> SetProfile:
    rows = dataset.sets[name]
    by_class = _counts(dataset.targets[rows], len(dataset.classes)) if dataset.classes else ()
    return SetProfile(name, len(rows), by_class, _counts(dataset.distribution_of[rows], len(dataset.distributions)))


def _sample_rows(content: Content, classes: Array | None) -> list[int]:
    if content.arrays is None:
        return list(range(min(_SAMPLE, content.rows)))
    label = content.column(content.label) if content.label else None
    if classes is None and label is not None:
        classes = as_category(label).values
    if classes is None:
        return list(range(min(_SAMPLE, content.rows)))
    numbers = np.unique(classes[classes >= 0])
    each = max(1, _SAMPLE // max(1, len(numbers)))
    return sorted(int(row) for number in numbers for row in np.flatnonzero(classes == number)[:each])


def wilson_upper(error: float, examples: int) -> float:
    """The upper end of the 95 % interval of an error measured on so many examples.

    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927.
    """
    z2 = _Z95**2
    center = error + z2 / (2 * examples)
    spread = _Z95 * sqrt(error * (1 - error) / examples + z2 / (4 * examples**2))
    return (center + spread) / (1 + z2 / examples)


def _resolutions(dataset: Dataset) -> tuple[str, ...]:
    if not dataset.classes:
        return ()
    return tuple(
        f"The {name} set ({len(dataset.sets[name]):,} examples) can tell {_TYPICAL_ERROR:.1%} error from "
        f"{wilson_upper(_TYPICAL_ERROR, len(dataset.sets[name])):.1%}.".replace("%", " %")
        for name in ("dev", "test")
        if len(dataset.sets[name])
    )
