"""The lecture's own examples, and what intervals add to them."""

from __future__ import annotations

import pytest

from workbench.diagnosis.diagnose import diagnose
from workbench.diagnosis.sources import levels_of_text

MODELS = {
    "A": (0.035, 0.078, "high_bias_high_variance", "bias"),
    "B": (0.035, 0.040, "high_bias", "bias"),
    "C": (0.010, 0.050, "high_variance", "variance"),
    "D": (0.008, 0.010, "good", "none"),
}
EXAMPLES = {
    1: (0.01, 0.12, "high_variance"),
    2: (0.12, 0.13, "high_bias"),
    3: (0.12, 0.20, "high_bias_high_variance"),
    4: (0.01, 0.02, "good"),
}


def _model(name, sizes=""):
    train, dev, _, _ = MODELS[name]
    return diagnose(levels_of_text(f"bayes=0.005,human=0.007,train={train},dev={dev}", sizes))


@pytest.mark.parametrize("sizes", ["", "train=60000,dev=10000", "train=1000000,dev=1000000"])
@pytest.mark.parametrize("name", MODELS)
def test_that_models_a_to_d_get_the_lecture_s_conclusion(name, sizes):
    diagnosis = _model(name, sizes)
    assert (diagnosis.verdict, diagnosis.focus) == MODELS[name][2:]


@pytest.mark.parametrize(("name", "bias", "avoidable", "variance"), [
    ("A", 0.030, 0.028, 0.043), ("B", 0.030, 0.028, 0.005), ("C", 0.005, 0.003, 0.040), ("D", 0.003, 0.001, 0.002),
])  # fmt: skip
def test_that_the_gaps_are_the_lecture_s_with_model_b_s_variance_mended(name, bias, avoidable, variance):
    tree = _model(name).to_json()
    assert (tree["bias"], tree["avoidable_bias"], tree["variance"]) == (bias, avoidable, variance)


@pytest.mark.parametrize("sizes", ["", "train=1000000,dev=1000000"])
@pytest.mark.parametrize("number", EXAMPLES)
def test_that_examples_1_to_4_come_out_as_printed_with_a_bayes_error_of_0(number, sizes):
    train, dev, verdict = EXAMPLES[number]
    assert diagnose(levels_of_text(f"bayes=0,train={train},dev={dev}", sizes)).verdict == verdict


def test_that_without_a_reference_12_percent_is_a_training_error_and_no_bias():
    diagnosis = diagnose(levels_of_text("train=0.12,dev=0.13"))
    assert diagnosis.states == {"bias": "unknown", "variance": "low"}
    assert (diagnosis.verdict, diagnosis.focus) == ("undecided", "bias")
    assert diagnosis.to_json()["bias"] is None
    assert "training error and nothing more" in next(f.text for f in diagnosis.findings if f.id == "no_reference")
    assert "human-level error" in diagnosis.settle[0].text


def test_that_without_a_reference_a_tiny_training_error_is_low_bias_all_the_same():
    diagnosis = diagnose(levels_of_text("train=0.01,dev=0.12"))
    assert (diagnosis.verdict, diagnosis.focus) == ("high_variance", "variance")
    assert diagnosis.gaps.reference == "training error"


@pytest.mark.parametrize("reference", ["", "human=0.007,", "bayes=0.005,", "bayes=0.005,human=0.007,", "human=0.035,"])
@pytest.mark.parametrize("sizes", ["train=200,dev=200", "train=60000,dev=200"])
def test_that_4_against_5_percent_on_200_examples_is_undecided(reference, sizes):
    diagnosis = diagnose(levels_of_text(f"{reference}train=0.04,dev=0.05", sizes))
    assert diagnosis.verdict == "undecided"
    assert diagnosis.states["variance"] == "undecided"
    assert "cannot be told yet" in diagnosis.headline


def test_that_the_headline_says_more_than_an_undecided_verdict():
    diagnosis = diagnose(levels_of_text("human=0.007,train=0.04,dev=0.05", "train=60000,dev=200"))
    assert diagnosis.headline == "High bias · variance cannot be told yet"
    assert diagnosis.focus == "bias"


