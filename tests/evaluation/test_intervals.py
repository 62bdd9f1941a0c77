"""Intervals against SciPy, published examples and simulations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from workbench.evaluation.intervals import (
    Estimate,
    difference,
    effective_size,
    paired_difference,
    proportion,
    rate_of,
    total,
    weighted_rate,
    wilson_ends,
)

counts = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_that_wilson_agrees_with_scipy(case, confidence):
    count, n = case
    expected = binomtest(count, n).proportion_ci(confidence, method="wilson")
    assert wilson_ends(count / n, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(st.floats(0, 1), st.floats(0.5, 1e9))
def test_that_an_interval_holds_its_value_and_stays_within_0_and_1(rate, n):
    low, high = wilson_ends(rate, n)
    assert 0 <= low <= rate <= high <= 1
    assert low < high


@given(st.floats(0, 1), st.floats(1, 1e8), st.floats(1, 1e4))
def test_that_more_examples_at_the_same_rate_give_an_interval_within_the_old_one(rate, n, factor):
    low, high = wilson_ends(rate, n)
    inner_low, inner_high = wilson_ends(rate, n * factor)
    assert low <= inner_low + 1e-12
    assert inner_high <= high + 1e-12


def test_that_no_errors_still_leave_room_for_some():
    estimate = proportion(0, 100)
    assert estimate.low == 0
    assert estimate.high == pytest.approx(0.0370, abs=1e-4)  # z² / (n + z²)


def test_that_a_rate_without_a_size_is_exact():
    estimate = rate_of(0.035, None)
    assert estimate.exact
    assert (estimate.lower, estimate.upper) == (0.035, 0.035)
    assert estimate.to_json() == {"value": 0.035, "n": None, "low": None, "high": None}


def test_that_a_rate_need_not_be_a_whole_number_of_examples():
    estimate = rate_of(0.033, 200)
    low, high = proportion(6, 200), proportion(7, 200)
    assert low.low < estimate.low < high.low
    assert low.high < estimate.high < high.high


@pytest.mark.parametrize(("rate", "n"), [(1.2, 10), (-0.1, 10), (0.5, 0), (float("nan"), 10)])
def test_that_what_is_no_proportion_is_refused(rate, n):
    with pytest.raises(ValueError, match="no proportion"):
        wilson_ends(rate, n)


# Newcombe, Statistics in Medicine 17:873-890 (1998), table II, method 10.
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0000),
    ],
)
def test_that_the_difference_of_independent_rates_is_the_published_one(first, second, low, high):
    estimate = difference(proportion(*first), proportion(*second))
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=5e-5)


def test_that_the_difference_of_paired_rates_is_the_published_one():
    # Newcombe, Statistics in Medicine 17:2635-2650 (1998), method 10: 36 both, 12 one only, 2 the other only, of 50.
    before = np.repeat([True, True, False], [36, 12, 2])
    after = np.repeat([True, False, True], [36, 12, 2])
    estimate = paired_difference(before, after)
    assert (estimate.value, estimate.n) == (-0.2, 50)
    assert (-estimate.high, -estimate.low) == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_that_a_difference_against_an_exact_number_is_the_shifted_interval():
    train = proportion(35, 1000)
    gap = difference(train, Estimate(0.007))
    assert gap.value == 0.028
    assert (gap.low, gap.high) == pytest.approx((train.low - 0.007, train.high - 0.007))


def test_that_a_difference_of_exact_numbers_is_exact_to_the_last_digit():
    gap = difference(Estimate(0.035), Estimate(0.02))
    assert gap.exact
    assert gap.value == 0.015


@given(counts, counts)
def test_that_a_difference_turned_round_has_the_mirrored_interval(one, other):
    there, back = difference(proportion(*one), proportion(*other)), difference(proportion(*other), proportion(*one))
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-9)
    assert there.low <= there.value <= there.high


@given(counts, counts)
def test_that_a_sum_undoes_a_difference(one, other):
    first, second = proportion(*one), proportion(*other)
    assert total(difference(first, second), second).value == pytest.approx(first.value, abs=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_that_a_paired_interval_holds_its_value_and_mirrors(pairs):
    before, after = (np.array(side) for side in zip(*pairs, strict=True))
    there, back = paired_difference(before, after), paired_difference(after, before)
    assert there.value == pytest.approx(after.mean() - before.mean(), abs=1e-9)
    assert there.low <= there.value <= there.high
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-9)


def test_that_pairing_sees_a_small_change_that_independent_sets_would_not_show():
    before = np.zeros(2000, dtype=bool)
    before[:200] = True
    after = before.copy()
    after[:30] = False
    paired = paired_difference(before, after)
    apart = difference(proportion(int(after.sum()), 2000), proportion(200, 2000))
    assert paired.high < 0 < apart.high


def test_that_paired_sets_of_different_length_are_refused():
    with pytest.raises(ValueError, match="same examples"):
        paired_difference(np.zeros(3, dtype=bool), np.zeros(4, dtype=bool))


@given(st.lists(st.booleans(), min_size=1, max_size=50), st.floats(0.1, 100))
def test_that_equal_weights_change_nothing(flags, weight):
    wrong = np.array(flags)
    plain, weighted = weighted_rate(wrong), weighted_rate(wrong, np.full(len(wrong), weight))
    assert weighted.value == pytest.approx(plain.value)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high))


def test_that_uneven_weights_widen_the_interval():
    wrong = np.arange(100) % 10 == 0
    uneven = np.where(np.arange(100) % 20 < 10, 10.0, 0.1)
    assert effective_size(uneven, 100) == pytest.approx(51, abs=1)
    weighted, plain = weighted_rate(wrong, uneven), weighted_rate(wrong)
    assert weighted.high - weighted.low > plain.high - plain.low
    assert weighted.n == 100


def test_that_nothing_measured_gives_no_rate():
    assert weighted_rate(np.zeros(0, dtype=bool)) is None
    assert weighted_rate(np.ones(3, dtype=bool), np.zeros(3)) is None


@pytest.mark.parametrize(("rate", "n"), [(0.02, 150), (0.1, 50), (0.3, 400)])
def test_that_about_95_percent_of_intervals_hold_the_true_rate(rate, n):
    draws = np.random.default_rng(1).binomial(n, rate, size=20_000)
    held = {k: wilson_ends(k / n, n) for k in np.unique(draws).tolist()}
    coverage = np.mean([held[k][0] <= rate <= held[k][1] for k in draws.tolist()])
    assert 0.93 < coverage < 0.985


@pytest.mark.parametrize(("rates", "sizes"), [((0.04, 0.05), (400, 200)), ((0.01, 0.10), (5000, 100))])
def test_that_about_95_percent_of_difference_intervals_hold_the_true_gap(rates, sizes):
    rng = np.random.default_rng(2)
    draws = zip(*(rng.binomial(n, p, size=4000).tolist() for p, n in zip(rates, sizes, strict=True)), strict=True)
    gaps = [difference(proportion(b, sizes[1]), proportion(a, sizes[0])) for a, b in draws]
    coverage = np.mean([gap.low <= rates[1] - rates[0] <= gap.high for gap in gaps])
    assert 0.935 < coverage < 0.985


def test_that_about_95_percent_of_paired_intervals_hold_the_true_change():
    rng = np.random.default_rng(3)
    shares = [0.85, 0.03, 0.06, 0.06]  # neither, broken, mended, both wrong
    held = []
    for cells in rng.multinomial(300, shares, size=3000):
        before = np.repeat([False, False, True, True], cells)
        after = np.repeat([False, True, False, True], cells)
        change = paired_difference(before, after)
        held.append(change.low <= -0.03 <= change.high)
    assert 0.935 < np.mean(held) < 0.985
