"""The parametric ReLU: an activation function with trained slopes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Call, Shape
from workbench.engine.cuda.calls import Launcher
from workbench.engine.initializers import Initializer
from workbench.engine.layer import Calls, Chain, Layer, OnnxNode, Parameter, Site, TorchModule
from workbench.layers.norm import channel_sums
from workbench.recipe.fields import knob


class PReLU(Layer):
    """``y = x`` above 0 and ``weight * x`` below, with a trained weight (He et al., ICCV 2015).

    One weight for all values, or one for each channel. L2 and weight decay leave it alone: they would push it to 0,
    that is, to plain ReLU.
    """

    kind = "prelu"
    title = "PReLU"
    about = "A ReLU that learns how much of the negative values to let through."
    role = "activation"
    keeps_gradient = True
    output_is_free = True

    per_channel: bool = knob(False, help="A slope for each feature or channel, instead of one for all values.")
    initial: float = knob(0.25, help="What the slope below 0 is at first.", ge=-1, le=1, advanced=True)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        return (Parameter("weight", (self._weights(inputs[0]),), Initializer("constant", self.initial)),)

    def compile(self, site: Site) -> Calls:
        if site.compiled:
            return _compiled(site)
        if site.cuda:
            return _on_cuda(site, site.cuda)
        return _as_arrays(site)

    def summary(self) -> str:
        return "a slope per channel" if self.per_channel else "one slope"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        shape = inputs[0]
        if not self.per_channel or len(shape) == 1:
            return [OnnxNode("PRelu", ("0", "weight"))]
        column = {"shape": np.array((shape[-1], *(1 for _ in shape[1:])), np.int64)}
        return [OnnxNode("Reshape", ("weight", "shape"), constants=column), OnnxNode("PRelu", ("0", "-1"))]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule(f"nn.PReLU({self._weights(inputs[0])}, init={self.initial!r})")

    def _weights(self, shape: Shape) -> int:
        return shape[-1] if self.per_channel else 1


def _as_arrays(site: Site) -> Calls:
    xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
    weight, gradient, zero = site.weights["weight"], site.gradients.get("weight"), y.dtype.type(0)
    below = site.like("below", y)

    def forward() -> None:
        xp.minimum(x, zero, out=below)
        xp.multiply(below, weight, out=below)
        xp.maximum(x, zero, out=y)
        xp.add(y, below, out=y)

    def backward() -> None:
        if gradient is not None:
            xp.minimum(x, zero, out=below)
            xp.multiply(below, dy, out=below)
            sums = channel_sums(xp, below)
            gradient[...] = sums if gradient.size == sums.size else sums.sum()
        if dx is not None:
            xp.multiply(dy, weight, out=dx)
            xp.copyto(dx, dy, where=x > 0)

    return Calls(forward, backward)


def _compiled(site: Site) -> Calls:
    from workbench.engine.kernels import prelu as kernels
    from workbench.engine.kernels.calls import NativeCall

    x, y, dx, dy, weight = site.inputs[0], site.output, site.d_inputs[0], site.d_output, site.weights["weight"]
    gradient, size = site.gradients.get("weight"), prod(x.shape[1:])
    # Values that follow each other and have a weight each, or all of a row the same.
    line = weight.size if weight.size > 1 else size
    sizes, moved = (size // line, line, int(weight.size > 1)), 2 * x.itemsize * size

    def call(kernel: Any, *fields: Any) -> Call:
        return NativeCall(kernel, site.rows, *fields, *sizes, row_bytes=moved)

    backward: list[Call] = []
    if gradient is not None:
        sums = site.buffer("sums", (weight.size,), np.float64)
        backward.append(call(kernels.prelu_slopes, x, dy, sums, gradient))
    if dx is not None:
        backward.append(call(kernels.prelu_backward, x, dy, dx, weight))
    return Calls(call(kernels.prelu_forward, x, y, weight), Chain(*backward))


def _on_cuda(site: Site, launcher: Launcher) -> Calls:
    from workbench.engine.cuda.pointwise import column_sums

    x, y, dx, dy, weight = site.inputs[0], site.output, site.d_inputs[0], site.d_output, site.weights["weight"]
    gradient, count = site.gradients.get("weight"), prod(x.shape)
    slopes: Array = 0 if gradient is None else site.like("slopes", x)
    forward = launcher.over(count, "prelu_forward", x, y, weight, prod(weight.shape), count)
    backward: list[Call] = []
    if dx is not None or gradient is not None:
        arrays = x, dy, weight, 0 if dx is None else dx, slopes
        backward.append(launcher.over(count, "prelu_backward", *arrays, prod(weight.shape), count))
    if gradient is not None:
        channels = int(x.shape[-1])
        by_channel = gradient if gradient.size == channels else site.buffer("by channel", (channels,), x.dtype)
        backward += column_sums(launcher, slopes, by_channel, site.buffer)
        if by_channel is not gradient:
            backward += column_sums(launcher, by_channel.reshape(channels, 1), gradient, site.buffer)
    return Calls(forward, Chain(*backward))
