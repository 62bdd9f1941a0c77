"""Figures of predicted numbers against scikit-learn, their intervals against simulations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from workbench.evaluation.bootstrap import Resampled
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.regression import (
    paired_relative_difference,
    regression_figures,
    relative_error,
    training_mean,
)


def _case(n=200, seed=0, noise=0.4, shift=0.0):
    rng = np.random.default_rng(seed)
    y = rng.normal(0, 1, n) + shift
    return Predictions.of(y, y + rng.normal(0, noise, n))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_that_figures_agree_with_scikit_learn(weighted, shift):
    case = _case(shift=shift)
    weight = np.random.default_rng(9).uniform(0.1, 3, case.n) if weighted else None
    figures = regression_figures(Predictions.of(case.y_true, case.y_pred, weight=weight))
    pair = (case.y_true, case.y_pred)
    assert figures.mse.value == pytest.approx(oracle.mean_squared_error(*pair, sample_weight=weight), rel=1e-9)
    assert figures.rmse.value == pytest.approx(oracle.root_mean_squared_error(*pair, sample_weight=weight), rel=1e-9)
    assert figures.mae.value == pytest.approx(oracle.mean_absolute_error(*pair, sample_weight=weight), rel=1e-9)
    assert figures.r2.value == pytest.approx(oracle.r2_score(*pair, sample_weight=weight), rel=1e-6)
    assert figures.error.value == pytest.approx(1 - figures.r2.value, rel=1e-6)


def test_that_every_figure_lies_within_its_interval():
    figures = regression_figures(_case(40), baseline=0.3)
    for estimate in (figures.error, figures.mse, figures.rmse, figures.mae, figures.r2):
        assert estimate.low < estimate.value < estimate.high
        assert estimate.n == 40


def test_that_the_error_compares_with_the_training_mean():
    train = np.array([1.0, 2.0, 6.0])
    dev_true, dev_pred = np.array([2.0, 5.0, 4.0]), np.array([2.5, 5.0, 3.0])
    both = Predictions.of(np.append(train, dev_true), np.append(train, dev_pred), split=["train"] * 3 + ["dev"] * 3)
    assert training_mean(both) == 3.0
    error = relative_error(both.of_split("dev"), training_mean(both))
    assert error.value == pytest.approx((0.25 + 0 + 1) / (1 + 4 + 1))


def test_that_guessing_the_training_mean_has_an_error_of_one():
    y = np.array([1.0, 4.0, 7.0])
    assert relative_error(Predictions.of(y, np.full(3, 4.0)), 4.0).value == 1.0


@pytest.mark.parametrize("y", [np.full(5, 3.0), np.zeros(0)])
def test_that_what_has_no_variance_has_no_relative_error(y):
    figures = regression_figures(Predictions.of(y, y + 0.5))
    assert figures.error is None
    assert figures.r2 is None
    assert figures.to_json()["r2"] is None


def test_that_one_example_has_no_interval():
    figures = regression_figures(Predictions.of([2.0], [2.5]), baseline=0.0)
    assert figures.mse.value == 0.25
    assert figures.mse.low is None
    assert figures.error.value == pytest.approx(0.0625)


def test_that_the_same_data_always_give_the_same_interval():
    assert regression_figures(_case(3000)).error == regression_figures(_case(3000)).error


def test_that_blocks_of_a_large_set_give_the_spread_of_its_examples():
    case = _case(20_000)
    squared = (case.y_true - case.y_pred) ** 2
    mse = regression_figures(case).mse
    standard_error = squared.std() / np.sqrt(case.n)
    assert mse.high - mse.low == pytest.approx(2 * 1.96 * standard_error, rel=0.12)


@pytest.mark.parametrize(("n", "least"), [(25, 0.89), (150, 0.91)])
def test_that_most_bootstrap_intervals_hold_the_true_error(n, least):
    held = 0
    for seed in range(400):
        error = relative_error(_case(n, seed), 0.0)
        held += error.low <= 0.16 <= error.high
    assert least < held / 400 < 0.985


@given(st.integers(2, 300), st.integers(0, 10))
def test_that_the_bootstrap_of_a_mean_is_centered_on_it(n, seed):
    values = np.random.default_rng(seed).exponential(1.0, n)
    sums = Resampled(np.column_stack([values, np.ones(n)]), "test")
    low, high = sums.interval(lambda s: s[:, 0] / s[:, 1])
    assert values.min() - 1e-9 <= low <= values.mean() + 1e-9
    assert values.mean() - 1e-9 <= high <= values.max() + 1e-9


def test_that_a_figure_undefined_for_most_samples_has_no_interval():
    sums = Resampled(np.array([[1.0], [0.0], [0.0]]), "test")
    assert sums.interval(lambda s: np.where(s[:, 0] == 1, 1.0, np.nan)) is None


def test_that_pairing_sees_a_change_that_is_the_same_for_every_example():
    before = _case(400, noise=0.5)
    after = Predictions.of(before.y_true, before.y_pred + 0.1 * (before.y_true - before.y_pred))
    change = paired_relative_difference(before, after)
    apart = regression_figures(after).error.value - regression_figures(before).error.value
    assert change.value == pytest.approx(apart)
    assert change.high < 0


def test_that_pairing_needs_the_same_examples():
    with pytest.raises(ValueError, match="same examples"):
        paired_relative_difference(_case(50), _case(50, seed=1))
