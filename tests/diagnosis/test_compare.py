"""What moved between two runs, and what becomes of knobs that were tried."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ladders import high_bias, high_variance, table_recipe

from workbench.diagnosis.compare import compare
from workbench.diagnosis.context import RunFacts, Tried
from workbench.diagnosis.diagnose import diagnose
from workbench.diagnosis.gaps import gaps_of
from workbench.diagnosis.levels import Levels
from workbench.diagnosis.sources import levels_of_predictions, levels_of_text
from workbench.evaluation.intervals import Estimate, rate_of
from workbench.evaluation.predictions import Predictions
from workbench.recipe.training import Goals

SIZES = "train=60000,dev=10000"


def _gaps(text, sizes=SIZES):
    return gaps_of(levels_of_text(text, sizes), 0.015)


def _predictions(train_wrong, dev_wrong, n_train=4000, n_dev=2000, seed=None):
    """The first examples of each set are wrong; with a seed in another order."""
    y = np.zeros(n_train + n_dev, dtype=int)
    said = np.concatenate([np.arange(n_train) < train_wrong, np.arange(n_dev) < dev_wrong]).astype(int)
    p = Predictions.of(y, said, ["a", "b"], split=["train"] * n_train + ["dev"] * n_dev)
    return p if seed is None else p.select(np.random.default_rng(seed).permutation(p.n))


def _of(predictions, human=0.007):
    return gaps_of(levels_of_predictions(predictions, Goals(human_error=human)), 0.015)


def test_that_a_card_reads_what_moved():
    found = compare(_gaps("human=0.007,train=0.035,dev=0.04"), _gaps("human=0.007,train=0.018,dev=0.033"))
    assert found.text == "bias 2.8 → 1.1, variance +1"
    assert (found.direction("bias"), found.direction("dev"), found.paired) == ("better", "better", False)


def test_that_a_change_within_the_intervals_is_no_measurable_change():
    found = compare(_gaps("human=0.007,train=0.035,dev=0.04"), _gaps("human=0.007,train=0.0345,dev=0.041"))
    assert found.text.startswith("no measurable change (bias 2.8 → 2.75")
    assert {move.direction for move in found.moves} == {"same"}


def test_that_the_same_examples_are_compared_in_pairs():
    before, after = _predictions(140, 100), _predictions(120, 85, seed=3)
    plain = compare(_of(before), _of(after))
    paired = compare(_of(before), _of(after), (before, after))
    assert plain.direction("dev") == "same"
    assert (paired.direction("dev"), paired.direction("bias"), paired.paired) == ("better", "better", True)


def test_that_other_examples_are_not_compared_in_pairs():
    before, after = _predictions(140, 100), _predictions(120, 85, n_dev=1999)
    found = compare(_of(before), _of(after), (before, after))
    assert found.direction("train") == "better"  # the training sets are the same
    assert found.direction("dev") == "same"
    other = Predictions.of(after.y_true, after.y_pred, ["x", "y"], split=after.split)
    assert not compare(_of(before), _of(other), (before, other)).paired


def test_that_numbers_are_compared_in_pairs_too():
    rng = np.random.default_rng(0)
    y, noise = rng.normal(0, 1, 600), rng.normal(0, 0.5, 600)
    split = ["train"] * 400 + ["dev"] * 200
    before = Predictions.of(y, y + noise, split=split)
    after = Predictions.of(y, y + 0.95 * noise, split=split)
    gaps = [gaps_of(levels_of_predictions(p, Goals(human_error=0.05)), 0.015) for p in (before, after)]
    assert compare(*gaps).direction("train") == "same"
    assert compare(*gaps, (before, after)).direction("train") == "better"


def test_that_without_a_reference_the_training_error_is_compared():
    found = compare(_gaps("train=0.2,dev=0.3"), _gaps("train=0.1,dev=0.3"))
    assert found.text == "train 20 → 10, variance +10"
    assert found.direction("bias") == "unknown"


def test_that_nothing_in_common_is_said():
    assert compare(gaps_of(Levels(), 0.015), _gaps("train=0.2", "")).text == "nothing to compare"


@given(*[st.floats(0, 1).map(lambda x: round(x, 3))] * 4, st.none() | st.integers(10, 10_000))
def test_that_a_comparison_turned_round_is_the_mirror_image(a, b, c, d, n):
    first = gaps_of(Levels(human=Estimate(0.01), train=rate_of(a, n), dev=rate_of(b, n)), 0.015)
    second = gaps_of(Levels(human=Estimate(0.01), train=rate_of(c, n), dev=rate_of(d, n)), 0.015)
    opposite = {"better": "worse", "worse": "better", "same": "same"}
    there, back = compare(first, second), compare(second, first)
    json.dumps(there.to_json(), allow_nan=False)
    for one, other in zip(there.moves, back.moves, strict=True):
        assert other.direction == opposite[one.direction]
        assert other.change.value == pytest.approx(-one.change.value, abs=1e-9)


def _tried(patch, before, after):
    return Tried(patch, compare(_gaps(before), _gaps(after)))


BIAS = "human=0.007,train=0.035,dev=0.04"


def test_that_a_knob_that_helped_shows_what_it_did_and_stays():
    tried = _tried({"network.width": 2.0}, BIAS, "human=0.007,train=0.018,dev=0.033")
    knobs = {k.id: k for k in diagnose(high_bias(), None, RunFacts(table_recipe(), tried=(tried,))).knobs}
    assert knobs["bigger_network"].effect == "bias 2.8 → 1.1, variance +1"
    assert not knobs["bigger_network"].later


@pytest.mark.parametrize(
    ("after", "said"), [("human=0.007,train=0.09,dev=0.1", "worse"), (BIAS, "no measurable change")]
)
def test_that_a_knob_that_did_not_help_is_not_offered_first_again(after, said):
    tried = _tried({"network.width": 2.0}, BIAS, after)
    diagnosis = diagnose(high_bias(), None, RunFacts(table_recipe(), tried=(tried,)))
    knob = next(k for k in diagnosis.knobs if k.id == "bigger_network")
    assert knob.later
    assert said in knob.reason
    assert len(diagnosis.first_knobs) == 3
    assert diagnosis.knobs[-1].id == "bigger_network"


def test_that_a_lower_variance_at_the_price_of_the_dev_error_is_no_success():
    before, after = "human=0.007,train=0.01,dev=0.05", "human=0.007,train=0.06,dev=0.08"
    tried = _tried({"training.l2": 1e-4}, before, after)
    knobs = {k.id: k for k in diagnose(high_variance(), None, RunFacts(table_recipe(), tried=(tried,))).knobs}
    assert knobs["more_l2"].later
    assert "made it worse" in knobs["more_l2"].reason


def test_that_a_try_of_another_value_counts_for_nothing():
    tried = _tried({"network.width": 4.0}, BIAS, BIAS)
    knobs = {k.id: k for k in diagnose(high_bias(), None, RunFacts(table_recipe(), tried=(tried,))).knobs}
    assert knobs["bigger_network"].effect == ""
    assert not knobs["bigger_network"].later
