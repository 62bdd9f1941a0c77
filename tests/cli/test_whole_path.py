"""From data to a trained model, a verdict and predictions, as a user types it."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from support.small_runs import table_recipe, write_numbers, write_sequences, write_table

from workbench.events import EpochDone, RunEnded, event_of_json
from workbench.recipe.recipe import Recipe
from workbench.session.samples import samples


@pytest.fixture
def breast_cancer(tmp_path):
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True)
    table = data.data.assign(diagnosis=np.where(data.target == 1, "benign", "malignant"))
    table.to_csv(tmp_path / "cells.csv", index=False)
    return tmp_path / "cells.csv"


def test_that_a_table_becomes_a_model_a_verdict_and_predictions(workbench, breast_cancer, tmp_path):
    recipe, run, out = tmp_path / "recipe.toml", tmp_path / "run", tmp_path / "out.csv"
    workbench.well("new", breast_cancer, "--target", "diagnosis", "-o", recipe)
    summary = workbench.well("train", recipe, "--run", run, "--set", "training.epochs=10", "--json").json
    assert {"run", "epochs", "best_epoch", "stop_reason", "errors", "examples_per_second", "device", "threads",
            "parameters"} <= summary.keys()  # fmt: skip
    assert summary["errors"]["dev"]["value"] < 0.1

    diagnosis = workbench.well("diagnose", run, "--json").json
    assert diagnosis["errors"]["dev"] == summary["errors"]["dev"]
    assert diagnosis["verdict"] in ("high_bias_high_variance", "high_bias", "high_variance", "good", "undecided")

    workbench.well("predict", run, breast_cancer, "-o", out)
    predictions = pd.read_csv(out)
    assert list(predictions.columns) == ["y_pred", "p_benign", "p_malignant"]
    truth = pd.read_csv(breast_cancer)["diagnosis"]
    assert (predictions["y_pred"] == truth).mean() > 0.9
    np.testing.assert_allclose(predictions[["p_benign", "p_malignant"]].sum(axis=1), 1, atol=1e-5)

    metrics = workbench.well("evaluate", run, "--json").json
    assert metrics["splits"]["dev"]["error"] == summary["errors"]["dev"]
    overall = workbench.well("evaluate", run, breast_cancer, "--json").json["overall"]
    assert overall["accuracy"] == pytest.approx((predictions["y_pred"] == truth).mean())


def test_that_predictions_with_truth_can_be_diagnosed_again(workbench, tmp_path):
    recipe, run, out = tmp_path / "recipe.toml", tmp_path / "run", tmp_path / "out.csv"
    recipe.write_text(table_recipe(write_table(tmp_path)).toml())
    workbench.well("train", recipe, "--run", run)
    workbench.well("predict", run, tmp_path / "table.csv", "-o", out, "--with-truth")
    metrics = workbench.well("metrics", out, "--json").json
    again = workbench.well("evaluate", run, tmp_path / "table.csv", "--json").json
    assert metrics["overall"]["confusion"] == again["overall"]["confusion"]
    assert workbench.well("diagnose", out, "--json").json["errors"]["dev"]["n"] == 240


def test_that_a_number_is_predicted_in_its_unit(workbench, tmp_path):
    recipe, run, out = tmp_path / "recipe.toml", tmp_path / "run", tmp_path / "out.csv"
    workbench.well("new", write_numbers(tmp_path), "--target", "price", "-o", recipe)
    assert Recipe.load(recipe).data.task == "regression"
    summary = workbench.well("train", recipe, "--run", run, "--json").json
    assert summary["errors"]["train"]["value"] < 0.5
    workbench.well("predict", run, tmp_path / "numbers.csv", "-o", out)
    predicted, truth = pd.read_csv(out)["y_pred"], pd.read_csv(tmp_path / "numbers.csv")["price"]
    assert np.corrcoef(predicted, truth)[0, 1] > 0.7
    assert abs(predicted.mean() - truth.mean()) < 5


def test_that_sequences_become_a_model_that_predicts_and_leaves_as_onnx(workbench, tmp_path):
    import onnxruntime

    data, recipe, run = write_sequences(tmp_path), tmp_path / "recipe.toml", tmp_path / "run"
    workbench.well("new", data, "-o", recipe)
    layers = Recipe.load(recipe).network.layers
    assert [layer.kind for layer in layers][:1] == ["conv1d"]
    summary = workbench.well("train", recipe, "--run", run, "--set", "training.epochs=20", "--json").json
    assert summary["errors"]["dev"]["value"] < 0.3

    new, out, model = tmp_path / "new.npy", tmp_path / "out.csv", tmp_path / "model.onnx"
    examples = np.load(data)["x"][:11]
    np.save(new, examples)
    workbench.well("predict", run, new, "-o", out)
    predictions = pd.read_csv(out)
    assert len(predictions) == 11
    overall = workbench.well("evaluate", run, data, "--json").json["overall"]
    assert overall["accuracy"] > 0.8

    workbench.well("export", run, "--format", "onnx", "-o", model)
    session = onnxruntime.InferenceSession(model.read_bytes(), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", 3, 24]
    _, probabilities = session.run(None, {"input": examples.transpose(0, 2, 1)})
    np.testing.assert_allclose(probabilities, predictions[["p_0", "p_1", "p_2"]], atol=1e-5)
    page = tmp_path / "report.html"
    workbench.well("export", run, "--format", "html", "-o", page)
    assert "sequences, 24 steps, 3 features" in page.read_text()

    refused = workbench("predict", run, write_sequences(tmp_path, steps=20, name="short.npz"), "-o", out)
    assert refused.code == 2
    assert "reads sequences of 24 steps × 3 features, this is sequences of 20 steps" in refused.err


@pytest.mark.parametrize("sample", [sample.name for sample in samples()])
def test_that_each_sample_comes_to_its_verdict(workbench, tmp_path, sample):
    expected = {each.name: each.verdict for each in samples()}
    workbench.well("samples", sample, "--to", tmp_path / "sample")
    workbench.well("train", tmp_path / "sample" / "recipe.toml", "--run", tmp_path / "run")
    diagnosis = workbench.well("diagnose", tmp_path / "run", "--json").json
    assert diagnosis["verdict"] == expected[sample]
    knobs = [knob for knob in diagnosis["knobs"] if not knob["later"]]
    assert 1 <= len(knobs) <= 3
    assert {knob["gap"] for knob in knobs} == {diagnosis["focus"]}


def test_that_a_knob_can_be_tried_as_it_is_printed(workbench, tmp_path):
    workbench.well("samples", "digits", "--to", tmp_path / "sample")
    recipe = tmp_path / "sample" / "recipe.toml"
    workbench.well("train", recipe, "--run", tmp_path / "run")
    printed = workbench.well("diagnose", tmp_path / "run").out
    option = next(line.strip() for line in printed.splitlines() if "--set '" in line)
    change = option.removeprefix("--set '").removesuffix("'")
    workbench.well("train", recipe, "--run", tmp_path / "child", "--set", change, "--set", "training.epochs=2")
    before = Recipe.load(tmp_path / "run" / "recipe.toml")
    after = Recipe.load(tmp_path / "child" / "recipe.toml")
    assert len(before.diff(after)) == 2


def test_that_events_come_as_lines_of_json(workbench, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(table_recipe(write_table(tmp_path)).toml())
    result = workbench.well("train", recipe, "--run", tmp_path / "run", "--events", "json")
    events = [event_of_json(line) for line in result.out.splitlines()]
    assert [event.epoch for event in events if isinstance(event, EpochDone)] == [0, 1, 2, 3, 4]
    assert isinstance(events[-1], RunEnded)


def test_that_a_finished_run_is_not_trained_again(workbench, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(table_recipe(write_table(tmp_path)).toml())
    first = workbench.well("train", recipe, "--run", tmp_path / "run", "--json").json
    again = workbench.well("resume", tmp_path / "run", "--json")
    assert again.json == json.loads(json.dumps(first))
    assert "nothing is left" in again.err


def test_that_an_unlabeled_file_cannot_be_evaluated(workbench, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(table_recipe(write_table(tmp_path)).toml())
    workbench.well("train", recipe, "--run", tmp_path / "run")
    with open(tmp_path / "new.csv", "w", newline="") as file:
        csv.writer(file).writerows([["right", "left"], [0.5, -1], [0.1, 2]])
    workbench.well("predict", tmp_path / "run", tmp_path / "new.csv", "-o", tmp_path / "out.csv")
    assert len(pd.read_csv(tmp_path / "out.csv")) == 2
    result = workbench("evaluate", tmp_path / "run", tmp_path / "new.csv")
    assert result.code == 2
    assert "do not hold the target 'kind'" in result.err


def test_that_doctor_tells_devices_threads_and_versions(workbench):
    report = workbench.well("doctor", "--json").json
    assert report["devices"][0]["usable"]
    assert report["threads"]["cores"] >= 1
    assert report["versions"]["numpy"] == np.__version__
    assert "cpu" in workbench.well("doctor").out


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        ("bayes=0.005,human=0.007,train=0.035,dev=0.078", "high_bias_high_variance"),
        ("bayes=0.005,human=0.007,train=0.035,dev=0.040", "high_bias"),
        ("bayes=0.005,human=0.007,train=0.010,dev=0.050", "high_variance"),
        ("bayes=0.005,human=0.007,train=0.008,dev=0.010", "good"),
    ],
)
def test_that_the_lectures_models_get_their_verdicts(workbench, errors, verdict):
    large = workbench.well("diagnose", "--errors", errors, "--sizes", "train=60000,dev=10000", "--json").json
    assert large["verdict"] == verdict
    assert workbench.well("diagnose", "--errors", errors, "--json").json["verdict"] == verdict


@pytest.mark.parametrize("levels", ["", "human=0.007,", "bayes=0.005,human=0.007,"])
@pytest.mark.parametrize("sizes", ["dev=200", "train=200,dev=200", "train=60000,dev=200"])
def test_that_four_against_five_per_cent_of_200_cannot_be_told_apart(workbench, levels, sizes):
    errors = f"{levels}train=0.04,dev=0.05"
    result = workbench.well("diagnose", "--errors", errors, "--sizes", sizes, "--json").json
    assert result["verdict"] == "undecided"
