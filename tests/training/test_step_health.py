"""What a recorded step tells of its update, however the update is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.backends import on_both
from support.networks import network_of, random_parameters

from workbench.engine import plan as plan_module
from workbench.engine.backend import Backend
from workbench.engine.network import Network
from workbench.engine.shards import ShardPool
from workbench.recipe.recipe import Recipe
from workbench.training import compiled_update
from workbench.training.stepper import Stepper, health_of

LAYERS: list[dict[str, Any]] = [
    {"kind": "dense", "units": 40, "name": "first"},
    {"kind": "batch_norm", "name": "norm"},
    {"kind": "activation", "name": "bend"},
    {"kind": "dense", "units": 30, "name": "kept", "frozen": True},
    {"kind": "dense", "units": "classes", "name": "end"},
]


def _network() -> Network:
    return network_of(LAYERS, (50,), 3)


def _stepper(backend: Backend, pool: ShardPool, **training: Any) -> Stepper:
    recipe = Recipe.parse({"training": training}).training
    stepper = Stepper(recipe, random_parameters(_network(), backend=backend), 16, pool)
    numbers = np.random.default_rng(3)
    stepper.plan.input[...] = numbers.normal(size=stepper.plan.input.shape)
    stepper.plan.targets[...] = numbers.integers(0, 3, 16)
    return stepper


@on_both
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "training",
    [
        {"optimizer": {"kind": "adam", "learning_rate": 0.01}},
        {"optimizer": {"kind": "adamw", "learning_rate": 0.01, "weight_decay": 0.1}, "ema": {"decay": 0.9}},
        {"optimizer": {"kind": "sgd", "learning_rate": 0.1}, "clip_norm": 0.5, "l2": 0.01},
        {"optimizer": {"kind": "momentum", "learning_rate": 0.1}, "max_norm": 0.5},
    ],
    ids=["plain", "averaged", "clipped", "limited"],
)
@pytest.mark.parametrize("cache_bytes", [1000, 2**20])
def test_that_a_recorded_step_moves_as_any_other_and_tells_how_far(
    training: dict[str, Any], threads: int, backend: Backend, cache_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)
    monkeypatch.setattr(compiled_update, "_LEAST_STRETCH", 100)
    monkeypatch.setattr("workbench.engine.kernels.calls._CACHE_BYTES", cache_bytes)
    pool = ShardPool(threads)
    recorded, other = (_stepper(backend, pool, **training) for _ in range(2))
    for number in (1, 2, 3):
        before = recorded.parameters.export()
        figures = np.full(recorded.figures, np.nan)
        recorded.step(16, 0.05, number, watch=figures)
        other.step(16, 0.05, number)
        after = recorded.parameters.export()
        np.testing.assert_array_equal(recorded.parameters.values, other.parameters.values)
        _assert_told(recorded, figures, before, after)
    pool.close()


def _assert_told(stepper: Stepper, figures: Any, before: Any, after: Any) -> None:
    health = health_of(figures)
    assert stepper.layers == ("first", "norm", "end")
    ratios = []
    for layer in stepper.layers:
        own = [name for name in before if name.startswith(f"{layer}.") and "running" not in name]
        lengths = [sum(float((part[n].astype(float) ** 2).sum()) for n in own) for part in (before,)]
        moved = sum(float(((after[n].astype(float) - before[n]) ** 2).sum()) for n in own)
        ratios.append((moved / lengths[0]) ** 0.5)
    np.testing.assert_allclose(health.update_ratios, ratios, rtol=1e-4)
    assert health.gradient_norm == pytest.approx(sum(norm**2 for norm in health.gradient_norms) ** 0.5)
    assert health.gradient_norm > 0
