"""What is typed after --set, what goes through pipes, and what is told of runs that failed or are damaged."""

import io
import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from support.data_rig import write_idx
from support.small_runs import SPLIT, table_recipe, write_numbers, write_table

from workbench.events import EpochDone
from workbench.recipe.recipe import Recipe


def written(folder, recipe=None):
    path = folder / "r.toml"
    path.write_text((recipe or table_recipe(write_table(folder), epochs=1)).toml())
    return path


def refused(result, *texts):
    assert result.code == 2, result
    assert "Traceback" not in result.err
    for text in texts:
        assert text in result.err, result.err


@pytest.fixture
def run(workbench, tmp_path):
    """A finished run."""
    workbench.well("train", written(tmp_path), "--run", tmp_path / "run")
    return tmp_path / "run"


def test_that_early_stopping_can_be_switched_off(workbench, tmp_path):
    recipe = written(tmp_path, table_recipe(write_table(tmp_path), epochs=1, early_stopping={"patience": 2}))
    workbench.well("train", recipe, "--run", tmp_path / "run", "--set", "training.early_stopping=none")
    assert Recipe.load(tmp_path / "run" / "recipe.toml").training.early_stopping is None


VARIED = {
    "sgd": {"optimizer": "sgd", "l2": 0.1, "dropout": 0.5},
    "short": {"epochs": 1},
    # Nothing is better by so much: it ends at once, and going on is what may help.
    "stopped early": {"epochs": 50, "early_stopping": {"patience": 1, "min_delta": 0.9}},
    "adamw": {"optimizer": "adamw", "schedule": "cosine", "epochs": 3},
    "diverging": {"optimizer": {"kind": "sgd", "learning_rate": 30.0}, "epochs": 3, "early_stopping": {"patience": 1}},
}


@pytest.mark.parametrize("name", VARIED)
@pytest.mark.parametrize("human", ["0", "0.3"])
def test_that_every_printed_setting_is_taken_by_train(workbench, tmp_path, name, human):
    from workbench.cli.train import changes_of
    from workbench.export.report.sections.advice import commands_of

    recipe = table_recipe(write_table(tmp_path), **VARIED[name])
    workbench.well("train", written(tmp_path, recipe), "--run", tmp_path / "run")
    found = workbench.well("diagnose", tmp_path / "run", "--human", human, "--json").json["knobs"]
    knobs = [knob for knob in found if knob["patch"]]
    assert knobs
    for knob in knobs:
        command = commands_of(knob["patch"])
        if command.startswith("--set"):
            settings = [text for text in shlex.split(command) if text != "--set"]
            assert recipe.replace(changes_of(settings)) == recipe.replace(knob["patch"]), knob["id"]
    printed = workbench.well("diagnose", tmp_path / "run", "--human", human).out
    for line in printed.splitlines():
        if line.strip().startswith("--set"):
            recipe.replace(changes_of(shlex.split(line)[1:]))
    if name == "stopped early":
        assert (
            "training.early_stopping=none"
            in {
                f"{path}={'none' if value is None else value}"
                for knob in knobs
                for path, value in knob["patch"].items()
            }
            or human == "0.3"
        )


def test_that_a_wrong_setting_is_told_as_it_was_typed(workbench, tmp_path):
    settings = ("epochs=abc", "learning_rate=-1", "foo.bar=2", "network.layers.dense_1.units=0", "training.l2=-1")
    arguments = [part for text in settings for part in ("--set", text)]
    result = workbench("train", written(tmp_path), "--run", tmp_path / "run", *arguments)
    refused(
        result,
        "--set epochs: there is no such field. Write training.epochs.",
        "--set learning_rate: there is no such field. Write training.optimizer.learning_rate.",
        "--set foo.bar: there is no field 'foo'",
        "--set network.layers.dense_1.units: must be",
        "--set training.l2: must be at least 0, not -1",
    )
    assert "recipe: " not in result.err


