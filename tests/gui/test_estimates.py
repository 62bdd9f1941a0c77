"""The estimate in the bottom bar: from the recipe alone, made in the background, never beside a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.finished_runs import regression_recipe
from support.small_runs import table_recipe, write_numbers, write_table

from workbench.gui.data_facts import DataFacts
from workbench.gui.estimates import Estimate, Estimates, estimate, estimate_text
from workbench.gui.workspace import Workspace
from workbench.recipe.recipe import Recipe

LONG = 20_000
_FACTS = DataFacts((2,), classes=("a", "b", "c"), sizes={"train": 144, "dev": 48, "test": 48})


def _opened(workspace: Workspace, qtbot: Any, recipe: Recipe) -> None:
    workspace.open_recipe(recipe, "small")
    qtbot.waitUntil(lambda: workspace.data.dataset is not None, timeout=LONG)


def test_that_the_words_name_time_and_memory() -> None:
    assert estimate_text(Estimate(3.2, 40_000_000)).replace("\u00a0", " ") == "≈ 3.2 s an epoch · 40.0 MB"
    assert estimate_text(Estimate(0.004, 900)).replace("\u00a0", " ") == "under 0.1 s an epoch · 900 B"
    assert estimate_text(Estimate(None, 12_000_000_000)).replace("\u00a0", " ") == "12.0 GB"


def test_that_some_steps_are_timed_on_the_cpu(tmp_path: Path) -> None:
    recipe = table_recipe(write_table(tmp_path))
    found = estimate(recipe, _FACTS, 1)
    assert found is not None
    assert found.seconds is not None
    assert found.seconds > 0
    assert found.bytes > 0


def test_that_numbers_are_estimated_too(tmp_path: Path) -> None:
    facts = DataFacts((3,), task="regression", sizes={"train": 120, "dev": 40})
    found = estimate(regression_recipe(write_numbers(tmp_path)), facts, 1)
    assert found is not None
    assert found.seconds is not None


def test_that_timing_ends_when_a_run_begins(tmp_path: Path) -> None:
    asked = iter([True, True, False])
    assert estimate(table_recipe(write_table(tmp_path)), _FACTS, 1, lambda: next(asked)) is None


def test_that_a_network_that_would_fill_the_memory_is_not_tried_out(tmp_path: Path) -> None:
    layers = [{"kind": "dense", "units": 60_000}, {"kind": "dense", "units": 60_000}, {"kind": "dense", "units": 3}]
    recipe = table_recipe(write_table(tmp_path)).replace({"network.layers": layers})
    found = estimate(recipe, _FACTS, 1)
    assert found is not None
    assert found.seconds is None
    assert found.bytes > 10_000_000_000


def test_that_the_estimate_comes_by_itself_and_goes_with_a_mistake(
    workspace: Workspace, qtbot: Any, tmp_path: Path
) -> None:
    estimates = Estimates(workspace)
    assert estimates.text == ""
    _opened(workspace, qtbot, table_recipe(write_table(tmp_path)))
    qtbot.waitUntil(lambda: "an epoch" in estimates.text, timeout=LONG)
    workspace.document.set("training.loss", {"kind": "mean_squared_error"})
    assert workspace.document.problems
    assert estimates.text == ""
    workspace.document.undo_stack.undo()
    assert "an epoch" in estimates.text
    estimates.close()


def test_that_nothing_is_tried_out_beside_a_run(workspace: Workspace, qtbot: Any, tmp_path: Path) -> None:
    _opened(workspace, qtbot, table_recipe(write_table(tmp_path), epochs=100_000))
    estimates = Estimates(workspace)
    number = workspace.train()
    qtbot.waitUntil(lambda: workspace.runs.curves(number).started is not None, timeout=LONG)
    workspace.document.set("training.batch_size", 16)
    assert not estimates._timer.isActive()
    workspace.runs.stop(number)
    qtbot.waitUntil(lambda: not workspace.runs.busy(), timeout=LONG)
    qtbot.waitUntil(lambda: "an epoch" in estimates.text, timeout=LONG)
    estimates.close()


def test_that_a_closed_estimate_says_no_more(workspace: Workspace, qtbot: Any, tmp_path: Path) -> None:
    estimates = Estimates(workspace)
    _opened(workspace, qtbot, table_recipe(write_table(tmp_path)))
    estimates.close()
    workspace.document.set("training.batch_size", 16)
    assert not estimates._timer.isActive()
    assert estimates.text == ""


def test_that_of_a_gpu_the_memory_is_told_with_the_data(workspace: Workspace, qtbot: Any, tmp_path: Path) -> None:
    estimates, runs = Estimates(workspace), workspace.runs
    workspace.open_recipe(table_recipe(write_table(tmp_path)), "small")
    qtbot.waitUntil(lambda: "an epoch" in estimates.text, timeout=LONG)
    runs.has_gpu = True
    runs.deviceChanged.emit()
    qtbot.waitUntil(lambda: "on the GPU" in estimates.text, timeout=LONG)
    assert estimates.text.endswith("kB on the GPU, with the data")
    found = [estimate(workspace.document.recipe, _FACTS, 1, data_on_gpu=data) for data in (0, 1_000_000)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[1].bytes - found[0].bytes == 1_000_000
    runs.device = "cpu"
    runs.deviceChanged.emit()
    assert "an epoch" in estimates.text
    estimates.close()
