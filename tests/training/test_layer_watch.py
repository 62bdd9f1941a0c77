"""What is seen of activations and weights while training, against NumPy on the same buffers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.networks import Bench, network_of, random_parameters
from support.small_runs import finished, picture_recipe, table_recipe, train, write_pictures, write_table

from workbench.engine import plan as plans
from workbench.engine.plan import Plan
from workbench.events import LayersDone, event_of_json
from workbench.session.curves import RunCurves
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training import loop
from workbench.training.control import Control
from workbench.training.health import BINS, ROWS, VALUES, LayerWatch, Timetable, histograms, step_work, stride_for

VECTOR = [{"kind": "dense", "units": 8}, {"kind": "activation"}, {"kind": "dense", "units": "classes"}]
PICTURE = [
    {"kind": "conv2d", "filters": 5},
    {"kind": "activation", "function": "relu"},
    {"kind": "conv2d", "filters": 3},
    {"kind": "activation", "function": "tanh"},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes"},
]


def looked(bench: Bench, rows: int, **times: int) -> dict[str, Any]:
    """What is told after the first step of a run."""
    watch = LayerWatch(bench.plan, **{"epochs": 4, "steps": 100, **times})
    watch.begin()
    assert 0 in watch.batches(0)
    bench.plan.keeps_all = True
    bench.plan.run(rows)
    watch.look(rows)
    return watch.initial()


def whole(plan: Plan, rows: int, name: str) -> np.ndarray[Any, Any]:
    """A layer's output for the whole batch, computed anew."""
    plan.keeps_all = True
    plan.run(rows)
    return np.concatenate([outputs[name] for _, outputs in plan.outputs()])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("layers", "shape"), [(VECTOR, (6,)), (PICTURE, (6, 6, 2))])
def test_that_dead_and_saturated_units_are_those_that_numpy_counts(
    dtype: Any, layers: list[dict[str, Any]], shape: tuple[int, ...]
) -> None:
    parameters = random_parameters(network_of(layers, shape), dtype)
    first = next(slot for slot in parameters.layout.slots if slot.parameter.name == "bias")
    first.view(parameters.values)[:2] = -100.0
    for slot in parameters.layout.slots:
        if slot.layer == "conv_2" and slot.parameter.name == "bias":
            slot.view(parameters.values)[0] = 50.0
    bench = Bench(parameters, 40)
    found = looked(bench, 40)
    assert found["examples"] == 40
    for place, name in enumerate(found["activations"]):
        y = whole(bench.plan, 40, name)
        flat = y <= 0 if found["flat"][place] == "dead" else np.abs(y) >= 0.97
        axes = tuple(range(y.ndim - 1))
        assert found["flat_units"][place] == pytest.approx(flat.all(axis=axes).mean(), rel=1e-3)
        assert found["flat_values"][place] == pytest.approx(flat.mean(), abs=4 / np.sqrt(min(y.size, VALUES / 8)))
    assert found["flat_units"][0] >= 2 / 8
    bench.close()


def test_that_a_small_layer_is_counted_whole_and_its_histogram_is_numpys() -> None:
    bench = Bench(random_parameters(network_of(VECTOR, (6,))), 16)
    found = looked(bench, 16)
    x = whole(bench.plan, 16, "dense_1").ravel()
    counts, _ = np.histogram(np.clip(x, *found["value_ranges"][0]), BINS, found["value_ranges"][0])
    assert np.abs(np.array(found["value_shares"][0]) - 1000 * counts / len(x)).max() <= 1000 / len(x) + 1
    assert found["measured"] == ("input",)
    assert found["flat_values"][0] == pytest.approx((whole(bench.plan, 16, "relu_1") <= 0).mean(), rel=1e-3)
    weights = {
        slot.layer: slot.view(bench.parameters.values)
        for slot in bench.parameters.layout.slots
        if slot.parameter.decays
    }
    assert found["weights"] == ("dense_1", "dense_2")
    for name, norm in zip(found["weights"], found["weight_norms"], strict=True):
        assert norm == pytest.approx(np.linalg.norm(weights[name]), rel=1e-3)
    assert found["layers"] == ("dense_1", "relu_1", "dense_2")
    bench.close()


