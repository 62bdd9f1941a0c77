"""The compiled step: gradients through graphs, frozen parts, strengths, batch sizes and threads."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layer_rig import assert_close, central_differences
from support.networks import Bench, network_of, networks, random_parameters

from workbench.engine import plan as plan_module
from workbench.engine.backend import Backend
from workbench.engine.compiled_backend import CompiledBackend
from workbench.engine.kernels import calls as calls_module
from workbench.engine.network import Network
from workbench.engine.plan import shard_count

SMOOTH = {"kind": "activation", "function": "tanh"}
FANNED = [
    {"kind": "dense", "units": 5, "name": "a"},
    {**SMOOTH, "name": "t"},
    {"kind": "dense", "units": 5, "name": "b", "inputs": ["t"]},
    {"kind": "add", "name": "sum", "inputs": ["b", "t", "a"]},
    {"kind": "concatenate", "name": "both", "inputs": ["sum", "t", "input"]},
    {"kind": "dense", "units": "classes", "name": "end"},
]


def _gradient_by_differences(bench: Bench) -> np.ndarray[Any, Any]:
    def loss() -> float:
        bench.run()
        return bench.loss()

    return central_differences(loss, bench.parameters.values[: bench.parameters.layout.trained])


@pytest.mark.parametrize("loss", ["cross_entropy", "mean_squared_error"])
def test_that_gradients_through_fan_out_and_merges_equal_central_differences(loss: str) -> None:
    bench = Bench(random_parameters(network_of(FANNED, (4,)), np.float64), 6, loss=loss)
    _, gradient = bench.run()
    assert_close(gradient, _gradient_by_differences(bench), 1e-7)


def test_that_a_layer_that_reads_the_same_output_twice_gets_both_gradients() -> None:
    layers = [
        {"kind": "dense", "units": 3, "name": "a"},
        {"kind": "add", "name": "double", "inputs": ["a", "a"]},
        {"kind": "concatenate", "name": "again", "inputs": ["double", "a", "double"]},
        {"kind": "dense", "units": "classes"},
    ]
    bench = Bench(random_parameters(network_of(layers, (4,)), np.float64), 5)
    _, gradient = bench.run()
    assert_close(gradient, _gradient_by_differences(bench), 1e-7)


@settings(deadline=None, max_examples=25)
@given(network=networks())
def test_that_gradients_of_generated_networks_equal_central_differences_along_a_direction(network: Network) -> None:
    parameters = random_parameters(network, np.float64)
    bench = Bench(parameters, 4)
    _, gradient = bench.run()
    trained = parameters.values[: parameters.layout.trained]
    direction = np.random.default_rng(3).normal(size=trained.shape)
    start, losses = trained.copy(), []
    # A tiny step: generated networks have kinks (ReLU, max-pooling) that a longer one may cross.
    for side in (1e-7, -1e-7):
        trained[...] = start + side * direction
        bench.run()
        losses.append(bench.loss())
    slope = float(gradient @ direction)
    assert (losses[0] - losses[1]) / 2e-7 == pytest.approx(slope, rel=1e-4, abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(network=networks(), rows=st.integers(1, 9), threads=st.integers(2, 3))
def test_that_generated_networks_are_computed_alike_in_shards(network: Network, rows: int, threads: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)
        whole = Bench(random_parameters(network, np.float64), rows)
        cut = Bench(random_parameters(network, np.float64), rows, threads=threads)
    try:
        for ours, theirs in zip(cut.run(), whole.run(), strict=True):
            assert_close(ours, theirs, 1e-9)
        assert cut.plan.sums == pytest.approx(whole.plan.sums, rel=1e-12)
    finally:
        cut.close()


DEEP = [*[{"kind": "dense", "units": 20}, SMOOTH] * 6, {"kind": "dense", "units": "classes"}]


@pytest.mark.parametrize("layers", [DEEP, FANNED])
def test_that_inference_reuses_memory_without_changing_results(layers: list[dict[str, Any]]) -> None:
    parameters = random_parameters(network_of(layers, (20,)))
    training, inference = Bench(parameters, 8), Bench(parameters, 8, training=False)
    assert np.array_equal(training.run()[0], inference.run()[0])
    assert inference.plan.memory() < training.plan.memory()


def test_that_a_deep_network_needs_little_memory_in_inference() -> None:
    parameters = random_parameters(network_of(DEEP, (20,)))
    training, inference = Bench(parameters, 8), Bench(parameters, 8, training=False)
    assert inference.plan.memory() < training.plan.memory() / 3


@settings(deadline=None, max_examples=25)
@given(network=networks())
def test_that_repeated_runs_give_equal_bits(network: Network) -> None:
    bench = Bench(random_parameters(network), 5, training=False)
    first, _ = bench.run()
    for _ in range(2):
        assert np.array_equal(bench.run()[0], first)


@pytest.mark.parametrize("frozen", [("a",), ("b",), ("a", "b"), ("end",), ("a", "b", "end")])
def test_that_frozen_layers_get_no_gradient_and_the_others_the_same(frozen: tuple[str, ...]) -> None:
    layers = [{**layer, "frozen": layer.get("name") in frozen} for layer in FANNED]
    free = Bench(random_parameters(network_of(FANNED, (4,)), np.float64), 6)
    held = Bench(random_parameters(network_of(layers, (4,)), np.float64), 6)
    held.parameters.load(free.parameters.export())
    free.run()
    held.run()
    assert np.array_equal(held.plan.output, free.plan.output)
    for slot in free.parameters.layout.trained_slots():
        views = held.parameters.views(held.plan.gradient, slot.layer)
        if slot.layer in frozen:
            assert views == {}
        else:
            assert_close(views[slot.parameter.name], slot.view(free.plan.gradient), 1e-12, slot.name)


def test_that_a_network_of_frozen_layers_only_can_still_be_run() -> None:
    layers = [{**layer, "frozen": True} for layer in FANNED]
    bench = Bench(random_parameters(network_of(layers, (4,))), 6)
    _, gradient = bench.run()
    assert gradient.size == 0
    assert np.isfinite(bench.plan.output).all()


def test_that_the_loss_is_the_weighted_mean_over_the_batch() -> None:
    # The lecture's J = sum(s_i L_i) / sum(s_i).
    network = network_of(FANNED, (4,))
    bench = Bench(random_parameters(network, np.float64), 6)
    _, gradient = bench.run()
    single = Bench(random_parameters(network, np.float64), 1)
    losses, gradients = [], []
    for row in range(6):
        single.plan.input[0], single.plan.targets[0] = bench.plan.input[row], bench.plan.targets[row]
        _, part = single.run()
        losses.append(float(single.plan.sums[0] / single.plan.strengths[0]))
        gradients.append(part)
    strengths = bench.plan.strengths
    assert bench.loss() == pytest.approx(np.average(losses, weights=strengths), rel=1e-12)
    assert_close(gradient, np.average(gradients, axis=0, weights=strengths), 1e-12)


def test_that_an_example_of_strength_0_takes_no_part() -> None:
    network = network_of(FANNED, (4,))
    bench, without = (Bench(random_parameters(network, np.float64), 6) for _ in range(2))
    bench.plan.strengths[5] = 0.0
    without.fill(6, seed=2)
    _, gradient = bench.run()
    _, expected = without.run(5)
    assert_close(gradient, expected, 1e-12)


@pytest.mark.parametrize("loss", ["cross_entropy", "mean_absolute_error"])
def test_that_a_batch_without_strength_moves_nothing(loss: str) -> None:
    bench = Bench(random_parameters(network_of(FANNED, (4,))), 6, loss=loss)
    bench.plan.strengths[...] = 0.0
    _, gradient = bench.run()
    assert (gradient == 0).all()
    assert bench.plan.sums[0] == 0


def test_that_multiplying_all_strengths_changes_nothing() -> None:
    bench = Bench(random_parameters(network_of(FANNED, (4,)), np.float64), 6)
    _, before = bench.run()
    bench.plan.strengths *= 1000.0
    _, after = bench.run()
    assert_close(after, before, 1e-12)


def test_that_parameters_are_read_at_each_run() -> None:
    parameters = random_parameters(network_of(FANNED, (4,)))
    bench = Bench(parameters, 6)
    before, _ = bench.run()
    parameters.values *= 1.5
    after, _ = bench.run()
    assert not np.allclose(before, after)


def test_that_diverging_numbers_show_in_the_loss_without_warnings() -> None:
    bench = Bench(random_parameters(network_of(FANNED, (4,))), 6)
    bench.parameters.values[...] = 1e30
    bench.run()
    assert not np.isfinite(bench.plan.sums[0])


@given(batch=st.integers(1, 4096), threads=st.integers(1, 64))
def test_that_shards_are_as_many_as_are_worth_it(batch: int, threads: int) -> None:
    small = network_of([{"kind": "dense", "units": "classes"}], (30,))
    large = network_of([{"kind": "dense", "units": 4096}, {"kind": "dense", "units": "classes"}], (4096,))
    assert 1 <= shard_count(small, batch, threads) <= shard_count(large, batch, threads) <= min(batch, threads)
    assert shard_count(large, batch, threads) == min(batch, threads)


def test_that_a_small_network_is_not_worth_a_second_thread() -> None:
    assert shard_count(network_of([{"kind": "dense", "units": "classes"}], (30,)), 32, 8) == 1


RESIDUAL = [
    {"kind": "conv2d", "filters": 3, "kernel": 3, "padding": "same", "name": "a"},
    {"kind": "activation", "name": "r"},
    {"kind": "max_pool2d", "window": 3, "stride": 2, "padding": 1, "name": "p", "inputs": ["r"]},
    {"kind": "conv2d", "filters": 3, "kernel": 3, "padding": "same", "name": "b", "inputs": ["p"]},
    {"kind": "add", "name": "s", "inputs": ["p", "b", "p"]},
    {"kind": "activation", "name": "t"},
    {"kind": "max_pool2d", "name": "q", "inputs": ["t"]},
    {"kind": "add", "name": "u", "inputs": ["q", "q"]},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes"},
]
"""ReLU before pooling, which pooling takes over where code is compiled, and sums, which share memory with gradients."""
BEGINNING = [
    {"kind": "activation", "name": "r"},
    {"kind": "max_pool2d", "name": "p"},
    {"kind": "conv2d", "filters": 3, "kernel": 3, "padding": "same", "name": "c"},
    {"kind": "max_pool2d", "name": "q", "window": 3, "stride": 2, "padding": 1, "inputs": ["c"]},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes"},
]
STRIDED = [
    {"kind": "conv2d", "filters": 4, "kernel": 3, "padding": "same", "name": "a"},
    {"kind": "conv2d", "filters": 3, "kernel": 1, "stride": 2, "name": "b", "inputs": ["a"]},
    {"kind": "conv2d", "filters": 3, "kernel": 3, "stride": 2, "padding": 1, "name": "c", "inputs": ["a"]},
    {"kind": "conv2d", "filters": 3, "kernel": 5, "padding": 2, "name": "d", "inputs": ["a"]},
    {"kind": "average_pool2d", "window": 2, "name": "e", "inputs": ["d"]},
    {"kind": "add", "name": "s", "inputs": ["b", "c", "e"]},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes"},
]
"""Convolutions that read one output: compiled, each adds to the gradient by it."""


def _normed(frozen: str = "", first: str = "t", second: str = "n", late: bool = False) -> list[Any]:
    """A residual block: batch norm and sums do the work of the ReLU after them, a sum's gradients lie in one place."""
    same = {"filters": 5, "kernel": 3, "padding": "same"}
    around = {"kind": "conv2d", "filters": 5, "kernel": 1, "name": "c", "inputs": ["t"]}
    return [
        {"kind": "conv2d", **same, "name": "a"},
        {"kind": "batch_norm", "name": "m", "frozen": frozen == "m"},
        {"kind": "activation", "name": "t"},
        *([] if late else [around]),
        {"kind": "conv2d", **same, "name": "b", "inputs": ["t"], "frozen": frozen == "b"},
        {"kind": "batch_norm", "name": "n"},
        # After what reads the sum's gradient, and before the sum: added too early where these lie in one place.
        *([around] if late else []),
        {"kind": "add", "name": "s", "inputs": [first, second]},
        {"kind": "activation", "name": "u"},
        {"kind": "add", "name": "v", "inputs": ["u", "c"]},
        {"kind": "concatenate", "name": "w", "inputs": ["v", "c", *([] if "n" in (first, second) else ["n"])]},
        {"kind": "activation", "function": "tanh"},
        {"kind": "flatten"},
        {"kind": "dense", "units": "classes"},
    ]


