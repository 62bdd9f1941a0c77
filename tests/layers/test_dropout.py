"""Dropout: random by (seed, layer, step, row) and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from support.cases import Case
from support.layer_rig import LayerRig
from support.networks import Bench, network_of, random_parameters

from workbench.engine import plan as plan_module
from workbench.engine.layer import Clock
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool

RATE = 0.3


def _kept(seed: int = 0, step: int = 0, epoch: int = 0, name: str = "drop", rows: int = 200, threads: int = 1):
    """Which values of a layer of 51 units come through in a training step."""
    network = network_of(
        [{"kind": "dropout", "rate": RATE, "name": name}, {"kind": "dense", "units": 51, "bias": False}], (51,), 51
    )
    parameters = random_parameters(network)
    parameters.values[...] = np.eye(51).reshape(-1)
    pool = ShardPool(threads)
    bench = Bench(parameters, rows)
    plan = Plan(parameters, bench.plan._loss, rows, training=True, pool=pool, clock=Clock(seed, epoch, step))
    plan.input[...] = 1.0
    plan.run(rows)
    pool.close()
    return plan.output.copy()


def test_that_the_expected_share_is_dropped_and_the_rest_scaled() -> None:
    kept = _kept()
    assert set(np.unique(kept)) == {np.float32(0), np.float32(1 / (1 - RATE))}
    # 10,200 draws: the standard error of the share is 0.0045.
    assert abs((kept == 0).mean() - RATE) < 0.02
    assert abs((kept == 0).mean(axis=0) - RATE).max() < 0.16
    assert abs((kept == 0).mean(axis=1) - RATE).max() < 0.3


def test_that_equal_seed_layer_and_step_give_equal_choices() -> None:
    assert np.array_equal(_kept(seed=4, step=9), _kept(seed=4, step=9))


@pytest.mark.parametrize("other", [{"seed": 1}, {"step": 1}, {"name": "drop_2"}])
def test_that_another_seed_step_or_layer_drops_other_values(other: dict[str, int]) -> None:
    one, two = _kept() == 0, _kept(**other) == 0
    # Independent choices agree with probability p² + (1 - p)².
    assert abs((one == two).mean() - (RATE**2 + (1 - RATE) ** 2)) < 0.03


def test_that_no_row_repeats_another() -> None:
    kept = _kept()
    assert len(np.unique(kept, axis=0)) == len(kept)


@pytest.mark.parametrize("threads", [2, 3])
def test_that_sharding_drops_the_same_values(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)
    assert np.array_equal(_kept(rows=31, threads=threads), _kept(rows=31))


def test_that_a_row_is_treated_alike_in_a_smaller_batch() -> None:
    assert np.array_equal(_kept(rows=13), _kept(rows=40)[:13])


def test_that_backward_drops_what_forward_dropped() -> None:
    rig = LayerRig("dropout", Case({"rate": 0.5}, ((9,),)))
    rig.inputs[0][...] = 1.0
    kept = rig.forward()
    (d_input,) = rig.backward(np.ones_like(kept))
    assert np.array_equal(d_input, kept)


def test_that_inference_drops_nothing() -> None:
    rig = LayerRig("dropout", Case({"rate": 0.5}, ((9,),)), training=False)
    assert np.array_equal(rig.forward(), rig.inputs[0])
