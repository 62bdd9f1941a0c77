"""Cross-entropy that looks away from what is easy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Loss, LossSite, OnnxNode
from workbench.recipe.fields import knob
from workbench.training.compiled_loss import compiled_loss


class Focal(Loss):
    """``L = -(1 - p)^gamma log p`` for the right class's probability ``p = softmax(z)[y]``.

    Lin et al., ICCV 2017, for one logistic output; here for softmax classes. Their alpha is what strengths and class
    balance are for. The gradient by the logits is ``f (softmax(z) - onehot(y))`` with
    ``f = (1 - p)^gamma (1 - gamma p log p / (1 - p))``; gamma = 0 is cross-entropy.
    """

    kind = "focal"
    about = "For telling classes apart where many easy examples drown the hard ones."

    gamma: float = knob(
        2.0, help="How little easy examples count: they are weakened by (1 - p)^gamma; 0 is cross-entropy.", ge=0, le=20
    )

    def outputs(self, classes: int) -> int:
        return max(2, classes)

    def compile(self, site: LossSite) -> Call:
        if site.kernels:
            return compiled_loss("focal_loss", site, site.logits.shape[1], float(self.gamma))
        xp, logits = site.backend.xp, site.logits
        number, shape = logits.dtype.type, tuple(logits.shape)
        gamma, half = number(self.gamma), number(0.5)
        least = number(1e-30)
        rows = xp.arange(shape[0])
        shifted, shares = (site.buffer(name, shape, logits.dtype) for name in ("shifted", "shares"))

        def run() -> None:
            xp.subtract(logits, logits.max(axis=1, keepdims=True), out=shifted)
            xp.exp(shifted, out=shares)
            total = shares.sum(axis=1)
            xp.divide(shares, total[:, None], out=shares)
            right = shares[rows, site.targets]
            # 1 - p as the sum of the other classes, which keeps the digits of a small one.
            shares[rows, site.targets] = 0
            rest = xp.minimum(shares.sum(axis=1), number(1))
            far = shifted[rows, site.targets] - xp.log(total)
            logarithm = xp.where(rest < half, xp.log1p(-xp.minimum(rest, half)), far)
            weak = rest**gamma
            site.sums[0] = -(weak * logarithm * site.strengths).sum()
            site.sums[1] = (logits.argmax(axis=1) != site.targets).sum()
            if site.d_logits is not None:
                slope = weak * (1 - gamma * right * logarithm / xp.maximum(rest, least))
                shares[rows, site.targets] = -rest
                xp.multiply(shares, (slope * site.strengths * site.scale)[:, None], out=site.d_logits)

        return run

    def predict(self, xp: Any, logits: Array) -> Array:
        powers = xp.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def onnx_prediction(self) -> Sequence[OnnxNode]:
        return [OnnxNode("Softmax", attributes={"axis": 1})]

    def torch_prediction(self) -> str:
        return "logits.softmax(dim=1)"
