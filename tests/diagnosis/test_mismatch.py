"""Data mismatch against hard distributions, chance and variance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ladders import mismatch as mismatched

from workbench.diagnosis.diagnose import diagnose
from workbench.diagnosis.gaps import gaps_of
from workbench.diagnosis.levels import Levels
from workbench.diagnosis.mismatch import contrasts, mismatch_of, pooled, same_mixture
from workbench.evaluation.intervals import Estimate, proportion, rate_of


def _levels(parts, train=0.012, dev=0.05, n=12_000, test=None):
    return Levels(None, Estimate(0.01), rate_of(train, 60_000), rate_of(dev, n), test, by_distribution=parts)


def test_that_an_unseen_distribution_that_does_worse_is_a_mismatch():
    found = mismatch_of(gaps_of(mismatched(), 0.015))
    assert [(c.name, c.trained) for c in found.worse] == [("phone", False)]
    assert found.seen == rate_of(0.015, 8000)
    assert (found.seen_state, found.explains_variance) == ("low", True)


def test_that_a_hard_distribution_that_training_has_seen_is_none():
    parts = {
        "easy": {"train": rate_of(0.005, 40_000), "dev": rate_of(0.015, 8000)},
        "hard": {"train": rate_of(0.026, 20_000), "dev": rate_of(0.12, 4000)},
    }
    diagnosis = diagnose(_levels(parts))
    assert diagnosis.mismatch is None
    assert diagnosis.focus == "variance"
    assert "hard_distribution" in {f.id for f in diagnosis.findings}


def test_that_a_distribution_with_a_tiny_share_of_training_counts_as_unseen():
    parts = {
        "shop": {"train": rate_of(0.012, 59_900), "dev": rate_of(0.015, 8000)},
        "phone": {"train": rate_of(0.0, 100), "dev": rate_of(0.12, 4000)},
    }
    assert diagnose(_levels(parts)).focus == "mismatch"


def test_that_a_variance_that_stays_on_the_seen_distribution_keeps_the_focus():
    parts = {
        "shop": {"train": rate_of(0.012, 60_000), "dev": rate_of(0.09, 8000)},
        "phone": {"dev": rate_of(0.15, 4000)},
    }
    diagnosis = diagnose(_levels(parts, dev=0.11))
    assert diagnosis.focus == "variance"
    assert diagnosis.mismatch.seen_state == "high"
    assert "data_mismatch" in {f.id for f in diagnosis.findings}


def test_that_a_difference_within_chance_is_none():
    parts = {"shop": {"train": rate_of(0.012, 60_000), "dev": rate_of(0.05, 300)}, "phone": {"dev": rate_of(0.07, 100)}}
    assert diagnose(_levels(parts, n=400)).mismatch is None


def test_that_dev_distributions_that_training_has_not_seen_at_all_cannot_be_told_from_variance():
    parts = {"shop": {"train": rate_of(0.012, 60_000)}, "phone": {"dev": rate_of(0.05, 12_000)}}
    diagnosis = diagnose(_levels(parts))
    assert diagnosis.mismatch.unseen
    assert diagnosis.focus == "mismatch"
    assert "variance and data mismatch in one" in next(f.text for f in diagnosis.findings if f.id == "data_mismatch")


def test_that_bias_still_comes_first():
    parts = {"shop": {"dev": rate_of(0.06, 8000)}, "phone": {"dev": rate_of(0.2, 4000)}}
    diagnosis = diagnose(_levels(parts, train=0.06, dev=0.11))
    assert diagnosis.focus == "bias"
    assert diagnosis.mismatch is not None


def test_that_a_few_bad_examples_of_an_unseen_kind_are_seen_though_the_whole_is_good():
    parts = {
        "shop": {"train": rate_of(0.012, 60_000), "dev": rate_of(0.015, 19_000)},
        "phone": {"dev": rate_of(0.15, 1000)},
    }
    diagnosis = diagnose(_levels(parts, dev=0.02175, n=20_000))
    assert (diagnosis.verdict, diagnosis.focus) == ("good", "mismatch")


@pytest.mark.parametrize("count", [2, 5])
def test_that_distributions_that_do_not_differ_seldom_seem_to(count):
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(600):
        parts = {f"d{i}": {"dev": proportion(int(rng.binomial(400, 0.08)), 400)} for i in range(count)}
        gaps = gaps_of(Levels(by_distribution=parts), 0.015)
        alarms += any(c.difference.lower > 0 for c in contrasts(gaps))
    # Two-sided at 95 % over all of them together; only the worse side raises an alarm.
    assert alarms / 600 < 0.05


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(50, 500)), min_size=1, max_size=5))
def test_that_pooling_gives_the_error_of_all_examples(parts):
    whole = pooled(proportion(count, n) for count, n in parts)
    assert whole.value == pytest.approx(sum(c for c, _ in parts) / sum(n for _, n in parts))
    assert whole.n == sum(n for _, n in parts)
    assert whole.lower <= whole.value <= whole.upper


def test_that_test_error_above_dev_error_is_overfitting_only_between_like_sets():
    def found(dev_phone, test_phone):
        parts = {
            "shop": {"dev": rate_of(0.02, 10_000), "test": rate_of(0.03, 10_000)},
            "phone": {"dev": rate_of(0.02, dev_phone), "test": rate_of(0.1, test_phone)},
        }
        diagnosis = diagnose(_levels(parts, dev=0.02, test=rate_of(0.06, 20_000)))
        return {f.id for f in diagnosis.findings}

    assert "overfitting_dev" in found(10_000, 10_000)
    assert "dev_and_test_differ" in found(1000, 10_000)
    assert "overfitting_dev" not in found(1000, 10_000)


def test_that_mixtures_are_compared_by_shares():
    parts = {"a": {"dev": rate_of(0.1, 100), "test": rate_of(0.1, 1000)}, "b": {"dev": rate_of(0.1, 100)}}
    assert same_mixture(gaps_of(Levels(by_distribution=parts), 0.015), "dev", "test") is False
    assert same_mixture(gaps_of(Levels(), 0.015), "dev", "test") is None
