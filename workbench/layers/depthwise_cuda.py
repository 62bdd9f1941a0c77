"""Depthwise convolution on a GPU; see ``depthwise.cu``."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.pointwise import column_sums, shifted, stretches_of
from workbench.engine.cuda.products import launcher_of
from workbench.engine.layer import Calls, Chain, Site
from workbench.layers.conv_cuda import sizes_of

if TYPE_CHECKING:
    from workbench.layers.conv import Geometry


def depthwise_on_cuda(site: Site, geometry: Geometry) -> Calls:
    """A depthwise convolution's calls in float32."""
    launcher, x, y, dx, sizes = (
        launcher_of(site.backend),
        site.inputs[0],
        site.output,
        site.d_inputs[0],
        sizes_of(geometry),
    )
    weight, gradients, dy = site.weights["weight"], site.gradients, site.d_output
    bias = site.weights.get("bias", 0)
    forward = launcher.over(prod(y.shape), "depthwise_forward", x, weight, bias, y, sizes, prod(y.shape))
    backward: list[Call] = []
    if "bias" in gradients:
        # First, so that it joins the launch of the activation behind.
        backward += column_sums(launcher, dy, gradients["bias"], site.buffer)
    if "weight" in gradients:
        backward += _weight_gradient(site, geometry, gradients["weight"])
    if dx is not None:
        count = prod(dx.shape)
        backward.append(launcher.over(count, "depthwise_input_gradient", dy, weight, dx, sizes, count))
    return Calls(forward, Chain(*backward))


def _weight_gradient(site: Site, geometry: Geometry, d_weight: Array) -> list[Call]:
    launcher, places = launcher_of(site.backend), site.rows * geometry.rows.count * geometry.columns.count
    stretches, each = stretches_of(places)
    shape = (stretches, geometry.taps, geometry.filters)
    target = d_weight if stretches == 1 else site.buffer("weight gradient parts", shape, d_weight.dtype)
    blocks = -(-geometry.filters // 32), stretches, geometry.taps
    arrays = site.inputs[0], site.d_output, target
    summed = launcher.call("depthwise_weight_gradient", blocks, (32, 8), *arrays, sizes_of(geometry), places, each)
    return [summed] if stretches == 1 else [summed, shifted(launcher, target, d_weight, None, stretches)]
