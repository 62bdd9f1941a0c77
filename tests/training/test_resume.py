"""A run that was stopped and goes on ends with the same bits as one that was not."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_runs import finished, picture_recipe, train, write_pictures

from workbench.events import EpochDone, Event, LearningRateChanged
from workbench.recipe.kinds import OptimizerSpec, ScheduleSpec
from workbench.recipe.recipe import Recipe
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control
from workbench.training.loop import Training
from workbench.training.state import TrainingState

AUGMENT = [{"kind": "shift", "pixels": 1}, {"kind": "noise", "sigma": 0.02}]
PLATEAU = {"kind": "reduce_on_plateau", "metric": "dev_error", "patience": 1, "cooldown": 1, "min_delta": 0.9}
"""Nothing is as much better: it acts after every second epoch."""

CASES: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd"},
    "momentum and l2": {"optimizer": "momentum", "l2": 1e-3},
    "nesterov and cosine": {"optimizer": "nesterov", "schedule": "cosine"},
    "rmsprop and staircase": {"optimizer": "rmsprop", "schedule": {"kind": "staircase", "every": 1}},
    "rmsprop with all it can keep": {"optimizer": {"kind": "rmsprop", "momentum": 0.5, "centered": True}},
    "adam with amsgrad": {"optimizer": {"kind": "adam", "amsgrad": True}, "ema": {"decay": 0.9}, "accumulate": 3},
    "adam, dropout and clipping": {"optimizer": "adam", "dropout": 0.2, "clip_norm": 1.0},
    "adamw and warm-up": {"optimizer": "adamw", "schedule": {"kind": "warmup", "epochs": 1.5}},
    "elastic net, limits and clipping": {"l1": 1e-3, "l2": 1e-3, "max_norm": 1.0, "clip_value": 0.1},
}
STATEFUL: dict[str, dict[str, Any]] = {
    "a schedule with a memory": {"schedule": PLATEAU},
    "averaged weights": {"ema": {"decay": 0.9}},
    "gathered gradients": {"accumulate": 3},
    "all of them": {
        "schedule": {"kind": "warmup", "epochs": 0.4, "then": PLATEAU},
        "ema": {"decay": 0.9},
        "accumulate": 3,
        "max_norm": 1.0,
    },
}


def _parts(recipe: Recipe, folder: Path, stop_after: int) -> tuple[Training, list[Event]]:
    """A run in two sessions, and what the second one said."""
    prepared = prepare(recipe, device="cpu", threads=1)
    control = Control()
    with RunFolder.create(folder, recipe) as run:
        training, events = train(prepared, run, control)
        for _ in events:
            if training.state.step >= stop_after:
                control.stop()
        assert training.reason == "stopped"
        assert training.state.step < recipe.training.epochs * training.steps_per_epoch
        training, events = train(prepared, run, resume_from=run.load("last"))
        return training, list(events)


def _timeless(state: TrainingState) -> TrainingState:
    return dataclasses.replace(state, total_seconds=0, seconds=0)


def _assert_same_bits(found: Training, expected: Training) -> None:
    assert _timeless(found.state) == _timeless(expected.state)
    tensors = found.stepper.tensors()
    assert set(tensors) == set(expected.stepper.tensors())
    for name, array in expected.stepper.tensors().items():
        np.testing.assert_array_equal(tensors[name], array, err_msg=name)


def _recipe(folder: Path, **training: Any) -> Recipe:
    return picture_recipe(write_pictures(folder), **training).replace("data.augment", AUGMENT)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stop_after", [1, 5, 9])
def test_that_a_resumed_run_ends_with_the_same_bits(tmp_path: Path, case: str, stop_after: int) -> None:
    recipe = _recipe(tmp_path, **CASES[case])
    whole = finished(recipe, tmp_path / "whole")
    _assert_same_bits(_parts(recipe, tmp_path / "parts", stop_after)[0], whole)


@pytest.mark.parametrize("optimizer", OptimizerSpec.kinds())
@pytest.mark.parametrize("what", STATEFUL)
def test_that_what_training_remembers_is_resumed_for_every_optimizer(tmp_path: Path, optimizer: str, what: str) -> None:
    recipe = _recipe(tmp_path, optimizer=optimizer, **STATEFUL[what])
    whole = finished(recipe, tmp_path / "whole")
    # 5 batches an epoch; 7 of them are in the middle of an epoch and of a group of 3.
    _assert_same_bits(_parts(recipe, tmp_path / "parts", 7)[0], whole)


@pytest.mark.parametrize("schedule", ScheduleSpec.kinds())
def test_that_every_schedule_goes_on_where_it_was(tmp_path: Path, schedule: str) -> None:
    recipe = _recipe(tmp_path, schedule=schedule)
    whole = finished(recipe, tmp_path / "whole")
    _assert_same_bits(_parts(recipe, tmp_path / "parts", 7)[0], whole)


@pytest.mark.parametrize("stop_after", [7, 10, 13])
def test_that_a_schedule_with_a_memory_acts_again_after_a_resume(tmp_path: Path, stop_after: int) -> None:
    recipe = _recipe(tmp_path, schedule=PLATEAU, epochs=6, optimizer={"kind": "sgd", "learning_rate": 0.1})
    whole = finished(recipe, tmp_path / "whole")
    resumed, said = _parts(recipe, tmp_path / "parts", stop_after)
    assert whole.state.reaction.scale == pytest.approx(0.3**2)
    _assert_same_bits(resumed, whole)
    with RunFolder.open(tmp_path / "parts") as run:
        logged = run.events()
    changes = [event for event in logged if isinstance(event, LearningRateChanged)]
    assert [(change.epoch, change.origin) for change in changes] == [(2, "schedule"), (4, "schedule")]
    assert [change.after for change in changes] == pytest.approx([0.03, 0.009])
    later = [event.learning_rate for event in said if isinstance(event, EpochDone) and event.epoch > 4]
    assert later == pytest.approx([0.009] * len(later))
    assert later


def test_that_a_checkpoint_of_an_older_version_has_no_memory_of_a_schedule() -> None:
    facts = TrainingState(0.1, epoch=3).facts()
    del facts["reaction"]
    assert TrainingState.of_facts({**facts, "of a newer one": 1}) == TrainingState(0.1, epoch=3)
