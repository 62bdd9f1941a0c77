"""Runs that begin with the weights of others: what is measured, kept, resumed and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.finished_runs import finished_run
from support.small_runs import picture_recipe, write_pictures

from workbench.errors import InputError, RecipeError, StoreError
from workbench.events import EpochDone, RunEnded, RunStarted, WeightsLoaded
from workbench.export.formats.base import exporter
from workbench.export.source import ExportSource
from workbench.recipe.recipe import Recipe
from workbench.session.curves import RunCurves
from workbench.session.experiment import job_of
from workbench.session.prepare import prepare
from workbench.session.runner import RunRequest, run_request
from workbench.store.files import sha256
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures and a finished run on them, ``first``."""
    folder = tmp_path_factory.mktemp("start")
    finished_run(picture_recipe(write_pictures(folder)), folder / "first")
    return folder


def _recipe(home: Path, **start: Any) -> Recipe:
    recipe = picture_recipe(home / "pictures.npz", epochs=1, seed=5)
    return recipe.replace("training.start_from", {"path": str(home / "first"), **start})


def _run(recipe: Recipe, folder: Path, **request: Any) -> list[Any]:
    return list(run_request(RunRequest("run", folder, recipe, "cpu", 1, **request), Control()))


def _loaded(events: list[Any]) -> WeightsLoaded:
    return next(event for event in events if isinstance(event, WeightsLoaded))


def test_that_epoch_0_measures_the_weights_that_were_taken(home: Path, tmp_path: Path) -> None:
    events = _run(_recipe(home), tmp_path / "second")
    zero = next(event for event in events if isinstance(event, EpochDone))
    with RunFolder.open(home / "first") as folder:
        last = [event for event in folder.events() if isinstance(event, EpochDone)][-1]
    assert zero.epoch == 0
    assert zero.dev_error == last.dev_error
    assert zero.train_loss == last.train_loss


def test_that_what_was_loaded_is_told_before_the_start_and_stays_in_log_and_summary(home: Path, tmp_path: Path) -> None:
    events = _run(_recipe(home), tmp_path / "second")
    kinds = [type(event) for event in events]
    assert kinds.index(WeightsLoaded) < kinds.index(RunStarted)
    told = _loaded(events)
    with RunFolder.open(home / "first") as folder:
        row = folder.checkpoints()[-1]
    assert (told.source, told.sha256, told.path) == ("first, epoch 3", row.sha256, str(home / "first"))
    assert len(told.taken) == told.count == 8
    assert RunCurves.of(events).weights == told
    with RunFolder.open(tmp_path / "second") as folder:
        assert _loaded(folder.events()) == told
        summary = folder.summary()
    assert summary is not None
    assert summary["start_from"] == {
        "path": str(home / "first"), "source": "first, epoch 3", "sha256": row.sha256, "taken": 8, "of": 8,
    }  # fmt: skip


def test_that_the_rest_is_what_the_seed_says(home: Path, tmp_path: Path) -> None:
    recipe = _recipe(home, layers=["conv*"]).replace("training.epochs", 0)
    plain = recipe.replace("training.start_from", None)
    ended = _run(recipe, tmp_path / "some")
    told = _loaded(ended)
    assert told.taken == ("conv_1.weight", "conv_1.bias")
    assert told.left_out == 6
    _run(plain, tmp_path / "none")
    some, none, first = (
        RunFolder.open(folder).load("last").tensors for folder in (tmp_path / "some", tmp_path / "none", home / "first")
    )
    for name in told.taken:
        np.testing.assert_array_equal(some[name], first[name])
    for name in ("dense_1.weight", "norm_1.weight"):
        np.testing.assert_array_equal(some[name], none[name])


@pytest.mark.parametrize("kind", ["safetensors", "npz", "onnx"])
def test_that_an_exported_file_starts_a_run_as_its_run_does(home: Path, tmp_path: Path, kind: str) -> None:
    with RunFolder.open(home / "first") as folder:
        data = exporter(kind).export(ExportSource(folder)).data
    path = tmp_path / f"model.{kind}"
    path.write_bytes(data)
    by_file = _run(_recipe(home, path=str(path)), tmp_path / "by_file")
    by_run = _run(_recipe(home), tmp_path / "by_run")
    assert _loaded(by_file).source == f"model.{kind}"
    assert _loaded(by_file).sha256 == sha256(data)
    tensors = [RunFolder.open(tmp_path / name).load("last").tensors for name in ("by_file", "by_run")]
    for name, array in tensors[0].items():
        np.testing.assert_array_equal(array, tensors[1][name], err_msg=name)
    assert isinstance(by_run[-1], RunEnded)


