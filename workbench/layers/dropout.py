"""Dropout (Srivastava et al., JMLR 2014), inverted: scaled in training, nothing to do in inference."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from workbench.engine.backend import Array, Shape
from workbench.engine.cuda.calls import Launcher
from workbench.engine.layer import Calls, Chain, Layer, OnnxNode, Site, TorchModule
from workbench.engine.random import key_of, uniform
from workbench.layers.shaping import copying
from workbench.recipe.fields import knob


class Dropout(Layer):
    """Sets values to 0 at random while training, so that no unit relies on another one.

    Which values is a function of (seed, layer, step, row): the number of threads changes nothing.
    """

    kind = "dropout"
    stem = "drop"
    about = "Makes a network learn the same thing in several ways: lowers variance."
    role = "regularization"

    rate: float = knob(0.5, help="The share of values that is dropped.", ge=0, lt=1, unit="fraction")

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def compile(self, site: Site) -> Calls:
        xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
        if not site.training or self.rate == 0:
            return copying(site)
        if site.compiled:
            return _compiled(self, site)
        if site.cuda:
            return _on_cuda(self, site, site.cuda)
        size = prod(x.shape[1:])
        stride = size + size % 2  # random numbers come in pairs: each row starts at a pair
        start, count = site.first_row * stride, site.rows * stride
        keep, scale = site.like("keep", y), y.dtype.type(1.0 / (1.0 - self.rate))
        rate, clock = np.float32(self.rate), site.clock

        def forward() -> None:
            draws = uniform(xp, key_of(clock.seed, "dropout", site.key, clock.step), start, count)
            xp.greater_equal(draws.reshape(site.rows, stride)[:, :size].reshape(x.shape), rate, out=keep)
            xp.multiply(keep, scale, out=keep)
            xp.multiply(x, keep, out=y)

        def backward() -> None:
            if dx is not None:
                xp.multiply(dy, keep, out=dx)

        return Calls(forward, backward)

    def summary(self) -> str:
        return f"{self.rate:.0%}"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [OnnxNode("Identity")]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule(f"nn.Dropout({self.rate!r})")


def _compiled(layer: Dropout, site: Site) -> Calls:
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.shaping import dropped

    x, y, dx, dy, clock = site.inputs[0], site.output, site.d_inputs[0], site.d_output, site.clock
    key = site.buffer("key", (1,), np.uint64)
    size, scale = prod(x.shape[1:]), 1.0 / (1.0 - layer.rate)

    def drop(source: Array, target: Array) -> NativeCall:
        # The backward pass draws the same numbers again: cheaper than to remember them.
        fields = key, size, site.first_row, float(layer.rate), float(scale)
        return NativeCall(dropped, site.rows, source, target, *fields, row_bytes=2 * size * source.itemsize)

    def choose() -> None:
        key[0] = key_of(clock.seed, "dropout", site.key, clock.step)

    return Calls(drop(x, y), Chain() if dx is None else drop(dy, dx), choose)


def _on_cuda(layer: Dropout, site: Site, launcher: Launcher) -> Calls:
    from workbench.engine.cuda.calls import Words
    from workbench.engine.cuda.pointwise import Dropping, dropped, dropped_back

    x, y, dx, dy, clock = site.inputs[0], site.output, site.d_inputs[0], site.d_output, site.clock
    key = Words(launcher, site.buffer("key", (1,), np.uint64))
    # A rate as float32 has it, so that the very same values are dropped on each backend.
    rate, scale = float(np.float32(layer.rate)), 1.0 / (1.0 - layer.rate)
    dropping = Dropping(key.array, prod(x.shape[1:]), site.first_row, rate, scale)

    def choose() -> None:
        key.set(key_of(clock.seed, "dropout", site.key, clock.step))

    backward = Chain() if dx is None else dropped_back(launcher, dropping, dy, dx)
    return Calls(dropped(launcher, dropping, x, y), backward, choose)
