"""Losses as machine code; see ``workbench.engine.kernels.losses``."""

from __future__ import annotations

from typing import Any

from workbench.engine.backend import Call
from workbench.engine.layer import LossSite


def compiled_loss(kernel: str, site: LossSite, *fields: Any) -> Call:
    """The call of a loss in float32 on a CPU.

    Args:
        kernel: the name of its kernel.
        site: what all of these read and fill.
        fields: the numbers that its own kernel takes after that.
    """
    from workbench.engine.kernels import losses
    from workbench.engine.kernels.calls import NativeCall

    d_logits = 0 if site.d_logits is None else site.d_logits
    arrays = site.logits, d_logits, site.targets, site.strengths, site.scale, site.sums
    return NativeCall(getattr(losses, kernel), len(site.logits), *arrays, *fields)
