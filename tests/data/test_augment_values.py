"""Changing values: noise, blur, brightness, contrast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.augment.base import Draw, Span, ValueChange
from workbench.data.augment.blur import blur_matrices
from workbench.data.augment.noise import normals_of
from workbench.engine.backend import Backend
from workbench.recipe.kinds import AugmentSpec

Array = np.ndarray[Any, Any]


def _changed(values: Array, rows: Array | None = None, span: Span | None = None, **fields: Any) -> Array:
    kind = AugmentSpec.model_validate(fields)
    assert isinstance(kind, ValueChange)
    changed = values.copy()
    rows = np.arange(len(values)) if rows is None else rows
    kind.change(changed, Draw(0, 0, 0, rows), span or Span.of_range(0.0, 255.0), Backend())
    return changed


def _pictures(n: int, *shape: int, dtype: Any = np.float64) -> Array:
    return np.random.default_rng(0).uniform(0, 255, (n, *shape)).astype(dtype)


def test_that_the_noise_is_normal_and_independent() -> None:
    from scipy.stats import kstest

    noise = normals_of(np, 12345, np.arange(200), 301)
    assert noise.dtype == np.float32
    assert noise.shape == (200, 301)
    assert kstest(noise.ravel(), "norm").pvalue > 1e-3
    correlations = np.corrcoef(noise.T)[np.triu_indices(301, 1)]
    # 45,150 correlations of 200 pairs each: standard error 0.07, the largest of so many at about 4.3 of them.
    assert abs(correlations).max() < 0.4
    assert abs(correlations.std() - 200**-0.5) < 0.005


def test_that_the_noise_is_finite_where_all_random_bits_are_zero() -> None:
    # The mix of 0 is 0, and with this key it is 0 that the first index gives.
    key = 2**64 - 0x9E3779B97F4A7C15
    noise = normals_of(np, key, np.array([0]), 2)
    np.testing.assert_allclose(noise, [[np.sqrt(-2 * np.log(2.0**-24)), 0]], rtol=1e-6)


def test_that_noise_on_pictures_is_a_share_of_their_range_and_stays_in_it() -> None:
    gray = np.full((50, 20, 20, 3), 127.5)
    noise = _changed(gray, kind="noise", sigma=0.05) - gray
    assert abs(noise.std() - 0.05 * 255) < 0.2
    assert abs(noise.mean()) < 0.3
    black = _changed(np.zeros((5, 20, 20, 1)), kind="noise", sigma=0.2)
    assert black.min() == 0
    assert abs((black == 0).mean() - 0.5) < 0.05


def test_that_noise_on_a_table_is_a_share_of_each_columns_deviation() -> None:
    table = np.zeros((5000, 3), np.float32)
    deviations = np.array([1.0, 0.0, 7.0], np.float32)
    noise = _changed(table, span=Span(-np.inf, np.inf, deviations), kind="noise", sigma=0.1)
    np.testing.assert_allclose(noise.std(axis=0), 0.1 * deviations, rtol=0.05)
    assert (noise[:, 1] == 0).all()


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    channels=st.integers(1, 3),
    largest=st.floats(0.1, 6),
    seed=st.integers(0, 99),
)
def test_that_blur_equals_scipys_gaussian_filter(
    height: int, width: int, channels: int, largest: float, seed: int
) -> None:
    from scipy.ndimage import gaussian_filter

    pictures, rows = _pictures(3, height, width, channels), np.arange(seed, seed + 3)
    sigmas = Draw(0, 0, 0, rows).uniform("sigma", 0.0, largest)
    radius = int(np.ceil(3 * largest))
    expected = [
        gaussian_filter(picture, (s, s, 0), mode="nearest", radius=(radius, radius, 0))
        for picture, s in zip(pictures, np.maximum(sigmas, 1e-3), strict=True)
    ]
    np.testing.assert_allclose(_changed(pictures, rows, kind="blur", sigma=largest), np.stack(expected), atol=1e-9)


def test_that_a_blur_keeps_a_flat_picture_and_lowers_contrast() -> None:
    flat = np.full((4, 9, 9, 2), 200.0, np.float32)
    np.testing.assert_allclose(_changed(flat, kind="blur", sigma=4), flat, rtol=1e-6)
    pictures = _pictures(20, 16, 16, 1)
    assert (_changed(pictures, kind="blur", sigma=4).std(axis=(1, 2, 3)) < pictures.std(axis=(1, 2, 3)) + 1e-9).all()


def test_that_the_rows_of_a_blur_add_up_to_one() -> None:
    matrices = blur_matrices(Backend(), np.array([0.0, 0.4, 30.0]), 90, 11, np.float64)
    np.testing.assert_allclose(matrices.sum(axis=2), 1)
    np.testing.assert_array_equal(matrices[0], np.eye(11))


def test_that_brightness_adds_one_number_to_a_picture_and_clips() -> None:
    middle = 100 + _pictures(40, 6, 5, 3) / 10
    added = _changed(middle, kind="brightness", amount=0.3) - middle
    assert np.ptp(added, axis=(1, 2, 3)).max() < 1e-9
    amounts = added[:, 0, 0, 0] / 255
    assert -0.3 <= amounts.min() < -0.2
    assert 0.2 < amounts.max() <= 0.3
    assert _changed(_pictures(40, 6, 5, 3), kind="brightness", amount=1).max() <= 255


def test_that_contrast_keeps_the_mean_and_scales_the_deviation() -> None:
    middle = 100 + _pictures(400, 6, 5, 3) / 10
    changed = _changed(middle, kind="contrast", amount=0.5)
    np.testing.assert_allclose(changed.mean(axis=(1, 2, 3)), middle.mean(axis=(1, 2, 3)))
    factors = changed.std(axis=(1, 2, 3)) / middle.std(axis=(1, 2, 3))
    assert 1 / 1.5 <= factors.min() < 0.7
    assert 1.45 < factors.max() <= 1.5
    assert abs(np.median(factors) - 1) < 0.05


@pytest.mark.parametrize("kind", ["noise", "brightness", "contrast", "blur"])
def test_that_values_outside_the_range_come_back_into_it(kind: str) -> None:
    changed = _changed(_pictures(10, 7, 7, 2, dtype=np.float32), span=Span.of_range(50.0, 200.0), kind=kind)
    assert changed.dtype == np.float32
    assert changed.min() >= 50
    assert changed.max() <= 200
