"""Hinge losses: the right class must lead by a margin, and what leads by more no longer counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Loss, LossSite, OnnxNode, ShapeError
from workbench.recipe.fields import knob
from workbench.training.compiled_loss import compiled_loss

_MARGIN = "How far the right class must lead before the loss is 0."
_POWER = "1: the shortfall as it is; 2: squared, so that large ones count most."


class Hinge(Loss):
    """``L = sum over j other than y of max(0, margin - z_y + z_j)^power / K`` (Weston and Watkins, 1999).

    The form of PyTorch's ``MultiMarginLoss``; Crammer and Singer's takes the largest term instead of the sum. The
    loss knows scores, no probabilities: those it predicts are the softmax of the scores and uncalibrated.
    """

    kind = "hinge"
    about = (
        "For telling classes apart by a margin, as support vector machines do. Its probabilities are the softmax of"
        " the scores, uncalibrated."
    )

    margin: float = knob(1.0, help=_MARGIN, gt=0, le=1e6)
    power: Literal[1, 2] = knob(1, help=_POWER)

    def outputs(self, classes: int) -> int:
        return max(2, classes)

    def compile(self, site: LossSite) -> Call:
        if site.kernels:
            return compiled_loss("hinge_loss", site, site.logits.shape[1], self.power, float(self.margin))
        xp, logits = site.backend.xp, site.logits
        number, shape, squared = logits.dtype.type, tuple(logits.shape), self.power == 2
        margin, share = number(self.margin), number(1.0 / shape[1])
        rows = xp.arange(shape[0])
        short, slope = (site.buffer(name, shape, logits.dtype) for name in ("short", "slope"))

        def run() -> None:
            xp.subtract(logits, logits[rows, site.targets][:, None], out=short)
            _shortfall(xp, short, margin)
            short[rows, site.targets] = 0
            each = (short * short if squared else short).sum(axis=1)
            site.sums[0] = (each * share * site.strengths).sum()
            site.sums[1] = (logits.argmax(axis=1) != site.targets).sum()
            if site.d_logits is not None:
                _slope(xp, short, squared, out=slope)
                slope[rows, site.targets] = -slope.sum(axis=1)
                xp.multiply(slope, (site.strengths * site.scale * share)[:, None], out=site.d_logits)

        return run

    def predict(self, xp: Any, logits: Array) -> Array:
        powers = xp.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def onnx_prediction(self) -> Sequence[OnnxNode]:
        return [OnnxNode("Softmax", attributes={"axis": 1})]

    def torch_prediction(self) -> str:
        return "logits.softmax(dim=1)"


class BinaryHinge(Loss):
    """``L = max(0, margin - y z)^power`` for one score z, y being -1 for the first class and 1 for the second.

    The probabilities it predicts are the logistic function of the score and uncalibrated, as for ``hinge``.
    """

    kind = "binary_hinge"
    about = (
        "For two classes with one output, by a margin; the second class is the positive one. Its probabilities are"
        " the logistic function of the score, uncalibrated."
    )

    margin: float = knob(1.0, help=_MARGIN, gt=0, le=1e6)
    power: Literal[1, 2] = knob(1, help=_POWER)

    def outputs(self, classes: int) -> int:
        if classes > 2:
            raise ShapeError(f"binary_hinge tells two classes apart, the data has {classes}: use hinge")
        return 1

    def compile(self, site: LossSite) -> Call:
        if site.kernels:
            return compiled_loss("binary_hinge_loss", site, self.power, float(self.margin))
        xp, logits = site.backend.xp, site.logits[:, 0]
        number, squared = site.logits.dtype.type, self.power == 2
        margin, shape = number(self.margin), tuple(logits.shape)
        short, slope = (site.buffer(name, shape, logits.dtype) for name in ("short", "slope"))

        def run() -> None:
            away = 1 - 2 * site.targets.astype(logits.dtype)
            xp.multiply(away, logits, out=short)
            _shortfall(xp, short, margin)
            site.sums[0] = ((short * short if squared else short) * site.strengths).sum()
            site.sums[1] = ((logits > 0) != (site.targets > 0)).sum()
            if site.d_logits is not None:
                _slope(xp, short, squared, out=slope)
                site.d_logits[:, 0] = slope * away * (site.strengths * site.scale)

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


def _shortfall(xp: Any, lead: Array, margin: Any) -> None:
    """What is missing to the margin, in place."""
    xp.add(lead, margin, out=lead)
    xp.maximum(lead, lead.dtype.type(0), out=lead)


def _slope(xp: Any, short: Array, squared: bool, out: Array) -> None:
    """The derivative of the shortfall, or of its square."""
    if squared:
        xp.add(short, short, out=out)
    else:
        xp.sign(short, out=out)
