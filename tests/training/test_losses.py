"""Losses: gradients, the lecture's weighted mean, what is counted as wrong, and numbers far out."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from support.backends import COMPILED, device_backend, on_both, on_device
from support.layer_rig import assert_close, central_differences
from support.loss_rig import CASES, LossRig
from support.networks import loss_of

from workbench.engine.backend import Backend
from workbench.engine.cuda.calls import CudaCall
from workbench.engine.layer import Loss, ShapeError, unchained
from workbench.engine.plan import is_native
from workbench.recipe.kinds import LossSpec

SURE = ("cross_entropy", "binary_cross_entropy")
every_loss = pytest.mark.parametrize("case", sorted(CASES))
classifying = pytest.mark.parametrize("case", [case for case in CASES if LossRig(case).loss.task == "classification"])
regressing = pytest.mark.parametrize("case", [case for case in CASES if LossRig(case).loss.task == "regression"])


def test_that_every_registered_loss_is_tested_here() -> None:
    assert set(LossSpec.kinds()) == {case.kind for case in CASES.values()}
    assert all(issubclass(kind, Loss) for kind in LossSpec.kinds().values())


@every_loss
def test_that_the_gradient_equals_central_differences(case: str) -> None:
    rig = LossRig(case)
    rig.run()
    gradient = rig.d_logits.copy()
    assert_close(gradient, central_differences(rig.run, rig.logits), 1e-7)


@every_loss
def test_that_the_loss_is_the_mean_weighted_by_strength(case: str) -> None:
    rig, single = LossRig(case), LossRig(case)
    whole = rig.run()
    losses = []
    for row in range(len(rig.strengths)):
        single.strengths[...] = 0.0
        single.strengths[row] = 1.0
        losses.append(single.run())
    assert whole == pytest.approx(np.average(losses, weights=rig.strengths), rel=1e-12)


@every_loss
def test_that_an_example_of_strength_0_has_no_gradient(case: str) -> None:
    rig = LossRig(case)
    rig.strengths[2] = 0.0
    rig.run()
    assert (rig.d_logits[2] == 0).all()
    assert (rig.d_logits[3] != 0).any()


@every_loss
@pytest.mark.parametrize("rows", [1, 37])
def test_that_compiled_losses_compute_what_arrays_do(case: str, rows: int) -> None:
    plain, compiled = LossRig(case, np.float32, rows), LossRig(case, np.float32, rows, COMPILED)
    for rig in (plain, compiled):
        rig.strengths[1::5] = 0
        rig.run()
    assert is_native(compiled._call)
    assert compiled.sums == pytest.approx(plain.sums, rel=2e-6)
    assert_close(compiled.d_logits, plain.d_logits, 2e-6)


@on_device
@every_loss
@pytest.mark.parametrize("rows", [1, 37, 300])
def test_that_losses_on_a_gpu_compute_what_arrays_do(case: str, rows: int, device: str) -> None:
    plain, backend = LossRig(case, np.float32, rows), device_backend(device)
    ours = LossRig(case, np.float32, rows, backend)
    for rig in (plain, ours):
        rig.strengths[1::5] = 0
        rig.run()
    assert all(isinstance(call, CudaCall) for call in unchained([ours._call]))
    assert backend.to_host(ours.sums) == pytest.approx(plain.sums, rel=5e-6)
    assert_close(backend.to_host(ours.d_logits), plain.d_logits, 5e-6)
    site, sums = ours._site(), backend.to_host(ours.sums).copy()
    site.d_logits = None
    ours.loss.compile(site)()
    assert np.array_equal(backend.to_host(ours.sums), sums)


@on_device
@every_loss
def test_that_a_gpu_lets_logits_that_are_no_numbers_reach_the_loss(case: str, device: str) -> None:
    backend = device_backend(device)
    rig = LossRig(case, np.float32, backend=backend)
    rig.logits[3] = np.nan
    rig.run()
    assert np.isnan(backend.to_host(rig.sums)[0])
    assert np.isnan(backend.to_host(rig.d_logits)[3]).any()


@on_device
@pytest.mark.parametrize("size", [20.0, 1e4, 1e30])
@every_loss
def test_that_a_gpu_keeps_far_logits_as_arrays_do(case: str, size: float, device: str) -> None:
    plain, backend = LossRig(case, np.float32), device_backend(device)
    ours = LossRig(case, np.float32, backend=backend)
    for rig in (plain, ours):
        rig.logits *= np.float32(size / 10.0)
        with np.errstate(all="ignore"):
            rig.run()
    finite = np.isfinite(plain.sums[0])
    assert np.isfinite(backend.to_host(ours.sums)[0]) == finite
    if finite:
        assert backend.to_host(ours.sums)[0] == pytest.approx(plain.sums[0], rel=1e-5)
        assert_close(backend.to_host(ours.d_logits), plain.d_logits, 1e-5)


@on_both
@every_loss
def test_that_logits_that_are_no_numbers_reach_the_loss(case: str, backend: Backend) -> None:
    rig = LossRig(case, np.float32, backend=backend)
    rig.logits[3] = np.nan
    with np.errstate(all="ignore"):
        rig.run()
    assert np.isnan(rig.sums[0])
    assert np.isnan(rig.d_logits[3]).any()


@on_both
@every_loss
def test_that_inference_gives_the_same_sums(case: str, backend: Backend) -> None:
    rig = LossRig(case, np.float32, backend=backend)
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
def test_that_probabilities_add_up_to_1_and_do_not_depend_on_a_common_shift(case: str) -> None:
    rig = LossRig(case)
    chances = rig.loss.predict(np, rig.logits)
    assert chances.shape == (6, max(2, CASES[case].width))
    assert_close(chances.sum(axis=1), np.ones(6), 1e-12)
    if CASES[case].kind not in ("normalized_logistic", "binary_cross_entropy", "binary_hinge"):
        assert_close(rig.loss.predict(np, rig.logits + 100), chances, 1e-12)


@classifying
def test_that_wrong_rows_are_those_whose_likeliest_class_is_another(case: str) -> None:
    rig = LossRig(case, rows=200)
    rig.run()
    guesses = rig.loss.predict(np, rig.logits).argmax(axis=1)
    assert 0 < rig.sums[1] < 200
    assert rig.sums[1] == (guesses != rig.targets).sum()


@regressing
def test_that_regression_counts_squared_differences_averaged_over_outputs(case: str) -> None:
    rig = LossRig(case)
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
@pytest.mark.parametrize("kind", SURE)
@on_both
def test_that_sure_logits_stay_exact_and_finite(backend: Backend, kind: str, size: float, dtype: type) -> None:
    rig = LossRig(kind, dtype, rows=2, backend=backend)
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


@on_both
@pytest.mark.parametrize("size", [5.0, 10.0, 20.0, 80.0])
def test_that_a_small_binary_loss_keeps_its_digits_in_float32(size: float, backend: Backend) -> None:
    rig = LossRig("binary_cross_entropy", np.float32, rows=2, backend=backend)
    rig.targets[...] = [0, 1]
    rig.logits[...] = [[-size], [size]]
    assert rig.run() == pytest.approx(np.log1p(np.exp(-size)), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "classes", "outputs"),
    [
        ("cross_entropy", 2, 2),
        ("cross_entropy", 10, 10),
        ("binary_cross_entropy", 2, 1),
        ("binary_hinge", 2, 1),
        ("focal", 10, 10),
        ("hinge", 10, 10),
        ("huber", 3, 3),
        ("mean_squared_error", 1, 1),
        ("normalized_logistic", 2, 2),
    ],
)
def test_that_a_loss_says_how_many_outputs_it_needs(kind: str, classes: int, outputs: int) -> None:
    assert loss_of(kind).outputs(classes) == outputs


@pytest.mark.parametrize(("kind", "other"), [("binary_cross_entropy", "cross_entropy"), ("binary_hinge", "hinge")])
def test_that_a_loss_for_two_classes_refuses_three(kind: str, other: str) -> None:
    with pytest.raises(ShapeError, match=f"{kind} tells two classes apart, the data has 3: use {other}"):
        loss_of(kind).outputs(3)


def test_that_the_likeliest_class_gets_what_the_others_leave() -> None:
    chances = loss_of("cross_entropy").predict(np, np.array([[5.0, 0.0, 0.0]]))
    assert chances[0, 0] == pytest.approx(np.exp(5) / (np.exp(5) + 2), rel=1e-12)


def test_that_smoothing_moves_the_least_loss_to_the_smoothed_truth() -> None:
    rig = LossRig("cross_entropy smoothed")
    truth = 0.8 * np.eye(4)[rig.targets] + 0.05
    rig.logits[...] = np.log(truth)
    assert rig.run() == pytest.approx(-(0.85 * log(0.85) + 3 * 0.05 * log(0.05)), rel=1e-12)
    assert abs(rig.d_logits).max() < 1e-15


def test_that_focal_loss_without_gamma_is_cross_entropy() -> None:
    focal, plain = LossRig("focal off"), LossRig("cross_entropy")
    assert focal.run() == pytest.approx(plain.run(), rel=1e-12)
    assert_close(focal.d_logits, plain.d_logits, 1e-12)


def test_that_focal_loss_weakens_easy_examples_by_their_own_certainty() -> None:
    rig, plain = LossRig("focal"), LossRig("cross_entropy")
    right = rig.loss.predict(np, rig.logits)[np.arange(6), rig.targets]
    assert rig.run() == pytest.approx(np.average((1 - right) ** 2 * -np.log(right), weights=rig.strengths), rel=1e-12)
    plain.run()
    assert (abs(rig.d_logits).max(axis=1)[right > 0.9] < abs(plain.d_logits).max(axis=1)[right > 0.9]).all()


def test_that_a_lead_of_the_margin_leaves_no_hinge_loss() -> None:
    rig = LossRig("hinge squared")
    rig.logits[...] = 0.0
    rig.logits[np.arange(6), rig.targets] = 2.5
    assert rig.run() == 0
    assert (rig.d_logits == 0).all()
    rig.logits[np.arange(6), rig.targets] = 1.5
    assert rig.run() == pytest.approx(3 / 4)


@pytest.mark.parametrize(("score", "positive", "loss"), [(0.4, 1, 0.6), (0.4, 0, 1.4), (1.0, 1, 0.0), (-3.0, 0, 0.0)])
def test_that_the_binary_hinge_counts_what_is_missing_to_the_margin(score: float, positive: int, loss: float) -> None:
    rig = LossRig("binary_hinge", rows=1)
    rig.logits[...], rig.targets[...] = score, positive
    assert rig.run() == pytest.approx(loss)


def test_that_huber_is_squared_near_and_straight_far_from_the_target() -> None:
    rig = LossRig("huber wide", rows=1)
    rig.targets[...] = 0.0
    rig.logits[...] = [[2.0, -2.5, 10.0]]
    assert rig.run() == pytest.approx((2.0 + 3.125 + 2.5 * (10.0 - 1.25)) / 3)
    assert_close(rig.d_logits, np.array([[2.0, -2.5, 2.5]]) / 3, 1e-12)


def test_that_the_gradient_of_normalized_logistic_outputs_is_the_corrected_one_of_the_lecture() -> None:
    # dz = (1 - a) (s - y), where the lecture prints that of the softmax.
    rig = LossRig("normalized_logistic")
    rig.run()
    each = 1 / (1 + np.exp(-rig.logits))
    shares = each / each.sum(axis=1, keepdims=True)
    assert_close(rig.loss.predict(np, rig.logits), shares, 1e-12)
    share = (rig.strengths / rig.strengths.sum())[:, None]
    assert_close(rig.d_logits, (1 - each) * (shares - np.eye(4)[rig.targets]) * share, 1e-12)


def test_that_the_lectures_two_outputs_share_their_sum() -> None:
    # Its example (a): 0.92 / 2.0 = 0.46, where it prints 0.41.
    each = np.array([[0.98, 0.92, 0.1]])
    found = loss_of("normalized_logistic").predict(np, np.log(each / (1 - each)))
    assert_close(found, each / 2.0, 1e-12)


@pytest.mark.parametrize("case", ["focal", "focal weak", "hinge", "hinge squared", "normalized_logistic"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [20.0, 100.0])
@on_both
def test_that_far_logits_leave_loss_gradient_and_prediction_finite(
    backend: Backend, case: str, dtype: type, size: float
) -> None:
    rig, exact = LossRig(case, dtype, rows=5, backend=backend), LossRig(case, np.longdouble, rows=5)
    corners = [[1, -1, -1, -1], [-1, 1, 1, 1], [1, 1, 1, 1], [-1, -1, -1, -1], [0, 1, -1, 0]]
    for one in (rig, exact):
        one.logits[...], one.targets[...], one.strengths[...] = np.array(corners) * size, 0, 1
    with np.errstate(all="raise", under="ignore"):
        loss, chances = rig.run(), rig.loss.predict(np, rig.logits)
    assert loss == pytest.approx(exact.run(), rel=1e-5)
    assert np.isfinite(rig.d_logits).all()
    assert_close(rig.d_logits, exact.d_logits.astype(float), 1e-5)
    assert_close(chances.sum(axis=1), np.ones(5), 1e-6)
