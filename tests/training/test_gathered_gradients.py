"""Several batches that make one step: the same as one large batch."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.backends import COMPILED, PLAIN, on_both
from support.layer_rig import assert_close
from support.networks import network_of, random_parameters
from support.small_runs import finished, table_recipe, train, write_table

from workbench.engine.backend import Backend
from workbench.engine.shards import ShardPool
from workbench.events import RunStarted, StepDone
from workbench.recipe.kinds import OptimizerSpec
from workbench.recipe.recipe import Recipe
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training.stepper import Stepper

LAYERS = [
    {"kind": "dense", "units": 5, "name": "a"},
    {"kind": "activation", "function": "tanh", "name": "t"},
    {"kind": "dense", "units": "classes", "name": "end"},
]


def _stepper(batch: int, dtype: Any = np.float64, backend: Backend = PLAIN, **training: Any) -> Stepper:
    recipe = Recipe.parse({"training": training}).training
    parameters = random_parameters(network_of(LAYERS, (4,)), dtype, backend=backend)
    return Stepper(recipe, parameters, batch, ShardPool(1))


def _examples(rows: int) -> tuple[Any, Any, Any]:
    numbers = np.random.default_rng(2)
    return numbers.normal(size=(rows, 4)), numbers.integers(0, 3, rows), numbers.uniform(0.1, 3.0, rows)


def _fill(stepper: Stepper, examples: tuple[Any, Any, Any], rows: slice) -> int:
    count = rows.stop - rows.start
    for place, array in zip((stepper.plan.input, stepper.plan.targets, stepper.plan.strengths), examples, strict=True):
        place[:count] = array[rows]
    return count


def _gathered_step(stepper: Stepper, examples: tuple[Any, Any, Any], cuts: list[int], update: int) -> None:
    for number, (start, stop) in enumerate(pairwise(cuts)):
        count = _fill(stepper, examples, slice(start, stop))
        if stop == cuts[-1]:
            stepper.step(count, 0.1, number + 1, update=update)
        else:
            stepper.gather(count, number + 1)


@pytest.mark.parametrize("kind", sorted(OptimizerSpec.kinds()))
def test_that_a_group_of_batches_makes_the_step_of_one_large_batch(kind: str) -> None:
    # Batches of different sizes and strengths: the mean of their gradients would be another one.
    examples = _examples(20)
    settings = {"optimizer": kind, "l1": 0.01, "l2": 0.1, "clip_norm": 0.5}
    parts, whole = _stepper(8, **settings, accumulate=3), _stepper(20, **settings)
    for update in range(1, 6):
        _gathered_step(parts, examples, [0, 8, 16, 20], update)
        whole.step(_fill(whole, examples, slice(0, 20)), 0.1, update)
        assert_close(parts.parameters.values, whole.parameters.values, 1e-9)


def test_that_compiled_kernels_gather_as_arrays_do() -> None:
    examples, settings = _examples(20), {"l2": 0.1, "clip_norm": 0.5, "accumulate": 3}
    plain, compiled = (_stepper(8, np.float32, backend, **settings) for backend in (PLAIN, COMPILED))
    for update in range(1, 6):
        for stepper in (plain, compiled):
            _gathered_step(stepper, examples, [0, 8, 16, 20], update)
        assert_close(compiled.parameters.values, plain.parameters.values, 1e-5)
    assert not any("gathered" in name for name in compiled.tensors())


@on_both
def test_that_a_group_of_strength_0_leaves_what_comes_after_it_alone(backend: Backend) -> None:
    inputs, targets, strengths = _examples(16)
    stepper, fresh = (_stepper(8, np.float32, backend, optimizer="sgd", accumulate=2) for _ in range(2))
    before = stepper.parameters.values.copy()
    _gathered_step(stepper, (inputs, targets, strengths * 0), [0, 8, 16], 1)
    assert np.array_equal(stepper.parameters.values, before)
    for one in (stepper, fresh):
        _gathered_step(one, (inputs, targets, strengths), [0, 8, 16], 2)
    assert np.array_equal(stepper.parameters.values, fresh.parameters.values)


def test_that_a_group_without_strength_moves_nothing_and_a_batch_without_it_does_not_count() -> None:
    inputs, targets, strengths = _examples(16)
    still, half, first = (_stepper(8, optimizer="sgd", accumulate=2) for _ in range(3))
    before = still.parameters.values.copy()
    _gathered_step(still, (inputs, targets, strengths * 0), [0, 8, 16], 1)
    assert np.array_equal(still.parameters.values, before)
    strengths[8:] = 0
    _gathered_step(half, (inputs, targets, strengths), [0, 8, 16], 1)
    _gathered_step(first, (inputs, targets, strengths), [0, 8], 1)
    assert_close(half.parameters.values, first.parameters.values, 1e-12)


def test_that_a_checkpoint_between_groups_holds_no_gradient_and_one_within_does() -> None:
    examples, stepper, other = _examples(16), _stepper(8, accumulate=2), _stepper(8, accumulate=2)
    assert not any("gathered" in name for name in stepper.tensors())
    stepper.gather(_fill(stepper, examples, slice(0, 8)), 1)
    tensors = stepper.tensors()
    assert "optimizer.gathered" in tensors
    other.load(tensors)
    for one in (stepper, other):
        one.step(_fill(one, examples, slice(8, 16)), 0.1, 2, update=1)
    assert np.array_equal(stepper.parameters.values, other.parameters.values)
    other.gather(_fill(other, examples, slice(0, 8)), 3)
    other.load(stepper.tensors())
    assert not any("gathered" in name for name in other.tensors())


def _events(recipe: Recipe, folder: Path) -> list[Any]:
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(folder, recipe) as run:
        return list(train(prepared, run)[1])


@pytest.mark.parametrize("schedule", ["cosine", "constant", {"kind": "warmup", "epochs": 1.5}])
def test_that_a_run_of_gathered_batches_equals_one_of_large_batches(tmp_path: Path, schedule: Any) -> None:
    # 144 training examples: 5 batches of 32, the last one smaller; groups of 2 make 3 updates an epoch.
    recipe = table_recipe(write_table(tmp_path), schedule=schedule, optimizer="adam", l2=1e-3)
    large = finished(recipe.replace("training.batch_size", 64), tmp_path / "large")
    small = finished(recipe.replace("training.accumulate", 2), tmp_path / "small")
    assert (small.steps_per_epoch, small.updates_per_epoch, large.steps_per_epoch) == (5, 3, 3)
    assert small.state.step == 20
    assert_close(small.parameters.values, large.parameters.values, 1e-4)


def test_that_records_come_with_updates_and_tell_batches(tmp_path: Path) -> None:
    recipe = table_recipe(write_table(tmp_path), accumulate=2, epochs=2)
    events = _events(recipe, tmp_path / "run")
    started = next(event for event in events if isinstance(event, RunStarted))
    steps = [event for event in events if isinstance(event, StepDone)]
    assert started.steps_per_epoch == 5
    assert [event.step for event in steps] == [2, 4, 5, 7, 9, 10]
    assert all(event.gradient_norm > 0 for event in steps)


def test_that_a_group_longer_than_an_epoch_is_the_whole_epoch(tmp_path: Path) -> None:
    recipe = table_recipe(write_table(tmp_path), optimizer={"kind": "sgd", "learning_rate": 0.5}, shuffle=False)
    whole = finished(recipe.replace("training.batch_size", 144), tmp_path / "whole")
    gathered = finished(recipe.replace("training.accumulate", 1000), tmp_path / "gathered")
    assert gathered.updates_per_epoch == 1
    assert_close(gathered.parameters.values, whole.parameters.values, 1e-5)
