"""What every kind of layer must do, run over the whole registry."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.backends import COMPILED, PLAIN, on_both
from support.cases import CASES, Case, all_cases, cases_of
from support.layer_rig import LayerRig, assert_close, central_differences, go_back
from support.networks import Bench, network_around, random_parameters

from workbench.engine import plan as plan_module
from workbench.engine.backend import Backend
from workbench.engine.layer import Chain, Layer, unchained
from workbench.engine.network import build_network
from workbench.engine.parameters import Parameters
from workbench.engine.plan import is_native
from workbench.recipe.kinds import LayerSpec
from workbench.recipe.network import NetworkRecipe
from workbench.recipe.recipe import Recipe
from workbench.store.tensors import from_bytes, to_bytes

every_case = pytest.mark.parametrize(("kind", "case"), all_cases())


def test_that_every_registered_kind_has_cases() -> None:
    assert all(cases_of(kind) for kind in LayerSpec.kinds())
    assert set(CASES) <= set(LayerSpec.kinds())


@pytest.mark.parametrize("kind", ["dense", "add", "conv1d", "lstm", "zero_padding2d", "batch_norm"])
def test_that_a_kind_without_cases_is_tried_as_its_defaults_fit(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = {len(case.inputs[0]) for case in CASES[kind]}
    monkeypatch.delitem(CASES, kind)
    found = cases_of(kind)
    assert {len(case.inputs[0]) for case in found} == ranks
    assert all(case.layer(kind).output_shape(case.inputs) for case in found)


@pytest.mark.parametrize("kind", sorted(LayerSpec.kinds()))
def test_that_a_kind_says_what_it_is_for(kind: str) -> None:
    layer = LayerSpec.kinds()[kind]
    assert issubclass(layer, Layer)
    assert layer.about.endswith(".")
    assert layer.role in {"weights", "norm", "activation", "shape", "regularization", "merge"}


@every_case
def test_that_gradients_equal_central_differences(kind: str, case: Case) -> None:
    rig = LayerRig(kind, case)
    direction = np.random.default_rng(5).normal(size=rig.output.shape)
    rig.forward()
    d_inputs = rig.backward(direction)

    def objective() -> float:
        return float((rig.forward() * direction).sum())

    for number, x in enumerate(rig.inputs):
        assert_close(d_inputs[number], central_differences(objective, x), 1e-7, f"input {number}")
    trained = rig.parameters.values[: rig.parameters.layout.trained]
    expected = central_differences(objective, trained)
    padding = getattr(rig.layer, "padding_index", None)
    if padding is not None:
        # This row is kept as it is on purpose, as in PyTorch.
        expected.reshape(rig.parameters.layout.slots[0].parameter.shape)[padding] = 0
    assert_close(rig.gradient, expected, 1e-7, "parameters")


@every_case
def test_that_a_frozen_layer_passes_the_gradient_on(kind: str, case: Case) -> None:
    rig = LayerRig(kind, case, frozen=True)
    direction = np.random.default_rng(5).normal(size=rig.output.shape)
    rig.forward()
    d_inputs = rig.backward(direction)
    assert rig.gradient.size == 0
    for number, x in enumerate(rig.inputs):
        expected = central_differences(lambda: float((rig.forward() * direction).sum()), x)
        assert_close(d_inputs[number], expected, 1e-7, f"input {number}")


@every_case
def test_that_parameters_are_learned_where_nobody_needs_the_input_gradient(kind: str, case: Case) -> None:
    whole, part = LayerRig(kind, case), LayerRig(kind, case)
    part.d_inputs = []
    site = part._site(training=True)
    site.d_inputs = [None] * len(part.inputs)
    calls = part.layer.compile(site)
    direction = np.random.default_rng(5).normal(size=whole.output.shape)
    whole.forward()
    whole.backward(direction)
    calls.forward()
    part.d_output[...] = direction
    go_back(calls)
    assert np.array_equal(part.gradient, whole.gradient)


@on_both
@every_case
def test_that_inference_treats_each_row_by_itself(kind: str, case: Case, backend: Backend) -> None:
    parameters = random_parameters(network_around(kind, case), backend=backend)
    bench = Bench(parameters, 7, training=False)
    together, _ = bench.run()
    alone = Bench(parameters, 1, training=False)
    for row in range(7):
        alone.plan.input[0] = bench.plan.input[row]
        output, _ = alone.run()
        assert_close(output[0], together[row], 1e-5, f"row {row}")


@on_both
@every_case
@pytest.mark.parametrize("training", [True, False])
def test_that_a_smaller_last_batch_is_computed_as_by_itself(
    kind: str, case: Case, training: bool, backend: Backend
) -> None:
    network = network_around(kind, case)
    bench = Bench(random_parameters(network, backend=backend), 8, training=training)
    first = bench.run()
    smaller = bench.run(3)
    exact = Bench(random_parameters(network, backend=backend), 3, training=training, batch=3)
    exact.plan.input[...] = bench.plan.input[:3]
    exact.plan.targets[...] = bench.plan.targets[:3]
    exact.plan.strengths[...] = bench.plan.strengths[:3]
    for ours, theirs in zip(smaller, exact.run(), strict=True):
        assert np.array_equal(ours, theirs)
    for again, before in zip(bench.run(), first, strict=True):
        assert np.array_equal(again, before)


@on_both
@every_case
@pytest.mark.parametrize("threads", [2, 3])
def test_that_sharding_changes_nothing_but_rounding(
    kind: str, case: Case, threads: int, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)
    network = network_around(kind, case)
    benches = [Bench(random_parameters(network, backend=backend), 7, threads=count) for count in (1, threads, threads)]
    try:
        results = [(*bench.run(), bench.parameters.state, bench.plan.sums) for bench in benches]
        assert len(benches[1].plan._gradients) == threads
        for whole, cut, again in zip(*results, strict=True):
            assert_close(cut, whole, 1e-6 if whole.dtype == np.float64 else 5e-6)
            assert np.array_equal(cut, again)
    finally:
        for bench in benches:
            bench.close()


@every_case
@pytest.mark.parametrize("training", [True, False])
def test_that_a_layer_that_was_saved_and_loaded_computes_the_same(kind: str, case: Case, training: bool) -> None:
    network = network_around(kind, case)
    saved = random_parameters(network)
    file = to_bytes(saved.export(), {})
    text = Recipe(network=NetworkRecipe(layers=tuple(node.layer for node in network.nodes))).toml()
    layers = Recipe.parse(tomllib.loads(text)).network
    again = Parameters(build_network(layers, network.input_shape, network.outputs), Backend())
    again.load(from_bytes(file, "a test")[0])
    first, other = Bench(saved, 6, training=training), Bench(again, 6, training=training)
    for ours, theirs in zip(first.run(), other.run(), strict=True):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(saved.state, again.state)


@every_case
def test_that_a_layer_describes_itself_in_short_words(kind: str, case: Case) -> None:
    layer = case.layer(kind)
    assert len(layer.summary()) < 60
    assert layer.multiply_adds(case.inputs) >= 0
    assert layer.human_name()


@every_case
@pytest.mark.parametrize("cache_bytes", [1, 5_000, 2**20])
def test_that_compiled_kernels_compute_what_arrays_do(
    kind: str, case: Case, cache_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.engine.kernels.calls._CACHE_BYTES", cache_bytes)
    network = network_around(kind, case)
    for training in (True, False):
        plain = Bench(random_parameters(network), 9, training=training)
        compiled = Bench(random_parameters(network, backend=COMPILED), 9, training=training)
        for ours, theirs in zip(compiled.run(), plain.run(), strict=True):
            assert_close(ours, theirs, 5e-6)
        assert_close(compiled.parameters.state, plain.parameters.state, 5e-6)
        assert compiled.plan.sums == pytest.approx(plain.plan.sums, rel=1e-5)


@every_case
@pytest.mark.parametrize("cache_bytes", [1, 500])
def test_that_a_layer_without_kernels_fits_between_those_that_have(
    kind: str, case: Case, cache_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.engine.kernels.calls._CACHE_BYTES", cache_bytes)
    network = network_around(kind, case)
    plain = Bench(random_parameters(network), 9)
    expected = [values.copy() for values in plain.run()]
    _without_kernels(kind, monkeypatch)
    mixed = Bench(random_parameters(network, backend=COMPILED), 9)
    for found, values in zip(mixed.run(), expected, strict=True):
        assert_close(found, values, 5e-6)


def _without_kernels(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a kind one that knows nothing of machine code, as a new one may."""
    layer: Any = LayerSpec.kinds()[kind]
    bound = layer.compile
    monkeypatch.setattr(layer, "compile", lambda self, site: bound(self, replace(site, backend=PLAIN)))
    monkeypatch.setattr(layer, "takes_over", lambda self, before: False)
    for promise in ("passes_gradient", "adds_gradient"):
        monkeypatch.setattr(layer, promise, False)


@pytest.mark.parametrize(("kind", "case"), all_cases(lambda layer, _: layer.has_kernels))
def test_that_a_layer_leaves_no_gap_in_the_machine_code(kind: str, case: Case) -> None:
    calls = LayerRig(kind, case, dtype=np.float32, backend=COMPILED).calls
    assert all(is_native(call) for call in unchained([calls.forward, calls.turn or Chain(), calls.backward]))


@every_case
def test_that_a_layer_that_promises_so_leaves_the_gradient_by_its_output(kind: str, case: Case) -> None:
    rig = LayerRig(kind, case, dtype=np.float32, backend=COMPILED)
    if not rig.layer.keeps_gradient:
        pytest.skip("may write over it")
    direction = np.random.default_rng(5).normal(size=rig.output.shape).astype(np.float32)
    rig.forward()
    rig.backward(direction)
    assert np.array_equal(rig.d_output, direction)
