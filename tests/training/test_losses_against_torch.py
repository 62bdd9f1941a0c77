"""Losses against PyTorch in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.backends import on_both
from support.layer_rig import assert_close
from support.loss_rig import CASES, LossRig

from workbench.engine.backend import Backend

torch = pytest.importorskip("torch")
from torch.nn import functional  # noqa: E402

pytestmark = pytest.mark.oracle


def _focal(gamma: float) -> Callable[[Any, Any], Any]:
    def loss(z: Any, y: Any) -> Any:
        logarithm = functional.log_softmax(z.double(), dim=1).gather(1, y[:, None])[:, 0]
        # A power's derivative at 0 would be infinite, times 0.
        return -((-torch.expm1(logarithm)).clamp_min(1e-30) ** gamma) * logarithm

    return loss


def _hinge(power: int, margin: float) -> Callable[[Any, Any], Any]:
    return lambda z, y: functional.multi_margin_loss(z, y, p=power, margin=margin, reduction="none")


def _binary_hinge(power: int, margin: float) -> Callable[[Any, Any], Any]:
    return lambda z, y: functional.relu(margin - (2.0 * y - 1) * z[:, 0]) ** power


def _labels(weight: float = 1.0, smoothing: float = 0.0) -> Callable[[Any, Any], Any]:
    def loss(z: Any, y: Any) -> Any:
        known = (y >= 0).to(z.dtype)
        soft = (1 - smoothing) * y.clamp_min(0) + smoothing / 2
        each = functional.binary_cross_entropy_with_logits(
            z, soft, weight=known, pos_weight=torch.tensor(weight), reduction="none"
        )
        return each.sum(dim=1) / known.sum(dim=1)

    return loss


def _huber(delta: float) -> Callable[[Any, Any], Any]:
    return lambda z, y: functional.huber_loss(z, y, delta=delta, reduction="none").mean(dim=1)


ORACLES: dict[str, Callable[[Any, Any], Any]] = {
    "cross_entropy": lambda z, y: functional.cross_entropy(z, y, reduction="none"),
    "cross_entropy smoothed": lambda z, y: functional.cross_entropy(z, y, reduction="none", label_smoothing=0.2),
    "binary_cross_entropy": lambda z, y: functional.binary_cross_entropy_with_logits(
        z[:, 0], y.to(z.dtype), reduction="none"
    ),
    "binary_hinge": _binary_hinge(1, 1.0),
    "binary_hinge squared": _binary_hinge(2, 2.5),
    "focal": _focal(2.0),
    "focal weak": _focal(0.5),
    "focal off": _focal(0.0),
    "hinge": _hinge(1, 1.0),
    "hinge squared": _hinge(2, 2.5),
    "huber": _huber(1.0),
    "huber wide": _huber(2.5),
    "mean_squared_error": lambda z, y: functional.mse_loss(z, y, reduction="none").mean(dim=1),
    "mean_absolute_error": lambda z, y: functional.l1_loss(z, y, reduction="none").mean(dim=1),
    "sigmoid_cross_entropy": _labels(),
    "sigmoid_cross_entropy one": _labels(),
    "sigmoid_cross_entropy weighted": _labels(2.5, 0.1),
    "normalized_logistic": lambda z, y: functional.nll_loss(
        functional.logsigmoid(z).log_softmax(dim=1), y, reduction="none"
    ),
}


@on_both
@pytest.mark.parametrize("scale", [0.1, 2.0, 20.0])
@pytest.mark.parametrize("case", sorted(CASES))
def test_that_loss_and_gradient_equal_torch(case: str, scale: float, backend: Backend) -> None:
    rig = LossRig(case, np.float32, rows=40, backend=backend)
    rig.logits *= np.float32(scale)
    logits = torch.from_numpy(rig.logits).requires_grad_()
    strengths = torch.from_numpy(rig.strengths)
    expected = (strengths * ORACLES[case](logits, torch.from_numpy(rig.targets))).sum() / strengths.sum()
    expected.backward()
    assert rig.run() == pytest.approx(float(expected.detach()), rel=1e-5)
    assert_close(rig.d_logits, logits.grad.numpy(), 1e-5)


@pytest.mark.parametrize("case", [case for case in CASES if LossRig(case).loss.task != "regression"])
def test_that_the_source_for_probabilities_gives_ours(case: str) -> None:
    rig = LossRig(case, np.float32)
    logits = torch.from_numpy(rig.logits)
    theirs = eval(rig.loss.torch_prediction(), {"torch": torch, "logits": logits})
    assert_close(rig.loss.predict(np, rig.logits), theirs.numpy(), 1e-6)
