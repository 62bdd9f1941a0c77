"""Alarms on figures made up for the purpose, and the one setting that each offers to change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ladders import curve, high_bias

from workbench.diagnosis.context import RunFacts
from workbench.diagnosis.diagnose import Diagnosis, diagnose
from workbench.diagnosis.health import KINDS, Records, alarms_of, sentence_of
from workbench.events import LayersDone
from workbench.recipe.recipe import Recipe

LAYERS = ("first", "second", "third", "last")


def records(count: int = 60, **changes: Any) -> Records:
    """A healthy run's records, some of them others: an array, or a row for each record."""
    figures: dict[str, Any] = {
        "epochs": np.arange(1, count + 1) / 10,
        "losses": np.linspace(2.0, 1.0, count),
        "rates": np.full(count, 1e-3),
        "gradient_norms": np.full(count, 2.0),
        "norms": np.ones((count, 4)),
        "ratios": np.full((count, 4), 1e-3),
    }
    return Records(LAYERS, **{**figures, **changes})


def spread(
    epoch: int, *, flat: str = "dead", units: float = 0.0, values: float = 0.3, examples: int = 64
) -> LayersDone:
    """What was seen of one activation and of all weights."""
    return LayersDone(
        "run", float(epoch), epoch, epoch * 10, examples, ("first", "act", "second", "third", "last"), ("act",),
        ("input",), (flat,), (units,), (values,), ((-1.0, 1.0),), ((500, 500),), LAYERS, (1.0, 1.0, 1.0, 1.0),
        ((-1.0, 1.0),) * 4, ((500, 500),) * 4,
    )  # fmt: skip


def columns(*values: float, count: int = 60) -> Any:
    """Figures by layer that stay as they are."""
    return np.tile(values, (count, 1)).astype(float)


def kinds(given_records: Records) -> list[tuple[str, str]]:
    return [(alarm.kind, alarm.layer) for alarm in alarms_of(given_records)]


def test_that_a_healthy_run_raises_nothing() -> None:
    healthy = tuple(spread(epoch, units=0.3) for epoch in range(7))
    assert alarms_of(replace(records(), spreads=healthy)) == ()
    assert alarms_of(records(0)) == ()
    assert alarms_of(replace(records(), layers=(), norms=np.ones((60, 0)), ratios=np.ones((60, 0)))) == ()


def test_that_nothing_is_said_of_the_first_records() -> None:
    assert alarms_of(records(4, norms=columns(1e9, 1, 1, 1, count=4), ratios=columns(1, 1, 1, 1, count=4))) == ()


def test_that_early_layers_that_no_gradient_reaches_are_named_the_worst_first() -> None:
    found = alarms_of(records(norms=columns(1e-7, 1e-5, 1e-2, 1.0), ratios=columns(1e-9, 1e-8, 1e-3, 1e-3)))
    assert [(alarm.kind, alarm.layer, alarm.others) for alarm in found] == [
        ("vanishing_gradient", "first", ("second",)),
    ]
    assert found[0].measured["share"] == pytest.approx(1e-7)
    assert found[0].since == pytest.approx(0.1)


def test_that_adam_may_make_up_for_small_gradients_but_not_for_almost_none() -> None:
    moving = columns(1e-3, 1e-3, 1e-3, 1e-3)
    assert kinds(records(norms=columns(1e-4, 1, 1, 1), ratios=moving)) == []
    assert kinds(records(norms=columns(1e-7, 1, 1, 1), ratios=moving)) == [("vanishing_gradient", "first")]


def test_that_a_gradient_is_judged_by_the_weights_it_moves() -> None:
    norms, ratios = columns(1e-4, 1, 1, 1), columns(9e-5, 1e-3, 1e-3, 1e-3)
    assert kinds(records(norms=norms, ratios=ratios)) == [("vanishing_gradient", "first")]
    small = replace(spread(1), weight_norms=(0.01, 1.0, 1.0, 1.0))
    assert kinds(records(norms=norms, ratios=ratios, spreads=(small,))) == []


