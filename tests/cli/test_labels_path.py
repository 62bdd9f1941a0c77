"""Several labels an example, as a user types it: from a table to a model, a verdict, predictions and a report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import hamming_loss
from support.command_line import CommandLine
from support.labels import NAMES, labels_csv, labels_recipe

from workbench.recipe.recipe import Recipe

LABELS = ("even", "over4", "loop")


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Handwritten digits with three labels each, of which a few are not known."""
    data = load_digits()
    table = pd.DataFrame(data.data, columns=[f"p{place}" for place in range(64)])
    truth = np.column_stack([data.target % 2 == 0, data.target > 4, np.isin(data.target, [0, 6, 8, 9])])
    labels = pd.DataFrame(truth.astype(float), columns=LABELS)
    labels = labels.mask(np.random.default_rng(0).random(labels.shape) < 0.02)
    pd.concat([table, labels], axis=1).to_csv(tmp_path / "digits.csv", index=False)
    return tmp_path / "digits.csv"


def test_that_a_table_of_labels_becomes_a_model_a_verdict_and_predictions(
    workbench: CommandLine, digits: Path, tmp_path: Path
) -> None:
    recipe, run, out = tmp_path / "recipe.toml", tmp_path / "run", tmp_path / "out.csv"
    told = workbench.well("new", digits, *(word for name in LABELS for word in ("--target", name)), "-o", recipe)
    assert "of which an example may have several" in told.err
    assert Recipe.load(recipe).data.targets == LABELS
    summary = workbench.well("train", recipe, "--run", run, "--set", "training.epochs=10", "--json").json
    assert summary["classes"] == list(LABELS)
    assert summary["errors"]["dev"]["value"] < 0.1

    diagnosis = workbench.well("diagnose", run, "--json").json
    assert diagnosis["task"] == "multilabel"
    assert diagnosis["errors"]["dev"] == summary["errors"]["dev"]

    workbench.well("predict", run, digits, "-o", out)
    predictions, truth = pd.read_csv(out), pd.read_csv(digits)[list(LABELS)]
    assert list(predictions.columns) == [f"{start}_{name}" for start in ("y_pred", "p") for name in LABELS]
    said = predictions[[f"y_pred_{name}" for name in LABELS]].to_numpy()
    chances = predictions[[f"p_{name}" for name in LABELS]].to_numpy()
    assert np.array_equal(said, chances > 0.5)
    known = truth.notna().all(axis=1)
    assert hamming_loss(truth[known].astype(int), said[known]) < 0.07

    metrics = workbench.well("evaluate", run, "--json").json
    assert metrics["splits"]["dev"]["error"] == summary["errors"]["dev"]
    table = workbench.well("evaluate", run, digits).out
    assert "any wrong" in table
    lines = {line.split()[0]: line.split() for line in table.splitlines() if line.strip()}
    known = truth["loop"].notna()
    assert lines["loop"][1:3] == [f"{known.sum():,}", f"{int(truth['loop'].sum()):,}"]


def test_that_predictions_of_labels_with_truth_can_be_diagnosed_again(workbench: CommandLine, tmp_path: Path) -> None:
    recipe, run, out = tmp_path / "recipe.toml", tmp_path / "run", tmp_path / "out.csv"
    data = labels_csv(tmp_path / "t.csv", unknown=0.2)
    recipe.write_text(labels_recipe(data).toml())
    workbench.well("train", recipe, "--run", run)
    workbench.well("predict", run, data, "-o", out, "--with-truth")
    metrics = workbench.well("metrics", out, "--json").json
    again = workbench.well("evaluate", run, data, "--json").json
    assert metrics["overall"]["per_class"] == again["overall"]["per_class"]
    diagnosis = workbench.well("diagnose", out, "--json").json
    assert diagnosis["errors"]["dev"]["n"] == again["overall"]["n"]


def test_that_labels_can_be_predicted_where_some_columns_of_them_are_missing(
    workbench: CommandLine, tmp_path: Path
) -> None:
    recipe, run, out = tmp_path / "recipe.toml", tmp_path / "run", tmp_path / "out.csv"
    data = labels_csv(tmp_path / "t.csv")
    recipe.write_text(labels_recipe(data, epochs=1).toml())
    workbench.well("train", recipe, "--run", run)
    pd.read_csv(data).drop(columns=["odd"]).to_csv(tmp_path / "part.csv", index=False)
    figures = workbench.well("evaluate", run, tmp_path / "part.csv", "--json").json["overall"]["per_class"]
    assert figures["odd"]["error"] is None
    assert figures["low"]["error"]["n"] == 300
    pd.read_csv(data)[["a", "b"]].to_csv(tmp_path / "none.csv", index=False)
    workbench.well("predict", run, tmp_path / "none.csv", "-o", out)
    assert len(pd.read_csv(out)) == 300
    failed = workbench("evaluate", run, tmp_path / "none.csv")
    assert failed.code == 2
    assert "the data do not hold the target 'low', 'high', 'odd'" in failed.err


def test_that_sequences_with_several_labels_become_a_model_and_predictions(
    workbench: CommandLine, tmp_path: Path
) -> None:
    recipe, run, out = tmp_path / "recipe.toml", tmp_path / "run", tmp_path / "out.csv"
    chance = np.random.default_rng(3)
    labels = chance.integers(0, 2, (200, 3))
    waves = chance.normal(scale=0.2, size=(200, 12, 3)) + labels[:, None] * np.linspace(1, 2, 12)[:, None]
    np.savez(tmp_path / "waves.npz", x=waves, y=labels)
    told = workbench.well("new", tmp_path / "waves.npz", "-o", recipe)
    assert "Read as sequences of 12 steps × 3 features" in told.err
    assert "3 columns of yes or no" in told.err
    data = Recipe.load(recipe).data
    assert (data.task, data.targets) == ("multilabel", ("label1", "label2", "label3"))
    summary = workbench.well("train", recipe, "--run", run, "--set", "training.epochs=15", "--json").json
    assert summary["errors"]["dev"]["value"] < 0.05
    workbench.well("predict", run, tmp_path / "waves.npz", "-o", out)
    said = pd.read_csv(out)[[f"y_pred_label{place}" for place in (1, 2, 3)]].to_numpy()
    assert hamming_loss(labels, said) < 0.05


@pytest.mark.parametrize(
    ("targets", "said"), [(("low", "a"), "column 'a' is no label"), (("low", "oops"), "there is no column 'oops'")]
)
def test_that_targets_that_are_no_labels_are_named(
    workbench: CommandLine, tmp_path: Path, targets: tuple[str, ...], said: str
) -> None:
    data = labels_csv(tmp_path / "t.csv", rows=60)
    words = [word for name in targets for word in ("--target", name)]
    failed = workbench("new", data, *words, "-o", tmp_path / "r.toml")
    assert failed.code == 2
    assert said in failed.err
    assert NAMES[0] in targets


def test_that_a_loss_for_another_task_is_told(workbench: CommandLine, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(labels_recipe(labels_csv(tmp_path / "t.csv"), loss="cross_entropy").toml())
    failed = workbench("train", recipe, "--run", tmp_path / "run")
    assert failed.code == 2
    assert "cross_entropy is for classification, and data.task is 'multilabel'" in failed.err
    assert "Use sigmoid_cross_entropy" in failed.err
