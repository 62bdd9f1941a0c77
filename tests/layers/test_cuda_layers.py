"""Layers on a GPU: the CUDA kernels against NumPy, over the registry. Without a GPU they are emulated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.agreement import assert_agrees_with_plain
from support.backends import PLAIN, device_backend, on_device
from support.cases import Case, all_cases
from support.emulated import EmulatedBackend, assert_within_limits, needs_compiler
from support.layer_rig import LayerRig, assert_close
from support.networks import Bench, loss_of, network_around, network_of, networks, random_parameters

from workbench.engine.backend import Backend
from workbench.engine.cuda.calls import CudaCall
from workbench.engine.cuda.graphs import Recorded
from workbench.engine.cuda.imagined import ImaginedBackend
from workbench.engine.cuda.pointwise import FUNCTIONS
from workbench.engine.layer import unchained
from workbench.engine.network import Network
from workbench.engine.parameters import Parameters
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool

Array = np.ndarray[Any, Any]

every_case = pytest.mark.parametrize(("kind", "case"), all_cases())
many = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
few = settings(max_examples=20, deadline=None)


@on_device
@every_case
@pytest.mark.parametrize("training", [True, False])
def test_that_a_gpu_computes_what_arrays_do(kind: str, case: Case, training: bool, device: str) -> None:
    network, backend = network_around(kind, case), device_backend(device)
    plain = Bench(random_parameters(network), 9, training=training)
    ours = Bench(random_parameters(network, backend=backend), 9, training=training)
    # First one by one, then recorded, then replayed.
    for _ in range(3):
        for found, expected in zip(ours.run(), plain.run(), strict=True):
            assert_close(found, expected, 5e-6)
        assert_close(backend.to_host(ours.parameters.state), plain.parameters.state, 5e-6)
        assert backend.to_host(ours.plan.sums) == pytest.approx(plain.plan.sums, rel=1e-5)


@needs_compiler
@every_case
def test_that_no_kernel_depends_on_the_order_of_its_threads_or_writes_beside_its_arrays(kind: str, case: Case) -> None:
    network, found = network_around(kind, case), []
    for order in range(3):
        backend = EmulatedBackend(order)
        bench = Bench(random_parameters(network, backend=backend), 9)
        found.append([*bench.run(), bench.parameters.state.copy()])
        backend.assert_guards()
    for other in found[1:]:
        assert all(np.array_equal(ours, first) for ours, first in zip(other, found[0], strict=True))


@needs_compiler
@every_case
@pytest.mark.parametrize("training", [True, False])
def test_that_a_gpu_computes_a_smaller_last_batch_as_by_itself(kind: str, case: Case, training: bool) -> None:
    network, backend = network_around(kind, case), EmulatedBackend()
    bench = Bench(random_parameters(network, backend=backend), 8, training=training)
    first = bench.run()
    smaller = bench.run(3)
    exact = Bench(random_parameters(network, backend=backend), 3, training=training, batch=3)
    for name in ("input", "targets", "strengths"):
        getattr(exact.plan, name)[...] = getattr(bench.plan, name)[:3]
    for ours, theirs in zip(smaller, exact.run(), strict=True):
        assert_close(ours, theirs, 2e-6)
    for again, before in zip(bench.run(), first, strict=True):
        assert np.array_equal(again, before)


@needs_compiler
@pytest.mark.parametrize(("kind", "case"), all_cases(lambda layer, _: layer.has_kernels))
@pytest.mark.parametrize("training", [True, False])
def test_that_a_layer_leaves_no_gap_in_a_recorded_step(kind: str, case: Case, training: bool) -> None:
    bench = Bench(random_parameters(network_around(kind, case), backend=EmulatedBackend()), 4, training=training)
    (task,) = bench.plan._ran.tasks
    *starts, recorded = task.calls
    assert isinstance(recorded, Recorded)
    drops = case.fields.get("rate" if kind == "dropout" else "dropout", 0) > 0
    assert len(starts) == (drops and training)


@needs_compiler
@every_case
def test_that_a_gpu_computes_with_arrays_in_float64(kind: str, case: Case) -> None:
    calls = LayerRig(kind, case, backend=EmulatedBackend()).calls
    assert not any(isinstance(call, CudaCall) for call in unchained([calls.forward, calls.backward]))


def _assert_agree(kind: str, fields: dict[str, Any], shape: tuple[int, ...], rows: int = 3, exactly: bool = False):
    """A layer's output and gradients, by kernels and by arrays."""
    assert_agrees_with_plain(EmulatedBackend(rows % 3), kind, fields, shape, rows, exactly)