def test_that_it_is_told_since_when() -> None:
    ratios = columns(1e-3, 1e-3, 1e-3, 1e-3, count=100)
    ratios[40:, 1] = 0.5
    (alarm,) = alarms_of(records(100, ratios=ratios))
    assert (alarm.kind, alarm.layer) == ("large_updates", "second")
    assert alarm.since == pytest.approx(4.1)
    assert "50 %" in alarm.text
    assert sentence_of(alarm.kind, alarm.layer, alarm.since) == "Large updates at second since epoch 4.1"


def test_that_what_has_passed_is_no_alarm() -> None:
    ratios = columns(1e-3, 1e-3, 1e-3, 1e-3)
    ratios[:20] = 0.9
    assert alarms_of(records(ratios=ratios)) == ()


def test_that_one_batch_raises_nothing() -> None:
    norms = columns(1, 1, 1, 1)
    norms[-1] = 1e6
    assert alarms_of(records(norms=norms)) == ()


def test_that_large_and_rising_gradients_explode() -> None:
    assert kinds(records(norms=columns(1, 1, 5e3, 1))) == [("exploding_gradient", "third")]
    rising = columns(0.05, 1, 1, 1)
    rising[:, 0] *= np.geomspace(1, 2e4, 60)
    assert kinds(records(norms=rising)) == [("exploding_gradient", "first")]
    # From almost nothing to a usual size is how a plateau is left.
    leaving = columns(1e-3, 1, 1, 1)
    leaving[:, 0] *= np.geomspace(1, 1e3, 60)
    assert kinds(records(norms=leaving)) == []


def test_that_a_number_that_is_none_is_told_alone() -> None:
    norms = columns(1e6, 1, 1, 1)
    norms[-1, 2] = np.nan
    assert kinds(records(norms=norms)) == [("not_finite", "third")]


def test_that_updates_are_judged_as_at_the_highest_rate() -> None:
    ratios = columns(1e-7, 1e-7, 1e-7, 1e-7)
    assert kinds(records(ratios=ratios)) == [("small_updates", "first")]
    decayed = np.geomspace(1e-1, 1e-7, 60)
    assert kinds(records(ratios=decayed[:, None] * np.ones(4) * 1e-2, rates=decayed)) == []


def test_that_small_updates_are_no_trouble_where_all_is_learned() -> None:
    losses = np.linspace(2.0, 1e-4, 60)
    losses[-20:] = 1e-4
    tiny = columns(1e-9, 1e-9, 1e-9, 1e-9)
    assert kinds(records(ratios=tiny, norms=tiny, losses=losses)) == []
    assert ("vanishing_gradient", "") in kinds(records(ratios=tiny, norms=tiny))


def test_that_clipping_is_told_where_it_never_lets_go() -> None:
    assert kinds(records(clip_norm=0.5)) == [("constant_clipping", "")]
    assert kinds(records(clip_norm=1.5)) == []
    assert kinds(records(clip_norm=None)) == []


@pytest.mark.parametrize(
    ("flat", "field", "kind"), [("dead", "units", "dead_units"), ("saturated", "values", "saturated_units")]
)
def test_that_dead_and_saturated_units_must_last(flat: str, field: str, kind: str) -> None:
    def seen(*shares: float, examples: int = 64) -> Records:
        spreads = [spread(epoch, flat=flat, examples=examples, **{field: share}) for epoch, share in enumerate(shares)]
        return replace(records(), spreads=tuple(spreads))

    assert kinds(seen(0.1, 0.9)) == []
    assert kinds(seen(0.9, 0.9, 0.1)) == []
    assert kinds(seen(0.9, 0.9, 0.9, examples=8)) == []
    assert kinds(seen(float("nan"), float("nan"))) == []
    (alarm,) = alarms_of(seen(0.1, 0.2, 0.8, 0.9))
    assert (alarm.kind, alarm.layer, alarm.since) == (kind, "act", 2.0)
    assert alarm.measured == {"share": 0.9, "examples": 64}
    assert "90 %" in alarm.text
    assert "64 examples" in alarm.text


