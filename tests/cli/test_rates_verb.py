"""``rates``: a table, a suggestion and the way to take it; or why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command_line import CommandLine
from support.small_runs import table_recipe, write_table

from workbench.recipe.assignments import read_assignment


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(table_recipe(write_table(tmp_path, rows=600)).toml())
    return path


def test_that_it_suggests_a_rate_that_set_takes_and_writes_nothing(workbench: CommandLine, recipe: Path) -> None:
    before = sorted(recipe.parent.iterdir())
    result = workbench.well("rates", recipe, "--set", "training.optimizer.kind=sgd")
    assert sorted(recipe.parent.iterdir()) == before
    lines = result.out.splitlines()
    assert lines[0].split() == ["learning", "rate", "loss,", "smoothed"]
    assert len(lines) == 1 + 12 + 2
    assert "Steepest fall at" in lines[-2]
    path, value = read_assignment(lines[-1].rpartition("--set ")[2]) or ("", None)
    assert path == "training.optimizer.learning_rate"
    assert lines[-1].startswith(f"Suggested: {value:g} (the recipe has 0.001).")


def test_that_it_says_what_it_computes_with_instead(workbench: CommandLine, recipe: Path) -> None:
    said = workbench.well("rates", recipe, "--device", "cpu", "--set", "training.precision=bfloat16").err
    assert said.count("note: training.precision = bfloat16 is for GPUs: training computes in float32.") == 1


def test_that_json_holds_the_curve_and_the_readings(workbench: CommandLine, recipe: Path) -> None:
    found = workbench.well("rates", recipe, "--from", "1e-5", "--to", "1", "--steps", "120", "--json").json
    assert found["suggested"] == pytest.approx(min(found["steepest"], found["minimum_tenth"]), rel=0.06)
    assert found["minimum_tenth"] == pytest.approx(found["minimum"] / 10)
    assert found["ended"] in ("range", "exploded")
    assert len(found["curve"]) <= 120
    assert found["curve"][0]["rate"] == pytest.approx(1e-5)
    assert set(found["curve"][0]) == {"rate", "loss", "smoothed"}


def test_that_it_says_when_it_cannot_tell(workbench: CommandLine, recipe: Path) -> None:
    result = workbench.well("rates", recipe, "--from", "1e-9", "--to", "1e-8")
    assert "Cannot tell. The loss hardly changes from 1e-09 to 1e-08" in result.out
    found = workbench.well("rates", recipe, "--from", "1e-9", "--to", "1e-8", "--json").json
    assert found["suggested"] is None
    assert found["doubt"]


def test_that_a_range_that_is_none_ends_with_2(workbench: CommandLine, recipe: Path) -> None:
    for arguments in (("--from", "1", "--to", "0.1"), ("--steps", "3"), ("--from", "x")):
        result = workbench("rates", recipe, *arguments)
        assert result.code == 2
        assert "Traceback" not in result.err
        assert result.out == ""
