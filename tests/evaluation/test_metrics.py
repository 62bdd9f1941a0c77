"""Classification figures against scikit-learn, the lecture's formulas and their undefined cases."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from workbench.errors import InputError
from workbench.evaluation.calibration import calibration_of
from workbench.evaluation.confusion import AVERAGED, averages_of, class_figures, confusion_matrix, ratios_of
from workbench.evaluation.intervals import wilson_ends
from workbench.evaluation.metrics import classification_figures, log_loss, measure
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.ranking import roc_areas, roc_auc, roc_curve


def _case(n=400, k=4, seed=0, weighted=False, digits=None):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    logits = rng.normal(0, 1, (n, k)) + 1.5 * np.eye(k)[y]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if digits is not None:  # many ties
        rounded = np.round(probabilities, digits) + 0.05
        probabilities = rounded / rounded.sum(axis=1, keepdims=True)
    weight = rng.uniform(0.1, 2, n) if weighted else None
    names = [f"c{i}" for i in range(k)]
    return Predictions.of(y, probabilities.argmax(axis=1), names, probabilities=probabilities, weight=weight)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [2, 5])
def test_that_figures_agree_with_scikit_learn(k, weighted):
    case = _case(k=k, weighted=weighted)
    figures = classification_figures(case, beta=2.0)
    pair, w = (case.y_true, case.y_pred), case.weight
    np.testing.assert_allclose(figures.confusion, oracle.confusion_matrix(*pair, sample_weight=w))
    assert figures.accuracy == pytest.approx(oracle.accuracy_score(*pair, sample_weight=w))
    precision, recall, f1, support = oracle.precision_recall_fscore_support(*pair, sample_weight=w)
    fbeta = oracle.fbeta_score(*pair, beta=2.0, average=None, sample_weight=w)
    for index, figure in enumerate(figures.by_class.values()):
        assert figure.ratios["precision"] == pytest.approx(precision[index])
        assert figure.ratios["recall"] == pytest.approx(recall[index])
        assert figure.ratios["f1"] == pytest.approx(f1[index])
        assert figure.ratios["fbeta"] == pytest.approx(fbeta[index])
        assert figure.support == pytest.approx(support[index])
        one = (case.y_true == index, case.y_pred == index)
        plus, minus = oracle.class_likelihood_ratios(*one, sample_weight=w)
        assert figure.ratios["lr_plus"] == pytest.approx(plus)
        assert figure.ratios["lr_minus"] == pytest.approx(minus)
        assert figure.ratios["dor"] == pytest.approx(plus / minus)
    for name, value in (("precision", precision), ("recall", recall), ("f1", f1), ("fbeta", fbeta)):
        assert figures.averages[name].mean == pytest.approx(value.mean())
        assert figures.averages[name].harmonic == pytest.approx(1 / np.mean(1 / value))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("digits", [None, 1])
def test_that_probability_scores_agree_with_scikit_learn(k, weighted, digits):
    case = _case(k=k, weighted=weighted, digits=digits)
    scores = case.probabilities[:, 1] if k == 2 else case.probabilities
    expected = oracle.roc_auc_score(
        case.y_true, scores, multi_class="ovr", sample_weight=case.weight, labels=range(k) if k > 2 else None
    )
    assert roc_auc(case) == pytest.approx(expected)
    expected = oracle.log_loss(case.y_true, case.probabilities, sample_weight=case.weight, labels=range(k))
    assert log_loss(case) == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=60))
def test_that_the_roc_curve_does_not_depend_on_order_and_counts_ties_as_half(rows):
    positive, scores, weight = (np.array(column) for column in zip(*rows, strict=True))
    curve = roc_curve(scores.astype(float), positive, weight.astype(float))
    turned = roc_curve(scores[::-1].astype(float), positive[::-1], weight[::-1].astype(float))
    if positive.all() or not positive.any():
        assert curve is None
        return
    assert curve.area == pytest.approx(turned.area)
    above = scores[positive][:, None] - scores[~positive][None, :]
    pairs = weight[positive][:, None] * weight[~positive][None, :]
    expected = (pairs * ((above > 0) + 0.5 * (above == 0))).sum() / pairs.sum()
    assert curve.area == pytest.approx(expected)


def test_that_the_area_is_undefined_where_a_class_does_not_occur():
    case = _case(k=3).select(np.flatnonzero(_case(k=3).y_true != 2))
    assert roc_areas(case)["c2"] is None
    assert roc_auc(case) is None


@settings(max_examples=60)
@given(st.integers(1, 200), st.integers(2, 5), st.integers(0, 50), st.booleans())
def test_that_the_calibration_error_is_the_mean_distance_of_the_bins(n, k, seed, weighted):
    case = _case(n, k, seed, weighted)
    confidence = case.probabilities.max(axis=1)
    weight = np.ones(n) if case.weight is None else case.weight
    expected = 0.0
    for i in range(15):
        inside = (confidence > i / 15) & (confidence <= (i + 1) / 15)
        if inside.any():
            right = np.average(case.y_true[inside] == case.y_pred[inside], weights=weight[inside])
            expected += (
                weight[inside].sum()
                / weight.sum()
                * abs(right - np.average(confidence[inside], weights=weight[inside]))
            )
    found = calibration_of(case)
    assert found.error == pytest.approx(expected)
    assert sum(b.count for b in found.bins) == n
    assert sum(b.weight for b in found.bins) == pytest.approx(1)


def test_that_the_reliability_plot_agrees_with_scikit_learn():
    case = _case(2000, 2)
    sure = Predictions.of(case.y_true, np.ones(case.n, int), ["a", "b"], probabilities=case.probabilities)
    share, mean = calibration_curve(case.y_true == 1, case.probabilities[:, 1], n_bins=15)
    bins = [b for b in calibration_of(sure).bins if b.count]
    np.testing.assert_allclose([b.accuracy.value for b in bins], share)
    np.testing.assert_allclose([b.confidence for b in bins], mean)


def test_that_a_confidence_of_one_and_of_zero_has_a_bin():
    case = Predictions.of([0, 1], [0, 0], ["a", "b"], probabilities=np.array([[1.0, 0.0], [0.0, 1.0]]))
    bins = calibration_of(case).bins
    assert (bins[-1].count, bins[0].count) == (1, 1)


def test_that_the_lecture_s_classifiers_get_their_f1():
    # Precision and recall of classifiers A, B, C: 92.90 %, 92.73 %, 93.50 %.
    for precision, recall, expected in ((0.96, 0.90, 0.9290), (0.98, 0.88, 0.9273), (0.94, 0.93, 0.9350)):
        tp = 10_000 * recall
        ratios = ratios_of(tp, tp / precision - tp, 50_000, 10_000 - tp)
        assert ratios["f1"] == pytest.approx(expected, abs=5e-5)


@given(*[st.integers(0, 30)] * 4, st.sampled_from([0.5, 1.0, 2.0]))
def test_that_ratios_are_the_formulas_and_undefined_exactly_where_something_is_divided_by_0(tp, fp, tn, fn, beta):
    ratios = ratios_of(tp, fp, tn, fn, beta)
    expected = {
        "precision": (tp, tp + fp),
        "recall": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "npv": (tn, tn + fn),
        "fpr": (fp, fp + tn),
        "fnr": (fn, fn + tp),
        "fdr": (fp, fp + tp),
        "for": (fn, fn + tn),
        "f1": (2 * tp, 2 * tp + fp + fn),
        "fbeta": ((1 + beta**2) * tp, (1 + beta**2) * tp + beta**2 * fn + fp),
        "lr_plus": (tp * (fp + tn), fp * (tp + fn)),
        "lr_minus": (fn * (fp + tn), tn * (tp + fn)),
        "dor": (tp * tn, fp * fn),
        "prevalence": (tp + fn, tp + fp + tn + fn),
    }
    assert ratios.keys() == expected.keys()
    for name, (part, whole) in expected.items():
        if whole == 0:
            assert ratios[name] is None, name
        else:
            assert ratios[name] == pytest.approx(part / whole), name


@given(*[st.integers(1, 50)] * 4)
def test_that_complements_add_up_to_one(tp, fp, tn, fn):
    r = ratios_of(tp, fp, tn, fn)
    for one, other in (("precision", "fdr"), ("recall", "fnr"), ("specificity", "fpr"), ("npv", "for")):
        assert r[one] + r[other] == pytest.approx(1)
    assert r["dor"] == pytest.approx(r["lr_plus"] / r["lr_minus"])


def test_that_averages_leave_undefined_classes_out_and_say_so():
    case = Predictions.of([0, 0, 1, 1], [0, 0, 0, 1], ["a", "b", "never"])
    figures = class_figures(case, confusion_matrix(case), 1.0)
    averages = averages_of(figures)
    assert figures["never"].ratios["precision"] is None
    assert figures["never"].precision is None
    assert averages["precision"].mean == pytest.approx((2 / 3 + 1) / 2)
    assert averages["precision"].undefined == 1
    assert averages["recall"].mean == pytest.approx(0.75)


def test_that_a_class_never_predicted_has_an_f1_of_0_and_so_the_harmonic_mean():
    case = Predictions.of([0, 0, 1], [0, 0, 0], ["a", "b"])
    figures = classification_figures(case)
    assert figures.by_class["b"].ratios["f1"] == 0
    assert figures.averages["f1"].harmonic == 0
    assert figures.by_class["b"].ratios["precision"] is None


def test_that_error_precision_and_recall_have_wilson_intervals():
    case = _case(300, 3)
    figures = classification_figures(case)
    wrong = int((case.y_true != case.y_pred).sum())
    assert (figures.error.low, figures.error.high) == pytest.approx(wilson_ends(wrong / 300, 300))
    figure = figures.by_class["c1"]
    assert (figure.recall.low, figure.recall.high) == pytest.approx(
        wilson_ends(figure.tp / figure.support, figure.support)
    )


def test_that_metrics_come_by_set_and_distribution():
    rng = np.random.default_rng(0)
    base = _case(90, 3)
    split = np.array(["train", "dev", ""], dtype=object)[rng.integers(0, 3, 90)]
    where = np.array(["shop", "phone"], dtype=object)[rng.integers(0, 2, 90)]
    case = Predictions.of(base.y_true, base.y_pred, base.classes, split=split, distribution=where)
    tree = measure(case).to_json()
    assert list(tree["splits"]) == ["train", "dev"]
    assert tree["overall"]["n"] == 90
    assert set(tree["by_distribution"]["shop"]) == {"overall", "train", "dev"}
    chosen = (split == "dev") & (where == "phone")
    expected = oracle.accuracy_score(base.y_true[chosen], base.y_pred[chosen])
    assert tree["by_distribution"]["phone"]["dev"]["accuracy"] == pytest.approx(expected)


def test_that_the_tree_is_plain_json_without_made_up_numbers():
    case = Predictions.of([0, 0], [0, 0], ["a", "b"], probabilities=np.array([[1.0, 0.0], [0.5, 0.5]]))
    tree = json.loads(json.dumps(measure(case).to_json(), allow_nan=False))
    figures = tree["overall"]["per_class"]["b"]
    assert figures["recall"] is None
    assert figures["lr_plus"] is None
    assert (figures["tp"], figures["support"], figures["prevalence"]) == (0, 0, 0)
    assert tree["overall"]["roc_auc"] is None
    assert tree["overall"]["confusion"] == [[2, 0], [0, 0]]
    assert set(tree["overall"]["macro"]) == set(AVERAGED)


def test_that_examples_of_unknown_truth_are_left_out():
    metrics = measure(Predictions.of([0, -1, 1], [0, 1, 0], ["a", "b"]))
    assert (metrics.unknown, metrics.overall.n, metrics.overall.accuracy) == (1, 2, 0.5)


def test_that_an_empty_set_has_figures_without_values():
    tree = measure(Predictions.of([-1], [0], ["a", "b"], probabilities=np.array([[0.5, 0.5]]))).to_json()
    assert (tree["overall"]["accuracy"], tree["overall"]["log_loss"], tree["overall"]["n"]) == (None, None, 0)


def test_that_a_class_without_probabilities_leaves_the_log_loss_undefined():
    probabilities = np.array([[0.6, 0.4, np.nan], [0.5, 0.5, np.nan]])
    case = Predictions.of([0, 2], [0, 0], ["a", "b", "new"], probabilities=probabilities)
    assert log_loss(case) is None
    assert log_loss(case.select([0])) == pytest.approx(-np.log(0.6))


def test_that_numbers_are_measured_as_numbers():
    tree = measure(Predictions.of([1.0, 2.0, 3.5], [1.1, 2.2, 3.0], split=["train", "train", "dev"])).to_json()
    assert tree["task"] == "regression"
    assert tree["splits"]["dev"]["mse"] == pytest.approx(0.25)
    assert tree["splits"]["dev"]["error"]["value"] == pytest.approx(0.25 / 4)


@pytest.mark.parametrize("beta", [0.0, -1.0, float("nan"), float("inf")])
def test_that_beta_must_be_a_number_above_0(beta):
    with pytest.raises(InputError, match="beta"):
        measure(_case(10), beta)
