"""Bad usage and bad input end with exit code 2 and one message that says what to do; never with a traceback."""

import os
import subprocess
import sys

import numpy as np
import pytest
from support.small_runs import table_recipe, write_table


def refused(result, *texts):
    assert result.code == 2, result
    assert "Traceback" not in result.err
    assert result.err.startswith("workbench: "), "nothing but the message"
    for text in texts:
        assert text in result.err, result.err


def test_that_a_missing_file_is_named(workbench, tmp_path):
    refused(workbench("new", tmp_path / "gone.csv", "-o", tmp_path / "r.toml"), "gone.csv", "no such file")


def test_that_an_empty_table_is_named(workbench, tmp_path):
    (tmp_path / "empty.csv").touch()
    refused(workbench("new", tmp_path / "empty.csv", "-o", tmp_path / "r.toml"), "empty.csv", "empty")


def test_that_ragged_rows_are_named(workbench, tmp_path):
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,u\n3,4,5,6,v\n7,8,w\n1,v\n")
    refused(workbench("new", tmp_path / "t.csv", "-o", tmp_path / "r.toml"), "t.csv", "3", "5")


def test_that_text_among_numbers_is_named_with_its_rows(workbench, tmp_path):
    rows = [f"{number},{'uv'[number % 2]}" for number in range(50)]
    rows[20] = "many,u"
    (tmp_path / "t.csv").write_text("\n".join(["a,y", *rows]))
    refused(workbench("new", tmp_path / "t.csv", "--target", "y", "-o", tmp_path / "r.toml"), "'a'", "many", "22")


def test_that_a_column_can_be_declared_as_the_message_says(workbench, tmp_path):
    rows = [f"{'many' if number == 20 else number % 5},{'uv'[number % 2]}" for number in range(50)]
    (tmp_path / "t.csv").write_text("\n".join(["a,y", *rows]))
    new = ("new", tmp_path / "t.csv", "--target", "y", "-o", tmp_path / "r.toml")
    refused(workbench(*new), "--column COL=category")
    workbench.well(*new, "--column", "a=category")
    result = workbench.well("train", tmp_path / "r.toml", "--run", tmp_path / "run", "--set", "training.epochs=1")
    assert "1 epoch (" in result.out
    refused(workbench(*new, "--force", "--column", "a=category", "--column", "b=number"), "data.columns", "'b'")
    refused(workbench(*new, "--force", "--column", "a"), "--column takes COL=number")


def test_that_data_of_another_shape_are_named(workbench, tmp_path):
    (tmp_path / "r.toml").write_text(table_recipe(write_table(tmp_path), epochs=1).toml())
    workbench.well("train", tmp_path / "r.toml", "--run", tmp_path / "run")
    (tmp_path / "other.csv").write_text("left,kind\n1,a\n2,b\n")
    refused(
        workbench("predict", tmp_path / "run", tmp_path / "other.csv", "-o", tmp_path / "p.csv"), "other.csv: lacks"
    )
    refused(workbench("evaluate", tmp_path / "run", tmp_path / "other.csv"), "other.csv: lacks", "'right'")


