"""Batch normalization on a GPU; see ``norms.cu``."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.calls import CudaCall
from workbench.engine.cuda.pointwise import shifted, stretches_of
from workbench.engine.cuda.products import launcher_of
from workbench.engine.layer import Calls, Chain, Site

if TYPE_CHECKING:
    from workbench.layers.norm import BatchNorm


def running_norm_on_cuda(layer: BatchNorm, site: Site) -> Calls:
    """Inference: one scale and one shift a channel."""
    launcher, x, dx, state = launcher_of(site.backend), *_arrays(site), site.state
    weight, bias = layer.scale_and_shift(site)
    channels, count = x.shape[-1], prod(x.shape)
    inverse = site.buffer("inverse", (channels,), x.dtype)
    begin = launcher.over(channels, "norm_inverse", state["running_var"], inverse, float(layer.epsilon), channels)
    normal = {"mean": state["running_mean"], "inverse": inverse, "weight": weight}
    forward = Chain(begin, shifted(launcher, x, site.output, bias, **normal))
    if dx is None:
        return Calls(forward, Chain())
    arrays = site.d_output, dx, weight, inverse
    return Calls(forward, launcher.over(count, "scale_channels", *arrays, channels, count))


def batch_norm_on_cuda(layer: BatchNorm, site: Site) -> Calls:
    """Training: statistics of the whole batch, which is in one piece here."""
    return _BatchNorm(layer, site).calls()


def _arrays(site: Site) -> tuple[Array, Array | None]:
    return site.inputs[0], site.d_inputs[0]


class _BatchNorm:
    def __init__(self, layer: BatchNorm, site: Site) -> None:
        self.layer, self.site, self.launcher = layer, site, launcher_of(site.backend)
        self.x = site.inputs[0]
        self.channels = int(self.x.shape[-1])
        self.rows = prod(self.x.shape) // self.channels
        self.stretches, self.each = stretches_of(self.rows)
        self.slots = site.buffer("slots", (self.stretches, 2, self.channels), self.x.dtype)
        self.mean, self.inverse = (site.buffer(name, (self.channels,), self.x.dtype) for name in ("mean", "inverse"))
        self.weight, self.bias = layer.scale_and_shift(site)

    def calls(self) -> Calls:
        site, layer = self.site, self.layer
        statistics = self._by_column("norm_statistics", self.stretches, self.x, self.slots, *self._stretch())
        kept = site.state["running_mean"], site.state["running_var"]
        join = self._by_column(
            "norm_join", 1, self.slots, self.mean, self.inverse, *kept, self.stretches, self.each, self.rows,
            self.channels, float(layer.epsilon), float(layer.momentum),
        )  # fmt: skip
        normal = {"mean": self.mean, "inverse": self.inverse, "weight": self.weight}
        apply = shifted(self.launcher, self.x, site.output, self.bias, **normal)
        return Calls(Chain(statistics, join, apply), Chain(*self._backward()))

    def _backward(self) -> list[Call]:
        site, dy, dx = self.site, self.site.d_output, self.site.d_inputs[0]
        averages = site.buffer("averages", (2 * self.channels,), self.x.dtype)
        gradients = [site.gradients.get(name, 0) for name in ("weight", "bias")]
        slopes = self._by_column("norm_slopes", self.stretches, self.x, dy, self.mean, self.slots, *self._stretch())
        join = self._by_column(
            "norm_slopes_join", 1, self.slots, self.inverse, *gradients, averages, self.stretches, self.rows,
            self.channels,
        )  # fmt: skip
        if dx is None:
            return [slopes, join]
        arrays = self.x, dy, dx, self.mean, self.inverse, self.weight, averages
        count = prod(self.x.shape)
        return [slopes, join, self.launcher.over(count, "norm_backward", *arrays, self.channels, count)]

    def _stretch(self) -> tuple[int, int, int]:
        return self.rows, self.channels, self.each

    def _by_column(self, kernel: str, stretches: int, *arguments: Array) -> CudaCall:
        return self.launcher.call(kernel, (-(-self.channels // 32), stretches), (32, 8), *arguments)
