"""Upsampling: pictures and sequences made larger by whole factors, by repetition or in straight lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from math import prod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from workbench.engine.backend import Array, Call, Shape
from workbench.engine.cuda.calls import Launcher
from workbench.engine.layer import Calls, Chain, Layer, OnnxNode, ShapeError, Site, TorchModule
from workbench.layers.shaping import copying
from workbench.layers.windows import pair, shown
from workbench.recipe.fields import knob

Factor = Annotated[int, Field(ge=1, le=64)]
Factors = Factor | tuple[Factor, Factor]
"""How many times as high and as wide; one number stands for both."""


class Upsampling2d(Layer):
    """Each pixel becomes a block of them; ``bilinear`` draws straight lines between the middles of the old pixels.

    Middles as in PyTorch with ``align_corners=False``; beyond the outermost ones their values stay.
    """

    kind = "upsampling2d"
    stem = "up"
    title = "upsampling 2d"
    about = "Makes a picture larger: the way back up after pooling."
    output_is_free = True

    factor: Factors = knob(2, help="How many times as high and as wide.")
    mode: Literal["nearest", "bilinear"] = knob(
        "nearest", help="Repeat each pixel, or go in straight lines from one to the next."
    )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) != 3:
            raise ShapeError(f"reads a picture (height × width × channels), not {' × '.join(map(str, inputs[0]))}")
        height, width, channels = inputs[0]
        down, across = pair(self.factor)
        return height * down, width * across, channels

    def compile(self, site: Site) -> Calls:
        return _calls(site, pair(self.factor), self.mode == "bilinear")

    def summary(self) -> str:
        return f"{shown(self.factor)} · {self.mode}"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [_resized(pair(self.factor), self.mode == "bilinear")]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        down, across = pair(self.factor)
        factor = down if down == across else (down, across)
        corners = ", align_corners=False" if self.mode == "bilinear" else ""
        return TorchModule(f'nn.Upsample(scale_factor={factor}, mode="{self.mode}"{corners})')


class Upsampling1d(Layer):
    """Each step becomes some of them; ``linear`` draws straight lines between the middles of the old steps."""

    kind = "upsampling1d"
    stem = "up"
    title = "upsampling 1d"
    about = "Makes a sequence longer: the way back up after pooling."
    output_is_free = True

    factor: int = knob(2, help="How many times as long.", ge=1, le=64)
    mode: Literal["nearest", "linear"] = knob(
        "nearest", help="Repeat each step, or go in straight lines from one to the next."
    )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) != 2:
            raise ShapeError(f"reads a sequence (steps × features), not {' × '.join(map(str, inputs[0]))}")
        return inputs[0][0] * self.factor, inputs[0][1]

    def compile(self, site: Site) -> Calls:
        return _calls(site, (self.factor,), self.mode == "linear")

    def summary(self) -> str:
        return f"× {self.factor} · {self.mode}"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [_resized((self.factor,), self.mode == "linear")]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        corners = ", align_corners=False" if self.mode == "linear" else ""
        return TorchModule(f'nn.Upsample(scale_factor={self.factor}, mode="{self.mode}"{corners})')


def _resized(factors: tuple[int, ...], linear: bool) -> OnnxNode:
    how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    if not linear:
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return OnnxNode("Resize", ("0", "", "scales"), how, {"scales": np.array((1, 1, *factors), np.float32)})


def _calls(site: Site, factors: tuple[int, ...], linear: bool) -> Calls:
    """One axis after the other; those that stay as they are cost nothing."""
    if site.compiled:
        from workbench.layers.upsampling_compiled import compiled_upsampling

        return compiled_upsampling(site, factors, linear)
    steps = [(axis, factor) for axis, factor in enumerate(factors, start=1) if factor > 1]
    if not steps:
        return copying(site)
    shapes = [site.inputs[0].shape]
    for axis, factor in steps[:-1]:
        shape = list(shapes[-1])
        shape[axis] *= factor
        shapes.append(tuple(shape))
    values = [site.inputs[0], *_buffers(site, "values", shapes[1:]), site.output]
    stretches = [_Stretch(site, *step, linear, shape) for step, shape in zip(steps, shapes, strict=True)]
    ways = list(zip(stretches, itertools.pairwise(values), strict=True))
    forward = [stretch.forward(*ends) for stretch, ends in ways]
    if site.d_inputs[0] is None:
        return Calls(Chain(*forward), Chain())
    slopes = [site.d_inputs[0], *_buffers(site, "slopes", shapes[1:]), site.d_output]
    ways = list(zip(stretches, itertools.pairwise(slopes), strict=True))
    return Calls(Chain(*forward), Chain(*(stretch.backward(*ends) for stretch, ends in reversed(ways))))


def _buffers(site: Site, name: str, shapes: Sequence[Shape]) -> list[Array]:
    return [site.buffer(f"{name} {number}", shape, site.output.dtype) for number, shape in enumerate(shapes)]


class _Stretch:
    """Makes one axis longer by a factor.

    Of the new values that come from one old value, each lies at one place between its middle and that of a neighbor,
    the same place for all old values: so the work is one pass over the array for each of these places.
    """

    def __init__(self, site: Site, axis: int, factor: int, linear: bool, shape: Sequence[int]) -> None:
        self.xp, self.axis, self.factor, self.linear = site.xp, axis, factor, linear
        self.part = site.buffer(f"stretch {axis}", tuple(shape), site.output.dtype)
        self.number, self.cuda = site.output.dtype.type, site.cuda

    def _launch(self, launcher: Launcher, kernel: str, source: Array, target: Array, shape: Shape) -> Call:
        sizes = shape[self.axis], self.factor, prod(shape[self.axis + 1 :]), int(self.linear)
        return launcher.over(prod(target.shape), kernel, source, target, *sizes, prod(target.shape))

    def forward(self, x: Array, y: Array) -> Call:
        if self.cuda:
            return self._launch(self.cuda, "stretch_axis", x, y, x.shape)

        def run() -> None:
            for phase, offset in self._phases():
                place = self._at(y, slice(phase, None, self.factor))
                if not offset:
                    self.xp.copyto(place, x)
                    continue
                self.xp.multiply(x, self.number(1 - abs(offset)), out=place)
                self.xp.multiply(x, self.number(abs(offset)), out=self.part)
                for to, source in self._neighbors(offset):
                    target = self._at(place, to)
                    self.xp.add(target, self._at(self.part, source), out=target)

        return run

    def backward(self, dx: Array, dy: Array) -> Call:
        if self.cuda:
            return self._launch(self.cuda, "stretch_axis_back", dy, dx, dx.shape)

        def run() -> None:
            dx[...] = 0
            for phase, offset in self._phases():
                place = self._at(dy, slice(phase, None, self.factor))
                if not offset:
                    self.xp.add(dx, place, out=dx)
                    continue
                self.xp.multiply(place, self.number(1 - abs(offset)), out=self.part)
                self.xp.add(dx, self.part, out=dx)
                self.xp.multiply(place, self.number(abs(offset)), out=self.part)
                for to, source in self._neighbors(offset):
                    target = self._at(dx, source)
                    self.xp.add(target, self._at(self.part, to), out=target)

        return run

    def _phases(self) -> Iterator[tuple[int, float]]:
        """The new values of one old value by number, and how far each lies from its middle, in old steps."""
        for phase in range(self.factor):
            yield phase, (phase + 0.5) / self.factor - 0.5 if self.linear else 0.0

    def _neighbors(self, offset: float) -> list[tuple[slice, slice]]:
        """Where the neighbors' share goes to, and where it comes from; at the end a value is its own neighbor."""
        first, last, later, before = slice(0, 1), slice(-1, None), slice(1, None), slice(None, -1)
        return [(later, before), (first, first)] if offset < 0 else [(before, later), (last, last)]

    def _at(self, array: Array, where: slice) -> Array:
        return array[(slice(None),) * self.axis + (where,)]