def test_that_shares_that_do_not_add_up_are_told_at_all_settings_that_made_them(workbench, tmp_path):
    arguments = ["--set", "data.split.train=0.9", "--set", "data.split.dev=0.3"]
    result = workbench("train", written(tmp_path), "--run", tmp_path / "run", *arguments)
    refused(result, "--set data.split.train, data.split.dev: train + dev + test must be 1")


def test_that_missing_data_are_named_with_wrong_settings(workbench, tmp_path):
    recipe = written(tmp_path, table_recipe(tmp_path / "gone.csv"))
    result = workbench("train", recipe, "--run", tmp_path / "run", "--set", "training.epochs=abc")
    refused(result, "--set training.epochs: must be a whole number", "gone.csv")
    elsewhere = workbench("train", recipe, "--run", tmp_path / "run", "--set", "data.sources[0].path=3")
    refused(elsewhere, "--set data.sources[0].path: must be a text")
    assert "gone.csv" not in elsewhere.err


def test_that_an_unknown_kind_is_told_at_its_own_setting(workbench, tmp_path):
    settings = ["--set", "training.optimizer.kind=sgdd", "--set", "training.optimizer.learning_rate=0.1"]
    result = workbench("train", written(tmp_path), "--run", tmp_path / "run", *settings)
    refused(result, "--set training.optimizer.kind: 'sgdd' is no optimizer kind")


def test_that_the_kind_and_its_fields_are_set_in_any_order(workbench, tmp_path):
    settings = ["--set", "training.optimizer.beta=0.8", "--set", "training.optimizer.kind=momentum"]
    workbench.well("train", written(tmp_path), "--run", tmp_path / "run", *settings)
    assert Recipe.load(tmp_path / "run" / "recipe.toml").get("training.optimizer") == {
        "kind": "momentum", "learning_rate": 0.001, "beta": 0.8, "dampening": 0.0, "decoupled_weight_decay": 0.0,
    }  # fmt: skip


def test_that_loss_target_and_columns_are_named_together(workbench, tmp_path):
    tree = table_recipe(write_table(tmp_path)).tree()
    tree["training"]["loss"] = {"kind": "mean_squared_error"}
    tree["data"] |= {"target": "gone", "exclude": ["absent"]}
    result = workbench("train", written(tmp_path, Recipe.parse(tree)), "--run", tmp_path / "run")
    refused(result, "training.loss: mean_squared_error is for regression", "'gone'", "'absent'")


def test_that_loss_and_layers_are_named_together(workbench, tmp_path):
    recipe = table_recipe(write_table(tmp_path), loss="mean_squared_error")
    recipe = recipe.replace("network.layers[1]", {"kind": "conv2d", "name": "conv"})
    result = workbench("train", written(tmp_path, recipe), "--run", tmp_path / "run")
    refused(result, "training.loss", "(conv)")
    assert "outputs where" not in result.err, "how many are needed depends on what is changed"


def test_that_a_wrong_split_hides_no_unknown_columns(workbench, tmp_path):
    text = (
        written(tmp_path).read_text().replace("train = 0.6", "train = 0.7").replace("exclude = []", 'exclude = ["x"]')
    )
    (tmp_path / "r.toml").write_text(text)
    result = workbench("train", tmp_path / "r.toml", "--run", tmp_path / "run")
    refused(result, "data.split: train + dev + test must be 1", "there is no column 'x'")


def test_that_predictions_go_to_stdout_and_nothing_else_does(workbench, run, tmp_path):
    workbench.well("predict", run, tmp_path / "table.csv", "-o", tmp_path / "p.csv")
    for name in ("-", "/dev/stdout"):
        assert (
            workbench.well("predict", run, tmp_path / "table.csv", "-o", name).out == (tmp_path / "p.csv").read_text()
        )
    refused(workbench("predict", run, tmp_path / "table.csv", "-o", "-", "--json"), "--json")
    assert not os.path.lexists("-")


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/stdout")
def test_that_what_goes_to_a_pipe_by_its_path_reaches_it(run, tmp_path):
    # By a link of its own: whatever goes wrong here, the machine's /dev/stderr stays what it is.
    stream = tmp_path / "stream"
    stream.symlink_to("/proc/self/fd/2" if os.path.isdir("/proc/self/fd") else "/dev/fd/2")
    command = [sys.executable, "-m", "workbench", "export", str(run), "--format", "npz", "-o", str(stream)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=100)
    assert done.returncode == 0
    assert done.stderr.startswith(b"PK")
    assert stream.is_symlink()


