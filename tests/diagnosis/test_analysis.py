"""Error analysis, learning curves, words and the glossary."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ladders import FALLING, FLAT, GROWING, JUMPING, OVERFITTING, Epoch, curve

from workbench.diagnosis.curve import curve_of
from workbench.diagnosis.glossary import GLOSSARY, term
from workbench.diagnosis.mistakes import mistakes_by_class, most_confused, surest_mistakes
from workbench.diagnosis.wording import error_with_interval, figure, listed, percent, points, rounded_up, signed
from workbench.evaluation.intervals import Estimate, proportion
from workbench.evaluation.predictions import Predictions


def _case():
    y = [0] * 50 + [1] * 30 + [2] * 20
    said = [0] * 48 + [1] * 2 + [1] * 20 + [2] * 10 + [2] * 20
    return Predictions.of(y, said, ["cat", "dog", "fox", "never"])


def test_that_mistakes_are_counted_by_class_with_their_ceiling():
    found = mistakes_by_class(_case())
    assert [(m.name, m.support, m.mistakes) for m in found] == [("dog", 30, 10), ("cat", 50, 2), ("fox", 20, 0)]
    assert found[0].share == pytest.approx(10 / 12)
    assert found[0].ceiling == pytest.approx(0.10)
    assert found[0].rate == proportion(10, 30)
    json.dumps([m.to_json() for m in found])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=80))
def test_that_ceilings_add_up_to_the_error_and_pairs_to_all_mistakes(pairs):
    y, said = zip(*pairs, strict=True)
    p = Predictions.of(y, said, ["a", "b", "c", "d"])
    assert sum(m.ceiling for m in mistakes_by_class(p)) == pytest.approx(p.wrong.mean())
    confused = most_confused(p, most=100)
    assert sum(c.count for c in confused) == p.wrong.sum()
    assert [c.count for c in confused] == sorted((c.count for c in confused), reverse=True)
    for c in confused:
        assert c.count == sum((p.classes[a], p.classes[b]) == (c.true, c.predicted) for a, b in pairs)


def test_that_the_surest_mistakes_come_first():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]])
    p = Predictions.of([1, 0, 0, 1], [0, 1, 1, 1], ["a", "b"], probabilities=probabilities, id=["w", "x", "y", "z"])
    found = surest_mistakes(p, most=2)
    assert [(m.id, m.row, m.confidence, m.given_to_truth) for m in found] == [("w", 0, 0.9, 0.1), ("y", 2, 0.8, 0.2)]
    assert found[0].to_json()["true"] == "b"
    assert surest_mistakes(_case()) == ()


def test_that_nothing_wrong_gives_no_mistakes():
    p = Predictions.of([0, 1], [0, 1], ["a", "b"], probabilities=np.eye(2))
    assert most_confused(p) == surest_mistakes(p) == ()
    assert all(m.ceiling == 0 for m in mistakes_by_class(p))


@pytest.mark.parametrize(
    ("points", "trend"),
    [(FALLING, "falling"), (FLAT, "flat"), (JUMPING, "oscillating"), (GROWING, "diverging"), ((), "unknown")],
)
def test_that_a_curve_s_trend_is_told(points, trend):
    assert curve_of(points).trend == trend


def test_that_a_loss_that_is_no_number_diverges():
    assert curve_of(curve(1.0, math.nan)).trend == "diverging"


def test_that_a_short_curve_is_not_judged():
    assert curve_of(curve(1.0, 0.9, 0.8, 0.7)).trend == "unknown"


def test_that_the_initial_weights_are_no_part_of_the_curve():
    assert curve_of((Epoch(0, 50.0), *FLAT)) == curve_of(FLAT)


def test_that_a_curve_that_came_to_rest_is_flat_though_it_fell_before():
    assert curve_of(curve(*(0.1 + 2.0 * 0.4**epoch for epoch in range(30)))).trend == "flat"


@given(st.floats(1e-6, 1e6))
def test_that_the_unit_of_the_loss_does_not_matter(unit):
    for known in (FALLING, FLAT, JUMPING, GROWING):
        assert curve_of(curve(*(point.train_loss * unit for point in known))).trend == curve_of(known).trend


def test_that_a_dev_loss_that_rises_while_training_goes_on_is_seen():
    assert curve_of(OVERFITTING).overfits_since == 6
    assert curve_of(FALLING).overfits_since is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0073, "0.73"),
        (0.028, "2.8"),
        (0.1234, "12.3"),
        (0.0, "0"),
        (-0.012, "−1.2"),
        (0.09996, "10"),
        (1.0, "100"),
        (-1e-9, "0"),
    ],
)
def test_that_numbers_are_short(value, text):
    assert figure(value) == text


def test_that_numbers_have_their_units_and_intervals():
    assert percent(0.035) == "3.5 %"
    assert points(0.01) == "1 point"
    assert points(0.028) == "2.8 points"
    assert (signed(0.003), signed(-0.012), signed(0.0)) == ("+0.3", "−1.2", "0")
    assert error_with_interval(Estimate(0.04, 8000, 0.036, 0.0445)) == "4.0 % (3.6 to 4.5 %, n = 8,000)"
    assert error_with_interval(Estimate(0.04)) == "4 %"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([str(i) for i in range(9)], 2) == "0, 1 and 7 more"
    assert listed([]) == ""
    assert len(listed(["x" * 500])) == 60


@given(st.floats(1, 1e12))
def test_that_estimated_counts_are_rounded_up_to_two_digits(count):
    shown = rounded_up(count)
    assert count <= shown <= count * 1.1 + 1
    assert len(str(shown).rstrip("0")) <= 2


def test_that_the_lecture_s_terms_are_explained():
    for name in (
        "bias", "avoidable bias", "variance", "Bayes error", "human-level error", "data mismatch", "dev set",
        "precision", "orthogonalization", "Panda strategy", "Caviar strategy", "recall", "F1", "prevalence",
        "early stopping", "chain of goals",
    ):  # fmt: skip
        found = term(name)
        assert found is not None, name
        assert found.text.endswith(".")
    assert term("AVOIDABLE_BIAS") is GLOSSARY["avoidable bias"]
    assert term("nonsense") is None


def test_that_the_lecture_s_slips_are_named_where_they_matter():
    for name in ("recall", "prevalence", "variance", "early stopping", "Adam", "L2", "initialization", "bias"):
        assert term(name).ours, name
