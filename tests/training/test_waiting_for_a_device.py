"""Within an epoch a device is not waited for: losses and figures stay there until somebody looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_runs import picture_recipe, table_recipe, train, write_pictures, write_table
from support.standin.module import install

from workbench.events import CheckpointSaved, EpochDone, Event, StepDone
from workbench.recipe.recipe import Recipe
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training import loop
from workbench.training.control import Control
from workbench.training.loop import Diverged, Training

_WAITS_AN_EPOCH = 9
"""Records, two sets, whether all weights are finite, looks into the layers, and a checkpoint's four vectors."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing happens because time has passed."""
    monkeypatch.setattr(loop, "_FETCH_SECONDS", 1e9)
    monkeypatch.setattr(loop, "_COMMIT_SECONDS", 1e9)


def run_on_device(recipe: Recipe, folder: Path, control: Control | None = None) -> tuple[Training, list[Event]]:
    """Train to the end or a stop."""
    prepared = prepare(recipe, device="cuda", threads=1)
    opened = RunFolder.open(folder, write=True) if folder.exists() else RunFolder.create(folder, recipe)
    with opened as run:
        training, events = train(prepared, run, control, run.load("last") if run.checkpoints() else None)
        return training, list(events)


@pytest.mark.parametrize("room", [True, False], ids=["resident", "staged"])
@pytest.mark.parametrize("batch", [1, 16])
def test_that_an_epochs_waits_are_few_whatever_its_steps(
    batch: int, room: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = install(monkeypatch)
    recipe = picture_recipe(write_pictures(tmp_path), batch_size=batch, early_stopping={"patience": 50})
    prepared = prepare(recipe, device="cuda", threads=1)
    if not room:
        monkeypatch.setattr(prepared.backend, "free_bytes", lambda: 0)
    with RunFolder.create(tmp_path / "run", recipe) as run:
        training, events = train(prepared, run)
        device.forget()
        epochs = sum(isinstance(event, EpochDone) for event in events)
    # A staged batch's buffer is waited for where the device has fallen behind, which this one does each time.
    steps = 3 * training.steps_per_epoch + 4 * 2 * -(-72 // training.measure.plan.batch)
    assert training.feeder.supply.resident == room
    assert device.counts.synchronizations <= epochs * _WAITS_AN_EPOCH + (0 if room else steps)


def test_that_records_come_in_groups_and_say_what_each_step_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = install(monkeypatch)
    recipe = table_recipe(write_table(tmp_path), epochs=2, batch_size=8)
    _, grouped = run_on_device(recipe, tmp_path / "grouped")
    few = device.counts.synchronizations
    monkeypatch.setattr(loop, "_FETCH_SECONDS", -1.0)
    _, single = run_on_device(recipe, tmp_path / "single")
    assert device.counts.synchronizations - few > few + 25
    for one, other in zip(_steps(grouped), _steps(single), strict=True):
        assert (one.step, one.epoch, one.loss, one.learning_rate, one.update_ratios) == (
            other.step, other.epoch, other.loss, other.learning_rate, other.update_ratios,
        )  # fmt: skip
    assert [one.step for one in _steps(grouped)] == list(range(1, 37))


def test_that_a_loss_that_is_no_number_is_found_at_the_next_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    rates = {"kind": "sgd", "learning_rate": 1e9}
    recipe = table_recipe(write_table(tmp_path), batch_size=8, optimizer=rates)
    events = []
    prepared = prepare(recipe, device="cuda", threads=1)
    with RunFolder.create(tmp_path / "run", recipe) as run:
        training, happening = train(prepared, run)
        with pytest.raises(Diverged, match="no longer a finite number") as caught:
            events.extend(happening)
        # What was saved is from before.
        saved = run.load("last").tensors
    assert 1 < caught.value.step < training.steps_per_epoch
    assert all(np.isfinite(array).all() for array in saved.values())
    assert training.state.epoch == 0


@pytest.mark.parametrize("fields", [{}, {"accumulate": 3, "ema": {"decay": 0.5}}], ids=["plain", "gathering"])
def test_that_a_resume_within_an_epoch_changes_no_bit(
    fields: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    recipe = table_recipe(write_table(tmp_path), epochs=2, batch_size=8, **fields)
    whole, expected = run_on_device(recipe, tmp_path / "whole")
    found = list[Event]()
    monkeypatch.setattr(Control, "pending", property(_StopsAfter(7).look))
    control = Control()
    control.stop()
    found += run_on_device(recipe, tmp_path / "parts", control)[1]
    assert any(isinstance(event, CheckpointSaved) and event.reason == "stop" for event in found)
    monkeypatch.undo()
    install(monkeypatch)
    parts, more = run_on_device(recipe, tmp_path / "parts")
    found += more
    for name, array in whole.stepper.tensors().items():
        np.testing.assert_array_equal(parts.stepper.tensors()[name], array, err_msg=name)
    assert [one.running_loss for one in found if isinstance(one, EpochDone)] == [
        one.running_loss for one in expected if isinstance(one, EpochDone)
    ]
    assert [(one.step, one.loss) for one in _steps(found)] == [(one.step, one.loss) for one in _steps(expected)]


class _StopsAfter:
    """A request that is seen after so many batches."""

    def __init__(self, batches: int) -> None:
        self._left = batches

    def look(self, _: Control) -> bool:
        self._left -= 1
        return self._left < 0


def _steps(events: list[Event]) -> list[StepDone]:
    return [event for event in events if isinstance(event, StepDone)]