sides = st.integers(1, 9)
pictures = st.tuples(sides, sides)
kernels = st.tuples(st.integers(1, 4), st.integers(1, 4))
strides = st.tuples(st.integers(1, 3), st.integers(1, 3))
paddings = st.sampled_from(["same", "valid"]) | st.tuples(st.integers(0, 3), st.integers(0, 3))
dilations = st.tuples(st.integers(1, 2), st.integers(1, 2))
channels = st.integers(1, 5) | st.sampled_from([31, 32, 33, 64, 70])


@needs_compiler
@many
@given(
    size=pictures, groups=st.integers(1, 3), depth=st.integers(1, 6), share=channels, kernel=kernels, stride=strides,
    dilation=dilations, padding=paddings, bias=st.booleans(),
)  # fmt: skip
def test_that_convolutions_of_any_shape_agree(size, groups, depth, share, bias, **fields) -> None:
    fields |= {"filters": groups * share, "groups": groups, "bias": bias}
    _assert_agree("conv2d", fields, (*size, groups * depth))


@needs_compiler
@few
@given(inputs=st.integers(1, 200), units=channels, rows=st.integers(1, 70))
def test_that_products_of_any_shape_agree(inputs, units, rows) -> None:
    _assert_agree("dense", {"units": units}, (inputs,), rows)


@needs_compiler
@few
@given(
    kind=st.sampled_from(["simple_rnn", "lstm", "gru"]), size=st.tuples(st.integers(1, 5), channels),
    units=st.integers(1, 5) | st.sampled_from([33, 70]), rows=st.integers(1, 9), sequences=st.booleans(),
    bidirectional=st.booleans(), merge_mode=st.sampled_from(["concatenate", "sum", "mean"]), bias=st.booleans(),
)  # fmt: skip
def test_that_recurrent_layers_of_any_shape_agree(kind, size, rows, **fields) -> None:
    _assert_agree(kind, fields, size, rows)


@needs_compiler
@many
@given(
    size=pictures, channels=channels, multiplier=st.integers(1, 3), kernel=kernels, stride=strides,
    dilation=dilations, padding=paddings, bias=st.booleans(),
)  # fmt: skip
def test_that_depthwise_convolutions_of_any_shape_agree(size, channels, **fields) -> None:
    _assert_agree("depthwise_conv2d", fields, (*size, channels))


@needs_compiler
@many
@given(
    kind=st.sampled_from(["max_pool2d", "average_pool2d"]), size=pictures, channels=channels, window=kernels,
    stride=strides, padding=st.sampled_from(["same", "valid"]),
)  # fmt: skip
def test_that_pooling_of_any_shape_agrees(kind, size, channels, **fields) -> None:
    _assert_agree(kind, fields, (*size, channels))


