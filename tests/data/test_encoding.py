"""The encoder against scikit-learn's, what it refuses, and its way through JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from support.data_rig import data_recipe, numbers, texts

from workbench.data.content import Content
from workbench.data.encoder import Encoder
from workbench.data.fitting import fit_encoder
from workbench.data.readers.table import read_table
from workbench.data.roles import roles_of
from workbench.data.targets import targets_of
from workbench.errors import InputError
from workbench.recipe.data import Source

FIGURE = st.floats(-1e4, 1e4).map(lambda value: round(value, 3))


def fitted(content: Content, train: Any, **data: Any) -> tuple[Encoder, tuple[str, ...]]:
    recipe = data_recipe(**data)
    roles, problems = roles_of(recipe, content)
    assert not problems
    column = content.column(roles.targets[0])
    assert column is not None
    targets, problems = targets_of(recipe.task, [column])
    assert not problems
    return fit_encoder(recipe, content, roles, targets, np.asarray(train))


def normalized(encoder: Encoder, content: Content) -> Any:
    return (encoder.encode(content) - encoder.shift) * encoder.scale


def people(rows: int = 8) -> Content:
    chance = np.random.default_rng(0)
    return Content(
        (
            numbers("age", chance.integers(20, 60, rows).tolist()),
            texts("city", [["Oslo", "Rome", "Bern"][row % 3] for row in range(rows)]),
            numbers("pay", chance.normal(1000, 50, rows).tolist()),
            texts("class", [["no", "yes"][row % 2] for row in range(rows)]),
        )
    )


@given(st.lists(st.tuples(FIGURE, FIGURE), min_size=4, max_size=30), st.sampled_from(["standard", "minmax", "none"]))
def test_that_normalization_is_scikit_learns_of_the_training_set(rows: list[tuple[float, float]], way: str) -> None:
    table = np.array(rows)
    train = np.arange(0, len(rows), 2)
    columns = (numbers("a", table[:, 0].tolist()), numbers("b", table[:, 1].tolist()), texts("y", ["u", "v"] * 15))
    content = Content(tuple(column.take(np.arange(len(rows))) for column in columns))
    encoder, _ = fitted(content, train, target="y", normalize=way)
    oracle = {"standard": StandardScaler(), "minmax": MinMaxScaler()}.get(way)
    expected = oracle.fit(table[train]).transform(table) if oracle else table
    span = np.abs(table).max() * np.abs(encoder.scale).max()
    np.testing.assert_allclose(normalized(encoder, content), expected, rtol=1e-5, atol=2e-6 * max(1.0, span))


@given(
    st.lists(st.none() | st.sampled_from(["x", "y", "z", "rare"]), min_size=4, max_size=25),
    st.lists(st.none() | FIGURE, min_size=25, max_size=25),
)
def test_that_categories_and_missing_values_are_encoded_as_scikit_learn_does(cells: Any, figures: Any) -> None:
    count, train = len(cells), np.arange(0, len(cells), 2)
    figures = figures[:count]
    content = Content((texts("c", cells), numbers("n", figures), texts("y", (["u", "v"] * 13)[:count])))
    known = [cells[row] for row in train if cells[row] is not None]
    values = np.array(figures, float)[:, None]
    if not known or np.isnan(values[train]).all():
        return
    encoder, _ = fitted(content, train, target="y")
    onehot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    onehot.fit(np.array(known, object)[:, None])
    expected = onehot.transform(np.array([cell or "(missing)" for cell in cells], object)[:, None])
    filled = SimpleImputer().fit(values[train]).transform(values)
    found = encoder.encode(content)
    assert found.dtype == np.float32
    assert encoder.feature_names == (*(f"c={category}" for category in onehot.categories_[0]), "n")
    np.testing.assert_array_equal(found[:, :-1], expected)
    np.testing.assert_allclose(found[:, -1:], filled, rtol=1e-6, atol=1e-6)


def test_that_one_hot_columns_stay_0_and_1() -> None:
    encoder, _ = fitted(people(), range(8), target="class")
    cities = normalized(encoder, people())[:, 1:4]
    assert set(cities.ravel().tolist()) == {0.0, 1.0}
    assert encoder.feature_names == ("age", "city=Bern", "city=Oslo", "city=Rome", "pay")


def test_that_features_come_in_the_recipe_s_order() -> None:
    encoder, _ = fitted(people(), range(8), target="class", features=["pay", "age"])
    assert encoder.feature_names == ("pay", "age")


def test_that_strengths_scale_normalized_values_and_0_leaves_a_column_out() -> None:
    plain, _ = fitted(people(), range(8), target="class")
    weak, _ = fitted(people(), range(8), target="class", weights={"attributes": {"age": 0.25, "city": 0.5, "pay": 0}})
    assert weak.feature_names == ("age", "city=Bern", "city=Oslo", "city=Rome")
    expected = normalized(plain, people())[:, :4] * [0.25, 0.5, 0.5, 0.5]
    np.testing.assert_allclose(normalized(weak, people()), expected, rtol=1e-6)


def test_that_a_constant_column_is_shifted_only() -> None:
    content = Content((numbers("k", [0.1] * 6), numbers("n", [1, 2, 3, 4, 5, 6]), texts("y", ["a", "b"] * 3)))
    for way in ("standard", "minmax"):
        encoder, _ = fitted(content, range(6), target="y", normalize=way)
        assert normalized(encoder, content)[:, 0].tolist() == [0.0] * 6
        assert encoder.scale[0] == 1.0


@pytest.mark.parametrize("cells", [[0.0, 1e-45, 0.0, 1e-40], [-1e37, 1e37, 0.0, 1.0], [1e37, 1e37, 1e37, -1e37]])
@pytest.mark.parametrize("way", ["standard", "minmax", "none"])
def test_that_extreme_numbers_stay_finite(cells: list[float], way: str) -> None:
    content = Content((numbers("n", cells), texts("y", ["a", "b"] * 2)))
    encoder, _ = fitted(content, range(4), target="y", normalize=way)
    assert np.isfinite(normalized(encoder, content)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("way", ["standard", "minmax", "none"])
def test_that_pictures_are_normalized_by_channel_on_the_training_set(dtype: Any, way: str) -> None:
    chance = np.random.default_rng(0)
    pictures = (chance.integers(0, 200, (40, 5, 4, 3)) * [1, 0.5, 0.1] + [0, 3, 50]).astype(dtype)
    content = Content((texts("label", ["a", "b"] * 20),), pictures, label="label")
    train = np.arange(0, 40, 3)
    encoder, _ = fitted(content, train, normalize=way)
    assert encoder.input_shape == (5, 4, 3)
    assert encoder.encode(content) is pictures
    oracle = {"standard": StandardScaler(), "minmax": MinMaxScaler()}.get(way)
    flat = pictures.reshape(-1, 3).astype(float)
    expected = oracle.fit(pictures[train].reshape(-1, 3).astype(float)).transform(flat) if oracle else flat
    np.testing.assert_allclose(normalized(encoder, content).reshape(-1, 3), expected, rtol=1e-4, atol=1e-5)


def test_that_many_pictures_are_measured_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.random.default_rng(0).normal(50, 9, (25, 3, 3, 2)).astype(np.float32)
    content = Content((texts("label", ["a", "b", "a", "b", "a"] * 5),), pictures, label="label")
    whole, _ = fitted(content, range(25))
    monkeypatch.setattr("workbench.data.fitting._PIECE", 4)
    pieces, _ = fitted(content, range(25))
    np.testing.assert_allclose(pieces.shift, whole.shift, rtol=1e-6)
    np.testing.assert_allclose(pieces.scale, whole.scale, rtol=1e-6)


def test_that_a_regression_target_is_normalized_on_the_training_set() -> None:
    content = Content((numbers("x", [1, 2, 3, 4]), numbers("y", [10, 20, 30, 1000])))
    encoder, _ = fitted(content, [0, 1, 2], task="regression", target="y", normalize_target="standard")
    assert encoder.target_shift == 20
    assert encoder.target_scale == pytest.approx(np.std([10, 20, 30]))
    assert encoder.classes == ()
    assert encoder.encode_targets(content).tolist() == [[10], [20], [30], [1000]]
    plain, _ = fitted(content, [0, 1, 2], task="regression", target="y")
    assert (plain.target_shift, plain.target_scale) == (0.0, 1.0)


def test_that_other_files_are_encoded_by_name_in_any_order_with_what_was_learned() -> None:
    encoder, _ = fitted(people(), range(8), target="class")
    other = Content(
        (
            numbers("extra", [1, 2, 3]),
            texts("class", ["yes", "maybe", None]),
            texts("city", ["Rome", "Paris", None]),
            numbers("pay", [1000, None, 3]),
            texts("age", ["30", "40", None]),
        )
    )
    encoded = encoder.encode(other)
    assert encoded[:, 1:4].tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert encoded[:2, 0].tolist() == [30, 40]
    fills = {feature.name: feature.fill for feature in encoder.features}
    assert (encoded[2, 0], encoded[1, 4]) == (np.float32(fills["age"]), np.float32(fills["pay"]))
    assert encoder.encode_targets(other).tolist() == [1, -1, -1]
    notes = "\n".join(encoder.notes(other))
    assert "'city': 1 value not seen in training: 'Paris'" in notes
    assert "'age': 1 missing value put at the training mean" in notes
    assert "1 example of classes that were not learned: 'maybe'" in notes


def test_that_numbers_stand_for_the_categories_they_spell() -> None:
    content = Content((texts("zip", ["1", "2", "1", "2"]), numbers("y", [0, 1, 0, 1])))
    encoder, _ = fitted(content, range(4), target="y", columns={"zip": "category"})
    other = Content((numbers("zip", [2, 1]), texts("y", ["1", "0"])))
    assert encoder.encode(other).tolist() == [[0, 1], [1, 0]]
    assert encoder.encode_targets(other).tolist() == [1, 0]
    assert encoder.column_types() == {"zip": "category"}


def test_that_all_that_another_file_lacks_is_named() -> None:
    encoder, _ = fitted(people(), range(8), target="class")
    other = Content((texts("age", ["30", "old", "30", "?!"]),))
    with pytest.raises(InputError) as caught:
        encoder.encode(other)
    assert "lacks the columns 'city', 'pay' that the network reads" in str(caught.value)
    assert "column 'age' must hold numbers; there is text in rows 2, 4: 'old', '?!'" in str(caught.value)
    with pytest.raises(InputError, match="lacks the column 'pay' that the network reads; did you mean 'Pay'"):
        encoder.encode(Content((*people().columns[:2], numbers("Pay", [0] * 8))))


def test_that_pictures_of_another_size_are_refused_with_both_sizes() -> None:
    pictures = np.zeros((2, 6, 5, 1), np.uint8)
    encoder, _ = fitted(Content((texts("label", ["a", "b"]),), pictures, label="label"), [0, 1])
    with pytest.raises(InputError, match="reads pictures of 6 × 5 × 1, this is pictures of 7 × 5 × 3"):
        encoder.encode(Content((), np.zeros((2, 7, 5, 3), np.uint8)))
    with pytest.raises(InputError, match="this is a table"):
        encoder.encode(people())
    table, _ = fitted(people(), range(8), target="class")
    with pytest.raises(InputError, match="reads a table, this is pictures of 6 × 5 × 1"):
        table.encode(Content((), pictures))
    floats = Content((), pictures.astype(np.float32))
    assert "learned from uint8 pixels, these are float32" in encoder.notes(floats)[0]


def test_that_targets_that_are_nowhere_are_unknown() -> None:
    encoder, _ = fitted(people(), range(8), target="class")
    assert encoder.encode_targets(people().take(np.arange(2))).tolist() == [0, 1]
    assert encoder.encode_targets(Content((numbers("x", [1, 2]),))).tolist() == [-1, -1]
    # Files that mark their labels need not call them the same.
    assert encoder.encode_targets(Content((texts("y", ["yes", "no"]),), label="y")).tolist() == [1, 0]
    content = Content((numbers("x", [1, 2]), numbers("y", [1, 3])))
    regression, _ = fitted(content, [0, 1], task="regression", target="y")
    assert np.isnan(regression.encode_targets(people())).all()
    with pytest.raises(InputError, match="column 'y' must hold numbers; there is text in row 1: 'no'"):
        regression.encode_targets(Content((texts("y", ["no", "5"]),)))


def test_that_what_is_unusual_is_told_when_fitting() -> None:
    content = Content(
        (
            numbers("time", [1.7e9, 1.7e9 + 60, 1.7e9 + 120, 1.7e9 + 30]),
            texts("city", ["a", "b", "a", "c"]),
            numbers("gap", [1, None, 3, 4]),
            texts("late", [None, None, None, "z"]),
            texts("y", ["u", "v", "u", "v"]),
        )
    )
    encoder, notices = fitted(content, [0, 1, 2], target="y")
    told = "\n".join(notices)
    assert "'time' varies little around 1.7e+09" in told
    assert "'city': 'c' stand in no training example" in told
    assert "'gap' (1)" in told
    assert "Without any value in the training set: 'late'" in told
    assert encoder.feature_names == ("time", "city=a", "city=b", "gap")


def test_that_other_files_may_hold_anything_in_columns_that_are_not_read() -> None:
    encoder, _ = fitted(people(), range(8), target="class")
    rows = "age,city,pay,note\n30,Rome,5,1\n40,Oslo,6,2\n50,Bern,7,oops\n"
    content = read_table(rows.encode(), Source(path="t.csv"), encoder.hints(), lambda *told: None)
    assert encoder.encode(content)[:, 0].tolist() == [30, 40, 50]
    with pytest.raises(InputError, match="column 'age' is declared a column of numbers"):
        read_table(rows.replace("40", "old").encode(), Source(path="t"), encoder.hints(), lambda *told: None)


def test_that_an_encoder_goes_through_json_unchanged() -> None:
    pictures = Content((texts("label", ["a", "b"]),), np.zeros((2, 6, 5, 1), np.uint8), label="label")
    pay = fitted(people(), [0, 3, 5], task="regression", target="pay", normalize_target="standard")
    for encoder, content in ((fitted(people(), [0, 1, 2, 5], target="class")[0], people()),
                             (fitted(pictures, [0, 1])[0], pictures), (pay[0], people())):  # fmt: skip
        again = Encoder.from_json(encoder.to_json())
        assert again.to_json() == encoder.to_json()
        np.testing.assert_array_equal(normalized(again, content), normalized(encoder, content))
        np.testing.assert_array_equal(again.encode_targets(content), encoder.encode_targets(content))
        assert (again.scale.dtype, again.feature_names) == (np.float32, encoder.feature_names)


@pytest.mark.parametrize(
    "change",
    [
        {"shift": [0.0]}, {"scale": "x"}, {"task": "dreams"}, {"input_shape": [3]}, {"features": [["age"]]},
        {"features": []}, {"target_scale": 0}, {"pixels": "int4"}, {"scale": [1e999] * 5}, {"classes": None},
    ],
)  # fmt: skip
def test_that_an_encoder_that_was_tampered_with_is_refused(change: dict[str, Any]) -> None:
    tree = json.loads(fitted(people(), range(8), target="class")[0].to_json())
    with pytest.raises(InputError, match="is no encoder that can be read"):
        Encoder.from_json(json.dumps({**tree, **change}))


@pytest.mark.parametrize("text", ["", "null", "[1]", "{}", "[" * 100_000])
def test_that_texts_that_are_no_encoder_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no encoder that can be read"):
        Encoder.from_json(text)
