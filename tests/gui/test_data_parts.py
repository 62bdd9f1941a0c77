"""The logic under the data page, without widgets: rules by hand, roles, likeness, dials, and the strip."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.data_rig import data_recipe, numbers, texts
from support.small_runs import picture_recipe, table_recipe, write_pictures, write_table

from workbench.data.augment.pipeline import preview
from workbench.data.content import Content
from workbench.data.dataset import Dataset, load_dataset
from workbench.data.feeder import Feeder
from workbench.data.profile import profile_of
from workbench.data.weights import strengths_of
from workbench.engine.parameters import Parameters
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.gui.data.dials import dials_of
from workbench.gui.data.examples import Examples
from workbench.gui.data.facts import facts_line, head_note, notices_of
from workbench.gui.data.likeness import differ, mixtures
from workbench.gui.data.roles import role_changes, role_of, strength_changes, with_group
from workbench.gui.data.rules import factors_of, ranges_text, rows_of, with_strength
from workbench.gui.data.strip import NoiseSample, kinds_for, spread_rows, strips
from workbench.gui.data.thumbs import as_bytes, shown_range, shrunk, thumb
from workbench.gui.data_desk import DataState
from workbench.recipe.data import Weights
from workbench.recipe.kinds import AugmentSpec
from workbench.recipe.recipe import Recipe
from workbench.session.prepare import prepare

_N = 60
row_sets = st.sets(st.integers(0, _N - 1), min_size=1).map(lambda rows: np.array(sorted(rows), np.int64))
strengths = st.sampled_from([0.0, 0.25, 1.0, 2.0, 7.5])


def _content() -> Content:
    return Content((numbers("age", [1, 2, 3, 4]), numbers("s", [1, 2, 1, 1]), texts("kind", ["a", "b", "a", "b"])))


def _recipe(**data: Any) -> Any:
    return data_recipe(target="kind", **data)


# --- strengths by hand -------------------------------------------------------------------------------------------


@given(row_sets)
def test_that_rows_as_text_are_the_same_rows_again(rows: Any) -> None:
    assert rows_of(ranges_text(rows), _N).tolist() == rows.tolist()


@given(st.lists(st.tuples(row_sets, strengths), min_size=1, max_size=4))
def test_that_the_last_strength_given_by_hand_is_the_one_that_counts(given_by_hand: Any) -> None:
    rules: Any = ()
    expected = np.ones(_N)
    for rows, strength in given_by_hand:
        rules = with_strength(rules, rows, strength, _N)
        expected[rows] = strength
    assert factors_of(rules, _N) == pytest.approx(expected)
    # And it is what the training makes of the rules.
    content = Content((numbers("x", list(range(_N))),))
    used, problems = strengths_of(Weights(rows=rules), content, None, np.zeros(0, np.int64))
    assert problems == []
    assert used == pytest.approx(expected)


# --- roles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["left out", "group", "weight", "target", "feature"])
def test_that_a_column_has_the_role_it_was_given(role: Any) -> None:
    name = "kind" if role == "target" else "s"
    before = Recipe.parse({"data": _recipe().model_dump(mode="json")})
    changes = {
        path: value if not hasattr(value, "model_dump") else value.model_dump(mode="json")
        for path, value in role_changes(before.data, name, role, 4).items()
    }
    after = before.replace(changes) if changes else before
    assert role_of(after.data, _content(), name) == role


@pytest.mark.parametrize("first", ["left out", "group", "weight"])
@pytest.mark.parametrize("second", ["left out", "group", "weight", "feature"])
def test_that_a_new_role_takes_the_old_one_away(first: Any, second: Any) -> None:
    recipe = Recipe.parse({"data": _recipe().model_dump(mode="json")})
    for role in (first, second):
        changes = {
            path: value if not hasattr(value, "model_dump") else value.model_dump(mode="json")
            for path, value in role_changes(recipe.data, "s", role, 4).items()
        }
        recipe = recipe.replace(changes) if changes else recipe
    assert role_of(recipe.data, _content(), "s") == second
    data = recipe.data
    held = [
        data.weights.column == "s",
        "s" in data.exclude,
        with_group(data, None, 4) != data.split and second == "group",
    ]
    assert sum(held) <= 1


def test_that_a_strength_brings_an_excluded_column_back() -> None:
    changes = strength_changes(_recipe(exclude=["age"]), "age", 0.5)
    assert changes == {"data.weights.attributes": {"age": 0.5}, "data.exclude": []}


# --- likeness ----------------------------------------------------------------------------------------------------


def test_that_shares_differ_only_beyond_chance() -> None:
    assert differ(50, 100, 90, 100)
    assert not differ(50, 100, 55, 100)
    assert not differ(5000, 10_000, 5150, 10_000), "surely measured, and of no importance"
    assert not differ(0, 0, 10, 100)


def test_that_dev_and_test_of_other_mixtures_are_warned_of(tmp_path: Any) -> None:
    clean, noisy = write_table(tmp_path, 300, "a.csv"), write_table(tmp_path, 300, "b.csv")
    sources = [{"path": str(clean), "distribution": "A"}, {"path": str(noisy), "distribution": "B", "set": "test"}]
    dataset = load_dataset(Recipe.parse({"data": {"sources": sources, "target": "kind"}}).data)
    a, b = mixtures(profile_of(dataset.content, dataset))
    assert (a.name, b.name) == ("A", "B")
    assert b.likeness == "dev and test differ"


# --- dials -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(AugmentSpec.kinds()))
@given(share=st.floats(0, 1))
def test_that_a_slider_stays_where_its_value_puts_it(kind: str, share: float) -> None:
    for dial in dials_of(AugmentSpec.kinds()[kind], (28, 28, 1)):
        value = dial.value(share)
        assert 0 <= value <= dial.high
        assert dial.value(dial.share(value)) == pytest.approx(value)
        spec = AugmentSpec.kinds()[kind].model_validate({dial.field.name: value})
        assert getattr(spec, dial.field.name) == value


def test_that_dials_write_what_their_numbers_mean() -> None:
    told = {
        kind: dials_of(AugmentSpec.kinds()[kind], (28, 28, 1))[0].text(value).replace("\u00a0", " ")
        for kind, value in (("rotate", 20.0), ("shift", 2.0), ("scale", 0.1), ("flip", 0.5), ("noise", 0.05))
    }
    assert told == {"rotate": "±20°", "shift": "±2 px", "scale": "×1.10", "flip": "50 %", "noise": "5 %"}


def test_that_tables_are_offered_noise_only() -> None:
    assert [kind.kind for kind in kinds_for((5,))] == ["noise"]
    assert len(kinds_for((28, 28, 1))) >= 8


# --- the strip ---------------------------------------------------------------------------------------------------


def _specs(*kinds: str) -> list[Any]:
    return [AugmentSpec.model_validate({"kind": kind}) for kind in kinds]


def test_that_the_strip_shows_what_the_training_draws() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (2, 20, 20, 1), dtype=np.uint8)
    specs, rows = _specs("rotate", "noise"), np.array([3, 17])
    found = strips(specs, list(pictures), rows, (5, 2), (0.0, 255.0), columns=6)
    assert [strip.caption for strip in found][3:] == ["epoch 3", "epoch 4", "epoch 5"]
    for strip, epoch in zip(found[3:], (2, 3, 4), strict=True):
        expected = np.rint(preview(specs, pictures, rows, 5, epoch)).clip(0, 255)
        assert np.abs(np.stack(strip.pictures).astype(float) - expected).max() <= 1


def test_that_an_augmentation_that_is_off_is_left_out_of_the_strip() -> None:
    picture = np.full((8, 8, 1), 100, np.uint8)
    specs = [spec.model_copy(update={"enabled": False}) for spec in _specs("noise")]
    assert [one.caption for one in strips(specs, [picture], np.array([0]), (0, 0), (0.0, 255.0), 5)] == ["original"]


@given(st.integers(1, 500), st.integers(1, 6), st.integers(0, 50))
def test_that_the_shown_examples_are_different_rows_of_the_set(size: int, count: int, start: int) -> None:
    rows = np.arange(1000, 1000 + size)
    picked = spread_rows(rows, count, start)
    assert len(set(picked.tolist())) == len(picked) >= 1
    assert set(picked.tolist()) <= set(rows.tolist())


def test_that_noise_on_a_column_is_what_the_feeder_gives_the_network(tmp_path: Any) -> None:
    recipe = table_recipe(write_table(tmp_path))
    recipe = recipe.replace({"data.augment": [{"kind": "noise", "sigma": 0.3}]})
    prepared = prepare(recipe, device="cpu", threads=1)
    dataset: Dataset = prepared.dataset
    sample = NoiseSample(dataset)
    moves = sample.moves(recipe.data.augment, "right", seed=7, epoch=3)
    feeder = Feeder(dataset, prepared.backend, recipe.data.augment, seed=7)
    parameters = Parameters(prepared.network, prepared.backend, np.float32)
    rows = len(sample.rows)
    plan = Plan(parameters, recipe.training.loss, rows, training=True, pool=ShardPool(1))  # type: ignore[arg-type]
    feeder.fill(plan, sample.rows, 3)
    fed = plan.input[: len(sample.rows), 1] / dataset.encoder.scale[1] + dataset.encoder.shift[1]
    assert moves.after == pytest.approx(fed, rel=1e-4, abs=1e-4)


# --- pictures and words ------------------------------------------------------------------------------------------


def test_that_dim_pictures_are_stretched_and_large_ones_made_small() -> None:
    assert as_bytes(np.array([[[0], [16]]], np.uint8), 0.0, 16.0).ravel().tolist() == [0, 255]
    small, step = shrunk(np.zeros((1000, 500, 3)), 64)
    assert step == 7
    assert max(small.shape) <= 2 * 64 + 16
    image = thumb(np.full((4, 8, 3), 255, np.uint8), 64, 0.0, 255.0)
    assert (image.width(), image.height()) == (64, 32)


def test_that_examples_without_a_dataset_are_in_no_set_and_keep_their_marks() -> None:
    content = Content((texts("label", ["x", "y", "x"]),), label="label")
    examples = Examples.of(DataState(content, None, profile_of(content), None))
    assert examples.rows(class_number=0).tolist() == [0, 2]
    assert examples.rows(set_code=-1).tolist() == [0, 1, 2]
    assert (examples.class_name(1), examples.set_name(1)) == ("y", "")


def test_that_pictures_are_told_of_by_size_and_color(tmp_path: Any) -> None:
    recipe = picture_recipe(write_pictures(tmp_path)).data
    dataset = load_dataset(recipe)
    state = DataState(dataset.content, dataset, profile_of(dataset.content, dataset, recipe), None)
    assert head_note(state).replace("\u00a0", " ").startswith("120 pictures · 8 × 8 · gray · uint8")
    assert facts_line(state).replace("\u00a0", " ").startswith("The network reads 8 × 8 × 1 and answers with 3 classes")
    assert notices_of(state) == dataset.notices
    low, high = shown_range(state.profile.pictures)  # type: ignore[arg-type]
    assert (low, high) == (0.0, 255.0)