@needs_compiler
@few
@given(
    size=pictures, channels=channels, mode=st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
    share=st.tuples(*[st.integers(0, 3)] * 4),
)  # fmt: skip
def test_that_borders_of_any_shape_agree(size, channels, mode, share) -> None:
    padding = [min(most, size[side // 2] - 1) for side, most in enumerate(share)]
    _assert_agree("zero_padding2d", {"padding": padding, "mode": mode}, (*size, channels))


@needs_compiler
@few
@given(size=pictures, channels=channels, rows=st.integers(2, 5), affine=st.booleans())
def test_that_batch_norms_of_any_shape_agree(size, channels, rows, affine) -> None:
    # A large epsilon keeps channels of few values from being blown up to their rounding.
    _assert_agree("batch_norm", {"epsilon": 0.1, "affine": affine}, (*size, channels), rows)


@needs_compiler
@few
@given(size=pictures, channels=channels, axes=st.sampled_from(["features", "all"]), affine=st.booleans())
def test_that_layer_norms_of_any_shape_agree(size, channels, **fields) -> None:
    _assert_agree("layer_norm", {"epsilon": 0.1, **fields}, (*size, channels))


@needs_compiler
@few
@given(size=pictures, share=st.integers(1, 33), groups=st.integers(1, 3), affine=st.booleans())
def test_that_group_norms_of_any_shape_agree(size, share, groups, affine) -> None:
    _assert_agree("group_norm", {"epsilon": 0.1, "groups": groups, "affine": affine}, (*size, share * groups))


@needs_compiler
@few
@given(size=st.tuples(sides, channels) | st.tuples(channels), rate=st.floats(0.01, 0.99), rows=st.integers(1, 9))
def test_that_a_gpu_drops_the_very_same_values(size, rate, rows) -> None:
    _assert_agree("dropout", {"rate": rate}, size, rows, exactly=True)


@needs_compiler
@few
@given(
    head=st.tuples(st.integers(1, 4), st.integers(1, 9)) | st.just((1, 33)), steps=st.integers(1, 9) | st.just(70),
    rows=st.integers(1, 4) | st.just(70), causal=st.booleans(), dropout=st.sampled_from([0.0, 0.4]), bias=st.booleans(),
)  # fmt: skip
def test_that_self_attention_of_any_shape_agrees(head, steps, rows, **fields) -> None:
    assume(rows * steps < 500)
    heads, depth = head
    _assert_agree("self_attention", {"heads": heads, **fields}, (steps, heads * depth), rows)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_that_attention_by_the_librarys_products_agrees(dropout: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.engine.cuda.products.MOST_WORK", 0)
    _assert_agree("self_attention", {"heads": 3, "causal": True, "dropout": dropout}, (5, 12), 4)


def _embedded(vocabulary: int, places: Array, backend: Backend, **fields: Any) -> tuple[Array, Array]:
    """What an embedding gives for numbers, and its table's gradient, in float64 where it is plain."""
    case = Case({"vocabulary": vocabulary, "dimension": 3, **fields}, (places.shape[1:],))
    rig = LayerRig("embedding", case, dtype=np.float32, rows=len(places), backend=backend)
    rig.inputs[0][...] = places
    output = rig.forward().copy()
    rig.backward(np.random.default_rng(4).normal(size=output.shape).astype(np.float32))
    return output, rig.gradient.copy()


@needs_compiler
@few
@given(
    vocabulary=st.sampled_from([1, 2, 7, 1000]), steps=st.sampled_from([1, 33, 300]), rows=st.integers(1, 9),
    padding=st.booleans(), seed=st.integers(0, 9), most=st.sampled_from([1.0, 0.01]),
)  # fmt: skip
def test_that_embeddings_of_any_size_agree(vocabulary, steps, rows, padding, seed, most) -> None:
    numbers = np.random.default_rng(seed)
    # A few of the table's rows may be most of what occurs, so that they reach over many stretches.
    places = numbers.integers(-1, max(1, int(vocabulary * most)) + 1, (rows, steps)).astype(np.float32)
    places[0, 0] = np.nan
    fields = {"padding_index": 0} if padding else {}
    backend = EmulatedBackend(rows % 3)
    found, expected = (_embedded(vocabulary, places, each, **fields) for each in (backend, PLAIN))
    backend.assert_guards()
    assert np.array_equal(found[0], expected[0])
    assert_close(found[1], expected[1], 1e-6)


LARGE: dict[str, tuple[list[dict[str, Any]], tuple[int, ...]]] = {
    # More occurrences than a block sorts, and some rows that reach over many stretches of them.
    "embedding": ([{"kind": "embedding", "vocabulary": 3, "dimension": 40, "padding_index": 1}], (450,)),
    "attention": ([{"kind": "self_attention", "heads": 3, "dropout": 0.3}], (70, 24)),
    "attention of many": ([{"kind": "self_attention", "heads": 40, "causal": True}], (9, 80)),
}


@on_device
@pytest.mark.parametrize("name", LARGE)
def test_that_a_gpu_computes_large_layers_as_arrays_do(name: str, device: str) -> None:
    layers, shape = LARGE[name]
    network = network_of([*layers, {"kind": "flatten"}, {"kind": "dense", "units": "classes"}], shape)
    ours, plain = (Bench(random_parameters(network, backend=each), 7) for each in (device_backend(device), PLAIN))
    for _ in range(3):
        for found, expected in zip(ours.run(), plain.run(), strict=True):
            assert_close(found, expected, 2e-5)


HUGE: dict[str, tuple[list[dict[str, Any]], tuple[int, ...], int]] = {
    "photographs": ([{"kind": "flatten"}, {"kind": "dense", "units": 2}], (3000, 3000, 3), 2),
    "large pictures": ([
        {"kind": "conv2d", "filters": 64, "kernel": 7, "stride": 2}, "batch_norm", "activation",
        {"kind": "max_pool2d", "window": 3, "stride": 2}, {"kind": "conv2d", "filters": 64, "groups": 64},
        {"kind": "depthwise_conv2d", "kernel": 31}, {"kind": "group_norm", "groups": 8}, "layer_norm",
        {"kind": "dropout", "rate": 0.1}, "global_average_pool2d",
    ], (512, 512, 3), 3),
    "many examples": ([{"kind": "dense", "units": 8}, "batch_norm", "layer_norm", "activation"], (4,), 2_000_000),
    "many features": ([{"kind": "dense", "units": 70_000}, "batch_norm", {"kind": "layer_norm"}], (50,), 64),
    "long sequences": ([
        {"kind": "conv1d", "filters": 4, "kernel": 9}, "average_pool1d", {"kind": "upsampling1d"}, {"kind": "flatten"},
    ], (3_000_000, 2), 2),
    "many words": ([{"kind": "embedding", "vocabulary": 1_000_000, "dimension": 100}, "global_average_pool1d"],
                   (2000,), 512),
    "many heads": ([{"kind": "self_attention", "heads": 64}, {"kind": "gru", "units": 64}], (16, 128), 4096),
}  # fmt: skip


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", HUGE)
def test_that_no_launch_is_beyond_what_a_device_can(name: str, training: bool) -> None:
    layers, shape, rows = HUGE[name]
    parameters = Parameters(network_of([*layers, {"kind": "dense", "units": "classes"}], shape), ImaginedBackend())
    plan = Plan(parameters, loss_of(), rows, training=training, pool=ShardPool(1))
    (task,) = plan._ran.tasks
    launches = [call for call in task._single if isinstance(call, CudaCall)]
    assert len(launches) > len(layers)
    for call in launches:
        assert_within_limits(call.blocks, call.threads)


@needs_compiler
def test_that_an_embeddings_gradient_does_not_depend_on_the_order_of_threads() -> None:
    places = np.random.default_rng(1).integers(0, 40, (7, 450)).astype(np.float32)
    first, *others = (_embedded(50, places, EmulatedBackend(order)) for order in range(3))
    for other in others:
        assert all(np.array_equal(ours, theirs) for ours, theirs in zip(other, first, strict=True))


def _ran(network: Network, rows: int, dtype: Any, backend: Backend, training: bool) -> list[Array]:
    bench = Bench(random_parameters(network, dtype, backend=backend), rows, training=training)
    bench.run()
    return [*bench.run(), bench.parameters.state, bench.plan.sums]


@needs_compiler
@few
@given(network=networks(), rows=st.integers(4, 9), training=st.booleans())
def test_that_generated_networks_agree(network: Network, rows: int, training: bool) -> None:
    exact = _ran(network, rows, np.float64, PLAIN, training)
    plain = _ran(network, rows, np.float32, PLAIN, training)
    ours = _ran(network, rows, np.float32, EmulatedBackend(rows % 3), training)
    for found, theirs, expected in zip(ours, plain, exact, strict=True):
        if expected.size:
            # Deep networks blow rounding up: what it does to plain arrays is the yardstick.
            rounding = abs(theirs - expected).max()
            assert abs(found - expected).max() <= 10 * rounding + 1e-5 * max(1e-3, abs(expected).max())


@on_device
@pytest.mark.parametrize("function", FUNCTIONS)
def test_that_activations_agree_far_out_and_at_no_number(function: str, device: str) -> None:
    layers = [{"kind": "activation", "function": function, "name": "bent"}, {"kind": "dense", "units": "classes"}]
    far, found = np.linspace(-200, 200, 48), []
    inputs = np.stack([far, far / 50, np.where(np.arange(48) % 3, np.nan, 1.0)]).astype(np.float32)
    for backend in (PLAIN, device_backend(device)):
        bench = Bench(random_parameters(network_of(layers, (48,)), backend=backend), 3)
        bench.plan.input[...] = backend.asarray(inputs)
        bench.plan.keeps_all = True
        bench.run()
        ((_, outputs),) = bench.plan.outputs()
        found.append(backend.to_host(outputs["bent"]))
    np.testing.assert_allclose(found[1][:2], found[0][:2], rtol=1e-5, atol=2e-6)
    assert np.array_equal(np.isnan(found[1]), np.isnan(found[0]))
