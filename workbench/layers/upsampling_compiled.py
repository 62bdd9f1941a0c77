"""Upsampling as machine code; see ``workbench.engine.kernels.resizing``."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Call, Shape
from workbench.engine.layer import Calls, Chain, Site


def compiled_upsampling(site: Site, factors: tuple[int, ...], linear: bool) -> Calls:
    """Upsampling's calls in float32 on a CPU; a sequence is a picture of one row."""
    from workbench.engine.kernels import resizing as kernels

    shape: Shape = tuple(site.inputs[0].shape[1:])
    if len(factors) == 1:
        shape, factors = (1, *shape), (1, *factors)
    (height, width, channels), (down, across) = shape, factors
    if not linear:
        return _calls(site, kernels.repeat_forward, kernels.repeat_backward, height, width, channels, down, across)
    tables = [table for size, factor in ((height, down), (width, across)) for table in _between(size, factor)]
    fields = *tables, height, width, channels, height * down, width * across
    return _calls(site, kernels.stretch_forward, kernels.stretch_backward, *fields)


def _calls(site: Site, forward: Any, backward: Any, *fields: Any) -> Calls:
    from workbench.engine.kernels.calls import NativeCall

    x, y, dx, dy = site.inputs[0], site.output, site.d_inputs[0], site.d_output
    moved = x.itemsize * (prod(x.shape[1:]) + prod(y.shape[1:]))

    def call(kernel: Any, source: Array, target: Array) -> Call:
        return NativeCall(kernel, site.rows, source, target, *fields, row_bytes=moved)

    return Calls(call(forward, x, y), Chain() if dx is None else call(backward, dy, dx))


def _between(size: int, factor: int) -> tuple[Array, Array]:
    """For each new value the two old ones that it lies between, int64, and the share of each; both flat.

    Middles of old values lie at 0, 1, 2..., those of new ones at ``(number + 0.5) / factor - 0.5``; beyond the
    outermost middles the outermost value stays.
    """
    places = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
    first = np.floor(places)
    ends = np.stack([first, np.minimum(first + 1, size - 1)], axis=1).astype(np.int64)
    shares = np.stack([1 - (places - first), places - first], axis=1).astype(np.float32)
    return ends.reshape(-1), shares.reshape(-1)
