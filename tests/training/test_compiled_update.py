"""An update in machine code: after the gradient, whatever the sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.networks import inputs_of, network_of, random_parameters

from workbench.engine.backend import Backend
from workbench.engine.compiled_backend import CompiledBackend
from workbench.engine.kernels import calls
from workbench.engine.shards import ShardPool
from workbench.recipe.training import TrainingRecipe
from workbench.training.stepper import Stepper


def _after_steps(backend: Backend, batch: int) -> np.ndarray[Any, Any]:
    """All weights after some steps of a network whose convolution has 16 of them."""
    layers = [{"kind": "conv2d", "filters": 4, "kernel": 2, "bias": False}, {"kind": "flatten"}]
    network = network_of([*layers, {"kind": "dense", "units": "classes"}], (5, 5, 1))
    recipe = TrainingRecipe.model_validate({"optimizer": {"kind": "sgd", "learning_rate": 0.5}, "batch_size": batch})
    stepper = Stepper(recipe, random_parameters(network, backend=backend), batch, ShardPool(1))
    numbers = np.random.default_rng(0)
    stepper.plan.input[...] = inputs_of(network, batch, numbers)
    stepper.plan.targets[...] = numbers.integers(0, network.outputs, batch)
    for number in range(1, 4):
        stepper.step(batch, 0.5, number)
    return np.array(stepper.parameters.values)


@pytest.mark.parametrize("batch", [15, 16])
def test_that_as_many_weights_as_examples_wait_for_the_whole_gradient(
    batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With little room kernels take turns over a few rows: of the batch, or of the weights, but never of both.
    monkeypatch.setattr(calls, "_CACHE_BYTES", 2**9)
    np.testing.assert_allclose(
        _after_steps(CompiledBackend(), batch), _after_steps(Backend(), batch), rtol=1e-4, atol=1e-5
    )
