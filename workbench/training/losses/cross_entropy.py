"""Cross-entropy: softmax for many classes, logistic for two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Loss, LossSite, OnnxNode, ShapeError
from workbench.recipe.fields import knob
from workbench.training.compiled_loss import compiled_loss


class CrossEntropy(Loss):
    """``L = -log softmax(z)[y]``, the gradient by the logits being ``softmax(z) - onehot(y)``.

    Takes logits; the softmax is part of the loss and of prediction. The largest logit is subtracted first. With
    smoothing e over K classes the truth is ``(1 - e) onehot(y) + e / K`` (Szegedy et al., CVPR 2016, section 7, as
    PyTorch has it), and the loss that is reported is the one that is minimized: its least value is above 0.
    """

    kind = "cross_entropy"
    title = "softmax cross-entropy"
    about = "For telling classes apart."

    label_smoothing: float = knob(
        0.0,
        help="The share of the truth that is spread over all classes, against too much certainty; the reported loss"
        " includes it.",
        ge=0,
        lt=1,
        unit="fraction",
        advanced=True,
    )

    def outputs(self, classes: int) -> int:
        return max(2, classes)

    def compile(self, site: LossSite) -> Call:
        if site.kernels:
            return compiled_loss("softmax_cross_entropy", site, site.logits.shape[1], float(self.label_smoothing))
        xp, logits = site.backend.xp, site.logits
        number, smoothing = logits.dtype.type, self.label_smoothing
        kept, spread = number(1.0 - smoothing), number(smoothing / logits.shape[1])
        rows = xp.arange(logits.shape[0])
        shifted = site.buffer("shifted", tuple(logits.shape), logits.dtype)
        powers = site.buffer("powers", tuple(logits.shape), logits.dtype)

        def run() -> None:
            xp.subtract(logits, logits.max(axis=1, keepdims=True), out=shifted)
            xp.exp(shifted, out=powers)
            total = powers.sum(axis=1)
            loss = xp.log(total) - kept * shifted[rows, site.targets]
            if smoothing:
                loss -= spread * shifted.sum(axis=1)
            site.sums[0] = (loss * site.strengths).sum()
            site.sums[1] = (logits.argmax(axis=1) != site.targets).sum()
            if site.d_logits is not None:
                weight = site.strengths * site.scale
                xp.multiply(powers, (weight / total)[:, None], out=site.d_logits)
                site.d_logits[rows, site.targets] -= kept * weight
                if smoothing:
                    site.d_logits -= (spread * weight)[:, None]

        return run

    def predict(self, xp: Any, logits: Array) -> Array:
        powers = xp.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def onnx_prediction(self) -> Sequence[OnnxNode]:
        return [OnnxNode("Softmax", attributes={"axis": 1})]

    def torch_prediction(self) -> str:
        return "logits.softmax(dim=1)"


class BinaryCrossEntropy(Loss):
    """``L = softplus(z) - y z`` for one logit z, which is ``-y log s(z) - (1 - y) log(1 - s(z))`` without overflow."""

    kind = "binary_cross_entropy"
    title = "binary cross-entropy"
    about = "For two classes with one output; the second class is the positive one."

    def outputs(self, classes: int) -> int:
        if classes > 2:
            raise ShapeError(f"binary_cross_entropy tells two classes apart, the data has {classes}: use cross_entropy")
        return 1

    def compile(self, site: LossSite) -> Call:
        if site.kernels:
            return compiled_loss("binary_cross_entropy", site)
        xp, logits = site.backend.xp, site.logits[:, 0]
        zero, half = site.logits.dtype.type(0), site.logits.dtype.type(0.5)

        def run() -> None:
            positive = site.targets.astype(site.logits.dtype)
            # softplus(-z) or softplus(z): the difference softplus(z) - y z would lose the digits of a small loss.
            loss = xp.logaddexp((1 - 2 * positive) * logits, zero)
            site.sums[0] = (loss * site.strengths).sum()
            site.sums[1] = ((logits > 0) != (site.targets > 0)).sum()
            if site.d_logits is not None:
                chance = half * (1 + xp.tanh(half * logits))
                site.d_logits[:, 0] = (chance - positive) * (site.strengths * site.scale)

        return run

    def predict(self, xp: Any, logits: Array) -> Array:
        chance = 0.5 * (1 + xp.tanh(0.5 * logits[:, 0]))
        return xp.stack([1 - chance, chance], axis=1)

    def onnx_prediction(self) -> Sequence[OnnxNode]:
        one = {"one": np.array(1.0, np.float32)}
        return [
            OnnxNode("Sigmoid"),
            OnnxNode("Sub", ("one", "-1"), constants=one),
            OnnxNode("Concat", ("-1", "-2"), {"axis": 1}),
        ]

    def torch_prediction(self) -> str:
        return "torch.cat([1 - logits.sigmoid(), logits.sigmoid()], dim=1)"
