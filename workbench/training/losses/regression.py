"""Losses for predicting numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Loss, LossSite, OnnxNode
from workbench.recipe.fields import knob
from workbench.training.compiled_loss import compiled_loss

_SQUARED, _ABSOLUTE, _HUBER = 0, 1, 2
"""What kernels call these functions of a difference."""


def _compile(site: LossSite, loss_of: Callable[[Array], Array], slope_of: Callable[[Array], Array]) -> Call:
    """``L_i`` is the mean of ``loss_of`` over the outputs."""
    share = site.logits.dtype.type(1.0 / site.logits.shape[1])

    def run() -> None:
        difference = site.logits - site.targets
        site.sums[0] = (loss_of(difference).sum(axis=1) * share * site.strengths).sum()
        site.sums[1] = (difference * difference).sum() * share
        if site.d_logits is not None:
            site.d_logits[...] = slope_of(difference) * (site.strengths * site.scale * share)[:, None]

    return run


def _compiled(site: LossSite, function: int, delta: float = 0.0) -> Call:
    return compiled_loss("regression_loss", site, site.logits.shape[1], function, delta)


class _RegressionLoss(Loss):
    """The outputs are the prediction."""

    task = "regression"

    def outputs(self, classes: int) -> int:
        return classes

    def predict(self, xp: Any, logits: Array) -> Array:
        return logits

    def onnx_prediction(self) -> Sequence[OnnxNode]:
        return []

    def torch_prediction(self) -> str:
        return ""


class MeanSquaredError(_RegressionLoss):
    """``L = mean over outputs of (z - y)²``."""

    kind = "mean_squared_error"
    about = "For predicting a number; large errors count most."

    def compile(self, site: LossSite) -> Call:
        if site.kernels:
            return _compiled(site, _SQUARED)
        return _compile(site, lambda d: d * d, lambda d: d + d)


class MeanAbsoluteError(_RegressionLoss):
    """``L = mean over outputs of |z - y|``; the gradient at 0 is 0."""

    kind = "mean_absolute_error"
    about = "For predicting a number where some targets are far off: robust to outliers."

    def compile(self, site: LossSite) -> Call:
        if site.kernels:
            return _compiled(site, _ABSOLUTE)
        xp = site.backend.xp
        return _compile(site, xp.abs, xp.sign)


class Huber(_RegressionLoss):
    """``L = mean over outputs of d² / 2`` where ``|d| <= delta``, else of ``delta (|d| - delta / 2)`` (Huber, 1964).

    ``d = z - y``. Squared near the target, straight further out: the gradient is d, cut off at ``delta``.
    """

    kind = "huber"
    title = "Huber"
    about = "For predicting a number: smooth like the squared error, robust to outliers like the absolute one."

    delta: float = knob(
        1.0,
        help="Differences above it count straight, below it squared; in the target's unit as trained, so after its"
        " normalization.",
        gt=0,
        le=1e9,
        log=True,
    )

    def compile(self, site: LossSite) -> Call:
        if site.kernels:
            return _compiled(site, _HUBER, float(self.delta))
        xp, delta = site.backend.xp, site.logits.dtype.type(self.delta)
        half = site.logits.dtype.type(0.5)

        def loss_of(difference: Array) -> Array:
            near = xp.minimum(xp.abs(difference), delta)
            return near * (xp.abs(difference) - half * near)

        return _compile(site, loss_of, lambda d: xp.clip(d, -delta, delta))