def test_that_units_are_judged_over_all_looks_of_an_epoch() -> None:
    bench = Bench(random_parameters(network_of(VECTOR, (6,))), 200)
    watch = LayerWatch(bench.plan, 1, 320)
    bench.plan.run(200)
    watch.look(200)
    watch.initial()
    times = Timetable.of(1, 320, 3, step_work(bench.plan.network, 200))
    assert watch.batches(0) == times.batches | {0}
    alive, examples = np.zeros(8, bool), 0
    for batch in range(1, 320):
        if batch in watch.batches(0):
            bench.fill(200, batch)
            # A bias of its own in each batch: what is silent in one may answer in the next.
            bench.parameters.values[bench.parameters.layout.decayed :] = np.sin(batch + np.arange(11)) * 3 - 3
            bench.plan.run(200)
            alive |= (whole(bench.plan, 200, "relu_1")[::4] > 0).any(axis=0)
            watch.look(200)
            examples += 50
    found = watch.after_epoch(1)
    assert found is not None
    assert found["examples"] == examples == 100
    assert found["flat_units"][0] == pytest.approx(1 - alive.mean())
    bench.close()


@pytest.mark.parametrize("rows", [40, 101])
def test_that_figures_do_not_depend_on_the_number_of_threads(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_LEAST_SHARD_WORK", 1)
    found = []
    for threads in (1, 2, 3):
        bench = Bench(random_parameters(network_of(PICTURE, (6, 6, 2))), rows, threads=threads)
        found.append(looked(bench, rows))
        assert len(bench.plan.outputs()) == threads
        bench.close()
    for other in found[1:]:
        for name, values in found[0].items():
            if name in ("value_ranges", "value_shares", "weight_ranges", "weight_shares"):
                # Sums in another order may move a value by a bit, and with it over a bin's border.
                for mine, its in zip(values, other[name], strict=True):
                    np.testing.assert_allclose(its, mine, rtol=2e-3, atol=2.0 if "shares" in name else 1e-3)
            else:
                assert other[name] == values, name


def test_that_an_activation_that_is_fused_into_the_layer_before_is_told_by_its_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = Plan.outputs
    left_out = {"dense_1"}

    def outputs(plan: Plan) -> list[tuple[slice, dict[str, Any]]]:
        return [(cut, {name: y for name, y in each.items() if name not in left_out}) for cut, each in stored(plan)]

    monkeypatch.setattr(Plan, "outputs", outputs)
    bench = Bench(random_parameters(network_of(VECTOR, (6,))), 32)
    found = looked(bench, 32)
    assert found["measured"] == ("output",)
    assert found["value_ranges"][0][0] == pytest.approx(0, abs=1e-6)
    assert found["flat_values"][0] > 0
    left_out.add("relu_1")
    nothing = looked(bench, 32)
    assert np.isnan(nothing["flat_units"]).all()
    assert nothing["value_shares"] == ((),)
    bench.close()


def test_that_in_place_functions_are_not_taken_for_their_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Plan.outputs
    monkeypatch.setattr(
        Plan,
        "outputs",
        lambda plan: [(cut, {**each, "dense_1": each["relu_1"]}) for cut, each in stored(plan)],
    )
    bench = Bench(random_parameters(network_of(VECTOR, (6,))), 32)
    assert looked(bench, 32)["measured"] == ("output",)
    bench.close()


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.floats(-1e30, 1e30) | st.sampled_from([np.nan, np.inf, -np.inf]), min_size=7, max_size=7),
        min_size=1,
        max_size=4,
    )
)
def test_that_histograms_hold_all_finite_values_and_no_others(rows: list[list[float]]) -> None:
    samples = np.array(rows)
    ranges, shares = histograms(samples)
    for row, (low, high), share in zip(samples, ranges, shares, strict=True):
        if not np.isfinite(row).any():
            assert share == ()
            continue
        assert low < high
        assert len(share) == BINS
        assert sum(share) == pytest.approx(1000, abs=BINS / 2)


def test_that_values_far_out_do_not_squeeze_the_others() -> None:
    samples = np.random.default_rng(0).normal(size=(1, VALUES))
    samples[0, :3] = 1e6
    ((low, high),), ((*shares, last),) = histograms(samples)
    assert -4 < low < -2 < 2 < high < 4
    assert last >= 3
    assert sum(share > 0 for share in shares) > BINS / 2


