"""Histograms over the epochs: quantiles and densities against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.session.spreads import Histograms
from workbench.training.health import BINS, histograms


def made(samples: np.ndarray) -> Histograms:
    ranges, shares = histograms(samples)
    low, high = (np.array([ends[side] for ends in ranges]) for side in (0, 1))
    return Histograms(np.arange(len(samples), dtype=float), low, high, np.array(shares, float), 0)


@settings(deadline=None)
@given(st.integers(0, 100), st.floats(0.1, 10), st.sampled_from([0.05, 0.5, 0.95]))
def test_that_quantiles_come_from_the_histogram_to_within_a_bin(seed: int, scale: float, share: float) -> None:
    samples = np.random.default_rng(seed).normal(scale=scale, size=(3, 1024))
    heat = made(samples)
    width = (heat.high - heat.low) / BINS
    assert (np.abs(heat.quantile(share) - np.quantile(samples, share, axis=1)) <= 1.01 * width).all()


def test_that_each_histogram_reaches_halfway_to_its_neighbors() -> None:
    shares = np.array([[1000.0, 0.0], [0.0, 1000.0], [1000.0, 0.0]])
    heat = Histograms(np.array([0.0, 2.0, 10.0]), np.zeros(3), np.ones(3), shares, 0)
    upper = heat.grid(101, 2)[:, 1]
    # Positions are tenths: halfway is at 1 and at 6.
    assert np.flatnonzero(upper)[[0, -1]].tolist() == [11, 60]
    np.testing.assert_array_equal(heat.grid(101, 2).max(axis=1), 1.0)


def test_that_ranges_that_differ_share_one_axis() -> None:
    heat = Histograms(np.array([0.0, 1.0]), np.array([0.0, -2.0]), np.array([1.0, 2.0]), np.full((2, 4), 250.0), 0)
    assert heat.window() == (-2.0, 2.0)
    grid = heat.grid(2, 8)
    np.testing.assert_array_equal(grid[0], [0, 0, 0, 0, 1, 1, 0, 0])
    np.testing.assert_array_equal(grid[1], np.ones(8))


def test_that_what_was_not_recorded_has_no_quantile() -> None:
    heat = Histograms(np.array([0.0, 1.0]), np.zeros(2), np.ones(2), np.array([[0.0, 0.0], [500.0, 500.0]]), 0)
    assert np.isnan(heat.quantile(0.5)[0])
    assert heat.quantile(0.5)[1] == pytest.approx(0.5)
    assert Histograms(np.zeros(1), np.zeros(1), np.ones(1), np.zeros((1, 2)), 0).window() == (0.0, 1.0)
