"""Losses: gradients, the lecture's weighted mean, what is counted as wrong, and numbers far out."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from support.layer_rig import assert_close, central_differences
from support.loss_rig import WIDTHS, LossRig
from support.networks import loss_of

from workbench.engine.layer import Loss, ShapeError
from workbench.recipe.kinds import LossSpec

every_loss = pytest.mark.parametrize("kind", sorted(WIDTHS))
classifying = pytest.mark.parametrize("kind", ["cross_entropy", "binary_cross_entropy"])


def test_that_every_registered_loss_is_tested_here() -> None:
    assert sorted(LossSpec.kinds()) == sorted(WIDTHS)
    assert all(issubclass(kind, Loss) for kind in LossSpec.kinds().values())


@every_loss
def test_that_the_gradient_equals_central_differences(kind: str) -> None:
    rig = LossRig(kind)
    rig.run()
    gradient = rig.d_logits.copy()
    assert_close(gradient, central_differences(rig.run, rig.logits), 1e-7)


@every_loss
def test_that_the_loss_is_the_mean_weighted_by_strength(kind: str) -> None:
    rig, single = LossRig(kind), LossRig(kind)
    whole = rig.run()
    losses = []
    for row in range(len(rig.strengths)):
        single.strengths[...] = 0.0
        single.strengths[row] = 1.0
        losses.append(single.run())
    assert whole == pytest.approx(np.average(losses, weights=rig.strengths), rel=1e-12)


@every_loss
def test_that_an_example_of_strength_0_has_no_gradient(kind: str) -> None:
    rig = LossRig(kind)
    rig.strengths[2] = 0.0
    rig.run()
    assert (rig.d_logits[2] == 0).all()
    assert (rig.d_logits[3] != 0).all()


@every_loss
def test_that_inference_gives_the_same_sums(kind: str) -> None:
    rig = LossRig(kind)
    rig.run()
    sums = rig.sums.copy()
    site = rig._site()
    site.d_logits = None
    rig.sums[...] = np.nan
    rig.loss.compile(site)()
    assert np.array_equal(rig.sums, sums)


def test_that_softmax_cross_entropy_is_minus_the_logarithm_of_the_right_class() -> None:
    rig = LossRig("cross_entropy")
    chances = rig.loss.predict(np, rig.logits)
    right = chances[np.arange(6), rig.targets]
    assert rig.run() == pytest.approx(np.average(-np.log(right), weights=rig.strengths), rel=1e-12)


def test_that_the_gradient_of_softmax_cross_entropy_is_prediction_minus_truth() -> None:
    # The lecture's dz = yhat - y.
    rig = LossRig("cross_entropy")
    rig.run()
    truth = np.eye(4)[rig.targets]
    share = (rig.strengths / rig.strengths.sum())[:, None]
    assert_close(rig.d_logits, (rig.loss.predict(np, rig.logits) - truth) * share, 1e-12)


def test_that_softmax_of_two_classes_equals_the_logistic_of_their_difference() -> None:
    logits = np.random.default_rng(0).normal(size=(9, 2))
    one = loss_of("binary_cross_entropy").predict(np, logits[:, 1:] - logits[:, :1])
    assert_close(loss_of("cross_entropy").predict(np, logits), one, 1e-12)


@classifying
def test_that_probabilities_add_up_to_1_and_do_not_depend_on_a_common_shift(kind: str) -> None:
    rig = LossRig(kind)
    chances = rig.loss.predict(np, rig.logits)
    assert chances.shape == (6, max(2, WIDTHS[kind]))
    assert_close(chances.sum(axis=1), np.ones(6), 1e-12)
    if kind == "cross_entropy":
        assert_close(rig.loss.predict(np, rig.logits + 100), chances, 1e-12)


@classifying
def test_that_wrong_rows_are_those_whose_likeliest_class_is_another(kind: str) -> None:
    rig = LossRig(kind, rows=200)
    rig.run()
    guesses = rig.loss.predict(np, rig.logits).argmax(axis=1)
    assert 0 < rig.sums[1] < 200
    assert rig.sums[1] == (guesses != rig.targets).sum()


@pytest.mark.parametrize("kind", ["mean_squared_error", "mean_absolute_error"])
def test_that_regression_counts_squared_differences_averaged_over_outputs(kind: str) -> None:
    rig = LossRig(kind)
    rig.run()
    squares = (rig.logits - rig.targets) ** 2
    assert rig.sums[1] == pytest.approx(squares.mean(axis=1).sum(), rel=1e-12)
    assert rig.loss.predict(np, rig.logits) is rig.logits


def test_that_the_absolute_error_has_the_gradient_0_at_0() -> None:
    rig = LossRig("mean_absolute_error")
    rig.logits[...] = rig.targets
    assert rig.run() == 0
    assert (rig.d_logits == 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [50.0, 1e4])
@classifying
def test_that_sure_logits_stay_exact_and_finite(kind: str, size: float, dtype: type) -> None:
    rig = LossRig(kind, dtype, rows=2)
    rig.targets[...] = [0, 1]
    rig.strengths[...] = 1.0
    right = np.array([[size, -size, -size, -size], [-size, size, -size, -size]])
    rig.logits[...] = right if kind == "cross_entropy" else [[-size], [size]]
    with np.errstate(all="raise", under="ignore"):
        sure, gradient = rig.run(), rig.d_logits.copy()
        rig.logits *= -1
        wrong = rig.run()
        chances = rig.loss.predict(np, rig.logits)
    assert sure == pytest.approx(0, abs=1e-20)
    assert abs(gradient).max() < 1e-20
    expected = 2 * size + log(3) if kind == "cross_entropy" else size
    assert wrong == pytest.approx(expected, rel=1e-6)
    assert np.isfinite(rig.d_logits).all()
    assert abs(rig.d_logits).max() == pytest.approx(0.5, rel=1e-6)
    assert_close(chances.sum(axis=1), np.ones(2), 1e-6)


@pytest.mark.parametrize("size", [5.0, 10.0, 20.0, 80.0])
def test_that_a_small_binary_loss_keeps_its_digits_in_float32(size: float) -> None:
    rig = LossRig("binary_cross_entropy", np.float32, rows=2)
    rig.targets[...] = [0, 1]
    rig.logits[...] = [[-size], [size]]
    assert rig.run() == pytest.approx(np.log1p(np.exp(-size)), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "classes", "outputs"),
    [("cross_entropy", 2, 2), ("cross_entropy", 10, 10), ("binary_cross_entropy", 2, 1), ("mean_squared_error", 1, 1)],
)
def test_that_a_loss_says_how_many_outputs_it_needs(kind: str, classes: int, outputs: int) -> None:
    assert loss_of(kind).outputs(classes) == outputs


def test_that_a_loss_for_two_classes_refuses_three() -> None:
    text = "binary_cross_entropy tells two classes apart, the data has 3: use cross_entropy"
    with pytest.raises(ShapeError, match=text):
        loss_of("binary_cross_entropy").outputs(3)


def test_that_the_likeliest_class_gets_what_the_others_leave() -> None:
    chances = loss_of("cross_entropy").predict(np, np.array([[5.0, 0.0, 0.0]]))
    assert chances[0, 0] == pytest.approx(np.exp(5) / (np.exp(5) + 2), rel=1e-12)
