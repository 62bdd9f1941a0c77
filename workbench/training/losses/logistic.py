"""The lecture's second form of the output: logistic outputs, divided by their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Loss, LossSite, OnnxNode
from workbench.training.compiled_loss import compiled_loss


class NormalizedLogistic(Loss):
    """``L = -log s[y]`` with ``a = 1 / (1 + exp(-z))`` for each output and ``s = a / sum of a`` (the lecture).

    The gradient by the logits is ``(1 - a) (s - onehot(y))``. ``s`` is computed as the softmax of ``log a``: nothing
    overflows, nor is anything lost where all outputs are near 0. Outputs that are all near 1 hardly learn, whatever
    the right class, as ``1 - a`` vanishes with them; the softmax has no such place.
    """

    kind = "normalized_logistic"
    title = "normalized logistic outputs"
    about = "The lecture's alternative to softmax: each output is a yes or no of its own, then they share the sum."

    def outputs(self, classes: int) -> int:
        return max(2, classes)

    def compile(self, site: LossSite) -> Call:
        if site.kernels:
            return compiled_loss("normalized_logistic", site, site.logits.shape[1])
        xp, logits = site.backend.xp, site.logits
        zero, shape = logits.dtype.type(0), tuple(logits.shape)
        rows = xp.arange(shape[0])
        shares, left = (site.buffer(name, shape, logits.dtype) for name in ("shares", "left"))

        def run() -> None:
            _log_logistic(xp, logits, zero, out=shares)
            xp.subtract(shares, shares.max(axis=1, keepdims=True), out=shares)
            loss = xp.log(xp.exp(shares).sum(axis=1)) - shares[rows, site.targets]
            site.sums[0] = (loss * site.strengths).sum()
            site.sums[1] = (logits.argmax(axis=1) != site.targets).sum()
            if site.d_logits is not None:
                weight = (site.strengths * site.scale)[:, None]
                xp.exp(shares, out=shares)
                xp.divide(shares, shares.sum(axis=1, keepdims=True), out=shares)
                shares[rows, site.targets] -= 1
                xp.negative(logits, out=left)
                _log_logistic(xp, left, zero, out=left)
                xp.exp(left, out=left)
                xp.multiply(shares, left, out=shares)
                xp.multiply(shares, weight, out=site.d_logits)

        return run

    def predict(self, xp: Any, logits: Array) -> Array:
        logarithms = -xp.logaddexp(-logits, 0)
        powers = xp.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def onnx_prediction(self) -> Sequence[OnnxNode]:
        return [
            OnnxNode("Neg"),
            OnnxNode("Softplus", ("-1",)),
            OnnxNode("Neg", ("-1",)),
            OnnxNode("Softmax", ("-1",), {"axis": 1}),
        ]

    def torch_prediction(self) -> str:
        return "torch.nn.functional.logsigmoid(logits).softmax(dim=1)"


def _log_logistic(xp: Any, values: Array, zero: Any, out: Array) -> None:
    """``log(1 / (1 + exp(-values)))``; ``out`` may be ``values``."""
    xp.negative(values, out=out)
    xp.logaddexp(out, zero, out=out)
    xp.negative(out, out=out)