def test_that_the_number_of_examples_that_would_settle_it_does():
    text = "human=0.007,train=0.04,dev=0.05"
    settle = diagnose(levels_of_text(text, "train=60000,dev=200")).settle
    assert [one.gap for one in settle] == ["variance"]
    needed = settle[0].needs["dev"]
    assert diagnose(levels_of_text(text, f"train=60000,dev={needed}")).states["variance"] == "low"
    assert diagnose(levels_of_text(text, f"train=60000,dev={int(needed * 0.85)}")).states["variance"] == "undecided"
    assert f"{needed:,} dev examples" in settle[0].text


def test_that_the_human_level_is_surpassed_below_it():
    # The lecture: a training error of 0.3 % where people make 0.5 %.
    diagnosis = diagnose(levels_of_text("human=0.005,train=0.003,dev=0.004", "train=1000000,dev=1000000"))
    tree = diagnosis.to_json()
    assert tree["surpassed_human"] is True
    assert tree["avoidable_bias"] is None
    assert tree["states"]["bias"] == "low"
    assert diagnosis.headline == "Human level surpassed · low variance"
    assert any(f.id == "surpassed_human" and "not known" in f.text for f in diagnosis.findings)


def test_that_a_training_error_within_its_interval_of_the_human_level_has_not_surpassed_it():
    diagnosis = diagnose(levels_of_text("human=0.005,train=0.003,dev=0.004", "train=2000,dev=2000"))
    assert diagnosis.gaps.surpassed_human is False
    assert any(f.id == "may_surpass_human" for f in diagnosis.findings)


def test_that_a_surpassed_human_level_on_the_training_set_alone_is_no_triumph():
    diagnosis = diagnose(levels_of_text("human=0.05,train=0.001,dev=0.10"))
    assert (diagnosis.verdict, diagnosis.focus) == ("high_variance", "variance")
    text = next(f.text for f in diagnosis.findings if f.id == "surpassed_human")
    assert "people are still at least as good" in text


def test_that_a_high_human_error_with_small_gaps_turns_to_the_data():
    diagnosis = diagnose(levels_of_text("human=0.25,train=0.255,dev=0.26"))
    assert (diagnosis.verdict, diagnosis.focus) == ("good", "data")
    assert diagnosis.first_knobs[0].id == "advice_clean_data"
    assert {knob.gap for knob in diagnosis.knobs} == {"data"}


def test_that_of_human_level_and_bayes_error_the_human_level_decides():
    diagnosis = diagnose(levels_of_text("bayes=0,human=0.03,train=0.04,dev=0.045"))
    assert diagnosis.gaps.bias.state == "high"
    assert diagnosis.states["bias"] == "low"
    assert diagnosis.to_json()["reference"] == "human"


def test_that_the_lecture_s_inequality_is_a_data_mismatch():
    text = "human=0.01,train=0.015,dev=0.04,test=0.08,dev.shop=0.02,dev.phone=0.10"
    sizes = "train=100000,dev=8000,test=8000,dev.shop=6000,dev.phone=2000"
    diagnosis = diagnose(levels_of_text(text, sizes))
    assert (diagnosis.verdict, diagnosis.focus) == ("high_variance", "mismatch")
    assert [c.name for c in diagnosis.mismatch.worse] == ["phone"]
    assert diagnosis.mismatch.seen_state == "low"
    assert {knob.gap for knob in diagnosis.first_knobs} == {"mismatch"}
    assert {"data_mismatch", "overfitting_dev"} <= {f.id for f in diagnosis.findings}
    assert diagnosis.headline.endswith("data mismatch")


def test_that_gates_stop_at_the_first_goal_not_reached():
    gates = _model("B").gates
    assert [(gate.goal, gate.state, gate.current) for gate in gates] == [
        ("train", "failed", True),
        ("dev", "passed", False),
        ("test", "unknown", False),
        ("real_world", "unknown", False),
    ]
    passed = diagnose(levels_of_text("human=0.007,train=0.008,dev=0.01,test=0.011")).gates
    assert [gate.current for gate in passed] == [False, False, False, True]


def test_that_errors_without_sizes_are_said_to_be_taken_as_exact():
    found = [f for f in _model("A").findings if f.id == "taken_as_exact"]
    assert found[0].measured["levels"] == ["human", "train", "dev"]
    sized = diagnose(levels_of_text("bayes=0,train=0.1,dev=0.2", "train=10,dev=10"))
    assert not [f for f in sized.findings if f.id == "taken_as_exact"]
