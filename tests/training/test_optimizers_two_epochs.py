"""Two epochs from the same initial weights, without shuffling: the same weights as the exported model in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.exports import encoder_of, module_of
from support.layer_rig import assert_close
from support.networks import loss_of, network_of
from support.torch_twin import decay_as_torch, torch_optimizer, weights_of

from workbench.engine.backend import Backend
from workbench.engine.network import Network
from workbench.engine.parameters import Parameters, Tensors
from workbench.engine.shards import ShardPool
from workbench.export.torch_source import torch_source
from workbench.recipe.kinds import OptimizerSpec
from workbench.recipe.recipe import Recipe
from workbench.training.stepper import Stepper

torch = pytest.importorskip("torch")
from torch.nn import functional  # noqa: E402

pytestmark = pytest.mark.oracle

DENSE = [
    {"kind": "dense", "units": 16, "name": "a"},
    {"kind": "activation", "name": "r"},
    {"kind": "dense", "units": 8, "name": "b"},
    {"kind": "activation", "function": "tanh", "name": "t"},
    {"kind": "dense", "units": "classes", "name": "end"},
]
# No bias before a batch norm: its gradient is 0 but for rounding, which Adam would blow up to whole steps.
CNN = [
    {"kind": "conv2d", "filters": 6, "bias": False, "name": "c1"},
    {"kind": "batch_norm", "name": "n1"},
    {"kind": "activation", "name": "r1"},
    {"kind": "max_pool2d", "name": "p1"},
    {"kind": "conv2d", "filters": 8, "bias": False, "name": "c2"},
    {"kind": "batch_norm", "name": "n2"},
    {"kind": "activation", "name": "r2"},
    {"kind": "global_average_pool2d", "name": "p2"},
    {"kind": "dense", "units": "classes", "name": "end"},
]
NETWORKS = {"dense": (DENSE, (10,)), "cnn": (CNN, (8, 8, 2))}
BATCH, ROWS, EPOCHS = 16, 100, 2  # the last batch has 4 rows


def _examples(shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    numbers = np.random.default_rng(8)
    inputs = numbers.normal(size=(ROWS, *shape)).astype(np.float32)
    targets = inputs.reshape(ROWS, -1)[:, :3].argmax(axis=1)
    return inputs, targets, numbers.uniform(0.5, 2.0, ROWS).astype(np.float32)


def _batches() -> list[slice]:
    return [slice(start, min(start + BATCH, ROWS)) for start in range(0, ROWS, BATCH)] * EPOCHS


def _ours(network: Network, recipe: Recipe, start: Tensors) -> Tensors:
    parameters = Parameters(network, Backend())
    parameters.load(start)
    inputs, targets, strengths = _examples(network.input_shape)
    stepper = Stepper(recipe.training, parameters, BATCH, ShardPool(1))
    for number, rows in enumerate(_batches(), start=1):
        count = rows.stop - rows.start
        stepper.plan.input[:count] = inputs[rows]
        stepper.plan.targets[:count] = targets[rows]
        stepper.plan.strengths[:count] = strengths[rows]
        stepper.step(count, recipe.training.optimizer.learning_rate, number)
    return parameters.export()


def _theirs(network: Network, recipe: Recipe, start: Tensors) -> Tensors:
    encoder = encoder_of(network.input_shape, classes=("a", "b", "c"), identity=True)
    model = module_of(torch_source(network, encoder, loss_of(), "x", ""))["Model"]()
    model.load_state_dict({name: torch.from_numpy(array) for name, array in start.items()}, strict=True)
    model.train()
    inputs, targets, strengths = _examples(network.input_shape)
    first = torch.from_numpy(np.ascontiguousarray(np.moveaxis(inputs, -1, 1)) if inputs.ndim > 2 else inputs)
    optimizer = torch_optimizer(model, recipe.training.optimizer, recipe.training.l2)
    for rows in _batches():
        optimizer.zero_grad()
        losses = functional.cross_entropy(model(first[rows]), torch.from_numpy(targets[rows]), reduction="none")
        weights = torch.from_numpy(strengths[rows])
        ((weights * losses).sum() / weights.sum()).backward()
        if recipe.training.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.training.clip_norm)
        decay_as_torch(weights_of(model), recipe.training.optimizer)
        optimizer.step()
    return {name: t.detach().numpy() for name, t in model.state_dict().items() if "num_batches" not in name}


def _assert_same_after_two_epochs(name: str, training: dict[str, Any]) -> None:
    layers, shape = NETWORKS[name]
    network = network_of(layers, shape)
    recipe = Recipe.parse({"training": training})
    start = Parameters(network, Backend())
    start.initialize(3)
    before, ours = start.export(), _ours(network, recipe, start.export())
    theirs = _theirs(network, recipe, start.export())
    assert set(theirs) == set(ours)
    for key, array in theirs.items():
        assert_close(ours[key], array, 1e-4, key)
    # Equal because both learned, not because both stood still.
    assert abs(ours["end.weight"] - before["end.weight"]).max() > 1e-3


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("optimizer", sorted(OptimizerSpec.kinds()))
def test_that_two_epochs_give_the_weights_that_pytorch_gets(name: str, optimizer: str) -> None:
    _assert_same_after_two_epochs(name, {"optimizer": optimizer})


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_that_l2_acts_on_weights_only_as_in_pytorch(name: str, optimizer: str) -> None:
    _assert_same_after_two_epochs(name, {"optimizer": optimizer, "l2": 0.05})


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_that_gradients_are_clipped_as_in_pytorch(name: str) -> None:
    _assert_same_after_two_epochs(name, {"optimizer": {"kind": "sgd", "learning_rate": 0.3}, "clip_norm": 0.05})


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize(
    ("kind", "field"),
    [("adamw", "weight_decay"), ("nadam", "decoupled_weight_decay"), ("momentum", "decoupled_weight_decay")],
)
def test_that_a_stronger_decay_is_decoupled_as_in_pytorch(name: str, kind: str, field: str) -> None:
    _assert_same_after_two_epochs(name, {"optimizer": {"kind": kind, "learning_rate": 0.003, field: 2.0}})
