"""``train --profile``: tables for people, the same figures under ``profile`` in the summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.command_line import CommandLine
from support.small_runs import picture_recipe, write_pictures

SWITCH = pytest.mark.parametrize("kernels", ["on", "off"])


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe of small pictures."""
    path = tmp_path / "recipe.toml"
    path.write_text(picture_recipe(write_pictures(tmp_path), optimizer="adam", ema={"decay": 0.9}).toml())
    return path


def _profile(workbench: CommandLine, recipe: Path, *more: str) -> dict[str, Any]:
    run = recipe.parent / "run"
    summary = workbench.well("train", recipe, "--run", run, "--device", "cpu", "--profile", "--json", *more).json
    assert json.loads((run / "summary.json").read_text())["profile"] == summary["profile"]
    found: dict[str, Any] = summary["profile"]
    return found


@SWITCH
def test_that_layers_and_the_rest_make_up_the_whole_step(
    workbench: CommandLine, recipe: Path, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_KERNELS", kernels)
    found = _profile(workbench, recipe)
    assert [row["kind"] for row in found["layers"]][:2] == ["conv2d", "batch_norm"]
    parts = [*found["layers"], *found["outside"].values()]
    # Steps with and without notes are different ones: it may be more than the whole.
    assert sum(part["us"] for part in parts) >= 0.999 * found["step_us"]
    assert sum(part["share"] for part in parts) >= 0.999
    assert found["layers"][0]["multiply_adds_per_second"] > 0
    assert found["layers"][4]["multiply_adds_per_second"] is None
    assert found["outside"]["feeding"]["us"] > 0
    assert set(found["run_seconds"]) == {"training", "evaluation", "checkpoints"}
    assert found["run_seconds"]["evaluation"] > 0


def test_that_kernels_are_listed_the_longest_first(workbench: CommandLine, recipe: Path) -> None:
    kernels = _profile(workbench, recipe)["kernels"]
    assert [row["us"] for row in kernels] == sorted((row["us"] for row in kernels), reverse=True)
    assert {"conv_forward", "adam_update", "follow_average", "norm_backward"} <= {row["kernel"] for row in kernels}


@pytest.mark.parametrize(
    "setting", ["training.accumulate=2", "training.clip_norm=1.0", "training.optimizer.kind=nadam"]
)
def test_that_every_way_of_updating_can_be_profiled(workbench: CommandLine, recipe: Path, setting: str) -> None:
    found = _profile(workbench, recipe, "--set", setting)
    assert found["steps"] >= 3


def test_that_the_tables_are_printed_for_people(workbench: CommandLine, recipe: Path) -> None:
    out = workbench.well("train", recipe, "--run", recipe.parent / "run", "--profile").out
    assert "A step of 16 examples takes" in out
    assert "layer " in out
    assert "kernel " in out
    assert "The run: training" in out


def test_that_a_resumed_run_can_be_profiled_too(workbench: CommandLine, recipe: Path) -> None:
    assert "--profile" in workbench.well("resume", "--help").out


def test_that_nothing_is_profiled_unasked(workbench: CommandLine, recipe: Path) -> None:
    assert "profile" not in workbench.well("train", recipe, "--run", recipe.parent / "run", "--json").json