def test_that_a_picture_that_is_none_is_named(workbench, tmp_path):
    from PIL import Image

    for kind in ("cat", "dog"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(5):
            Image.new("L", (8, 8)).save(tmp_path / "pets" / kind / f"{number}.png")
    (tmp_path / "pets" / "dog" / "bad.png").write_text("woof")
    refused(workbench("new", tmp_path / "pets", "-o", tmp_path / "r.toml"), "bad.png")


def test_that_a_single_class_is_refused(workbench, tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n" + "1,u\n2,u\n" * 20)
    refused(workbench("new", tmp_path / "t.csv", "--target", "y", "-o", tmp_path / "r.toml"), "class")


def test_that_pickled_objects_are_never_loaded(workbench, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    np.savez(tmp_path / "x.npz", x=np.array([Evil()], dtype=object), y=np.zeros(1))
    refused(workbench("new", tmp_path / "x.npz", "-o", tmp_path / "r.toml"), "pickle")
    assert not (tmp_path / "ran").exists()


def test_that_three_mistakes_of_a_recipe_are_named_at_once(workbench, tmp_path):
    text = table_recipe(write_table(tmp_path)).toml()
    text = text.replace("epochs = 4", "epochs = -4").replace('kind = "adam"', 'kind = "adamm"')
    (tmp_path / "r.toml").write_text(text.replace("units = 12", "unit = 12"))
    result = workbench("train", tmp_path / "r.toml", "--run", tmp_path / "run")
    refused(result, "training.epochs", "training.optimizer", "'adam'", "network.layers[0].unit")
    assert not (tmp_path / "run").exists()


def test_that_a_missing_data_file_is_named_with_the_mistakes(workbench, tmp_path):
    text = table_recipe(tmp_path / "gone.csv").toml().replace("batch_size = 32", "batch_size = 0")
    (tmp_path / "r.toml").write_text(text)
    refused(workbench("train", tmp_path / "r.toml", "--run", tmp_path / "run"), "gone.csv", "training.batch_size")


def test_that_a_network_that_does_not_fit_is_told_at_its_layer(workbench, tmp_path):
    recipe = table_recipe(write_table(tmp_path)).replace("network.layers[1]", {"kind": "conv2d", "name": "conv"})
    (tmp_path / "r.toml").write_text(recipe.toml())
    refused(workbench("train", tmp_path / "r.toml", "--run", tmp_path / "run"), "conv", "picture")


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["explode"], ["'explode'", "verb"]),
        (["train"], ["required"]),
        (["train", "missing.toml", "--run", "x"], ["missing.toml"]),
        (["diagnose"], ["--errors"]),
        (["diagnose", "--errors", "train=7,dev=x"], ["train=7", "dev=x"]),
        (["metrics", "nowhere.csv"], ["nowhere.csv"]),
        (["samples", "cats", "--to", "somewhere"], ["'cats'", "digits"]),
        (["train", "r.toml", "--run", "x", "--threads", "0"], ["1 to 1024"]),
        (["resume", "."], ["no run folder"]),
    ],
)
def test_that_bad_usage_says_what_is_right(workbench, tmp_path, monkeypatch, arguments, texts):
    monkeypatch.chdir(tmp_path)
    refused(workbench(*arguments), *texts)


def test_that_a_wrong_change_is_refused_before_anything_is_written(workbench, tmp_path):
    (tmp_path / "r.toml").write_text(table_recipe(write_table(tmp_path)).toml())
    run = tmp_path / "run"
    refused(workbench("train", tmp_path / "r.toml", "--run", run, "--set", "training.epoch=3"), "epochs")
    refused(workbench("train", tmp_path / "r.toml", "--run", run, "--set", "nonsense"), "PATH=VALUE")
    assert not run.exists()


def test_that_a_folder_in_use_is_not_overwritten(workbench, tmp_path):
    (tmp_path / "r.toml").write_text(table_recipe(write_table(tmp_path)).toml())
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("precious")
    refused(workbench("train", tmp_path / "r.toml", "--run", tmp_path / "run"), "not empty")
    assert (tmp_path / "run" / "thesis.txt").read_text() == "precious"
    refused(workbench("new", tmp_path / "table.csv", "-o", tmp_path / "r.toml"), "exists", "--force")


def test_that_a_diverged_run_ends_with_1_and_says_what_is_safe(workbench, tmp_path):
    recipe = table_recipe(write_table(tmp_path), optimizer={"kind": "sgd", "learning_rate": 1e9}, epochs=50)
    (tmp_path / "r.toml").write_text(recipe.toml())
    result = workbench("train", tmp_path / "r.toml", "--run", tmp_path / "run")
    assert result.code == 1
    assert "checkpoint is kept" in result.err
    assert "smaller learning rate" in result.err


def test_that_without_a_display_one_line_shows_the_way(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment.pop("QT_QPA_PLATFORM")
    done = subprocess.run(
        [sys.executable, "-m", "workbench"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    if sys.platform.startswith("linux"):
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
        assert "workbench train" in done.stderr


def test_that_ctrl_c_keeps_a_checkpoint_and_the_run_goes_on(tmp_path):
    import signal
    import time

    from workbench.store.run_folder import RunFolder

    (tmp_path / "r.toml").write_text(table_recipe(write_table(tmp_path), epochs=1_000_000).toml())
    command = [sys.executable, "-m", "workbench", "train", str(tmp_path / "r.toml"), "--run", str(tmp_path / "run")]
    process = subprocess.Popen([*command, "--threads", "1"], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "run").glob("checkpoints/*-epoch-[1-9]*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "workbench resume" in told
    with RunFolder.open(tmp_path / "run") as folder:
        folder.verify()
        assert folder.load("last").facts["epoch"] > 0
