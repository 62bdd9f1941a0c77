"""Losses as kernels, of a CPU (``workbench.engine.kernels.losses``) or of a GPU (``engine/cuda/sources/losses.cu``)."""

from __future__ import annotations

from typing import Any

from workbench.engine.backend import Call
from workbench.engine.cuda.calls import Launcher
from workbench.engine.layer import Chain, LossSite

_WARPS = 4
"""Rows that a block works on, a warp each."""

_BY_THREAD = ("binary_cross_entropy", "binary_hinge_loss")
"""Kernels of a GPU for which a row is one value."""


def compiled_loss(kernel: str, site: LossSite, *fields: Any) -> Call:
    """The call of a loss in float32.

    Args:
        kernel: the name of its kernel, which is the same on a CPU and on a GPU.
        site: what all of these read and fill.
        fields: the numbers that its own kernel takes after that.
    """
    if site.cuda:
        return _on_cuda(kernel, site, site.cuda, fields)
    from workbench.engine.kernels import losses
    from workbench.engine.kernels.calls import NativeCall

    d_logits = 0 if site.d_logits is None else site.d_logits
    arrays = site.logits, d_logits, site.targets, site.strengths, site.scale, site.sums
    return NativeCall(getattr(losses, kernel), len(site.logits), *arrays, *fields)


def _on_cuda(kernel: str, site: LossSite, launcher: Launcher, fields: tuple[Any, ...]) -> Call:
    rows, d_logits = len(site.logits), 0 if site.d_logits is None else site.d_logits
    each = site.buffer("each", (rows, 2), site.logits.dtype)
    arguments = site.logits, d_logits, site.targets, site.strengths, site.scale, each, rows, *fields
    if kernel in _BY_THREAD:
        losses = launcher.over(rows, kernel, *arguments)
    else:
        losses = launcher.call(kernel, -(-rows // _WARPS), 32 * _WARPS, *arguments)
    return Chain(losses, launcher.call("loss_sums", 1, 256, each, site.sums, rows))
