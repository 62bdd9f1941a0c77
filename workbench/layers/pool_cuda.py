"""Pooling on a GPU; see ``pooling.cu``."""

from __future__ import annotations

from math import prod

import numpy as np

from workbench.engine.cuda.products import launcher_of
from workbench.engine.layer import Calls, Chain, Site
from workbench.layers.pool_arrays import Axes


def pooling_on_cuda(site: Site, axes: Axes, largest: bool, counted: bool) -> Calls:
    """Pooling's calls in float32; ``counted``: whether padding counts in a mean."""
    launcher, x, y, dx, dy = launcher_of(site.backend), site.inputs[0], site.output, site.d_inputs[0], site.d_output
    rows, columns = axes
    sizes = (
        rows.size, columns.size, x.shape[-1], rows.count, columns.count, rows.window, columns.window, rows.stride,
        columns.stride, rows.before, columns.before, int(counted),
    )  # fmt: skip
    # Where the largest values stand is remembered for the way back, which then compares nothing.
    winners = site.buffer("winners", tuple(y.shape), np.int32) if largest and dx is not None else 0
    if largest:
        forward = launcher.over(prod(y.shape), "max_pool_forward", x, y, winners, sizes, prod(y.shape))
    else:
        forward = launcher.over(prod(y.shape), "average_pool_forward", x, y, sizes, prod(y.shape))
    if dx is None:
        return Calls(forward, Chain())
    return Calls(forward, launcher.over(prod(dx.shape), "pool_backward", dy, dx, winners, sizes, prod(dx.shape)))


def global_average_on_cuda(site: Site) -> Calls:
    """The mean over all places, for each channel."""
    launcher, x, dx, channels = launcher_of(site.backend), site.inputs[0], site.d_inputs[0], site.inputs[0].shape[-1]
    sizes = prod(x.shape[1:-1]), channels, 1.0 / prod(x.shape[1:-1])
    blocks = site.rows, -(-channels // 32)
    forward = launcher.call("mean_over_places", blocks, (32, 8), x, site.output, *sizes)
    if dx is None:
        return Calls(forward, Chain())
    count = prod(x.shape)
    return Calls(forward, launcher.over(count, "spread_over_places", site.d_output, dx, *sizes, count))
