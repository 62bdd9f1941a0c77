"""The moving average of the weights: how it is made, and that it is the model while training keeps the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.layer_rig import assert_close
from support.networks import network_of, random_parameters
from support.small_runs import picture_recipe, table_recipe, train, write_pictures, write_table

from workbench.engine.shards import ShardPool
from workbench.evaluation.predictor import Model
from workbench.events import EpochDone
from workbench.recipe.recipe import Recipe
from workbench.session.experiment import run_experiment
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control
from workbench.training.loop import Training
from workbench.training.stepper import Stepper

LAYERS = [
    {"kind": "dense", "units": 5, "name": "a"},
    {"kind": "activation", "name": "r"},
    {"kind": "dense", "units": "classes", "name": "end"},
]


def _stepper(dtype: Any = np.float64, **training: Any) -> Stepper:
    recipe = Recipe.parse({"training": {"ema": {"decay": 0.9}, **training}}).training
    stepper = Stepper(recipe, random_parameters(network_of(LAYERS, (4,)), dtype), 8, ShardPool(1))
    numbers = np.random.default_rng(2)
    stepper.plan.input[...] = numbers.normal(size=(8, 4))
    stepper.plan.targets[...] = numbers.integers(0, 3, 8)
    return stepper


def test_that_the_average_follows_its_formula_and_the_weights_do_not_follow_it() -> None:
    stepper, plain = _stepper(), _stepper(ema=None)
    average = stepper.parameters.values.copy()
    for number in range(1, 200):
        stepper.step(8, 0.05, number)
        plain.step(8, 0.05, number)
        decay = min(0.9, (1 + number) / (10 + number))
        average = decay * average + (1 - decay) * stepper.parameters.values
        assert np.array_equal(stepper.parameters.values, plain.parameters.values)
        with stepper.averaged():
            assert_close(stepper.parameters.values, average, 1e-12)
    assert (1 + 200) / (10 + 200) > 0.9 > (1 + 1) / (10 + 1)


@pytest.mark.oracle
def test_that_the_average_is_torchs_with_a_rising_decay() -> None:
    torch = pytest.importorskip("torch")
    from torch.optim.swa_utils import AveragedModel

    stepper = _stepper(np.float32)
    module = torch.nn.Linear(len(stepper.parameters.values), 1, bias=False)

    def follow(average: Any, weight: Any, count: Any) -> Any:
        decay = min(0.9, (1 + int(count)) / (10 + int(count)))
        return torch.lerp(weight, average, decay)

    oracle = AveragedModel(module, avg_fn=follow)
    for number in range(60):
        with torch.no_grad():
            module.weight[0] = torch.from_numpy(stepper.parameters.values)
        oracle.update_parameters(module)  # the first call takes the weights as they are
        with stepper.averaged():
            assert_close(stepper.parameters.values, oracle.module.weight[0].detach().numpy(), 1e-5)
        stepper.step(8, 0.05, number + 1)


def test_that_numbers_loaded_before_the_first_step_are_where_the_average_begins() -> None:
    stepper, start = _stepper(), {}
    start = {name: array + 1 for name, array in stepper.parameters.export().items()}
    stepper.parameters.load(start)
    for name, array in stepper.tensors().items():
        if name in start:
            assert np.array_equal(array, start[name])
    before = stepper.parameters.values.copy()
    stepper.step(8, 0.05, 1)
    with stepper.averaged():
        found = stepper.parameters.values.copy()
    assert_close(found, before * 2 / 11 + stepper.parameters.values * 9 / 11, 1e-12)


def test_that_the_weights_come_back_even_if_measuring_fails() -> None:
    stepper = _stepper()
    stepper.step(8, 0.05, 1)
    before = stepper.parameters.values.copy()
    with pytest.raises(KeyError):
        _fail_while_averaged(stepper, before)
    assert np.array_equal(stepper.parameters.values, before)


def _fail_while_averaged(stepper: Stepper, before: Any) -> None:
    with stepper.averaged():
        assert not np.array_equal(stepper.parameters.values, before)
        raise KeyError


def test_that_a_checkpoint_holds_both_and_goes_on_from_the_weights() -> None:
    first, second = _stepper(np.float32), _stepper(np.float32)
    for number in range(1, 6):
        first.step(8, 0.05, number)
    second.load(first.tensors())
    assert np.array_equal(second.parameters.values, first.parameters.values)
    for number in range(6, 12):
        first.step(8, 0.05, number)
        second.step(8, 0.05, number)
    for name, array in first.tensors().items():
        assert np.array_equal(second.tensors()[name], array), name


def _train(recipe: Recipe, folder: Path) -> tuple[Training, list[EpochDone]]:
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(folder, recipe) as run:
        training, events = train(prepared, run)
        return training, [event for event in events if isinstance(event, EpochDone)]


def test_that_epochs_are_measured_with_the_averaged_weights(tmp_path: Path) -> None:
    recipe = table_recipe(write_table(tmp_path), ema={"decay": 0.95})
    training, epochs = _train(recipe, tmp_path / "averaged")
    plain, others = _train(recipe.replace("training.ema", None), tmp_path / "plain")
    assert np.array_equal(training.parameters.values, plain.parameters.values)
    assert epochs[0].dev_loss == others[0].dev_loss
    for epoch, other in zip(epochs[1:], others[1:], strict=True):
        assert epoch.dev_loss != other.dev_loss
        assert epoch.running_loss == other.running_loss
    with training.stepper.averaged():
        assert training.measure(training.dataset.sets["dev"]).loss == pytest.approx(epochs[-1].dev_loss)


@pytest.mark.parametrize("stopping", [None, {"patience": 8}])
def test_that_predictions_and_the_kept_model_are_of_the_averaged_weights(tmp_path: Path, stopping: Any) -> None:
    optimizer = {"kind": "adam", "learning_rate": 0.01}
    recipe = picture_recipe(
        write_pictures(tmp_path), ema={"decay": 0.9}, early_stopping=stopping, epochs=8, optimizer=optimizer
    )
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(tmp_path / "run", recipe) as run:
        events = list(run_experiment(prepared, run, "run", Control()))
        model = Model.of_folder(run)
        raw = run.load("best" if stopping else "last").tensors["optimizer.raw_weights"]
        predictions = run.read_predictions()
    epochs = {event.epoch: event for event in events if isinstance(event, EpochDone)}
    assert model.epoch > 0
    assert not any(name.startswith("optimizer.") for name in model.tensors)
    dense = next(name for name in model.tensors if name.startswith("dense") and name.endswith("weight"))
    assert not np.isin(model.tensors[dense], raw).any()
    dev = predictions["sets"] == 1
    wrong = predictions["outputs"].argmax(axis=1)[dev] != predictions["targets"][dev]
    assert wrong.mean() == pytest.approx(epochs[model.epoch].dev_error)
