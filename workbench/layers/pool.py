"""Pooling: the largest or the mean value of each window of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Shape
from workbench.engine.layer import Calls, Layer, OnnxNode, ShapeError, Site, TorchModule
from workbench.layers.windows import Axis, Pair, axes_of, offset_view, pair, shown
from workbench.recipe.fields import knob


def _pool_axes(layer: _Pool2d, shape: Shape) -> tuple[Axis, Axis]:
    return axes_of("window", shape, layer.window, layer.stride or layer.window, "valid")


def _views(pictures: Array, axes: tuple[Axis, Axis]) -> Iterator[Array]:
    rows, columns = axes
    for down in range(rows.window):
        for across in range(columns.window):
            yield offset_view(pictures, rows, columns, down, across)


def _covers_once(axes: tuple[Axis, Axis]) -> bool:
    """Whether each input value stands in exactly one window."""
    return all(axis.stride == axis.window and axis.count * axis.window == axis.size for axis in axes)


def _pool_attributes(axes: tuple[Axis, Axis]) -> dict[str, Any]:
    return {"kernel_shape": [axis.window for axis in axes], "strides": [axis.stride for axis in axes]}


def _pool_torch(kind: str, axes: tuple[Axis, Axis]) -> TorchModule:
    rows, columns = axes
    return TorchModule(f"nn.{kind}(({rows.window}, {columns.window}), stride=({rows.stride}, {columns.stride}))")


class _Pool2d(Layer):
    """What both have in common: windows that move over a picture."""

    window: Pair = knob(2, help="Height and width of a window.", unit="px")
    stride: Pair | None = knob(None, help="How far the windows move at a time.", unit="px", placeholder="the window")

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        rows, columns = _pool_axes(self, inputs[0])
        return rows.count, columns.count, inputs[0][2]

    def summary(self) -> str:
        moved = self.stride is not None and pair(self.stride) != pair(self.window)
        return shown(self.window) + (f" · stride {shown(self.stride or 1)}" if moved else "")


class MaxPool2d(_Pool2d):
    """The largest value of each window; of several equal ones the first gets the gradient."""

    kind = "max_pool2d"
    stem = "pool"
    title = "max pooling 2d"
    about = "Halves a picture's size and keeps the strongest answers."

    def compile(self, site: Site) -> Calls:
        xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
        axes = _pool_axes(self, tuple(x.shape[1:]))
        views = list(_views(x, axes))

        def forward() -> None:
            xp.copyto(y, views[0])
            for view in views[1:]:
                xp.maximum(y, view, out=y)

        if dx is None:
            return Calls(forward, lambda: None)
        d_views = list(_views(dx, axes))
        wins, open_ = site.like("wins", y, np.bool_), site.like("open", y, np.bool_)
        once, part = _covers_once(axes), site.like("part", y)

        def backward() -> None:
            open_[...] = True
            if not once:
                dx[...] = 0
            for view, d_view in zip(views, d_views, strict=True):
                xp.equal(view, y, out=wins)
                xp.logical_and(wins, open_, out=wins)
                xp.logical_xor(open_, wins, out=open_)
                if once:
                    xp.multiply(dy, wins, out=d_view)
                else:
                    xp.multiply(dy, wins, out=part)
                    xp.add(d_view, part, out=d_view)

        return Calls(forward, backward)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [OnnxNode("MaxPool", attributes=_pool_attributes(_pool_axes(self, inputs[0])))]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return _pool_torch("MaxPool2d", _pool_axes(self, inputs[0]))


class AveragePool2d(_Pool2d):
    """The mean of each window."""

    kind = "average_pool2d"
    stem = "pool"
    title = "average pooling 2d"
    about = "Halves a picture's size and smooths it."

    def compile(self, site: Site) -> Calls:
        xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
        axes = _pool_axes(self, tuple(x.shape[1:]))
        views = list(_views(x, axes))
        share = y.dtype.type(1.0 / len(views))

        def forward() -> None:
            xp.copyto(y, views[0])
            for view in views[1:]:
                xp.add(y, view, out=y)
            xp.multiply(y, share, out=y)

        if dx is None:
            return Calls(forward, lambda: None)
        d_views = list(_views(dx, axes))
        once = _covers_once(axes)

        def backward() -> None:
            xp.multiply(dy, share, out=dy)
            if not once:
                dx[...] = 0
            for d_view in d_views:
                if once:
                    xp.copyto(d_view, dy)
                else:
                    xp.add(d_view, dy, out=d_view)

        return Calls(forward, backward)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [OnnxNode("AveragePool", attributes=_pool_attributes(_pool_axes(self, inputs[0])))]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return _pool_torch("AvgPool2d", _pool_axes(self, inputs[0]))


class GlobalAveragePool2d(Layer):
    """The mean of each channel over the whole picture: a vector, whatever the picture's size."""

    kind = "global_average_pool2d"
    stem = "pool"
    title = "global average pooling 2d"
    about = "One number a channel: ends a convolutional network with few parameters."

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) != 3:
            raise ShapeError(f"reads a picture (height × width × channels), not {' × '.join(map(str, inputs[0]))}")
        return (inputs[0][2],)

    def compile(self, site: Site) -> Calls:
        xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
        share = y.dtype.type(1.0 / (x.shape[1] * x.shape[2]))

        def forward() -> None:
            xp.sum(x, axis=(1, 2), out=y)
            xp.multiply(y, share, out=y)

        def backward() -> None:
            if dx is not None:
                xp.multiply(dy, share, out=dy)
                dx[...] = dy[:, None, None, :]

        return Calls(forward, backward)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [OnnxNode("GlobalAveragePool"), OnnxNode("Flatten", ("-1",), {"axis": 1})]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule("", "{0}.mean(dim=(2, 3))")
