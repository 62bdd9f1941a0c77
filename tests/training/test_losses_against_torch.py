"""Losses against PyTorch in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.layer_rig import assert_close
from support.loss_rig import WIDTHS, LossRig

torch = pytest.importorskip("torch")
from torch.nn import functional  # noqa: E402

pytestmark = pytest.mark.oracle

ORACLES: dict[str, Callable[[Any, Any], Any]] = {
    "cross_entropy": lambda z, y: functional.cross_entropy(z, y, reduction="none"),
    "binary_cross_entropy": lambda z, y: functional.binary_cross_entropy_with_logits(
        z[:, 0], y.to(z.dtype), reduction="none"
    ),
    "mean_squared_error": lambda z, y: functional.mse_loss(z, y, reduction="none").mean(dim=1),
    "mean_absolute_error": lambda z, y: functional.l1_loss(z, y, reduction="none").mean(dim=1),
}


@pytest.mark.parametrize("scale", [0.1, 2.0, 20.0])
@pytest.mark.parametrize("kind", sorted(WIDTHS))
def test_that_loss_and_gradient_equal_torch(kind: str, scale: float) -> None:
    rig = LossRig(kind, np.float32, rows=40)
    rig.logits *= np.float32(scale)
    logits = torch.from_numpy(rig.logits).requires_grad_()
    strengths = torch.from_numpy(rig.strengths)
    expected = (strengths * ORACLES[kind](logits, torch.from_numpy(rig.targets))).sum() / strengths.sum()
    expected.backward()
    assert rig.run() == pytest.approx(float(expected.detach()), rel=1e-5)
    assert_close(rig.d_logits, logits.grad.numpy(), 1e-5)


@pytest.mark.parametrize("kind", ["cross_entropy", "binary_cross_entropy"])
def test_that_the_source_for_probabilities_gives_ours(kind: str) -> None:
    rig = LossRig(kind, np.float32)
    logits = torch.from_numpy(rig.logits)
    theirs = eval(rig.loss.torch_prediction(), {"torch": torch, "logits": logits})
    assert_close(rig.loss.predict(np, rig.logits), theirs.numpy(), 1e-6)
