"""Reshape, upsampling and zero padding: where each value goes, and the words for what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import Case
from support.layer_rig import LayerRig, assert_close

from workbench.engine.layer import ShapeError
from workbench.errors import RecipeError
from workbench.recipe.recipe import Recipe


def _output(kind: str, x: Any, **fields: Any) -> np.ndarray:
    """What a layer makes of one example."""
    rig = LayerRig(kind, Case(fields, (np.shape(x),)), rows=1)
    rig.inputs[0][0] = x
    output: np.ndarray = rig.forward()[0]
    return output


def test_that_a_vector_becomes_steps_with_their_features_side_by_side() -> None:
    sequence = _output("reshape", np.arange(6.0), shape=[3, 2])
    assert sequence.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert all(sequence[t, c] == t * 2 + c for t in range(3) for c in range(2))


@given(st.permutations([2, 3, 4, 5]), st.integers(1, 3), st.data())
def test_that_minus_one_stands_for_what_is_left(sizes: list[int], cut: int, data: st.DataObject) -> None:
    whole = [int(np.prod(sizes[:cut])), *sizes[cut:]][:3]
    whole[-1] = 120 // int(np.prod(whole[:-1]))
    place = data.draw(st.integers(0, len(whole) - 1))
    asked = [-1 if number == place else size for number, size in enumerate(whole)]
    assert Case({"shape": asked}, ()).layer("reshape").output_shape([(120,)]) == tuple(whole)


def test_that_values_that_do_not_fill_a_shape_are_told() -> None:
    with pytest.raises(ShapeError, match="the 12 values of 12 do not make 5 × -1"):
        Case({"shape": [5, -1]}, ()).layer("reshape").output_shape([(12,)])
    with pytest.raises(ShapeError, match="the 24 values of 4 × 3 × 2 do not make 5 × 5"):
        Case({"shape": [5, 5]}, ()).layer("reshape").output_shape([(4, 3, 2)])


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ([], "one to three numbers, not 0"),
        ([1, 2, 3, 4], "one to three numbers, not 4"),
        ([-1, -1], "-1 in one place at most"),
        ([0, 2], "numbers from 1 on"),
        ([-2, 2], "numbers from 1 on"),
    ],
)
def test_that_what_is_no_shape_is_told_at_its_field(shape: list[int], text: str) -> None:
    with pytest.raises(RecipeError, match=rf"network\.layers\[0\]\.shape.*{text}"):
        Recipe.parse({"network": {"layers": [{"kind": "reshape", "shape": shape}]}})


def test_that_nearest_repeats_and_linear_goes_straight_between_the_middles() -> None:
    steps = np.array([[0.0], [1.0], [3.0]])
    assert _output("upsampling1d", steps)[:, 0].tolist() == [0, 0, 1, 1, 3, 3]
    assert_close(_output("upsampling1d", steps, mode="linear")[:, 0], [0, 0.25, 0.75, 1.5, 2.5, 3], 1e-12)
    thirds = _output("upsampling1d", steps, mode="linear", factor=3)[:, 0]
    assert_close(thirds, [0, 0, 1 / 3, 2 / 3, 1, 5 / 3, 7 / 3, 3, 3], 1e-12)


def test_that_a_picture_grows_by_a_factor_for_each_axis() -> None:
    picture = np.arange(4.0).reshape(2, 2, 1)
    rows = _output("upsampling2d", picture, factor=[1, 2])[..., 0]
    assert rows.tolist() == [[0, 0, 1, 1], [2, 2, 3, 3]]
    assert _output("upsampling2d", picture, factor=[3, 1]).shape == (6, 2, 1)


def test_that_a_mean_survives_linear_upsampling() -> None:
    picture = np.random.default_rng(0).normal(size=(5, 4, 2))
    large = _output("upsampling2d", picture, mode="bilinear", factor=2)
    assert_close(large.mean(axis=(0, 1)), picture.mean(axis=(0, 1)), 1e-12)


@pytest.mark.parametrize(
    ("padding", "sides"), [(2, (2, 2, 2, 2)), ([1, 3], (1, 1, 3, 3)), ([1, 0, 2, 3], (1, 0, 2, 3)), (0, (0, 0, 0, 0))]
)
def test_that_zeros_stand_on_the_sides_that_were_asked_for(padding: Any, sides: tuple[int, int, int, int]) -> None:
    top, bottom, left, right = sides
    picture = np.ones((4, 3, 2))
    padded = _output("zero_padding2d", picture, padding=padding)
    assert np.array_equal(padded, np.pad(picture, ((top, bottom), (left, right), (0, 0))))


def test_that_a_sequence_is_padded_before_and_after() -> None:
    padded = _output("zero_padding1d", np.ones((3, 2)), padding=[2, 1])
    assert padded[:, 0].tolist() == [0, 0, 1, 1, 1, 0]


@pytest.mark.parametrize(("mode", "numpys"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_that_a_border_is_made_of_what_is_inside(mode: str, numpys: Any) -> None:
    picture = np.random.default_rng(0).normal(size=(4, 3, 2))
    padded = _output("zero_padding2d", picture, padding=[3, 1, 0, 2], mode=mode)
    assert np.array_equal(padded, np.pad(picture, ((3, 1), (0, 2), (0, 0)), mode=numpys))


@pytest.mark.parametrize(
    ("kind", "shape", "padding", "mode", "most"),
    [
        ("zero_padding2d", (3, 5, 2), [3, 0], "reflect", 2),
        ("zero_padding2d", (3, 5, 2), [0, 1, 6, 0], "circular", 5),
        ("zero_padding1d", (4, 2), [0, 4], "reflect", 3),
    ],
)
def test_that_a_border_wider_than_what_it_repeats_is_told(kind, shape, padding, mode, most) -> None:
    layer = Case({"padding": padding, "mode": mode}, ()).layer(kind)
    with pytest.raises(ShapeError, match=f"in mode {mode} at an end of {shape[0] if most < 5 else 5}: at most {most}"):
        layer.output_shape([shape])


@pytest.mark.parametrize(
    ("kind", "shape", "text"),
    [
        ("upsampling2d", (5, 3), "reads a picture"),
        ("upsampling1d", (4, 5, 3), "reads a sequence"),
        ("zero_padding2d", (5,), "reads a picture"),
        ("zero_padding1d", (5,), "reads a sequence"),
    ],
)
def test_that_an_input_of_another_rank_is_told(kind: str, shape: tuple[int, ...], text: str) -> None:
    with pytest.raises(ShapeError, match=text):
        Case({}, ()).layer(kind).output_shape([shape])
