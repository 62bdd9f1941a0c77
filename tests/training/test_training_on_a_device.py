"""Trainings on a stand-in for a GPU, which refuses what CuPy refuses: the same numbers as on the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.layer_rig import assert_close
from support.loss_rig import CASES as LOSSES
from support.small_runs import picture_recipe, table_recipe, train, write_numbers, write_pictures, write_table
from support.standin.module import stand_in

from workbench.engine.backend import Backend
from workbench.engine.device import KERNELS_SWITCH
from workbench.evaluation.predictor import Model, Predictor
from workbench.events import EpochDone, Event, LayersDone, RunEnded, StepDone
from workbench.recipe.kinds import AugmentSpec, LossSpec, OptimizerSpec
from workbench.recipe.recipe import Recipe
from workbench.session.experiment import run_experiment
from workbench.session.prepare import prepare
from workbench.session.rates import range_test
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control
from workbench.training.loop import Training

Array = np.ndarray[Any, Any]


_MEASURED = StepDone, EpochDone, LayersDone


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    # What kernels round otherwise, a bias before a batch norm shows as noise.
    monkeypatch.setenv(KERNELS_SWITCH, "off")


def trained(recipe: Recipe, folder: Path, device: str) -> tuple[Training, list[Event]]:
    """A training to the end, with its events."""
    prepared = prepare(recipe, device=device, threads=1)
    with RunFolder.create(folder / device, recipe) as run:
        training, events = train(prepared, run)
        return training, list(events)


def assert_alike(recipe: Recipe, folder: Path, tolerance: float = 1e-4) -> None:
    """On both devices the same weights, and the same events but for their times."""
    (here, events), (there, expected) = (trained(recipe, folder, device) for device in ("cuda", "cpu"))
    assert here.job.backend.name == "cuda"
    found = here.parameters.export()
    for name, values in there.parameters.export().items():
        assert_close(found[name], values, tolerance, name)
    # How often is saved depends on the time.
    measured = [[event for event in side if isinstance(event, _MEASURED)] for side in (events, expected)]
    assert [type(event) for event in measured[0]] == [type(event) for event in measured[1]]
    for one, other in zip(*measured, strict=True):
        if isinstance(one, StepDone) and isinstance(other, StepDone):
            assert one.loss == pytest.approx(other.loss, rel=tolerance, abs=tolerance)
            assert one.gradient_norms == pytest.approx(other.gradient_norms, rel=10 * tolerance, abs=tolerance)
        if isinstance(one, EpochDone) and isinstance(other, EpochDone):
            assert one.epoch == 0 or one.running_loss == pytest.approx(other.running_loss, rel=tolerance)
            assert (one.train_error, one.dev_error) == (other.train_error, other.dev_error)
        if isinstance(one, LayersDone) and isinstance(other, LayersDone):
            assert one.flat_units == pytest.approx(other.flat_units, nan_ok=True)


@pytest.mark.parametrize("kind", sorted(OptimizerSpec.kinds()))
def test_that_every_optimizer_trains_on_a_device(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)
    assert_alike(table_recipe(write_table(tmp_path), optimizer=kind, epochs=2), tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"l2": 0.01, "l1": 0.001, "clip_norm": 0.5, "clip_value": 0.2},
        {"max_norm": 0.8, "optimizer": {"kind": "adamw", "weight_decay": 0.1}},
        {"ema": {"decay": 0.9}, "accumulate": 3, "dropout": 0.2},
        {"schedule": {"kind": "reduce_on_plateau"}, "early_stopping": {"patience": 1}, "epochs": 5},
    ],
    ids=["penalties", "limits", "averages", "reacting"],
)
def test_that_all_settings_act_on_a_device(
    fields: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch)
    assert_alike(table_recipe(write_table(tmp_path), **fields), tmp_path)


@pytest.mark.parametrize("case", sorted(LOSSES))
def test_that_every_loss_is_minimized_on_a_device(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)
    loss = {"kind": LOSSES[case].kind, **LOSSES[case].fields}
    kind: Any = LossSpec.kinds()[LOSSES[case].kind]
    if kind.task == "regression":
        path, target = write_numbers(tmp_path), {"target": "price", "task": "regression"}
    else:
        path, target = write_table(tmp_path), {"target": "kind"}
        if LOSSES[case].width == 1:
            path.write_text(path.read_text().replace(",c\n", ",a\n"))
    recipe = Recipe.parse(
        {
            "data": {"sources": [{"path": str(path)}], **target},
            "network": {"layers": [{"kind": "dense", "units": 6}, "activation", {"kind": "dense", "units": "classes"}]},
            "training": {"epochs": 2, "loss": loss, "batch_size": 32},
        }
    )
    assert_alike(recipe, tmp_path)


@pytest.mark.parametrize("kind", sorted(AugmentSpec.kinds()))
def test_that_every_augmentation_acts_on_a_device(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)
    recipe = picture_recipe(write_pictures(tmp_path), epochs=1)
    assert_alike(recipe.replace({"data.augment": [{"kind": kind}]}), tmp_path, 1e-3)


def test_that_a_finished_run_predicts_and_is_profiled_on_a_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, _ = stand_in(monkeypatch)
    monkeypatch.setattr("workbench.training.profile._SECONDS", 0.1)
    recipe = picture_recipe(write_pictures(tmp_path), epochs=1)
    prepared = prepare(recipe, device="cuda", threads=1)
    with RunFolder.create(tmp_path / "run", recipe) as folder:
        *_, ended = run_experiment(prepared, folder, "run", Control(), profile=True)
    assert isinstance(ended, RunEnded)
    assert ended.summary["device"] == "cuda"
    assert {row["layer"] for row in ended.summary["profile"]["layers"]} >= {"conv_1", "dense_1"}
    model, inputs = Model.open(tmp_path / "run"), prepared.dataset.inputs[:9]
    with Predictor(model, backend) as here, Predictor(model, Backend()) as there:
        assert_close(here.predict(inputs), there.predict(inputs), 1e-5)


def test_that_learning_rates_are_tried_out_on_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)
    recipe = table_recipe(write_table(tmp_path), accumulate=2)
    found, expected = (range_test(prepare(recipe, device=device, threads=1), steps=40) for device in ("cuda", "cpu"))
    assert found.losses == pytest.approx(expected.losses, rel=1e-4)
    assert found.suggestion == expected.suggestion