def test_that_a_resumed_run_does_not_load_again(home: Path, tmp_path: Path) -> None:
    with RunFolder.open(home / "first") as folder:
        path = tmp_path / "model.safetensors"
        path.write_bytes(exporter("safetensors").export(ExportSource(folder)).data)
    recipe = _recipe(home, path=str(path)).replace("training.epochs", 3)
    whole = finished_run(recipe, tmp_path / "whole")
    control = Control()
    events = run_request(RunRequest("run", tmp_path / "parts", recipe, "cpu", 1), control)
    for event in events:
        if isinstance(event, EpochDone) and event.epoch == 1:
            control.stop()
    path.unlink()
    rest = _run(recipe, tmp_path / "parts", resume=True)
    assert isinstance(rest[-1], RunEnded)
    assert rest[-1].reason == "finished", rest[-1].message
    assert not any(isinstance(event, WeightsLoaded) for event in rest)
    assert rest[-1].summary["start_from"]["source"] == "model.safetensors"
    with RunFolder.open(whole) as one, RunFolder.open(tmp_path / "parts") as other:
        for name, array in one.load("last").tensors.items():
            np.testing.assert_array_equal(array, other.load("last").tensors[name], err_msg=name)


def test_that_frozen_layers_keep_what_they_took(home: Path, tmp_path: Path) -> None:
    recipe = _recipe(home).replace("network.layers[0].frozen", True)
    finished_run(recipe, tmp_path / "second")
    with RunFolder.open(home / "first") as one, RunFolder.open(tmp_path / "second") as other:
        before, after = one.load("last").tensors, other.load("last").tensors
    np.testing.assert_array_equal(before["conv_1.weight"], after["conv_1.weight"])
    assert not np.array_equal(before["dense_1.weight"], after["dense_1.weight"])


def test_that_the_checkpoint_can_be_chosen(home: Path) -> None:
    with RunFolder.open(home / "first") as folder:
        rows = folder.checkpoints()
    for which, row in (("best", next(row for row in rows if row.best)), (str(rows[0].number), rows[0])):
        prepared = prepare(_recipe(home, checkpoint=which), device="cpu", threads=1)
        assert prepared.start is not None
        assert prepared.start.sha256 == row.sha256
    with pytest.raises(InputError, match=r"has no checkpoint '99'.*Name kept, best, last"):
        prepare(_recipe(home, checkpoint="99"), device="cpu", threads=1)


def test_that_weights_that_learned_from_another_split_of_the_data_are_told_to_flatter(
    home: Path, tmp_path: Path
) -> None:
    same = prepare(_recipe(home), device="cpu", threads=1)
    other = prepare(_recipe(home).replace("data.split.seed", 1), device="cpu", threads=1)
    write_pictures(tmp_path)
    elsewhere = _recipe(home).replace({"data.sources[0].path": str(tmp_path / "pictures.npz"), "data.split.seed": 1})
    foreign = prepare(elsewhere, device="cpu", threads=1)
    assert same.start is not None
    assert other.start is not None
    assert foreign.start is not None
    assert same.start.notes == foreign.start.notes == ()
    assert "another split of these data" in other.start.notes[0]
    assert other.start.event("run").notes == other.start.notes


def test_that_what_cannot_be_begun_with_is_said_before_anything_is_written(home: Path, tmp_path: Path) -> None:
    for path, error, text in (
        ("", RecipeError, "names no file or run"),
        (str(tmp_path / "gone.onnx"), InputError, "cannot be read"),
        (str(tmp_path), InputError, "is no run folder"),
    ):
        with pytest.raises(error, match=text):
            prepare(_recipe(home, path=path), device="cpu", threads=1)
    ended = _run(_recipe(home, path=str(tmp_path / "gone.onnx")), tmp_path / "run")[-1]
    assert ended.reason == "failed"
    assert not (tmp_path / "run").exists()


def test_that_a_damaged_checkpoint_is_refused(home: Path, tmp_path: Path) -> None:
    run = finished_run(picture_recipe(home / "pictures.npz", epochs=1), tmp_path / "run")
    for file in (run / "checkpoints").iterdir():
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises((StoreError, InputError), match="damaged"):
        prepare(_recipe(home, path=str(run)), device="cpu", threads=1)


def test_that_weights_are_looked_for_beside_the_recipe(home: Path) -> None:
    recipe = _recipe(home, path="first")
    (home / "recipe.toml").write_text(recipe.toml())
    found = Recipe.load(home / "recipe.toml")
    assert found.training.start_from is not None
    assert Path(found.training.start_from.path) == home / "first"


def test_that_the_report_says_what_was_loaded(home: Path, tmp_path: Path) -> None:
    recipe = _recipe(home).replace("network.layers.dense_1.name", "end")
    run = finished_run(recipe, tmp_path / "second")
    with RunFolder.open(run) as folder:
        told = _loaded(folder.events())
        page = exporter("html").export(ExportSource(folder)).data.decode()
    assert told.sha256 in page
    assert "first, epoch 3: 6 of 8 tensors taken" in page
    assert "end.weight, end.bias" in page
    assert "dense_1.bias, dense_1.weight" in page


def test_that_only_a_fresh_job_begins_with_them(home: Path) -> None:
    prepared = prepare(_recipe(home), device="cpu", threads=1)
    assert job_of(prepared, "run").initial
    assert job_of(prepare(_recipe(home), device="cpu", threads=1, resume=True), "run").initial is None
