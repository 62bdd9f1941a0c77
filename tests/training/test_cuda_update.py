"""What becomes of a gradient on a GPU, by kernels: as with NumPy, whatever the order of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.backends import PLAIN, device_backend, on_device
from support.emulated import EmulatedBackend, EmulatedLauncher, needs_compiler
from support.layer_rig import assert_close
from support.networks import network_of, random_parameters

from workbench.engine.backend import Backend
from workbench.engine.shards import ShardPool
from workbench.recipe.recipe import Recipe
from workbench.training.stepper import Stepper

LAYERS: list[dict[str, Any]] = [
    {"kind": "conv2d", "filters": 5, "kernel": 2},
    {"kind": "activation", "function": "tanh"},
    {"kind": "reshape", "shape": [16, 5]},
    {"kind": "lstm", "units": 40},
    {"kind": "dense", "units": 3, "frozen": True},
    {"kind": "dense", "units": "classes"},
]
SETTINGS: dict[str, dict[str, Any]] = {
    "bare": {},
    "penalties": {"l2": 0.1, "l1": 0.02, "clip_value": 0.01},
    "clipped": {"clip_norm": 0.05, "l2": 0.1},
    "long enough": {"clip_norm": 1e6},
    "limited": {"max_norm": 0.3},
    "averaged": {"max_norm": 0.3, "ema": {"decay": 0.9}},
    "gathered": {"accumulate": 3},
    "all": {"l2": 0.1, "clip_value": 0.02, "clip_norm": 0.05, "max_norm": 0.3, "ema": {"decay": 0.5}, "accumulate": 2},
}


def _trained(backend: Backend, watched: bool = False, **training: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Six updates, some after batches that waited for them; with figures of each where it is watched."""
    recipe = Recipe.parse({"training": {"optimizer": "adam", **training}}).training
    stepper = Stepper(recipe, random_parameters(network_of(LAYERS, (4, 4, 2)), backend=backend), 6, ShardPool(1))
    plan, numbers, found = stepper.plan, np.random.default_rng(3), []
    for update in range(1, 7):
        # The last group of an epoch may be smaller.
        for last in [False] * (recipe.accumulate - 1 if update != 4 else 0) + [True]:
            plan.input[...] = backend.asarray(numbers.normal(size=plan.input.shape), np.float32)
            plan.targets[...] = backend.asarray(numbers.integers(0, 3, 6))
            plan.strengths[...] = backend.asarray(numbers.uniform(0.0, 2.0, 6), np.float32)
            if not last:
                stepper.gather(6 - update % 2, update)
                continue
            watch = backend.zeros((stepper.figures,), np.float64) if watched else None
            stepper.step(5 + update % 2, 0.01, update, update=update, watch=watch)
            found.append(np.zeros(1) if watch is None else np.array(backend.to_host(watch)))
    return {**stepper.tensors(), "figures": np.concatenate(found)}


@on_device
@pytest.mark.parametrize("watched", [False, True], ids=["unseen", "watched"])
@pytest.mark.parametrize("fields", SETTINGS.values(), ids=list(SETTINGS))
def test_that_updates_are_those_of_arrays(fields: dict[str, Any], watched: bool, device: str) -> None:
    found, expected = (_trained(each, watched, **fields) for each in (device_backend(device), PLAIN))
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert_close(found[name], array, 1e-4, name)


@needs_compiler
@pytest.mark.parametrize("fields", SETTINGS.values(), ids=list(SETTINGS))
def test_that_no_update_depends_on_the_order_of_threads_or_writes_beside_its_arrays(fields: dict[str, Any]) -> None:
    found = []
    for order in range(3):
        backend = EmulatedBackend(order)
        found.append(_trained(backend, **fields))
        backend.assert_guards()
    for other in found[1:]:
        for name, array in found[0].items():
            np.testing.assert_array_equal(other[name], array, err_msg=name)


@needs_compiler
@pytest.mark.parametrize("fields", [{}, {"clip_norm": 1.0}, {"max_norm": 1.0}], ids=["bare", "clipped", "limited"])
def test_that_what_is_no_number_shows_in_the_weights(fields: dict[str, Any]) -> None:
    backend = EmulatedBackend()
    recipe = Recipe.parse({"training": fields}).training
    parameters = random_parameters(network_of([{"kind": "dense", "units": "classes"}], (4,)), backend=backend)
    stepper = Stepper(recipe, parameters, 3, ShardPool(1))
    stepper.plan.input[...] = np.nan
    stepper.step(3, 0.1, 1)
    assert not stepper.finite()


@needs_compiler
@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 70), st.integers(1, 40)), order=st.integers(0, 2),
    limit=st.floats(0.1, 5.0), seed=st.integers(0, 9),
)  # fmt: skip
def test_that_units_anywhere_in_a_weight_are_limited(shape: Any, order: int, limit: float, seed: int) -> None:
    outer, units, inner = shape
    weights = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    weights[:, 0] *= 1e-3
    norms = np.sqrt((weights.astype(np.float64) ** 2).sum(axis=(0, 2), keepdims=True))
    expected = weights * np.minimum(1, limit / norms)
    blocks = -(-units // (32 if inner == 1 else 8))
    EmulatedLauncher(order).call("limit_units", blocks, (32, 8), weights, 0, limit, outer, units, inner)()
    assert_close(weights, expected, 1e-5)