NORMED = [
    *(_normed(), _normed("m"), _normed("b"), _normed("", "n", "t"), _normed("", "b", "n"), _normed("", "t", "b")),
    *(_normed(late=True), _normed("", "n", "t", late=True)),
]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cache", [2**9, 2**20])
@pytest.mark.parametrize("layers", [FANNED, RESIDUAL, STRIDED, BEGINNING, *NORMED])
def test_that_a_graph_computes_the_same_in_machine_code(
    layers: list[Any], threads: int, cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)
    # With little room, kernels take turns over single rows, and what passes between them lies in one row's place.
    monkeypatch.setattr(calls_module, "_CACHE_BYTES", cache)
    network = network_of(layers, {id(FANNED): (4,), id(STRIDED): (8, 6, 2)}.get(id(layers), (9, 8, 2)))
    sides = [
        Bench(random_parameters(network, backend=backend), 7, threads=threads)
        for backend in (Backend(), CompiledBackend())
    ]
    found = [side.run() for side in sides]
    for plain, compiled in zip(*found, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=2e-4, atol=2e-6)
    sides[1].plan.keeps_all = True
    for kept, compiled in zip(sides[1].run(), found[1], strict=True):
        np.testing.assert_array_equal(kept, compiled)
    for side in sides:
        side.close()


