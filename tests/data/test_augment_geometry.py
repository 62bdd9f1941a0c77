"""Moving pixels: SciPy's affine_transform is the oracle, and what each kind draws has the distribution it promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.augment.base import Draw, Geometric, Span
from workbench.data.augment.pipeline import Augmenter
from workbench.data.augment.warp import Warp
from workbench.engine.backend import Backend
from workbench.recipe.kinds import AugmentSpec

Array = np.ndarray[Any, Any]
MANY = np.arange(20_000)


def _kind(kind: str, **fields: Any) -> Geometric:
    made = AugmentSpec.model_validate({"kind": kind, **fields})
    assert isinstance(made, Geometric)
    return made


def _maps(kind: str, rows: Array = MANY, size: tuple[int, int] = (20, 30), epoch: int = 0, **fields: Any) -> Array:
    return _kind(kind, **fields).maps(Draw(0, epoch, 0, rows), *size)


def _scipy(picture: Array, around_center: Array, mode: str) -> Array:
    from scipy.ndimage import affine_transform

    center = (np.array(picture.shape[:2]) - 1) / 2
    matrix, shift = around_center[:2, :2], around_center[:2, 2]
    offset = center + shift - matrix @ center
    channels = [affine_transform(picture[:, :, c], matrix, offset, order=1, mode=mode) for c in range(picture.shape[2])]
    return np.stack(channels, axis=2)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 13),
    width=st.integers(1, 13),
    channels=st.integers(1, 3),
    fill=st.sampled_from(["edge", "zero"]),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_that_resampling_equals_scipy(height: int, width: int, channels: int, fill: Any, seed: int, dtype: Any) -> None:
    numbers = np.random.default_rng(seed)
    pictures = numbers.uniform(0, 255, (4, height, width, channels)).astype(dtype)
    maps = np.tile(np.eye(3), (4, 1, 1))
    maps[:, :2, :2] += numbers.normal(scale=0.7, size=(4, 2, 2))
    maps[:, :2, 2] = numbers.normal(scale=4, size=(4, 2))
    mode = {"edge": "nearest", "zero": "grid-constant"}[fill]
    expected = np.stack(
        [_scipy(picture.astype(np.float64), m, mode) for picture, m in zip(pictures, maps, strict=True)]
    )
    Warp(pictures.shape[1:], fill, Backend(), dtype).resample(pictures, maps)
    # In float32 a place near pixel 20 is known to 1e-6 of a pixel, and neighbors differ by up to 255.
    np.testing.assert_allclose(pictures, expected, rtol=0, atol=2e-3 if dtype == np.float32 else 1e-9)


def test_that_a_larger_batch_after_a_smaller_one_is_resampled_as_well() -> None:
    pictures = np.random.default_rng(0).uniform(0, 255, (9, 6, 5, 2))
    maps = _maps("rotate", np.arange(9), (6, 5), degrees=90)
    expected = np.stack([_scipy(picture, m, "nearest") for picture, m in zip(pictures, maps, strict=True)])
    warp = Warp((6, 5, 2), "edge", Backend(), np.float64)
    for n in (2, 9, 5):
        changed = pictures[:n].copy()
        warp.resample(changed, maps[:n])
        np.testing.assert_allclose(changed, expected[:n], atol=1e-9)


def test_that_neighbors_in_the_list_are_resampled_once_in_their_order() -> None:
    fields = [("rotate", {"degrees": 50}), ("shift", {"pixels": 6}), ("flip", {}), ("scale", {"amount": 0.5})]
    kinds = [_kind(kind, **given) for kind, given in fields]
    pictures = np.random.default_rng(0).uniform(0, 255, (12, 19, 23, 1))
    rows = np.arange(100, 112)
    whole = np.eye(3)
    for place, kind in enumerate(kinds):
        whole = whole @ kind.maps(Draw(5, 2, place, rows), 19, 23)
    expected = np.stack([_scipy(picture, m, "nearest") for picture, m in zip(pictures, whole, strict=True)])
    Augmenter(kinds, (19, 23, 1), Span.of_range(0, 255), Backend(), np.float64, seed=5).apply(pictures, rows, 2)
    np.testing.assert_allclose(pictures, expected, atol=1e-9)


def test_that_one_map_shows_what_two_steps_show() -> None:
    y, x = np.mgrid[:61, :61]
    blob = (255 * np.exp(-((y - 33) ** 2 + (x - 24) ** 2) / 70))[:, :, None]
    rows = np.arange(6)
    turn, move = _kind("rotate", degrees=60), _kind("shift", pixels=8)
    turned, moved = turn.maps(Draw(0, 0, 0, rows), 61, 61), move.maps(Draw(0, 0, 1, rows), 61, 61)
    changed = np.tile(blob, (6, 1, 1, 1))
    Augmenter((turn, move), (61, 61, 1), Span.of_range(0, 255), Backend(), np.float64).apply(changed, rows, 0)
    differences = []
    for row in rows:
        in_order = _scipy(_scipy(blob, turned[row], "nearest"), moved[row], "nearest")
        other_order = _scipy(_scipy(blob, moved[row], "nearest"), turned[row], "nearest")
        assert abs(changed[row] - in_order).max() < 3
        differences.append(abs(changed[row] - other_order).max())
    assert max(differences) > 50


def test_that_a_change_of_fill_cuts_the_group_and_a_flip_does_not() -> None:
    picture = np.full((1, 9, 9, 1), 100.0)
    rows = np.array([3])

    def changed(*fills: str) -> Array:
        kinds = [_kind("shift", pixels=9, fill=fill) if fill else _kind("flip", probability=1) for fill in fills]
        pictures = picture.copy()
        Augmenter(kinds, (9, 9, 1), Span.of_range(0, 255), Backend(), np.float64).apply(pictures, rows, 0)
        return pictures

    np.testing.assert_allclose(changed("edge", "", "edge"), 100)
    assert changed("zero", "").min() == 0
    assert changed("edge", "zero").min() == 0
    # Zeros that came in first are pixels like any other: the edge that is drawn out later is theirs.
    assert changed("zero", "edge").min() == 0


@pytest.mark.parametrize(("direction", "axes"), [("horizontal", 2), ("vertical", 1), ("both", (1, 2))])
def test_that_a_flip_is_the_exact_mirror_image(direction: str, axes: Any) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (5, 8, 7, 3)).astype(np.float32)
    expected = np.flip(pictures, axes).copy()
    flip = _kind("flip", direction=direction, probability=1)
    Augmenter((flip,), (8, 7, 3), Span.of_range(0, 255), Backend()).apply(pictures, np.arange(5), 0)
    np.testing.assert_array_equal(pictures, expected)


def test_that_angles_are_uniform_between_the_ends() -> None:
    from scipy.stats import kstest

    maps = _maps("rotate", degrees=30)
    angles = np.degrees(np.arctan2(maps[:, 0, 1], maps[:, 0, 0]))
    assert kstest(angles, "uniform", (-30, 60)).pvalue > 1e-3
    np.testing.assert_allclose(np.linalg.det(maps), 1)


def test_that_a_picture_is_as_often_enlarged_as_shrunk() -> None:
    from scipy.stats import kstest

    factors = _maps("scale", amount=0.25)[:, 0, 0]
    assert kstest(np.log(factors), "uniform", (-np.log(1.25), 2 * np.log(1.25))).pvalue > 1e-3


def test_that_shifts_are_uniform_and_independent_in_both_directions() -> None:
    from scipy.stats import kstest

    down, across = _maps("shift", pixels=3)[:, :2, 2].T
    assert kstest(down, "uniform", (-3, 6)).pvalue > 1e-3
    assert kstest(across, "uniform", (-3, 6)).pvalue > 1e-3
    assert abs(np.corrcoef(down, across)[0, 1]) < 0.03


def test_that_flips_come_at_their_rate_and_each_direction_by_itself() -> None:
    maps = _maps("flip", direction="both", probability=0.3)
    up, left = maps[:, 0, 0] < 0, maps[:, 1, 1] < 0
    assert abs(up.mean() - 0.3) < 0.015
    assert abs(left.mean() - 0.3) < 0.015
    assert abs((up & left).mean() - 0.09) < 0.01


def test_that_a_crop_lies_within_the_picture_and_keeps_its_proportions() -> None:
    from scipy.stats import kstest

    height, width = 20, 30
    maps = _maps("crop", size=(height, width), pixels=8)
    np.testing.assert_array_equal(maps[:, 0, 0], maps[:, 1, 1])
    assert kstest(20 * (1 - maps[:, 0, 0]), "uniform", (0, 8)).pvalue > 1e-3
    for axis, size in enumerate((height, width)):
        reach = maps[:, axis, axis] * (size - 1) / 2 + abs(maps[:, axis, 2])
        assert reach.max() <= (size - 1) / 2 + 1e-9
        # Some windows touch the border.
        assert reach.max() > (size - 1) / 2 - 0.05


def test_that_another_epoch_draws_independently() -> None:
    first, second = (_maps("shift", epoch=epoch)[:, 0, 2] for epoch in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