def test_that_a_layer_that_is_dead_as_a_whole_need_be_seen_only_once() -> None:
    spreads = (spread(0), spread(5, units=1.0))
    (alarm,) = alarms_of(replace(records(), spreads=spreads))
    assert (alarm.kind, alarm.since) == ("dead_units", 5.0)
    saturated = (spread(0, flat="saturated"), spread(5, flat="saturated", values=1.0))
    assert alarms_of(replace(records(), spreads=saturated)) == ()


def test_that_weights_that_have_exploded_are_told_of_and_not_called_slow() -> None:
    grown = replace(spread(2), weight_norms=(1.0, 2e3, 5e6, 999.0))
    stuck = records(ratios=columns(1e-3, 1e-9, 1e-9, 1e-3), spreads=(spread(0), spread(1), grown))
    (alarm,) = alarms_of(stuck)
    assert (alarm.kind, alarm.layer, alarm.others, alarm.since) == ("exploding_gradient", "third", ("second",), 2.0)
    assert alarm.measured == {"weights": 5e6, "first": 1.0}
    assert kinds(records(ratios=columns(1e-3, 1e-9, 1e-9, 1e-3), spreads=(spread(0), spread(1)))) == [
        ("small_updates", "second")
    ]
    few = tuple(replace(each, weight_norms=(1e-6, 1e-6, 1.0, 1.0)) for each in (spread(0), spread(1)))
    long = replace(few[1], weight_norms=(5.0, 1.0, 1.0, 1.0))
    assert alarms_of(records(spreads=(few[0], long))) == ()


def test_that_the_remedy_for_vanishing_gradients_suits_the_functions_in_use() -> None:
    little = {"norms": columns(1e-7, 1, 1, 1), "ratios": columns(1e-9, 1e-3, 1e-3, 1e-3)}
    remedies = {
        flat: alarms_of(records(**little, spreads=(spread(1, flat=flat),)))[0].remedy for flat in ("dead", "saturated")
    }
    assert "relu instead of sigmoid" not in remedies["dead"]
    assert "relu instead of sigmoid" in remedies["saturated"]


def test_that_what_follows_from_dead_units_is_not_told_beside_them() -> None:
    none = columns(0.0, 0.0, 1.0, 1.0)
    spreads = tuple(spread(epoch, units=1.0) for epoch in range(3))
    assert kinds(records(norms=none, ratios=none * 1e-3, spreads=spreads)) == [("dead_units", "act")]
    assert len(kinds(records(norms=none, ratios=none * 1e-3))) >= 1


_FIGURES = st.floats(0, 1e12) | st.sampled_from([0.0, float("nan"), float("inf")])


@settings(deadline=None)
@given(st.lists(st.tuples(*[_FIGURES] * 8), max_size=50), st.floats(1e-9, 1e9) | st.none())
def test_that_no_figures_are_too_strange_to_be_judged(rows: list[tuple[float, ...]], clip_norm: float | None) -> None:
    block = np.array(rows, float).reshape(len(rows), 8)
    given_records = records(
        len(rows), norms=block[:, :4], ratios=block[:, 4:], gradient_norms=block[:, :4].sum(axis=1), clip_norm=clip_norm
    )
    for alarm in alarms_of(given_records):
        assert alarm.kind in KINDS
        assert alarm.text.endswith(".")
        assert alarm.remedy.endswith(".")
        assert set(alarm.layers) <= set(LAYERS)


# --- knobs -----------------------------------------------------------------------------------------------------------


def recipe(function: str = "relu", layers: int = 1, **training: Any) -> Recipe:
    made: list[Any] = []
    for number in range(layers):
        made += [
            {"kind": "dense", "units": 8, "name": f"hidden_{number}"},
            {"kind": "activation", "function": function, "name": "act" if not number else f"act_{number}"},
        ]
    return Recipe.parse({"network": {"layers": [*made, {"kind": "dense", "units": "classes"}]}, "training": training})