def test_that_what_is_not_a_number_goes_through_a_relu_that_pooling_takes_over() -> None:
    # What reads the network's input is not taken over, so something stands before it.
    layers = [{"kind": "conv2d", "filters": 2, "kernel": 1}, "activation", "max_pool2d", "flatten"]
    layers.append({"kind": "dense", "units": "classes"})
    bench = Bench(random_parameters(network_of(layers, (4, 4, 1)), backend=CompiledBackend()), 2)
    bench.plan.input[0, 1, 1] = np.nan
    output, _ = bench.run()
    assert np.isnan(output[0]).all()
    assert np.isfinite(output[1]).all()
    bench.close()


def test_that_pooling_over_a_large_picture_passes_its_gradient_on() -> None:
    layers = [{"kind": "conv2d", "filters": 2, "kernel": 1}, {"kind": "max_pool2d", "window": 260}, "flatten"]
    network = network_of([*layers, {"kind": "dense", "units": "classes"}], (260, 260, 1))
    benches = [Bench(random_parameters(network, backend=backend), 4) for backend in (Backend(), CompiledBackend())]
    for bench in benches:
        # The largest values, of either sign, stand beyond the 65,536th place of the window.
        bench.plan.input[:, -1, -2:, 0] = 100, -100
    plain, compiled = (bench.run()[1] for bench in benches)
    np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_that_keeping_all_outputs_changes_no_bit(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)
    layers = [
        {"kind": "conv2d", "filters": 3, "kernel": 3},
        {"kind": "activation", "function": "relu"},
        {"kind": "batch_norm"},
        {"kind": "activation", "function": "tanh"},
        {"kind": "flatten"},
        {"kind": "dense", "units": "classes"},
    ]
    bench = Bench(random_parameters(network_of(layers, (6, 6, 2))), 9, threads=threads)
    output, gradient = bench.run()
    bench.plan.keeps_all = True
    for _ in range(2):
        again, same = bench.run()
        np.testing.assert_array_equal(again, output)
        np.testing.assert_array_equal(same, gradient)
    stored = bench.plan.outputs()
    arrays = [array for _, outputs in stored for array in outputs.values()]
    assert len(arrays) == 7 * len(stored)
    assert not any(np.may_share_memory(a, b) for a, b in itertools.combinations(arrays, 2))
    for cut, outputs in bench.plan.outputs():
        np.testing.assert_array_equal(outputs["relu_1"], np.maximum(outputs["conv_1"], 0))
        np.testing.assert_array_equal(outputs["input"], bench.plan.input[cut])
    bench.plan.keeps_all = False
    again, same = bench.run()
    np.testing.assert_array_equal(same, gradient)
    bench.close()
