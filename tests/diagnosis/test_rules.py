"""Conformance of all rules, and what each family offers when."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.ladders import (
    CURVES,
    FALLING,
    FLAT,
    GROWING,
    JUMPING,
    OVERFITTING,
    high_bias,
    high_variance,
    mismatch,
    picture_recipe,
    recipes,
    table_recipe,
)

from workbench.diagnosis.context import Context, RunFacts
from workbench.diagnosis.diagnose import diagnose
from workbench.diagnosis.gaps import gaps_of
from workbench.diagnosis.mismatch import mismatch_of
from workbench.diagnosis.rule import rules
from workbench.diagnosis.sources import levels_of_text
from workbench.diagnosis.verdict import opinion_of
from workbench.evaluation.latency import Latency
from workbench.evaluation.predictions import Predictions
from workbench.recipe.training import Goals

CONSTANT = {"better_optimizer", "more_l2", "more_dropout", "early_stopping"}
"""Knobs whose patch is known without a recipe to start from."""

LADDERS = {"bias": high_bias(), "variance": high_variance(), "mismatch": mismatch()}


def _context(levels, run):
    gaps = gaps_of(levels, 0.015)
    found = mismatch_of(gaps)
    return Context(gaps, found, opinion_of(gaps, found), run)


def _knobs(levels, recipe=None, curve=(), **facts):
    return {knob.id: knob for knob in diagnose(levels, Goals(), RunFacts(recipe, curve, **facts)).knobs}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    recipes(),
    st.sampled_from(list(CURVES)),
    st.sampled_from(list(LADDERS)),
    st.sampled_from([None, (12,), (16, 16, 3)]),
)
def test_that_every_patch_of_every_rule_is_one_valid_change(recipe, trend, ladder, shape):
    run = RunFacts(recipe, CURVES[trend], shape, 10 if shape else None)
    context = _context(LADDERS[ladder], run)
    for rule in rules():
        for knob in rule.knobs(context):
            if not knob.patch:
                assert knob.id.startswith("advice_"), knob.id
                continue
            ((path, value),) = knob.patch.items()
            child = recipe.replace(path, value)
            changes = recipe.diff(child)
            assert [(change.path, change.after) for change in changes] == [(path, value)], knob.id
            assert recipe.replace(json.loads(json.dumps(knob.patch))) == child
            if context.network() is not None:
                assert context.network(child) is not None, knob.id


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_that_every_rule_speaks_in_whole_words(rule):
    for levels, recipe in itertools.product(LADDERS.values(), (None, table_recipe(), picture_recipe())):
        context = _context(levels, RunFacts(recipe, FALLING))
        for knob in rule.knobs(context):
            assert knob.gap == rule.gap
            assert knob.title[0].isupper() or knob.patch
            assert knob.why.endswith((".", "!"))
            assert knob.direction
            assert knob.cost
            assert "“" in knob.lecture
            assert "–" in knob.lecture
            assert recipe is not None or not knob.patch or knob.id in CONSTANT
        for finding in rule.findings(context):
            assert finding.text.endswith(".")
            json.dumps(finding.to_json(), allow_nan=False)


def test_that_all_columns_of_the_lecture_s_guidelines_have_their_knobs():
    known = {rule.id for rule in rules()}
    data = {"advice_clean_data", "advice_add_attributes", "advice_remove_contradictions", "advice_reconstruct_data"}
    bias = {"bigger_network", "better_initializer", "better_optimizer", "train_longer", "advice_transfer_learning"}
    variance = {"smaller_network", "more_l2", "more_dropout", "advice_more_data", "early_stopping", "augmentation"}
    gates = {"advice_bigger_dev_set", "advice_representative_data", "advice_cost_function"}
    search = {"advice_search", "advice_search_for_variance", "advice_transfer_learning_for_variance"}
    assert data | bias | variance | gates | search <= known


@pytest.mark.parametrize("ladder", LADDERS)
def test_that_a_model_trained_elsewhere_gets_advice_and_the_patches_that_need_no_recipe(ladder):
    diagnosis = diagnose(LADDERS[ladder])
    assert len(diagnosis.first_knobs) == 3
    assert {knob.gap for knob in diagnosis.first_knobs} == {ladder}
    for knob in diagnosis.knobs:
        assert bool(knob.patch) == (knob.id in CONSTANT), knob.id
        if knob.patch:
            assert table_recipe().replace({"training.optimizer": "sgd"}).diff(table_recipe().replace(knob.patch))


def test_that_only_gaps_that_may_be_high_have_knobs():
    assert {knob.gap for knob in _knobs(high_bias(), table_recipe()).values()} == {"bias"}
    assert {knob.gap for knob in _knobs(high_variance(), table_recipe()).values()} == {"variance"}


# --- bias


def test_that_a_bigger_network_costs_what_its_multiplications_say():
    recipe = table_recipe()
    knob = _knobs(high_bias(), recipe, input_shape=(30,), outputs=10)["bigger_network"]
    assert knob.patch == {"network.width": 2.0}
    assert knob.cost_factor == pytest.approx((30 * 32 + 32 * 10) / (30 * 16 + 16 * 10))
    assert _knobs(high_bias(), recipe)["bigger_network"].cost_factor is None


def test_that_a_linear_network_is_first_given_a_hidden_layer():
    recipe = table_recipe(network__layers=[{"kind": "dense", "units": "classes"}])
    diagnosis = diagnose(high_bias(), None, RunFacts(recipe))
    assert diagnosis.first_knobs[0].id == "deeper_network"
    assert "bigger_network" not in {knob.id for knob in diagnosis.knobs}
    child = recipe.replace(diagnosis.first_knobs[0].patch)
    assert [layer.kind for layer in child.network.layers] == ["dense", "activation", "dense"]


def test_that_a_change_that_no_longer_fits_is_not_offered():
    # Twice the filters do not fit an addition to the network's own input.
    layers = [
        {"kind": "dense", "units": 8, "name": "first"},
        {"kind": "add", "inputs": ["input", "first"]},
        {"kind": "dense", "units": "classes"},
    ]
    recipe = table_recipe(network__layers=layers)
    assert "bigger_network" not in _knobs(high_bias(), recipe, input_shape=(8,), outputs=3)
    assert "bigger_network" in _knobs(high_bias(), recipe)


@pytest.mark.parametrize(
    ("now", "offered"), [("sgd", True), ("momentum", True), ("rmsprop", True), ("adam", False), ("adamw", False)]
)
def test_that_adam_is_offered_to_those_who_do_not_have_it(now, offered):
    knobs = _knobs(high_bias(), table_recipe(training__optimizer={"kind": now}))
    assert ("better_optimizer" in knobs) == offered


@pytest.mark.parametrize(
    ("curve", "longer", "rate"),
    [(FALLING, True, 3e-3), (FLAT, False, 3e-3), (JUMPING, False, 3.3e-4), (GROWING, False, 3.3e-4), ((), True, 3e-3)],
)
def test_that_the_curve_decides_about_epochs_and_learning_rate(curve, longer, rate):
    knobs = _knobs(high_bias(), table_recipe(training__epochs=15), curve)
    assert ("train_longer" in knobs) == longer
    assert knobs["learning_rate"].patch == {"training.optimizer.learning_rate": pytest.approx(rate)}


def test_that_a_falling_curve_puts_training_longer_first_and_a_growing_one_a_lower_rate():
    recipe = table_recipe(training__epochs=15)
    first = diagnose(high_bias(), None, RunFacts(recipe, FALLING)).first_knobs[0]
    assert (first.id, first.patch, first.cost_factor) == ("train_longer", {"training.epochs": 30}, 2.0)
    assert diagnose(high_bias(), None, RunFacts(recipe, GROWING)).first_knobs[0].id == "learning_rate"


def test_that_a_run_that_stopped_early_is_not_told_to_train_longer_but_to_go_on():
    recipe = table_recipe(training__epochs=100, training__early_stopping={"patience": 3})
    knobs = _knobs(high_bias(), recipe, FALLING, reason="early_stopping", best_epoch=12)
    assert "train_longer" not in knobs
    assert knobs["no_early_stopping"].patch == {"training.early_stopping": None}
    assert not knobs["no_early_stopping"].later
    assert "15 of 100 epochs" in knobs["no_early_stopping"].why


def test_that_early_stopping_that_changed_nothing_is_not_to_be_taken_away():
    recipe = table_recipe(training__epochs=15, training__early_stopping={"patience": 20})
    finished = {"reason": "finished", "best_epoch": 15}
    assert "no_early_stopping" not in _knobs(high_bias(), recipe, FALLING, **finished)
    assert "no_early_stopping" not in _knobs(high_bias(), recipe, FALLING, reason="finished"), "without a dev set"
    stopped = table_recipe(training__epochs=100, training__early_stopping={"patience": 20})
    by_hand = {"reason": "stopped", "best_epoch": 15}
    assert "no_early_stopping" not in _knobs(high_bias(), stopped, FALLING, **by_hand), "a person ended it"


def test_that_early_stopping_that_went_back_to_an_earlier_epoch_can_be_taken_away():
    recipe = table_recipe(training__epochs=15, training__early_stopping={"patience": 20})
    knob = _knobs(high_bias(), recipe, FALLING, reason="finished", best_epoch=9)["no_early_stopping"]
    assert knob.patch == {"training.early_stopping": None}
    assert "epoch 9, of 15" in knob.why
    assert knob.cost == "the same time"


def test_that_equal_initial_weights_are_mended_first():
    recipe = picture_recipe(network__layers__conv_1__initializer="zeros")
    first = diagnose(high_bias(), None, RunFacts(recipe)).first_knobs[0]
    assert (first.id, first.patch) == ("better_initializer", {"network.layers[0].initializer": "he_normal"})


def test_that_an_initializer_follows_the_function_behind_it():
    knob = _knobs(high_bias(), picture_recipe())["better_initializer"]
    assert knob.patch == {"network.layers[5].initializer": "glorot_normal"}  # the one before tanh, through dropout
    suited = picture_recipe(network__layers__dense_1__initializer="glorot_uniform")
    assert "better_initializer" not in _knobs(high_bias(), suited)


@pytest.mark.parametrize("bent", [{"kind": "prelu"}, {"kind": "activation", "function": "mish"}])
def test_that_weights_before_a_relative_of_relu_start_as_before_one(bent: dict[str, str]):
    first = {"kind": "dense", "units": 9, "initializer": "glorot_normal"}
    layers = [first, bent, {"kind": "dense", "units": "classes"}]
    knob = _knobs(high_bias(), table_recipe(network__layers=layers))["better_initializer"]
    assert knob.patch == {"network.layers[0].initializer": "he_normal"}


def test_that_regularization_that_is_on_can_be_taken_off_one_at_a_time():
    recipe = table_recipe(training__l2=1e-3, training__dropout=0.5, data__augment=[{"kind": "noise"}])
    knobs = _knobs(high_bias(), recipe)
    assert knobs["less_l2"].patch == {"training.l2": 0.0}
    assert knobs["less_dropout"].patch == {"training.dropout": 0.0}
    assert knobs["less_augmentation"].patch == {"data.augment": []}
    assert not {"less_l2", "less_dropout", "less_augmentation"} & set(_knobs(high_bias(), table_recipe()))
    assert _knobs(high_bias(), picture_recipe())["less_dropout"].patch == {"network.layers[7].rate": 0.0}


def test_that_the_other_ways_of_regularization_are_taken_off_one_after_the_other():
    recipe = table_recipe(training__l1=1e-3, training__max_norm=2.0, training__loss__label_smoothing=0.1)
    for patch in ({"training.l1": 0.0}, {"training.max_norm": None}, {"training.loss.label_smoothing": 0.0}):
        assert _knobs(high_bias(), recipe)["less_regularization"].patch == patch
        recipe = recipe.replace(patch)
    assert "less_regularization" not in _knobs(high_bias(), recipe)


@pytest.mark.parametrize(("kind", "field"), [("momentum", "decoupled_weight_decay"), ("lion", "weight_decay")])
def test_that_a_decay_that_is_on_is_weakened_and_strengthened_where_it_stands(kind, field):
    recipe = table_recipe(training__optimizer={"kind": kind, field: 0.02})
    assert _knobs(high_bias(), recipe)["less_l2"].patch == {f"training.optimizer.{field}": 0.002}
    assert _knobs(high_variance(), recipe)["more_l2"].patch == {f"training.optimizer.{field}": 0.2}


def test_that_momentum_without_decay_gets_l2_and_lion_a_decay():
    momentum, lion = (table_recipe(training__optimizer=kind) for kind in ("momentum", "lion"))
    assert _knobs(high_variance(), momentum)["more_l2"].patch == {"training.l2": 1e-4}
    assert _knobs(high_variance(), lion)["more_l2"].patch == {"training.optimizer.weight_decay": 0.01}


def test_that_a_schedule_that_spent_the_rate_is_made_constant():
    recipe = table_recipe(training__schedule={"kind": "exponential", "decay_rate": 1.0})
    assert _knobs(high_bias(), recipe, FALLING)["schedule"].patch == {"training.schedule": {"kind": "constant"}}
    knob = _knobs(high_bias(), table_recipe(), JUMPING)["schedule"]
    assert knob.patch["training.schedule"]["kind"] == "inverse_time"
    assert "schedule" not in _knobs(high_bias(), table_recipe(), FALLING)


def test_that_pictures_without_convolutions_are_pointed_to_them():
    knob = _knobs(high_bias(), table_recipe(), input_shape=(28, 28, 1), outputs=10)["advice_other_architecture"]
    assert knob.title == "A convolutional network"


def test_that_a_flattening_function_is_replaced():
    assert _knobs(high_bias(), picture_recipe())["other_activation"].patch == {"network.layers[6].function": "relu"}


@pytest.mark.parametrize("loss", ["mean_absolute_error", "huber"])
def test_that_a_robust_loss_is_replaced_where_squares_are_measured(loss):
    recipe = table_recipe(data__task="regression", training__loss=loss)
    assert _knobs(high_bias(), recipe)["squared_loss"].patch == {"training.loss": {"kind": "mean_squared_error"}}


# --- variance


def test_that_l2_starts_small_and_grows_by_tens():
    assert _knobs(high_variance(), table_recipe())["more_l2"].patch == {"training.l2": 1e-4}
    assert _knobs(high_variance(), table_recipe(training__l2=1e-4))["more_l2"].patch == {"training.l2": 1e-3}
    decay = _knobs(high_variance(), table_recipe(training__optimizer={"kind": "adamw"}))["more_l2"]
    assert decay.patch == {"training.optimizer.weight_decay": 0.1}


def test_that_dropout_starts_at_a_fifth_and_grows_by_a_tenth():
    assert _knobs(high_variance(), table_recipe())["more_dropout"].patch == {"training.dropout": 0.2}
    assert _knobs(high_variance(), table_recipe(training__dropout=0.2))["more_dropout"].patch == {
        "training.dropout": 0.3
    }
    assert _knobs(high_variance(), picture_recipe())["more_dropout"].patch == {"network.layers[7].rate": 0.4}
    assert "more_dropout" not in _knobs(high_variance(), table_recipe(training__dropout=0.75))


def test_that_dropout_that_would_act_nowhere_is_not_offered():
    linear = table_recipe(network__layers=[{"kind": "dense", "units": "classes"}])
    assert "more_dropout" not in _knobs(high_variance(), linear)


def test_that_pictures_are_augmented_step_by_step_and_never_mirrored():
    recipe, kinds = picture_recipe(), []
    while (knob := _knobs(high_variance(), recipe).get("augmentation")) is not None:
        recipe = recipe.replace(knob.patch)
        kinds.append(recipe.data.augment[-1].kind)
    assert kinds[0] == "shift"
    assert len(kinds) == len(set(kinds)) >= 4
    assert "flip" not in kinds


def test_that_tables_are_augmented_with_noise():
    knob = _knobs(high_variance(), table_recipe(), input_shape=(5,), outputs=2)["augmentation"]
    assert [part["kind"] for part in knob.patch["data.augment"]] == ["noise"]


def test_that_early_stopping_is_listed_with_the_reason_why_it_is_no_orthogonal_knob():
    knob = _knobs(high_variance(), table_recipe())["early_stopping"]
    assert "no orthogonal knob" in knob.why
    assert knob.later
    rising = _knobs(high_variance(), table_recipe(), OVERFITTING)["early_stopping"]
    assert "risen since epoch 6" in rising.why


def test_that_a_rising_dev_loss_is_a_finding():
    found = diagnose(high_variance(), None, RunFacts(table_recipe(), OVERFITTING)).findings
    assert next(f for f in found if f.id == "overfitting_curve").measured == {"epoch": 6, "epochs": 15}


def test_that_a_smaller_network_is_half_as_wide_unless_it_is_at_its_smallest():
    facts = {"input_shape": (30,), "outputs": 10}
    knob = _knobs(high_variance(), table_recipe(), **facts)["smaller_network"]
    assert knob.patch == {"network.width": 0.5}
    assert knob.cost_factor == pytest.approx(0.5)
    assert "smaller_network" not in _knobs(high_variance(), table_recipe(network__width=0.01), **facts)


# --- mismatch, data, other findings


def test_that_a_source_pinned_to_the_dev_set_can_join_the_split():
    sources = [{"path": "shop.csv"}, {"path": "phone.csv", "set": "dev", "distribution": "phone"}]
    recipe = table_recipe(data__sources=sources)
    first = diagnose(mismatch(), None, RunFacts(recipe)).first_knobs[0]
    assert (first.id, first.patch) == ("pool_and_reshuffle", {"data.sources[1].set": "any"})
    both = table_recipe(data__sources=[{**source, "set": "dev"} for source in sources])
    assert diagnose(mismatch(), None, RunFacts(both)).first_knobs[0].id == "advice_pool_and_reshuffle"


def test_that_training_data_can_be_made_to_look_like_the_others():
    knobs = _knobs(mismatch(), picture_recipe())
    assert [part["kind"] for part in knobs["mismatch_noise"].patch["data.augment"]] == ["noise"]
    assert [part["kind"] for part in knobs["mismatch_blur"].patch["data.augment"]] == ["blur"]
    assert "phone" in knobs["advice_collect_from_distribution"].title


def _uneven():
    split = ["train"] * 1000 + ["dev"] * 400
    y = [0] * 900 + [1] * 100 + [0] * 360 + [1] * 40
    said = [0] * 1000 + [0] * 360 + [0] * 30 + [1] * 10
    return Predictions.of(y, said, ["many", "few"], split=split)


def test_that_a_class_that_prevails_among_mistakes_is_named_with_its_ceiling():
    found = diagnose(high_variance(), None, RunFacts(table_recipe(), predictions=_uneven())).findings
    finding = next(f for f in found if f.id == "prevailing_class")
    assert finding.measured["name"] == "few"
    assert finding.measured["ceiling"] == pytest.approx(30 / 400)


def test_that_uneven_classes_can_be_balanced():
    knob = _knobs(high_variance(), table_recipe(), predictions=_uneven())["balance_classes"]
    assert knob.patch == {"data.weights.class_balance": "inverse_frequency"}
    assert knob.later


def test_that_a_time_limit_is_compared_with_the_slow_calls():
    goals = Goals(max_latency_ms=10)
    for p95, kept in ((9.0, True), (11.0, False)):
        run = RunFacts(latency=Latency(5.0, p95, 100))
        finding = next(f for f in diagnose(high_bias(), goals, run).findings if f.id == "latency")
        assert finding.measured["kept"] == kept


def test_that_the_last_gate_asks_about_the_real_world():
    diagnosis = diagnose(levels_of_text("human=0.007,train=0.008,dev=0.01,test=0.011"))
    assert {knob.gap for knob in diagnosis.knobs} == {"real_world"}
    assert all(knob.later for knob in diagnosis.knobs)


def test_that_a_high_test_error_asks_for_a_bigger_dev_set():
    diagnosis = diagnose(levels_of_text("human=0.007,train=0.008,dev=0.01,test=0.05"))
    assert "advice_bigger_dev_set" in {knob.id for knob in diagnosis.knobs}
    assert any(f.id == "overfitting_dev" and "if both sets come from" in f.text for f in diagnosis.findings)


def test_that_frozen_layers_may_learn_the_last_one_first_and_at_once_where_nothing_does():
    recipe = table_recipe()
    owners = [layer.name for layer in recipe.network.layers if layer.kind in ("dense", "batch_norm")]
    some = recipe.replace(f"network.layers.{owners[0]}.frozen", True)
    assert "unfreeze" not in _knobs(high_bias(), recipe, FALLING)
    knob = _knobs(high_bias(), some, FALLING)["unfreeze"]
    assert knob.patch == {"network.layers[0].frozen": False}
    for name in owners:
        recipe = recipe.replace(f"network.layers.{name}.frozen", True)
    found = diagnose(high_bias(), Goals(), RunFacts(recipe, FALLING))
    last = max(number for number, layer in enumerate(recipe.network.layers) if layer.kind == "dense")
    assert found.knobs[0].patch == {f"network.layers[{last}].frozen": False}
    assert "unfreeze" in {finding.id for finding in found.findings}
    assert "train_longer" not in {knob.id for knob in found.knobs}
