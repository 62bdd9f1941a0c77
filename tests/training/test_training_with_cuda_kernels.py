"""Trainings on a stand-in for a GPU whose kernels run: recorded steps, the same numbers, few launches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.emulated import needs_compiler
from support.labels import labels_csv, labels_recipe
from support.layer_rig import assert_close
from support.small_runs import picture_recipe, table_recipe, train, write_pictures, write_table
from support.standin.cudnn import install_cudnn
from support.standin.module import install

from workbench.engine.cuda.calls import CudaCall
from workbench.engine.cuda.graphs import Recorded
from workbench.engine.device import KERNELS_SWITCH
from workbench.events import EpochDone, Event
from workbench.recipe.recipe import Recipe
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control
from workbench.training.loop import Training
from workbench.training.stepper import Stepper

pytestmark = needs_compiler


def run_on(device: str, recipe: Recipe, folder: Path, control: Control | None = None) -> tuple[Training, list[Event]]:
    """Train to the end or a stop."""
    prepared = prepare(recipe, device=device, threads=1)
    opened = RunFolder.open(folder, write=True) if folder.exists() else RunFolder.create(folder, recipe)
    with opened as run:
        training, events = train(prepared, run, control, run.load("last") if run.checkpoints() else None)
        return training, list(events)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"l2": 0.01, "l1": 0.001, "clip_value": 0.2, "ema": {"decay": 0.9}, "dropout": 0.2},
        {"clip_norm": 0.5, "max_norm": 0.8, "accumulate": 2, "optimizer": {"kind": "adamw", "weight_decay": 0.1}},
        {"clip_norm": 0.1, "clip_value": 0.05, "l2": 0.1, "accumulate": 3, "max_norm": 0.5, "ema": {"decay": 0.9}},
    ],
    ids=["plain", "penalties", "limits", "all"],
)
@pytest.mark.parametrize("kind", ["table", "pictures", "labels"])
def test_that_a_training_with_kernels_is_the_one_with_arrays(
    kind: str, fields: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, made = {
        "table": (write_table, table_recipe),
        "pictures": (write_pictures, picture_recipe),
        "labels": (lambda folder: labels_csv(folder / "labels.csv", unknown=0.1), labels_recipe),
    }[kind]
    recipe = made(write(tmp_path), epochs=2, **fields)
    device = install(monkeypatch, kernels=True)
    ours, events = run_on("cuda", recipe, tmp_path / "ours")
    assert device.kernels.recordings > 0
    monkeypatch.setenv(KERNELS_SWITCH, "off")
    plain, expected = run_on("cpu", recipe, tmp_path / "plain")
    found = ours.parameters.export()
    for name, values in plain.parameters.export().items():
        if kind == "pictures" and name in ("conv_1.bias", "norm_1.running_mean"):
            # A bias before a batch norm has no gradient but rounding, which Adam makes steps of.
            continue
        assert_close(found[name], values, 2e-4, name)
    epochs = [[event for event in each if isinstance(event, EpochDone)] for each in (events, expected)]
    for one, other in zip(*epochs, strict=True):
        assert one.epoch == 0 or one.running_loss == pytest.approx(other.running_loss, rel=1e-4)


@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_that_a_training_with_cudnn_is_the_one_with_arrays(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = picture_recipe(write_pictures(tmp_path), epochs=2, precision=precision)
    device = install(monkeypatch, kernels=True)
    library = install_cudnn(monkeypatch, device.kernels)
    ours, events = run_on("cuda", recipe, tmp_path / "ours")
    assert {"forward", "weight_gradient"} <= set(library.executed)
    monkeypatch.setenv(KERNELS_SWITCH, "off")
    _, expected = run_on("cpu", recipe, tmp_path / "plain")
    epochs = [[event for event in each if isinstance(event, EpochDone)] for each in (events, expected)]
    for one, other in zip(*epochs, strict=True):
        # A bias before a batch norm moves by nothing but rounding, so that weights drift apart.
        rounding = 1e-3 if precision == "float32" else 1e-2
        assert one.epoch == 0 or one.running_loss == pytest.approx(other.running_loss, rel=rounding)
    assert ours.parameters.values.dtype == np.float32


def test_that_a_resume_changes_no_bit_of_a_recorded_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, kernels=True)
    recipe = table_recipe(write_table(tmp_path), epochs=4, batch_size=8, dropout=0.2)
    whole, _ = run_on("cuda", recipe, tmp_path / "whole")
    control = Control()
    control.stop()
    run_on("cuda", recipe, tmp_path / "parts", control)
    parts, _ = run_on("cuda", recipe, tmp_path / "parts")
    for name, array in whole.stepper.tensors().items():
        np.testing.assert_array_equal(parts.stepper.tensors()[name], array, err_msg=name)


SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "clipped": {"clip_norm": 0.5},
    "limited": {"max_norm": 0.8, "ema": {"decay": 0.9}},
    "all": {"clip_norm": 0.5, "clip_value": 0.2, "max_norm": 0.8, "l1": 0.01, "ema": {"decay": 0.9}},
}


@pytest.mark.parametrize("fields", SETTINGS.values(), ids=list(SETTINGS))
def test_that_a_step_is_a_few_launches_whatever_its_layers(
    fields: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = install(monkeypatch, kernels=True)
    recipe = table_recipe(write_table(tmp_path), batch_size=8, dropout=0.2, **fields)
    stepper, feeder = _ready(recipe, tmp_path)
    kernels = device.kernels
    (task,) = stepper.plan._ran.tasks
    assert sum(isinstance(call, (Recorded, CudaCall)) for call in task.calls) == 1
    rows = np.arange(8)
    for number in (1, 2):
        stepper.step(feeder.fill(stepper.plan, rows), 0.01, number)
    inside = kernels.launches
    stepper.plan.run(8, finish=stepper._compiled.finish)
    inside = kernels.launches - inside
    replays, launches = kernels.replays, kernels.launches
    stepper.step(feeder.fill(stepper.plan, rows), 0.01, 3)
    # Beside the plan's own, which are a dropout's key and what is replayed: the batch, and the numbers of the update.
    assert kernels.replays - replays == 1
    assert kernels.launches - launches == inside + 2


@pytest.mark.parametrize("fields", [*SETTINGS.values(), {"precision": "float16"}], ids=[*SETTINGS, "scaled"])
def test_that_a_group_of_batches_waits_for_nothing_and_takes_no_memory(
    fields: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = install(monkeypatch, kernels=True)
    recipe = table_recipe(write_table(tmp_path), batch_size=8, accumulate=2, **fields)
    stepper, feeder = _ready(recipe, tmp_path)
    rows = np.arange(8)
    for number in range(1, 9, 2):
        if number == 7:
            device.forget()
            replays = device.kernels.replays
        stepper.plan.strengths[...] = 1
        stepper.gather(8, number)
        stepper.step(8, 0.01, number + 1, update=(number + 1) // 2)
    counts = device.counts
    assert counts.synchronizations == counts.allocations == counts.uploads == 0
    pieces = [sum(isinstance(call, Recorded) for call in task.calls) for task in _tasks(stepper)]
    assert device.kernels.replays - replays == sum(pieces)
    assert feeder.fill(stepper.plan, rows) == 8


def _tasks(stepper: Stepper) -> list[Any]:
    """Of the programs for a batch that waits for others, and for the last one of its group."""
    programs = stepper.plan._programs
    return [
        programs[8, finish, False, None].tasks[0] for finish in (stepper._compiled.gather, stepper._compiled.finish)
    ]


def _ready(recipe: Recipe, folder: Path) -> tuple[Stepper, Any]:
    """A training's stepper and feeder, after it."""
    prepared = prepare(recipe, device="cuda", threads=1)
    with RunFolder.create(folder / "run", recipe) as run:
        training, events = train(prepared, run)
        list(events)
    return training.stepper, training.feeder
