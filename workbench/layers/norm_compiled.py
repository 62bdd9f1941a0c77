"""Batch normalization as machine code; see ``workbench.engine.kernels.norm``."""

from __future__ import annotations

from math import inf, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Calls, Chain, Site

if TYPE_CHECKING:
    from workbench.layers.norm import BatchNorm


def compiled_running_norm(layer: BatchNorm, site: Site) -> Calls:
    """With running statistics: one scale and one shift a channel."""
    from workbench.engine.kernels import norm as kernels
    from workbench.engine.kernels.calls import NativeCall

    x, dx, weights, state = site.inputs[0], site.d_inputs[0], site.weights, site.state
    places, channels = prod(x.shape[1:-1]), x.shape[-1]
    room, moved = site.buffer("factors", (2 * channels,), x.dtype), 2 * x.itemsize * prod(x.shape[1:])

    def scaling(kernel: Any, *arrays: Array) -> Call:
        return NativeCall(
            kernel, site.rows, *arrays, weights["weight"], weights["bias"], state["running_mean"], state["running_var"],
            room, places, channels, float(layer.epsilon), _floor(site), row_bytes=moved,
        )  # fmt: skip

    forward = scaling(kernels.scale_channels, x, site.output)
    return Calls(forward, Chain() if dx is None else scaling(kernels.scale_channels_backward, x, site.d_output, dx))


def _floor(site: Site) -> float:
    """The least that may come out: 0 where the layer does a ReLU's work too."""
    return 0.0 if site.absorbs else -inf


def compiled_batch_norm(layer: BatchNorm, site: Site) -> Calls:
    """Training: statistics of the whole batch."""
    return _BatchNorm(layer, site).calls()


class _BatchNorm:
    def __init__(self, layer: BatchNorm, site: Site) -> None:
        self.layer, self.site, self.x = layer, site, site.inputs[0]
        self.places, self.channels = prod(self.x.shape[1:-1]), self.x.shape[-1]
        self.sizes = self.places, self.channels
        self.moved = 2 * self.x.itemsize * prod(self.x.shape[1:])
        self.mean, self.inverse = self._vector("mean"), self._vector("inverse")
        self.room = self._vector("room", 2)
        meeting = site.meet() if site.meet else None
        self.waits = [meeting.wait()] if meeting else []
        self.rows = meeting.rows if meeting else np.array([site.rows], np.int64)
        self.slots = {
            name: meeting.slots(name, 2 * self.channels) if meeting else np.zeros((1, 2 * self.channels))
            for name in ("statistics", "slopes")
        }

    def calls(self) -> Calls:
        from workbench.engine.kernels import norm as kernels

        site, x, weights = self.site, self.x, self.site.weights
        statistics, slopes = (self.slots[name][site.shard] for name in ("statistics", "slopes"))
        kept: list[Any] = [site.state["running_mean"], site.state["running_var"]] if site.shard == 0 else [0, 0]
        forward = Chain(
            self._call(kernels.norm_statistics, x, statistics, self.room, *self.sizes),
            *self.waits,
            self._once(
                kernels.norm_join, self.slots["statistics"], self.rows, self.mean, self.inverse, *kept, len(self.rows),
                *self.sizes, float(self.layer.epsilon), float(self.layer.momentum),
            ),
            self._call(
                kernels.norm_apply, x, site.output, self.mean, self.inverse, weights["weight"], weights["bias"],
                *self.sizes, _floor(site),
            ),
        )  # fmt: skip
        gradients: list[Any] = [site.gradients["bias"], site.gradients["weight"]]
        summed = self._call(
            kernels.norm_slopes, x, site.d_output, self.mean, self.inverse, weights["weight"], weights["bias"], slopes,
            *gradients, self.room, *self.sizes, _floor(site),
        )  # fmt: skip
        # Shards with nothing before them that learns need not wait for each other.
        return Calls(forward, Chain(summed, *(self._input_gradient() if site.d_inputs[0] is not None else ())))

    def _input_gradient(self) -> list[Call]:
        from workbench.engine.kernels import norm as kernels

        site, average = self.site, self._vector("average", 2)
        count = site.batch_rows * self.places
        joined = self._once(
            kernels.norm_average, self.slots["slopes"], average, len(self.rows), 2 * self.channels, count
        )
        spread = self._call(
            kernels.norm_backward, self.x, site.d_output, site.d_inputs[0], self.mean, self.inverse,
            site.weights["weight"], site.weights["bias"], average, *self.sizes, _floor(site),
        )  # fmt: skip
        return [*self.waits, joined, spread]

    def _vector(self, name: str, times: int = 1) -> Array:
        return self.site.buffer(name, (times * self.channels,), self.x.dtype)

    def _call(self, kernel: Any, *arguments: Any) -> Call:
        from workbench.engine.kernels.calls import NativeCall

        return NativeCall(kernel, self.site.rows, *arguments, row_bytes=self.moved)

    def _once(self, kernel: Any, *arguments: Any) -> Call:
        from workbench.engine.kernels.calls import NativeCall

        return NativeCall(kernel, 1, *arguments)
