"""The loss for several labels an example: each output is a yes or no of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Loss, LossSite, OnnxNode
from workbench.recipe.fields import knob
from workbench.training.compiled_loss import compiled_loss


class SigmoidCrossEntropy(Loss):
    """``L = mean over known labels of -(w y log s(z) + (1 - y) log(1 - s(z)))``, s being the logistic function.

    PyTorch's ``BCEWithLogitsLoss`` with ``pos_weight``. A label that is not known (a target below 0) counts neither in
    the loss nor in the gradient; an example's loss is the mean over those that are, so that it weighs as much as any
    other. Computed from ``exp(-|z|)``, so that nothing overflows and small losses keep their digits. With smoothing e
    the truth is ``(1 - e) y + e / 2``, and the loss that is reported is the one that is minimized.
    """

    kind = "sigmoid_cross_entropy"
    title = "sigmoid cross-entropy"
    about = "For several labels an example: each output is a yes or no of its own."
    task = "multilabel"

    positive_weight: float = knob(
        1.0,
        help="How much a label that is there counts against one that is not: above 1 more labels are found, and more"
        " of them wrongly.",
        gt=0,
        le=1e4,
        log=True,
    )
    label_smoothing: float = knob(
        0.0,
        help="How far the truth is taken from 0 and 1 towards one half, against too much certainty; the reported loss"
        " includes it.",
        ge=0,
        lt=1,
        unit="fraction",
        advanced=True,
    )

    def outputs(self, classes: int) -> int:
        return max(1, classes)

    def compile(self, site: LossSite) -> Call:
        if site.kernels:
            numbers = float(self.positive_weight), float(self.label_smoothing)
            return compiled_loss("sigmoid_cross_entropy", site, site.logits.shape[1], *numbers)
        xp, logits, targets = site.backend.xp, site.logits, site.targets
        number, shape = logits.dtype.type, tuple(logits.shape)
        kept, spread = number(1.0 - self.label_smoothing), number(0.5 * self.label_smoothing)
        weight, one, zero = number(self.positive_weight), number(1), number(0)
        share, present, power, each = (
            site.buffer(name, shape, logits.dtype) for name in ("share", "present", "power", "each")
        )

        def run() -> None:
            known = targets >= 0
            count = xp.maximum(known.sum(axis=1, keepdims=True), 1)
            xp.divide(known, count, out=share)
            wrong = known & ((logits > 0) != (targets > 0))
            site.sums[1] = (wrong.sum(axis=1, keepdims=True) / count).sum()
            xp.multiply(targets, kept, out=present)
            xp.add(present, spread, out=present)
            xp.exp(-xp.abs(logits), out=power)
            near = xp.log1p(power)
            absent = (one - present) * share
            xp.multiply(present, share * weight, out=present)
            xp.multiply(present, xp.maximum(-logits, zero) + near, out=each)
            each[...] += absent * (xp.maximum(logits, zero) + near)
            site.sums[0] = (each.sum(axis=1) * site.strengths).sum()
            if site.d_logits is not None:
                # s(z) and s(-z) of which neither is a difference from 1.
                xp.divide(one, one + power, out=each)
                xp.multiply(power, each, out=power)
                up = logits > 0
                xp.multiply(absent, xp.where(up, each, power), out=site.d_logits)
                site.d_logits -= present * xp.where(up, power, each)
                site.d_logits *= (site.strengths * site.scale)[:, None]

        return run

    def predict(self, xp: Any, logits: Array) -> Array:
        half = logits.dtype.type(0.5)
        return half * (1 + xp.tanh(half * logits))

    def onnx_prediction(self) -> Sequence[OnnxNode]:
        return [OnnxNode("Sigmoid")]

    def torch_prediction(self) -> str:
        return "logits.sigmoid()"
