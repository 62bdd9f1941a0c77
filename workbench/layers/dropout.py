"""Dropout (Srivastava et al., JMLR 2014), inverted: scaled in training, nothing to do in inference."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from workbench.engine.backend import Shape
from workbench.engine.layer import Calls, Layer, OnnxNode, Site, TorchModule
from workbench.engine.random import key_of, uniform
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
            return Calls(lambda: xp.copyto(y, x), lambda: None if dx is None else xp.copyto(dx, dy))
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