def diagnosed(given_records: Records, given_recipe: Recipe) -> Diagnosis:
    return diagnose(high_bias(), run=RunFacts(recipe=given_recipe, input_shape=(6,), outputs=3, health=given_records))


DEAD = replace(records(), spreads=tuple(spread(epoch, units=0.9) for epoch in range(3)))
SATURATED = replace(records(), spreads=tuple(spread(epoch, flat="saturated", values=0.9) for epoch in range(3)))
PATCHES = {
    "dead": (DEAD, recipe(), {"training.optimizer.learning_rate": 0.00033}),
    "saturated, started wide": (SATURATED, recipe("tanh"), {"network.layers[0].initializer": "glorot_normal"}),
    "exploding": (records(norms=columns(1, 1, 5e3, 1)), recipe(), {"training.clip_norm": 1.0}),
    "exploding though clipped": (
        records(norms=columns(1, 1, 5e3, 1)), recipe(clip_norm=1.0), {"training.optimizer.learning_rate": 0.00033},
    ),
    "small": (records(ratios=columns(*[1e-7] * 4)), recipe(), {"training.optimizer.learning_rate": 0.003}),
    "large": (records(ratios=columns(*[0.5] * 4)), recipe(), {"training.optimizer.learning_rate": 0.00033}),
    "vanishing": (
        records(norms=columns(1e-7, 1, 1, 1)), recipe("sigmoid"), {"network.layers[1].function": "relu"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PATCHES)
def test_that_an_alarm_offers_one_change_before_all_others(case: str) -> None:
    given_records, given_recipe, patch = PATCHES[case]
    diagnosis = diagnosed(given_records, given_recipe)
    first = diagnosis.knobs[0]
    assert dict(first.patch) == patch
    assert [dict(knob.patch) for knob in diagnosis.knobs].count(patch) == 1
    (alarm,) = alarms_of(given_records)
    assert [one.id for one in diagnosis.findings if one.id in KINDS] == [alarm.kind]
    finding = next(one for one in diagnosis.findings if one.id == alarm.kind)
    assert finding.measured["layer"] == alarm.layer
    assert alarm.text in finding.text


def test_that_no_alarm_raises_the_rate_of_a_run_whose_loss_has_grown() -> None:
    rate = "training.optimizer.learning_rate"

    def raised(given_records: Records, *losses: float) -> bool:
        facts = RunFacts(recipe=recipe(), curve=curve(*losses), input_shape=(6,), outputs=3, health=given_records)
        return any(dict(knob.patch).get(rate, 0.0) > 1e-3 for knob in diagnose(high_bias(), run=facts).knobs)

    for given_records in (records(norms=columns(1e-7, 1, 1, 1)), records(ratios=columns(*[1e-7] * 4))):
        assert raised(given_records, 2.0, 1.9, 1.8, 1.7, 1.6, 1.5)
        assert not raised(given_records, 2.0, 9.0, 30.0, 80.0, 99.0, 120.0)


def test_that_many_bounded_functions_get_batch_norm_in_one_change() -> None:
    diagnosis = diagnosed(records(norms=columns(1e-7, 1, 1, 1)), recipe("sigmoid", layers=6))
    ((path, value),) = diagnosis.knobs[0].patch.items()
    assert path == "network.layers"
    assert sum(layer["kind"] == "batch_norm" for layer in value) == 6
    assert diagnosis.knobs[0].title == "Batch norm before each sigmoid"


def test_that_a_run_without_records_has_neither_findings_nor_knobs_of_health() -> None:
    diagnosis = diagnose(high_bias(), run=RunFacts(recipe=recipe()))
    assert not [one for one in diagnosis.findings if one.id in KINDS]
    assert not [knob for knob in diagnosis.knobs if knob.id.startswith(KINDS)]
