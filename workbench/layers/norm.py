"""Normalization inside the network."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Shape
from workbench.engine.initializers import ONES, ZEROS
from workbench.engine.layer import Calls, Layer, Meeting, OnnxNode, Parameter, Site, TorchModule
from workbench.layers.activation import is_relu
from workbench.recipe.fields import knob


class BatchNorm(Layer):
    """Batch normalization (Ioffe and Szegedy, ICML 2015) of each feature, or each channel of a picture.

    ``y = weight * (x - mean) / sqrt(variance + epsilon) + bias``. In training the statistics are those of the whole
    batch, also where it is cut into shards (variance biased for normalizing, unbiased for the running one); in
    inference, and where the layer is frozen, the running ones.
    """

    kind = "batch_norm"
    stem = "norm"
    title = "batch norm"
    about = "Keeps each layer's answers in the same range: faster training, slight regularization."
    role = "norm"
    keeps_gradient = True
    output_is_free = True

    momentum: float = knob(0.1, help="The weight of a new batch in the running statistics.", gt=0, le=1, advanced=True)
    epsilon: float = knob(1e-5, help="Added to the variance.", gt=0, le=1, log=True, advanced=True)

    def absorbs(self, after: Layer) -> bool:
        return is_relu(after)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        shape = inputs[0][-1:]
        return Parameter("weight", shape, ONES), Parameter("bias", shape, ZEROS)

    def state(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        shape = inputs[0][-1:]
        return Parameter("running_mean", shape, ZEROS), Parameter("running_var", shape, ONES)

    def compile(self, site: Site) -> Calls:
        learns = site.training and not self.frozen
        if site.compiled:
            from workbench.layers.norm_compiled import compiled_batch_norm, compiled_running_norm

            return compiled_batch_norm(self, site) if learns else compiled_running_norm(self, site)
        if site.cuda:
            from workbench.layers.norm_cuda import batch_norm_on_cuda, running_norm_on_cuda

            return batch_norm_on_cuda(self, site) if learns else running_norm_on_cuda(self, site)
        if learns:
            return _BatchStatistics(self, site).calls()
        return _RunningStatistics(self, site).calls()

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        names = ("0", "weight", "bias", "running_mean", "running_var")
        return [OnnxNode("BatchNormalization", names, {"epsilon": self.epsilon})]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        kind = "BatchNorm2d" if len(inputs[0]) == 3 else "BatchNorm1d"
        return TorchModule(f"nn.{kind}({inputs[0][-1]}, eps={self.epsilon!r}, momentum={self.momentum!r})")


def channel_sums(xp: Any, values: Array) -> Array:
    """Sums over all but the last axis, float64 ``(channels,)``: by example in float32, over examples in float64."""
    by_example = values.reshape(values.shape[0], -1, values.shape[-1]).sum(axis=1)
    return by_example.sum(axis=0, dtype=np.float64)


class _RunningStatistics:
    """Inference: one scale and one shift a channel."""

    def __init__(self, layer: BatchNorm, site: Site) -> None:
        self.layer, self.site = layer, site

    def calls(self) -> Calls:
        xp, x, y = self.site.xp, self.site.inputs[0], self.site.output
        dx, dy, weights, state = self.site.d_inputs[0], self.site.d_output, self.site.weights, self.site.state

        def scale() -> Array:
            return weights["weight"] / xp.sqrt(state["running_var"] + y.dtype.type(self.layer.epsilon))

        def forward() -> None:
            factor = scale()
            xp.multiply(x, factor, out=y)
            xp.add(y, weights["bias"] - state["running_mean"] * factor, out=y)

        def backward() -> None:
            if dx is not None:
                xp.multiply(dy, scale(), out=dx)

        return Calls(forward, backward)


class _BatchStatistics:
    """Training: the shards add up their sums, so that all see the statistics of the whole batch."""

    def __init__(self, layer: BatchNorm, site: Site) -> None:
        self.layer, self.site = layer, site
        self.meeting: Meeting | None = site.meet() if site.meet else None
        x = site.inputs[0]
        self.count = site.batch_rows * prod(x.shape[1:-1])
        self.normal = site.like("normal", x)
        self.number = x.dtype.type
        self.inverse: Array = None

    def calls(self) -> Calls:
        return Calls(self.forward, self.backward)

    def total(self, sums: Array) -> Array:
        return self.meeting.total(self.site.shard, sums) if self.meeting else sums

    def forward(self) -> None:
        site, xp, x, normal = self.site, self.site.xp, self.site.inputs[0], self.normal
        mean = self.total(channel_sums(xp, x)) / self.count
        xp.subtract(x, mean.astype(x.dtype), out=normal)
        xp.multiply(normal, normal, out=site.output)
        variance = self.total(channel_sums(xp, site.output)) / self.count
        self.inverse = (1.0 / xp.sqrt(variance + self.layer.epsilon)).astype(x.dtype)
        xp.multiply(normal, self.inverse, out=normal)
        xp.multiply(normal, site.weights["weight"], out=site.output)
        xp.add(site.output, site.weights["bias"], out=site.output)
        if site.shard == 0:
            self._remember(mean, variance)

    def _remember(self, mean: Array, variance: Array) -> None:
        unbiased = variance * (self.count / max(1, self.count - 1))
        for name, value in (("running_mean", mean), ("running_var", unbiased)):
            kept = self.site.state[name]
            kept *= self.number(1.0 - self.layer.momentum)
            kept += (self.layer.momentum * value).astype(kept.dtype)

    def backward(self) -> None:
        site, xp, dy, normal = self.site, self.site.xp, self.site.d_output, self.normal
        product = site.like("product", dy)
        xp.multiply(dy, normal, out=product)
        d_bias, d_weight = channel_sums(xp, dy), channel_sums(xp, product)
        site.gradients["bias"][...] = d_bias
        site.gradients["weight"][...] = d_weight
        both = self.total(xp.stack([d_bias, d_weight])) / self.count
        dx = site.d_inputs[0]
        if dx is None:
            return
        # dx = weight / deviation * (dy - mean(dy) - normal * mean(dy * normal))
        xp.multiply(normal, both[1].astype(dy.dtype), out=product)
        xp.subtract(dy, product, out=dx)
        xp.subtract(dx, both[0].astype(dy.dtype), out=dx)
        xp.multiply(dx, site.weights["weight"] * self.inverse, out=dx)
