"""Networks made ill on purpose: each raises its alarm at its layer, and healthy ones raise none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_runs import picture_recipe, table_recipe, write_numbers, write_pictures, write_table

from workbench.diagnosis.health import Alarm, alarms_of
from workbench.engine.device import one_blas_thread
from workbench.engine.parameters import Parameters
from workbench.events import Event, FindingRaised, RunEnded
from workbench.recipe.recipe import Recipe
from workbench.session.curves import RunCurves
from workbench.session.health import HealthWatch, health_of, records_of
from workbench.session.prepare import prepare
from workbench.session.results import diagnosis_of_run
from workbench.session.runner import RunRequest, run_request
from workbench.session.samples import sample
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control


def run(recipe: Recipe, folder: Path) -> list[Event]:
    """All events of a run."""
    with one_blas_thread():
        return list(run_request(RunRequest("run", folder, recipe, "cpu", 1), Control()))


def alarms(events: list[Event], recipe: Recipe) -> dict[str, Alarm]:
    found = alarms_of(records_of(RunCurves.of(events), recipe.training.clip_norm))
    return {alarm.kind: alarm for alarm in found}


def deep(path: Path, layers: int, function: str, units: int = 8, **training: Any) -> Recipe:
    """Many layers in a row."""
    made = [
        layer
        for _ in range(layers)
        for layer in ({"kind": "dense", "units": units}, {"kind": "activation", "function": function})
    ]
    return table_recipe(path, epochs=20, **training).replace(
        "network.layers", [*made, {"kind": "dense", "units": "classes"}]
    )


def start_from(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Have all runs start from other weights; ``change`` is given each parameter's slot and values."""
    initialize = Parameters.initialize

    def other(parameters: Parameters, seed: int) -> None:
        initialize(parameters, seed)
        for slot in parameters.layout.slots:
            change(slot, slot.view(parameters.values))

    monkeypatch.setattr(Parameters, "initialize", other)


def test_that_a_huge_learning_rate_kills_units(tmp_path: Path) -> None:
    recipe = table_recipe(write_table(tmp_path), epochs=40, optimizer={"kind": "adam", "learning_rate": 3.0})
    recipe = recipe.replace("network.layers", [
        {"kind": "dense", "units": 16}, "activation", {"kind": "dense", "units": 16}, "activation",
        {"kind": "dense", "units": "classes"},
    ])  # fmt: skip
    found = alarms(run(recipe, tmp_path / "run"), recipe)
    assert found["dead_units"].layer == "relu_2"
    assert found["dead_units"].measured["share"] > 0.5


def test_that_biases_far_below_zero_kill_units_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sink(slot: Any, values: Any) -> None:
        if slot.name == "dense_1.bias":
            values[...] = -100.0

    start_from(monkeypatch, sink)
    recipe = table_recipe(write_table(tmp_path), epochs=40)
    alarm = alarms(run(recipe, tmp_path / "run"), recipe)["dead_units"]
    assert (alarm.layer, alarm.since, alarm.measured["share"]) == ("relu_1", 0.0, 1.0)


def test_that_large_weights_saturate_tanh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def grow(slot: Any, values: Any) -> None:
        if slot.name == "dense_1.weight":
            values *= 50.0

    start_from(monkeypatch, grow)
    recipe = table_recipe(write_table(tmp_path), epochs=40).replace("network.layers.relu_1.function", "tanh")
    found = alarms(run(recipe, tmp_path / "run"), recipe)
    assert found["saturated_units"].layer == "relu_1"
    assert found["saturated_units"].measured["share"] > 0.8


@pytest.mark.parametrize("optimizer", [{"kind": "sgd", "learning_rate": 0.1}, {"kind": "adam"}])
def test_that_gradients_vanish_in_twenty_sigmoid_layers(tmp_path: Path, optimizer: dict[str, Any]) -> None:
    recipe = deep(write_table(tmp_path), 20, "sigmoid", optimizer=optimizer)
    found = alarms(run(recipe, tmp_path / "run"), recipe)
    assert found["vanishing_gradient"].layer == "dense_1" or found["vanishing_gradient"].layer == "dense_2"
    assert "dense_3" in found["vanishing_gradient"].layers
    assert "dense_21" not in found["vanishing_gradient"].layers


