"""Timing each call of a step in its place: complete, by layer, and without changing what is computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.backends import COMPILED, on_both
from support.networks import inputs_of, loss_of, network_of, random_parameters

from workbench.engine import plan as plan_module
from workbench.engine.backend import Backend
from workbench.engine.network import Network
from workbench.engine.plan import Plan
from workbench.engine.profile import WAITING, RecordingPool, Timing
from workbench.engine.shards import ShardPool

LAYERS: list[dict[str, Any]] = [
    {"kind": "conv2d", "filters": 3, "name": "conv"},
    {"kind": "batch_norm", "name": "norm"},
    {"kind": "activation", "function": "tanh", "name": "tanh"},
    {"kind": "flatten", "name": "flat"},
    {"kind": "dense", "units": "classes", "name": "end"},
]
ROWS, STEPS = 12, 4
THREADS = pytest.mark.parametrize("threads", [1, 2])


@pytest.fixture(autouse=True)
def _always_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even small networks are worth a second thread here."""
    monkeypatch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)


@pytest.fixture
def pools() -> Iterator[list[ShardPool]]:
    """Pools that are closed in the end."""
    made: list[ShardPool] = []
    yield made
    for pool in made:
        pool.close()


def _plan(network: Network, backend: Backend, pool: ShardPool) -> Plan:
    plan = Plan(random_parameters(network, backend=backend), loss_of(), ROWS, training=True, pool=pool)
    numbers = np.random.default_rng(3)
    plan.input[...] = inputs_of(network, ROWS, numbers)
    plan.targets[...] = numbers.integers(0, 3, ROWS)
    return plan


def _recorded(backend: Backend, threads: int, pools: list[ShardPool]) -> tuple[Plan, list[Timing]]:
    network = network_of(LAYERS, (6, 6, 2))
    pool = RecordingPool(threads, backend)
    pools.append(pool)
    plan = _plan(network, backend, pool)
    for _ in range(2 * STEPS):
        pool.begin_step()
        plan.run(ROWS)
    return plan, pool.timings(network, ROWS)


@on_both
@THREADS
def test_that_every_layer_is_timed_forward_and_backward(backend: Backend, threads: int, pools: list[ShardPool]) -> None:
    _, timings = _recorded(backend, threads, pools)
    found = {(timing.owner.layer, timing.owner.duty) for timing in timings}
    for layer in ("conv", "norm", "tanh", "end"):
        assert {(layer, "forward"), (layer, "backward")} <= found
    assert any(timing.owner.duty == "loss" for timing in timings)
    assert all(timing.seconds >= 0 and timing.calls >= 1 for timing in timings)


@on_both
@THREADS
def test_that_timing_changes_no_bit_of_what_is_computed(backend: Backend, threads: int, pools: list[ShardPool]) -> None:
    timed, _ = _recorded(backend, threads, pools)
    pool = ShardPool(threads)
    pools.append(pool)
    plain = _plan(timed.network, backend, pool)
    for _ in range(2 * STEPS):
        plain.run(ROWS)
    assert np.array_equal(timed.gradient, plain.gradient)
    assert np.array_equal(timed.output, plain.output)
    assert np.array_equal(timed.parameters.state, plain.parameters.state)


def test_that_kernels_are_told_apart_with_their_work(pools: list[ShardPool]) -> None:
    _, timings = _recorded(COMPILED, 1, pools)
    by_kernel = {timing.kernel: timing for timing in timings}
    assert {"conv_forward", "conv_weight_gradient", "tanh_forward", "dense_input_gradient"} <= set(by_kernel)
    conv = 6 * 6 * 3 * 3 * 2 * 3 * ROWS
    assert by_kernel["conv_forward"].multiply_adds == by_kernel["conv_weight_gradient"].multiply_adds == conv
    assert by_kernel["tanh_forward"].multiply_adds == 0


def test_that_threads_waiting_for_each_other_is_a_kernel_of_its_own(pools: list[ShardPool]) -> None:
    _, alone = _recorded(COMPILED, 1, pools)
    _, timings = _recorded(COMPILED, 2, pools)
    # Alone it only parts the batch from the update, and takes next to no time.
    assert {timing.owner.layer for timing in alone if timing.kernel == WAITING} == {""}
    # At the end of the batch, and in batch norm, which needs the sums of all.
    assert {timing.owner.layer for timing in timings if timing.kernel == WAITING} == {"", "norm"}


def test_that_only_every_other_step_is_noted(pools: list[ShardPool]) -> None:
    pool = RecordingPool(1, Backend())
    pools.append(pool)
    assert [pool.begin_step() for _ in range(4)] == [True, False, True, False]
    pool.forget()
    assert pool.begin_step()


class _Device(Backend):
    """As a GPU: what was started may not be done yet."""

    def __init__(self) -> None:
        self.waits = 0

    def synchronize(self) -> None:
        self.waits += 1


def test_that_each_call_is_waited_for_on_a_device(pools: list[ShardPool]) -> None:
    backend = _Device()
    _, timings = _recorded(backend, 1, pools)
    assert backend.waits == 2 * STEPS * sum(timing.calls for timing in timings)