@settings(deadline=None)
@given(st.integers(1, 10**7), st.integers(1, VALUES), st.integers(1, 600))
def test_that_samples_visit_all_units(size: int, count: int, units: int) -> None:
    stride = stride_for(size, count, units)
    assert 1 <= stride <= max(1, size // count)
    assert len({place * stride % units for place in range(units)}) == units


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 500), st.integers(7 * 10**5, 10**12))
def test_that_looks_and_records_are_few_whatever_the_run(epochs: int, steps: int, layers: int, work: int) -> None:
    times = Timetable.of(epochs, steps, layers, work)
    assert 1 <= len(times.batches) <= 8
    assert all(0 <= batch < steps for batch in times.batches)
    records = -(-epochs // times.every)
    assert records <= 100
    assert records * layers <= 4_000 + layers
    assert len(times.batches) * 32 <= max(32, times.every * steps)
    assert times.every * steps >= 64
    looks_in_all = records * len(times.batches)
    assert looks_in_all <= max(20, epochs * steps * work / 300e6 + records) or len(times.batches) <= 2
    assert records <= max(10, epochs * steps * work / 8e9 + 1)
    assert epochs == 0 or times.records(epochs)
    assert not times.records(0)


def test_that_a_deep_network_does_not_bloat_the_log() -> None:
    layers = [layer for _ in range(50) for layer in ({"kind": "dense", "units": 4}, {"kind": "activation"})]
    bench = Bench(random_parameters(network_of([*layers, {"kind": "dense", "units": "classes"}], (6,))), 64)
    times = Timetable.of(1000, 100, 101)
    record = LayersDone("run", 0.0, 1, 1, **looked(bench, 64))
    assert event_of_json(record.to_json()) == record
    assert len(record.to_json()) * (1000 / times.every) < 1.5e6
    bench.close()


CASES = {"table": (table_recipe, write_table), "pictures": (picture_recipe, write_pictures)}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("threads", [1, 2])
def test_that_watching_changes_no_bit_of_the_training(
    tmp_path: Any, case: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "_LEAST_SHARD_WORK", 1)
    make, write = CASES[case]
    recipe = make(write(tmp_path), dropout=0.2)
    tensors = []
    for watched in (True, False):
        if not watched:
            monkeypatch.setattr(LayerWatch, "look", lambda watch, rows: None)
            monkeypatch.setattr(loop, "_RECORDS", 1)
        prepared = prepare(recipe, device="cpu", threads=threads)
        with RunFolder.create(tmp_path / f"{watched}", recipe) as run:
            training, events = train(prepared, run)
            told = [event for event in events if isinstance(event, LayersDone)]
        assert (told[-1].examples > 0) is watched
        tensors.append(training.stepper.tensors())
    for name, array in tensors[0].items():
        np.testing.assert_array_equal(array, tensors[1][name], err_msg=name)


def test_that_records_tell_the_initial_weights_and_then_the_epochs(tmp_path: Any) -> None:
    recipe = table_recipe(write_table(tmp_path), epochs=40)
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(tmp_path / "run", recipe) as run:
        training, events = train(prepared, run)
        told = [event for event in events if isinstance(event, LayersDone)]
        assert [event for event in run.events() if isinstance(event, LayersDone)] == told
    assert [event.epoch for event in told] == [0, 13, 26, 39, 40]
    assert [event.step for event in told] == [5 * event.epoch for event in told]
    training.parameters.initialize(recipe.training.seed)
    initial = training.parameters.export()
    assert told[0].weight_norms[0] == pytest.approx(np.linalg.norm(initial["dense_1.weight"]), rel=1e-3)
    assert told[0].activations == ("relu_1",)
    assert told[0].examples == 32
    assert all(0 < event.examples <= 2 * ROWS for event in told)


def test_that_a_resumed_run_keeps_its_records(tmp_path: Any) -> None:
    recipe = table_recipe(write_table(tmp_path), epochs=40)
    whole_run = _curves(recipe, tmp_path / "whole")
    prepared = prepare(recipe, device="cpu", threads=1)
    control = Control()
    with RunFolder.create(tmp_path / "parts", recipe) as run:
        training, events = train(prepared, run, control)
        for _ in events:
            if training.state.epoch == 20:
                control.stop()
        _, events = train(prepared, run, resume_from=run.load("last"))
        list(events)
        parts = RunCurves.of(run.events())
    assert [record.epoch for record in parts.layers] == [record.epoch for record in whole_run.layers]
    for mine, its in zip(parts.layers, whole_run.layers, strict=True):
        assert (mine.weight_norms, mine.weight_shares) == (its.weight_norms, its.weight_shares)
        assert (mine.examples, mine.value_shares) == (its.examples, its.value_shares)


def test_that_records_after_the_checkpoint_of_a_run_that_was_killed_have_not_happened(tmp_path: Any) -> None:
    recipe = table_recipe(write_table(tmp_path), epochs=40)
    curves = _curves(recipe, tmp_path / "run")
    started = curves.started
    assert started is not None
    curves.take(type(started)(**{**started.__dict__, "first_epoch": 14}))
    assert [record.epoch for record in curves.layers] == [0, 13]


def _curves(recipe: Any, folder: Any) -> RunCurves:
    finished(recipe, folder)
    with RunFolder.open(folder) as run:
        return RunCurves.of(run.events())