def test_that_gradients_explode_from_large_initial_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def grow(slot: Any, values: Any) -> None:
        values *= 6.0

    start_from(monkeypatch, grow)
    recipe = deep(write_table(tmp_path), 6, "relu", optimizer={"kind": "adam", "learning_rate": 1e-4})
    events = run(recipe, tmp_path / "run")
    assert isinstance(events[-1], RunEnded)
    alarm = alarms(events, recipe)["exploding_gradient"]
    assert alarm.layer.startswith("dense_")
    assert alarm.measured["norm"] > 1e3


def test_that_a_learning_rate_that_is_far_too_small_is_told(tmp_path: Path) -> None:
    recipe = table_recipe(write_table(tmp_path), epochs=20, optimizer={"kind": "sgd", "learning_rate": 1e-6})
    assert list(alarms(run(recipe, tmp_path / "run"), recipe)) == ["small_updates"]


@pytest.mark.parametrize("case", ["table", "pictures", "numbers", "deep relu"])
def test_that_healthy_runs_raise_nothing(tmp_path: Path, case: str) -> None:
    recipe = {
        "table": lambda: table_recipe(write_table(tmp_path), epochs=30, clip_norm=5.0),
        "pictures": lambda: picture_recipe(write_pictures(tmp_path), epochs=30),
        "numbers": lambda: _numbers(tmp_path),
        "deep relu": lambda: deep(write_table(tmp_path), 6, "relu", 32, schedule={"kind": "cosine"}),
    }[case]()
    events = run(recipe, tmp_path / "run")
    assert alarms(events, recipe) == {}
    assert not [event for event in events if isinstance(event, FindingRaised)]


def _numbers(folder: Path) -> Recipe:
    tree = table_recipe(write_numbers(folder), epochs=30).tree()
    tree["data"] |= {"target": "price", "task": "regression", "normalize_target": "standard"}
    tree["training"]["loss"] = {"kind": "mean_squared_error"}
    return Recipe.parse(tree)


@pytest.mark.parametrize("name", ["digits", "valves", "clothes"])
def test_that_the_bundled_samples_raise_nothing(tmp_path: Path, name: str) -> None:
    recipe = sample(name).recipe()
    events = run(recipe, tmp_path / "run")
    assert alarms(events, recipe) == {}
    assert not [event for event in events if isinstance(event, FindingRaised)]
    layers = health_of(RunCurves.of(events), ())
    assert all(one.state == "healthy" for one in layers)
    assert any(one.flat == "dead" and one.share < 0.5 for one in layers)


def test_that_an_alarm_is_raised_once_kept_and_found_by_the_diagnosis(tmp_path: Path) -> None:
    recipe = deep(write_table(tmp_path), 20, "sigmoid")
    events = run(recipe, tmp_path / "run")
    raised = [event for event in events if isinstance(event, FindingRaised)]
    assert [event.finding for event in raised].count("vanishing_gradient") == 1
    with RunFolder.open(tmp_path / "run") as folder:
        kept = folder.events()
        diagnosis = diagnosis_of_run(folder)
    assert [event for event in kept if isinstance(event, FindingRaised)] == raised
    assert "vanishing_gradient" in [finding.id for finding in diagnosis.findings]
    # A run that goes on does not raise again what its log holds.
    watch = HealthWatch(None, kept)
    record = RunCurves.of(kept).layers[-1]
    assert list(watch.take(record)) == []
    assert list(HealthWatch(None, [event for event in kept if not isinstance(event, FindingRaised)]).take(record))


def test_that_layers_stand_in_the_order_of_the_network_with_their_figures(tmp_path: Path) -> None:
    recipe = picture_recipe(write_pictures(tmp_path), epochs=12)
    curves = RunCurves.of(run(recipe, tmp_path / "run"))
    prepared = prepare(recipe, device="cpu", threads=1)
    layers = health_of(curves, ())
    names = [node.name for node in prepared.network.nodes]
    assert [one.layer for one in layers] == [name for name in names if name in {one.layer for one in layers}]
    assert "norm_1" in {one.layer for one in layers}
    by_name = {one.layer: one for one in layers}
    assert np.isnan(by_name["relu_1"].norm)
    assert by_name["relu_1"].examples > 0
    assert by_name["conv_1"].norm > 0
    assert by_name["conv_1"].flat == ""