def test_that_predictions_are_read_from_stdin(workbench, run, tmp_path, monkeypatch):
    workbench.well("predict", run, tmp_path / "table.csv", "-o", tmp_path / "p.csv", "--with-truth")
    data = (tmp_path / "p.csv").read_bytes()
    for verb in ("metrics", "diagnose"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        piped = workbench.well(verb, "-", "--json").json
        assert piped == workbench.well(verb, tmp_path / "p.csv", "--json").json
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n1,2\n")))
    refused(workbench("metrics", "-"), "stdin: has no column y_true")


def test_that_a_diverged_run_prints_its_summary_and_is_told_again(workbench, tmp_path):
    recipe = table_recipe(write_table(tmp_path), optimizer={"kind": "sgd", "learning_rate": 1e9}, epochs=50)
    result = workbench("train", written(tmp_path, recipe), "--run", tmp_path / "run", "--json")
    assert result.code == 1
    assert result.json["stop_reason"] == "diverged"
    assert result.json["errors"] == {"train": None, "dev": None, "test": None}
    assert result.json["examples_per_second"] is None
    assert result.json["parameters"] > 0
    contract = ("run", "epochs", "best_epoch", "device", "threads")
    assert set(contract) < set(result.json)
    for verb in ("diagnose", "evaluate"):
        told = workbench(verb, tmp_path / "run")
        refused(told, "diverged at step", "smaller learning rate")
        assert "Finish it" not in told.err


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_that_a_run_without_room_on_the_disk_prints_that_it_failed(tmp_path):
    recipe = written(tmp_path, table_recipe(write_table(tmp_path), epochs=3).replace("network.layers[0].units", 4000))
    script = (
        "import resource, signal, sys; from workbench.__main__ import main; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000));"
        f"sys.exit(main(['train', {str(recipe)!r}, '--run', {str(tmp_path / 'run')!r}, '--json', '--threads', '1']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["stop_reason"] == "failed"
    assert "disk is full" in done.stderr


def _cut(path):
    path.write_bytes(path.read_bytes()[:100])


DAMAGE = {
    "checkpoints": lambda run: [_cut(path) for path in (run / "checkpoints").iterdir()],
    "encoder": lambda run: (run / "encoder.json").unlink(),
    "log": lambda run: (run / "run.sqlite").write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 16),
    "predictions": lambda run: _cut(run / "predictions.safetensors"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_that_a_damaged_run_is_bad_input(workbench, run, tmp_path, damage):
    DAMAGE[damage](run)
    verbs = {
        "predict": ("predict", run, tmp_path / "table.csv", "-o", tmp_path / "p.csv"),
        "diagnose": ("diagnose", run),
        "resume": ("resume", run),
    }
    concerned = {"checkpoints": ["predict"], "encoder": ["predict", "diagnose"], "predictions": ["diagnose"]}
    for verb in concerned.get(damage, list(verbs)):
        refused(workbench(*verbs[verb]), str(run))


def test_that_an_unfinished_run_with_a_damaged_checkpoint_is_bad_input_to_resume(workbench, tmp_path):
    from support.small_runs import train

    from workbench.session.prepare import prepare
    from workbench.store.run_folder import RunFolder
    from workbench.training.control import Control

    prepared, control = prepare(table_recipe(write_table(tmp_path), epochs=50), device="cpu", threads=1), Control()
    with RunFolder.create(tmp_path / "run", prepared.recipe) as folder:
        folder.write("encoder.json", prepared.dataset.encoder.to_json().encode())
        _, events = train(prepared, folder, control)
        for number, _ in enumerate(events):
            if number == 20:
                control.stop()
    DAMAGE["checkpoints"](tmp_path / "run")
    refused(workbench("resume", tmp_path / "run"), "is damaged")


def test_that_a_run_that_goes_on_elsewhere_says_what_it_computes_with_instead(workbench, tmp_path):
    from workbench.session.experiment import run_experiment
    from workbench.session.prepare import prepare
    from workbench.store.run_folder import RunFolder
    from workbench.training.control import Control

    recipe = table_recipe(write_table(tmp_path), epochs=4).replace({"training.precision": "bfloat16"})
    prepared, control = prepare(recipe, device="cpu", threads=1), Control()
    # As on a device that has the precision, which had nothing to say.
    prepared = replace(prepared, notices=())
    with RunFolder.create(tmp_path / "run", recipe) as folder:
        for event in run_experiment(prepared, folder, "run", control):
            if isinstance(event, EpochDone) and event.epoch == 1:
                control.stop()
    said = workbench.well("resume", tmp_path / "run", "--device", "cpu").err
    assert said.count("training.precision = bfloat16 is for GPUs") == 1


def test_that_a_test_file_alone_is_divided(workbench, tmp_path):
    random = np.random.default_rng(0)
    pictures, labels = tmp_path / "t10k-images-idx3-ubyte", tmp_path / "t10k-labels-idx1-ubyte"
    write_idx(pictures, random.integers(0, 256, (60, 6, 6)))
    write_idx(labels, np.arange(60) % 3)
    workbench.well("new", pictures, labels, "-o", tmp_path / "r.toml")
    workbench.well("train", tmp_path / "r.toml", "--run", tmp_path / "run", "--set", "training.epochs=1")


def test_that_a_folder_of_arrays_is_taken_as_its_files(workbench, tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "arrays").mkdir()
    np.save(tmp_path / "arrays" / "X.npy", random.normal(size=(60, 4)))
    np.save(tmp_path / "arrays" / "y.npy", np.arange(60) % 3)
    (tmp_path / "arrays" / "README.txt").write_text("what it is")
    workbench.well("new", tmp_path / "arrays", "-o", tmp_path / "r.toml")
    (source,) = Recipe.load(tmp_path / "r.toml").data.sources
    assert (source.path.endswith("X.npy"), (source.labels or "").endswith("y.npy")) == (True, True)
    workbench.well("train", tmp_path / "r.toml", "--run", tmp_path / "run", "--set", "training.epochs=1")


def test_that_a_folder_of_something_else_is_still_refused(workbench, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "README.txt").write_text("nothing")
    refused(workbench("new", tmp_path / "notes", "-o", tmp_path / "r.toml"), "holds neither")


def test_that_bare_errors_come_with_patches_that_need_no_recipe(workbench):
    told = workbench.well("diagnose", "--errors", "human=0.007,train=0.035,dev=0.078", "--json").json
    patches = {knob["id"]: knob["patch"] for knob in told["knobs"]}
    assert patches["more_l2"] == {"training.l2": 1e-4}
    assert patches["more_dropout"] == {"training.dropout": 0.2}
    assert patches["better_optimizer"]["training.optimizer"]["kind"] == "adam"
    assert patches["early_stopping"]["training.early_stopping"]["patience"] == 5
    assert patches["bigger_network"] == {}


def test_that_a_verb_of_a_later_version_is_called_that(workbench):
    refused(workbench("search", "r.toml", "--space", "s.toml"), "'search' comes in a later version")


def test_that_regression_takes_its_settings_too(workbench, tmp_path):
    tree = {
        "sources": [{"path": str(write_numbers(tmp_path))}],
        "target": "price",
        "task": "regression",
        "split": SPLIT,
    }
    layers = [{"kind": "dense", "units": "classes"}]
    recipe = Recipe.parse({"data": tree, "network": {"layers": layers}, "training": {"loss": "mean_squared_error"}})
    settings = ["--set", "training.loss.kind=mean_absolute_error", "--set", "training.epochs=1"]
    workbench.well("train", written(tmp_path, recipe), "--run", tmp_path / "run", *settings)
