"""Properties of gaps, states and verdicts, whatever the errors."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.diagnosis.diagnose import diagnose
from workbench.diagnosis.gaps import gaps_of, state_of
from workbench.diagnosis.levels import Levels, levels_of_json
from workbench.diagnosis.settle import examples_needed, scaled
from workbench.diagnosis.verdict import verdict_of
from workbench.errors import InputError
from workbench.evaluation.intervals import Estimate, rate_of, wilson_ends
from workbench.recipe.training import Goals

rates = st.floats(0, 1).map(lambda rate: round(rate, 4))
sizes = st.none() | st.integers(1, 10**7)
estimates = st.none() | st.builds(rate_of, rates, sizes)


@st.composite
def ladders(draw):
    levels = Levels(
        **{name: draw(estimates) for name in ("human", "train", "dev", "test")},
        bayes=draw(st.none() | st.builds(Estimate, rates)),
        by_distribution=draw(
            st.dictionaries(
                st.sampled_from(["a", "b", "c"]),
                st.dictionaries(st.sampled_from(["train", "dev", "test"]), st.builds(rate_of, rates, sizes)),
                max_size=3,
            )
        ),
    )
    if levels.bayes and levels.human and levels.bayes.value > levels.human.upper:
        levels = Levels(None, levels.human, levels.train, levels.dev, levels.test, levels.by_distribution)
    return levels


@given(ladders(), st.sampled_from([0.001, 0.015, 0.1]))
def test_that_gaps_are_differences_of_levels(levels, tolerance):
    gaps = gaps_of(levels, tolerance)
    for gap in gaps.all():
        upper, lower = levels.get(gap.upper), levels.get(gap.lower)
        if upper is None or lower is None or (gap.name == "avoidable_bias" and gaps.surpassed_human):
            assert gap.value is None
            assert gap.state == "unknown"
        else:
            assert gap.value == pytest.approx(upper.value - lower.value, abs=1e-11)
            assert gap.estimate.lower <= gap.value <= gap.estimate.upper
    known = [gaps.bias.value, gaps.variance.value, gaps.dev_test_gap.value]
    if None not in known:
        assert levels.test.value == pytest.approx(levels.bayes.value + sum(known), abs=1e-9)


@given(ladders(), st.sampled_from([0.001, 0.015, 0.1]))
def test_that_a_diagnosis_of_any_ladder_is_plain_json_that_holds_together(levels, tolerance):
    diagnosis = diagnose(levels, Goals(tolerance=tolerance))
    tree = json.loads(json.dumps(diagnosis.to_json(), allow_nan=False))
    assert tree["verdict"] == verdict_of(tree["states"]["bias"], tree["states"]["variance"])
    assert (tree["verdict"] == "undecided") == bool(tree["settle"])
    assert tree["focus"] in ("data", "bias", "variance", "mismatch", "none")
    assert tree["headline"]
    assert sum(gate["current"] for gate in tree["gates"]) == 1
    assert len({knob["id"] for knob in tree["knobs"]}) == len(tree["knobs"])
    first = [knob for knob in tree["knobs"] if not knob["later"]]
    assert len(first) <= 3
    assert {knob["gap"] for knob in first} <= {tree["focus"]}
    assert all(knob["reason"] for knob in tree["knobs"] if knob["later"])
    if tree["states"]["bias"] == "high":
        assert tree["focus"] == "bias"
    if tree["verdict"] == "high_variance":
        assert tree["focus"] in ("variance", "mismatch")


@given(ladders())
def test_that_levels_come_back_from_json(levels):
    tree = json.loads(json.dumps({"e": levels.to_json(), "d": levels.distributions_to_json()}))
    back = levels_of_json(tree["e"], tree["d"], "classification")
    assert back == levels


def test_that_other_json_is_refused():
    with pytest.raises(InputError, match="train"):
        levels_of_json({"train": {"n": 3}}, {}, "classification")


@given(st.builds(Estimate, st.floats(-1, 1)), st.floats(0.001, 0.5))
def test_that_an_exact_gap_is_always_decided(gap, tolerance):
    assert state_of(gap, tolerance) == ("high" if gap.value > tolerance else "low")


@settings(max_examples=200)
@given(
    rates, rates, st.none() | rates, st.none() | rates,
    st.integers(1, 10_000), st.integers(1, 10_000), st.floats(1, 1000), st.floats(1, 1000),
)  # fmt: skip
def test_that_more_examples_at_the_same_rates_never_turn_one_decision_into_another(
    train, dev, human, bayes, n_train, n_dev, more_train, more_dev
):
    if human is not None and bayes is not None:
        bayes = min(human, bayes)

    def decided(n_train, n_dev):
        levels = Levels(
            None if bayes is None else Estimate(bayes),
            None if human is None else Estimate(human),
            rate_of(train, int(n_train)),
            rate_of(dev, int(n_dev)),
        )
        diagnosis = diagnose(levels)
        return diagnosis.verdict, diagnosis.states

    few, few_states = decided(n_train, n_dev)
    many, many_states = decided(n_train * more_train, n_dev * more_dev)
    assert few in ("undecided", many)
    for name, state in few_states.items():
        if state in ("high", "low"):
            assert many_states[name] == state


@settings(max_examples=100)
@given(rates, rates, st.integers(5, 20_000), st.integers(5, 20_000))
def test_that_the_examples_needed_decide(train, dev, n_train, n_dev):
    levels = Levels(train=rate_of(train, n_train), dev=rate_of(dev, n_dev))
    gaps = gaps_of(levels, 0.015)
    if gaps.variance.state != "undecided":
        return
    needs = examples_needed(gaps.variance, levels.dev, levels.train, 0.015, "classification")
    if not needs:
        assert abs(dev - train - 0.015) < 1e-3
        return
    more = Levels(train=rate_of(train, needs.get("train", n_train)), dev=rate_of(dev, needs.get("dev", n_dev)))
    assert gaps_of(more, 0.015).variance.state != "undecided"


def test_that_no_number_of_examples_settles_a_gap_at_the_tolerance():
    diagnosis = diagnose(Levels(human=Estimate(0.0), train=rate_of(0.01, 500), dev=rate_of(0.025, 500)))
    variance = next(one for one in diagnosis.settle if one.gap == "variance")
    assert variance.needs == {}
    assert "too near the tolerance" in variance.text


@given(rates, st.integers(2, 10_000), st.floats(0.1, 1), st.floats(1, 100))
def test_that_scaling_a_weighted_rate_scales_its_effective_size(rate, n, worth, factor):
    weighted = rate_of(rate, n, effective=n * worth)
    expected = wilson_ends(rate, n * worth * factor)
    grown = scaled(weighted, factor, "classification")
    assert (grown.low, grown.high) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        (Levels(train=Estimate(3.5)), "train = 3.5 is no error between 0 and 1. 3.5 % is 0.035"),
        (Levels(dev=Estimate(-0.1)), "dev = -0.1"),
        (Levels(bayes=Estimate(0.05), human=Estimate(0.01)), "bayes = 0.05 is above human = 0.01"),
        (Levels(test=Estimate(float("nan"))), "test = nan"),
    ],
)
def test_that_levels_that_cannot_be_are_refused(levels, text):
    with pytest.raises(InputError, match=text):
        diagnose(levels)


def test_that_a_regression_s_error_may_exceed_1():
    levels = Levels(
        human=Estimate(0.1), train=Estimate(0.2, 100, 0.15, 0.28), dev=Estimate(1.3, 50, 1.0, 1.7), task="regression"
    )
    diagnosis = diagnose(levels)
    assert diagnosis.verdict == "high_bias_high_variance"
    assert diagnosis.to_json()["task"] == "regression"


def test_that_a_regression_s_undecided_gap_says_how_many_examples_would_do():
    dev = Estimate(0.24, 100, 0.2, 0.3)
    diagnosis = diagnose(Levels(human=Estimate(0.1), train=Estimate(0.2), dev=dev, task="regression"))
    assert diagnosis.states["variance"] == "undecided"
    needed = diagnosis.settle[0].needs["dev"]
    # The interval's lower half is 0.04 on 100 examples and must shrink to 0.025.
    assert needed == pytest.approx(100 * (0.04 / 0.025) ** 2, rel=0.05)


def test_that_goals_fill_in_what_levels_do_not_say():
    goals = Goals(human_error=0.01, human_examples=500, bayes_error=0.002)
    diagnosis = diagnose(Levels(train=rate_of(0.05, 1000), dev=rate_of(0.06, 1000)), goals)
    assert diagnosis.levels.human == rate_of(0.01, 500)
    assert diagnosis.levels.bayes == Estimate(0.002)


def test_that_a_training_error_below_the_bayes_error_is_explained():
    found = {
        f.id for f in diagnose(Levels(bayes=Estimate(0.1), train=rate_of(0.0, 1000), dev=rate_of(0.12, 900))).findings
    }
    assert "below_bayes" in found


def test_that_a_dev_error_below_the_training_error_is_explained():
    diagnosis = diagnose(Levels(human=Estimate(0.0), train=rate_of(0.10, 9000), dev=rate_of(0.05, 9000)))
    assert "dev_below_train" in {f.id for f in diagnosis.findings}
    assert diagnosis.states["variance"] == "low"


def test_that_a_test_error_alone_gives_no_verdict():
    diagnosis = diagnose(Levels(test=rate_of(0.10, 9000)))
    assert (diagnosis.verdict, diagnosis.focus) == ("undecided", "none")
    assert diagnosis.headline == "The test error alone gives no verdict"


def test_that_nothing_measured_is_said_to_be_nothing():
    diagnosis = diagnose(Levels())
    assert (diagnosis.verdict, diagnosis.focus, diagnosis.headline) == ("undecided", "none", "Nothing measured yet")
    assert diagnosis.knobs == ()
