"""What a preview shows, against NumPy and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from support.data_rig import data_recipe, numbers, texts

from workbench.data.content import Content
from workbench.data.dataset import Dataset, dataset_of
from workbench.data.profile import Profile, profile_of, wilson_upper

CHANCE = np.random.default_rng(7)
FRAME = pd.DataFrame(
    {
        "size": CHANCE.normal(5, 2, 200).round(2),
        "color": CHANCE.choice(["red", "green", "blue"], 200),
        "note": ["x"] * 200,
        "class": CHANCE.choice(["a", "b"], 200),
    }
)
FRAME.loc[3, "size"] = np.nan
FRAME.loc[5, "color"] = None
FRAME.loc[7, "class"] = None
CONTENT = Content(
    (
        numbers("size", FRAME["size"].to_list()),
        *(texts(name, [None if pd.isna(c) else c for c in FRAME[name]]) for name in ("color", "note", "class")),
    )
)
RECIPE = data_recipe(target="class", exclude=["note"])


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of(RECIPE, [CONTENT])


@pytest.fixture(scope="module")
def profile(dataset: Dataset) -> Profile:
    return profile_of(CONTENT, dataset, RECIPE)


def test_that_numbers_are_described(profile: Profile) -> None:
    column, known = profile.columns[0], FRAME["size"].dropna()
    assert (column.name, column.type, column.role, column.missing) == ("size", "number", "feature", 1)
    assert column.distinct == known.nunique()
    found = (column.low, column.mean, column.high, column.deviation)
    assert found == pytest.approx((known.min(), known.mean(), known.max(), known.std(ddof=0)))
    assert column.histogram is not None
    counts, edges = np.histogram(known, 20)
    np.testing.assert_allclose(column.histogram.edges, edges)
    assert column.histogram.counts == tuple(counts.tolist())
    for row, name in zip(column.histogram.by_class, ("a", "b"), strict=True):
        assert row == tuple(np.histogram(known[FRAME["class"] == name], edges)[0].tolist())


def test_that_categories_are_described(profile: Profile) -> None:
    column = profile.columns[1]
    assert (column.type, column.missing, column.distinct, column.histogram) == ("category", 1, 3, None)
    expected = FRAME["color"].value_counts()
    assert {top.name: top.count for top in column.top} == expected.to_dict()
    assert [top.count for top in column.top] == sorted(expected, reverse=True)
    table = pd.crosstab(FRAME["color"], FRAME["class"])
    for top in column.top:
        assert top.by_class == tuple(table.loc[top.name].tolist())


def test_that_roles_classes_and_sets_are_told(profile: Profile, dataset: Dataset) -> None:
    assert [column.role for column in profile.columns] == ["feature", "feature", "excluded", "target"]
    assert (profile.rows, profile.classes, profile.unlabeled) == (200, ("a", "b"), 1)
    assert profile.class_counts == tuple(FRAME["class"].value_counts().sort_index())
    for part in profile.sets:
        rows = dataset.sets[part.name]
        assert part.rows == len(rows) == sum(part.by_class) == sum(part.by_distribution)
        assert part.by_class[0] == (FRAME["class"][rows] == "a").sum()
    assert profile.sample[0] == ("5", *FRAME.iloc[0, 1:])
    assert profile.sample[3][0] == ""
    assert profile.sample_rows == tuple(range(50))


def test_that_a_preview_works_before_anything_is_decided() -> None:
    profile = profile_of(CONTENT)
    assert {column.role for column in profile.columns} == {"other"}
    assert (profile.sets, profile.classes, profile.resolution, profile.unlabeled) == ((), (), (), 0)
    roles = profile_of(CONTENT, None, data_recipe(target="class", weights={"column": "size"})).columns
    assert [column.role for column in roles] == ["weight", "other", "other", "target"]


def test_that_columns_without_values_and_constants_are_described() -> None:
    profile = profile_of(Content((numbers("e", [None, None]), numbers("k", [2, 2]), texts("c", [None, None]))))
    empty, constant, category = profile.columns
    assert (empty.missing, empty.distinct, empty.low, empty.histogram) == (2, 0, None, None)
    assert (constant.low, constant.deviation) == (2, 0)
    assert constant.histogram is not None
    assert sum(constant.histogram.counts) == 2
    assert (category.top, category.missing) == ((), 2)


def test_that_pictures_are_described_with_a_sample_of_each_class() -> None:
    pictures = np.zeros((40, 3, 4, 1), np.uint8)
    pictures[0, 0, 0] = 200
    content = Content((texts("label", ["x"] * 38 + ["y"] * 2),), pictures, label="label")
    dataset = dataset_of(data_recipe(), [content])
    for profile in (profile_of(content), profile_of(content, dataset)):
        assert profile.pictures is not None
        assert (profile.pictures.height, profile.pictures.width, profile.pictures.channels) == (3, 4, 1)
        assert (profile.pictures.low, profile.pictures.high) == (0, 200)
        assert profile.sample_rows == (*range(25), 38, 39)


def test_that_regression_has_no_classes_and_counts_unknown_targets() -> None:
    content = Content((numbers("x", list(range(9))), numbers("y", [None, *range(8)])))
    recipe = data_recipe(task="regression", target="y")
    profile = profile_of(content, dataset_of(recipe, [content]), recipe)
    assert (profile.classes, profile.unlabeled, profile.resolution) == ((), 1, ())
    assert profile.sets[0].by_class == ()


@given(st.integers(1, 100_000), st.integers(0, 100))
def test_that_the_interval_is_wilsons(examples: int, percent: int) -> None:
    errors = examples * percent // 100
    expected = binomtest(errors, examples).proportion_ci(0.95, method="wilson").high
    assert wilson_upper(errors / examples, examples) == pytest.approx(expected, rel=1e-9)


def test_that_it_is_said_what_the_sets_can_tell_apart(profile: Profile) -> None:
    expected = wilson_upper(0.04, len(FRAME) // 5)
    assert profile.resolution[1] == f"The test set (40 examples) can tell 4.0 % error from {100 * expected:.1f} %."
