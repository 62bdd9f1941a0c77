"""What looks unhealthy while training is said on the command line when it is first seen."""

from __future__ import annotations

from support.small_runs import table_recipe, write_table


def test_that_a_training_that_looks_unhealthy_is_said_once_and_is_in_the_diagnosis(workbench, tmp_path):
    rate = {"kind": "sgd", "learning_rate": 1e-7}
    recipe, run = tmp_path / "recipe.toml", tmp_path / "run"
    recipe.write_text(table_recipe(write_table(tmp_path), epochs=30, optimizer=rate).toml())
    said = workbench.well("train", recipe, "--run", run).err
    assert said.count("warning: Small updates at dense_1 since epoch") == 1
    assert "Raise the learning rate." in said
    diagnosis = workbench.well("diagnose", run, "--json").json
    (finding,) = [one for one in diagnosis["findings"] if one["id"] == "small_updates"]
    assert finding["measured"]["layers"] == ["dense_1", "dense_2"]
    assert finding["measured"]["update_ratio"] < 1e-5
    (knob,) = [one for one in diagnosis["knobs"] if one["id"].startswith("small_updates")]
    assert knob["patch"] == {"training.optimizer.learning_rate": 3e-7}


def test_that_a_healthy_training_says_nothing_of_it(workbench, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(table_recipe(write_table(tmp_path), epochs=30).toml())
    assert "warning" not in workbench.well("train", recipe, "--run", tmp_path / "run").err
