"""Figures of several labels an example against scikit-learn, unknown labels, intervals, and the file of predictions."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from workbench.errors import InputError
from workbench.evaluation.intervals import mean_share, wilson_ends
from workbench.evaluation.labels import (
    label_error,
    multilabel_figures,
    paired_label_difference,
    wrong_shares,
)
from workbench.evaluation.metrics import measure
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.predictions_file import parse_predictions, write_predictions

LABELS = ("a", "b", "c", "d")


def labeled(n: int = 300, seed: int = 0, unknown: float = 0.0, weighted: bool = False, **more: Any) -> Predictions:
    """Labels and noisy chances of them."""
    numbers = np.random.default_rng(seed)
    truth = (numbers.random((n, 4)) < [0.5, 0.3, 0.2, 0.08]).astype(float)
    chances = 1 / (1 + np.exp(-(3 * truth - 1.5 + numbers.normal(size=truth.shape))))
    hidden = truth.copy()
    hidden[numbers.random(truth.shape) < unknown] = np.nan
    weight = numbers.uniform(0.1, 2.0, n) if weighted else None
    return Predictions.of_outputs(hidden, chances, LABELS, weight=weight, **more)


@pytest.mark.parametrize("weighted", [False, True])
def test_that_label_figures_agree_with_scikit_learn(weighted: bool) -> None:
    case = labeled(weighted=weighted)
    figures, w = multilabel_figures(case, beta=2.0), case.weight
    pair = case.y_true, case.y_pred
    assert figures.error is not None
    assert figures.any_wrong is not None
    assert figures.error.value == pytest.approx(oracle.hamming_loss(*pair, sample_weight=w))
    assert 1 - figures.any_wrong.value == pytest.approx(oracle.accuracy_score(*pair, sample_weight=w))
    for average in ("micro", "macro"):
        scores = oracle.precision_recall_fscore_support(*pair, average=average, sample_weight=w)[:3]
        for name, score in zip(("precision", "recall", "f1"), scores, strict=True):
            mine = figures.micro[name] if average == "micro" else figures.averages[name].mean
            assert mine == pytest.approx(score)
    assert figures.micro["fbeta"] == pytest.approx(
        oracle.fbeta_score(*pair, beta=2.0, average="micro", sample_weight=w)
    )
    assert case.probabilities is not None
    areas = oracle.roc_auc_score(case.y_true, case.probabilities, average=None, sample_weight=w)
    assert list(figures.roc_by_label.values()) == pytest.approx(areas)
    assert figures.roc_auc == pytest.approx(areas.mean())
    tables = oracle.multilabel_confusion_matrix(*pair, sample_weight=w)
    for name, table in zip(LABELS, tables, strict=True):
        one = figures.by_label[name]
        assert [one.tn, one.fp, one.fn, one.tp] == pytest.approx(table.ravel())
    losses = [oracle.log_loss(case.y_true[:, k], case.probabilities[:, k], sample_weight=w) for k in range(4)]
    assert figures.log_loss == pytest.approx(np.mean(losses))


def test_that_unknown_labels_count_nowhere() -> None:
    case = labeled(unknown=0.3).labeled()
    figures, known = multilabel_figures(case), case.y_true >= 0
    shares = [
        np.mean(row[there] != said[there]) for row, said, there in zip(case.y_true, case.y_pred, known, strict=True)
    ]
    assert figures.error is not None
    assert figures.error.value == pytest.approx(np.mean(shares))
    assert case.probabilities is not None
    for number, name in enumerate(LABELS):
        rows = known[:, number]
        truth, said = case.y_true[rows, number], case.y_pred[rows, number]
        assert figures.by_label[name].ratios["f1"] == pytest.approx(oracle.f1_score(truth, said))
        assert figures.roc_by_label[name] == pytest.approx(
            oracle.roc_auc_score(truth, case.probabilities[rows, number])
        )
        error = figures.errors[name]
        assert error is not None
        assert (error.n, error.value) == (rows.sum(), pytest.approx((truth != said).mean()))


def test_that_examples_without_any_known_label_are_left_out() -> None:
    case = labeled(n=200, unknown=0.6)
    lost = int((case.y_true < 0).all(axis=1).sum())
    assert lost
    metrics = measure(case)
    assert metrics.task == "multilabel"
    assert (metrics.unknown, metrics.overall.n) == (lost, 200 - lost)


def test_that_a_label_that_is_never_there_leaves_its_ratios_undefined() -> None:
    truth = np.array([[1, 0], [0, 0], [1, 0]])
    figures = multilabel_figures(Predictions.of(truth, truth, ("a", "b"), probabilities=truth * 0.8 + 0.1))
    assert figures.by_label["b"].ratios["recall"] is None
    assert figures.roc_by_label == {"a": 1.0, "b": None}
    assert figures.roc_auc is None
    assert figures.averages["recall"].undefined == 1


def test_that_the_error_of_always_saying_no_is_the_share_of_labels_that_are_there() -> None:
    case = labeled(unknown=0.2)
    silent = Predictions.of(case.y_true, np.zeros_like(case.y_true), LABELS)
    error = label_error(silent)
    assert error is not None
    assert multilabel_figures(case).always_no == pytest.approx(error.value)


def test_that_the_tree_of_metrics_is_plain_json() -> None:
    tree = json.loads(json.dumps(measure(labeled(split="dev", distribution="x")).to_json(), allow_nan=False))
    dev = tree["splits"]["dev"]
    assert tree["task"] == "multilabel"
    assert set(dev["per_class"]) == set(LABELS)
    assert {"tp", "fp", "tn", "fn", "precision", "recall", "f1", "roc_auc", "error"} <= set(dev["per_class"]["a"])
    assert set(dev["micro"]) == {"precision", "recall", "f1", "fbeta"}
    assert dev["accuracy"] == pytest.approx(1 - dev["error"]["value"])
    assert tree["by_distribution"]["x"]["dev"]["error"] == dev["error"]


# --- the interval ----------------------------------------------------------------------------------------------------


def _drawn(kind: str, n: int, width: int, rate: float, numbers: np.random.Generator) -> Any:
    if kind == "all together":
        return np.repeat(numbers.random((n, 1)) < rate, width, axis=1).mean(axis=1)
    if kind == "uneven":
        return (numbers.random((n, width)) < np.linspace(0, 2 * rate, width)).mean(axis=1)
    own = numbers.beta(rate * 4, (1 - rate) * 4, (n, 1)) if kind == "by example" else rate
    return (numbers.random((n, width)) < own).mean(axis=1)


@pytest.mark.parametrize("kind", ["independent", "all together", "by example", "uneven"])
@pytest.mark.parametrize(("n", "width", "rate"), [(50, 3, 0.1), (200, 3, 0.02), (200, 14, 0.1), (1000, 14, 0.02)])
def test_that_intervals_hold_the_true_error_however_labels_go_together(
    kind: str, n: int, width: int, rate: float
) -> None:
    numbers = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        found = mean_share(_drawn(kind, n, width, rate, numbers), decisions=width)
        assert found is not None
        held += found.lower <= rate <= found.upper
    assert held >= 0.9 * 400


def test_that_labels_that_go_wrong_together_count_once() -> None:
    together = mean_share((np.arange(200) < 20).astype(float), decisions=10)
    alike = mean_share(np.full(200, 0.1), decisions=10)
    assert together is not None
    assert alike is not None
    assert (together.lower, together.upper) == pytest.approx(wilson_ends(0.1, 200), rel=0.02)
    # Without any variance to go by each example counts as one decision.
    assert (alike.lower, alike.upper) == pytest.approx(wilson_ends(0.1, 200))


def test_that_an_error_of_0_counts_each_example_as_one_decision() -> None:
    found = mean_share(np.zeros(50), decisions=14)
    assert found is not None
    assert (found.value, found.lower, found.upper) == (0.0, *wilson_ends(0.0, 50))


@given(st.lists(st.sampled_from([0.0, 1 / 3, 2 / 3, 1.0]), min_size=1, max_size=60), st.booleans())
def test_that_an_interval_holds_the_measured_mean(shares: list[float], weighted: bool) -> None:
    weights = np.linspace(0.1, 2.0, len(shares)) if weighted else None
    found = mean_share(np.array(shares), weights, 3)
    assert found is not None
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert found.value == pytest.approx(np.average(shares, weights=weights))


def test_that_equal_weights_change_nothing() -> None:
    shares = wrong_shares(labeled())
    plain, weighted = mean_share(shares, None, 4), mean_share(shares, np.full(300, 2.5), 4)
    assert plain is not None
    assert weighted is not None
    assert (plain.value, plain.low, plain.high) == pytest.approx((weighted.value, weighted.low, weighted.high))


def test_that_nothing_is_said_of_no_examples() -> None:
    assert mean_share(np.zeros(0)) is None
    assert mean_share(np.ones(3), np.zeros(3)) is None
    empty = multilabel_figures(labeled(n=4).select(np.zeros(4, bool)))
    assert (empty.error, empty.any_wrong, empty.log_loss, empty.always_no) == (None, None, None, None)


def test_that_a_paired_difference_is_that_of_the_errors_and_narrower_than_without_pairs() -> None:
    before, after = labeled(seed=1), labeled(seed=1)
    better = Predictions.of(before.y_true, np.where(np.arange(300)[:, None] < 30, before.y_true, before.y_pred), LABELS)
    change = paired_label_difference(before, better)
    assert change is not None
    assert change.value == pytest.approx(oracle.hamming_loss(before.y_true, better.y_pred) - wrong_shares(after).mean())
    assert change.upper < 0
    same = paired_label_difference(before, after)
    assert same is not None
    assert (same.value, same.lower, same.upper) == (0, 0, 0)


# --- the file --------------------------------------------------------------------------------------------------------


def _written(predictions: Predictions, **options: Any) -> str:
    file = io.StringIO(newline="")
    write_predictions(predictions, file, **options)
    return file.getvalue()


def test_that_predictions_of_labels_come_back_from_their_file() -> None:
    case = labeled(n=40, unknown=0.2, weighted=True, split="dev")
    text = _written(case)
    head = [f"{start}_{name}" for start in ("y_true", "y_pred", "p") for name in LABELS]
    assert text.partition("\n")[0].split(",") == [*head, "split", "weight", "id"]
    back = parse_predictions(text, "p.csv")
    assert back.task == "multilabel"
    assert back.classes == LABELS
    assert np.array_equal(back.y_true, case.y_true)
    assert np.array_equal(back.y_pred, case.y_pred)
    assert back.probabilities is not None
    assert np.array_equal(back.probabilities, case.probabilities)


def test_that_the_truth_of_all_labels_can_be_left_out() -> None:
    head = _written(labeled(n=2), without={"id", "y_true"}).partition("\n")[0]
    assert head == "y_pred_a,y_pred_b,y_pred_c,y_pred_d,p_a,p_b,p_c,p_d"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y_true_a,y_pred_a,y_true_b\n1,1,0\n", "has no column y_pred_b"),
        ("y_true_a,y_pred_a\n1,\n", r"y_pred_a is empty \(line 2\)"),
        ("y_true_a,y_pred_a\n2,1\nyes,0\n", r"y_true_a is neither 0 nor 1 \(lines 2, 3\)"),
        ("y_true_a,y_pred_a,y_true_b,y_pred_b,p_a\n1,1,0,0,0.5\n", "has no column p_b"),
        ("y_true_a,y_pred_a,p_a\n1,1,1.5\n", "p_a is outside 0 to 1"),
    ],
)
def test_that_files_of_labels_are_doubted(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_predictions(text, "p.csv")
