"""Pooling as machine code; see ``workbench.engine.kernels.pool``."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from workbench.engine.layer import Calls, Chain, Site
from workbench.layers.pool_arrays import Axes, shares


def compiled_pooling(site: Site, axes: Axes, largest: bool) -> Calls:
    """Pooling's calls in float32 on a CPU."""
    from workbench.engine.kernels import pool as kernels
    from workbench.engine.kernels.calls import NativeCall, stretches

    x, y, dx, dy = site.inputs[0], site.output, site.d_inputs[0], site.d_output
    rows, columns = axes
    sizes = np.array(
        [
            rows.size, columns.size, x.shape[-1], rows.count, columns.count, rows.window, columns.window, rows.stride,
            columns.stride, rows.before, columns.before,
        ],
        np.int64,
    )  # fmt: skip
    row_bytes = (prod(x.shape[1:]) + prod(y.shape[1:])) * x.dtype.itemsize
    if largest:
        # Where each largest value was: the input, most of what a network writes, need then not be kept for later.
        winners: Any = 0 if dx is None else site.like("winners", y, np.int32)

        def some_rows(begin: int, end: int, pieces: Any = None) -> NativeCall:
            fields = x, y, winners, sizes, int(site.taken_over), begin, end
            return NativeCall(kernels.max_pool_forward, site.rows, *fields, row_bytes=row_bytes, pieces=pieces)

        forward = some_rows(
            0, rows.count, lambda count: [[some_rows(*each) for each in stretches(rows.count, count, 1)]]
        )
        if dx is None:
            return Calls(forward, Chain())
        return Calls(
            forward, NativeCall(kernels.max_pool_backward, site.rows, winners, dy, dx, sizes, row_bytes=row_bytes)
        )
    share = shares(axes).astype(np.float32)
    forward = NativeCall(kernels.average_pool_forward, site.rows, x, y, share, sizes, row_bytes=row_bytes)
    if dx is None:
        return Calls(forward, Chain())
    backward = NativeCall(kernels.average_pool_backward, site.rows, dy, dx, share, sizes, row_bytes=row_bytes)
    return Calls(forward, backward)


def compiled_global_average(site: Site) -> Calls:
    """The mean over all places, for each channel."""
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.shaping import mean_over_places, spread_over_places

    x, dx, channels = site.inputs[0], site.d_inputs[0], site.inputs[0].shape[-1]
    places, moved = prod(x.shape[1:-1]), x.itemsize * prod(x.shape[1:])
    forward = NativeCall(mean_over_places, site.rows, x, site.output, places, channels, row_bytes=moved)
    if dx is None:
        return Calls(forward, Chain())
    backward = NativeCall(spread_over_places, site.rows, site.d_output, dx, places, channels, row_bytes=moved)
    return Calls(forward, backward)
