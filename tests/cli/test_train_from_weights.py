"""``train`` with the weights of another run or of a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command_line import CommandLine
from support.small_runs import table_recipe, write_table

from workbench.events import WeightsLoaded, event_of_json


@pytest.fixture
def recipe(workbench: CommandLine, tmp_path: Path) -> Path:
    """A recipe, and beside it the run ``first`` of it."""
    path = tmp_path / "recipe.toml"
    path.write_text(table_recipe(write_table(tmp_path), epochs=2).toml())
    workbench.well("train", path, "--run", tmp_path / "first")
    return path


def test_that_train_says_what_was_taken_and_what_was_not(workbench: CommandLine, recipe: Path, tmp_path: Path) -> None:
    start = ("--set", "training.start_from.path=first")
    result = workbench.well("train", recipe, "--run", tmp_path / "same", *start)
    assert "Begins with first, epoch 2: 4 of 4 tensors taken.\n" in result.err
    wider = ("--set", "network.layers.dense_1.units=13")
    result = workbench("train", recipe, "--run", tmp_path / "none", *start, *wider)
    assert result.code == 0
    assert "Begins with first, epoch 2: 1 of 4 tensors taken.\n" in result.err
    assert "dense_1.weight  13×2  12×2   shape differs" in result.err


def test_that_nothing_in_common_ends_with_2_and_leaves_no_folder(
    workbench: CommandLine, recipe: Path, tmp_path: Path
) -> None:
    changes = [f"training.start_from={{ path = 'first', layers = ['{name}'] }}" for name in ("dense_1", "dens", "d*")]
    changes += ["network.layers.dense_1.units=13"]
    arguments = [part for change in (changes[0], changes[3]) for part in ("--set", change)]
    result = workbench("train", recipe, "--run", tmp_path / "run", *arguments)
    assert result.code == 2
    assert "the shapes differ" in result.err
    result = workbench("train", recipe, "--run", tmp_path / "run", "--set", changes[1])
    assert result.code == 2
    assert "no layer is called 'dens'. There are dense_1" in result.err
    assert not (tmp_path / "run").exists()
    assert workbench.well("train", recipe, "--run", tmp_path / "run", "--set", changes[2])


def test_that_the_event_is_among_the_lines_of_json_and_the_summary_names_the_file(
    workbench: CommandLine, recipe: Path, tmp_path: Path
) -> None:
    file = tmp_path / "first.safetensors"
    workbench.well("export", tmp_path / "first", "--format", "safetensors", "-o", file)
    start = ("--set", "training.start_from.path=first.safetensors")
    result = workbench.well("train", recipe, "--run", tmp_path / "second", *start, "--events", "json", "--json")
    told = [event_of_json(line) for line in result.err.splitlines() if '"event": "WeightsLoaded"' in line]
    assert len(told) == 1
    assert isinstance(told[0], WeightsLoaded)
    assert told[0].taken == ("dense_1.weight", "dense_1.bias", "dense_2.weight", "dense_2.bias")
    assert result.json["start_from"]["sha256"] == told[0].sha256
    assert result.json["start_from"]["source"] == "first.safetensors"


def test_that_a_pickled_model_is_refused_with_the_way_out(workbench: CommandLine, recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"PK")
    result = workbench("train", recipe, "--run", tmp_path / "run", "--set", "training.start_from.path=model.pt")
    assert result.code == 2
    assert "model.pt: holds no weights that can be read" in result.err
    assert "safetensors.torch.save_file" in result.err
