"""Layers that change nothing but the shape."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from pydantic import field_validator
from pydantic_core import PydanticCustomError

from workbench.engine.backend import Array, Call, Shape
from workbench.engine.cuda.calls import Launcher
from workbench.engine.layer import Calls, Chain, Layer, OnnxNode, ShapeError, Site, TorchModule
from workbench.recipe.fields import knob


class Flatten(Layer):
    """A picture or a sequence as a vector, channel by channel.

    The order is the ecosystem's (channels, height, width), not the engine's own (height, width, channels): the dense
    layers after it then have the same weights here, in PyTorch and in ONNX.
    """

    kind = "flatten"
    stem = "flat"
    about = "Makes a vector of a picture or a sequence, for the dense layers after it."

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (prod(inputs[0]),)

    def compile(self, site: Site) -> Calls:
        if site.compiled:
            return _compiled(site)
        if site.cuda:
            return _on_cuda(site, site.cuda)
        xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
        order = (0, x.ndim - 1, *range(1, x.ndim - 1))
        turned = x.transpose(order)
        y_turned = y.reshape(turned.shape)
        d_turned = dx.transpose(order) if dx is not None else None

        def forward() -> None:
            xp.copyto(y_turned, turned)

        def backward() -> None:
            if d_turned is not None:
                xp.copyto(d_turned, dy.reshape(d_turned.shape))

        return Calls(forward, backward)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        return [OnnxNode("Flatten", attributes={"axis": 1})]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        return TorchModule("", "{0}.flatten(1)")


def _compiled(site: Site) -> Calls:
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.shaping import channels_first

    x, y, dx, dy = site.inputs[0], site.output, site.d_inputs[0], site.d_output
    size, channels = prod(x.shape[1:]), x.shape[-1]
    places, moved = size // channels, 2 * size * x.dtype.itemsize
    forward = NativeCall(channels_first, site.rows, x, y, places, channels, row_bytes=moved)
    if dx is None:
        return Calls(forward, Chain())
    return Calls(forward, NativeCall(channels_first, site.rows, dy, dx, channels, places, row_bytes=moved))


def _on_cuda(site: Site, launcher: Launcher) -> Calls:
    x, y, dx, dy = site.inputs[0], site.output, site.d_inputs[0], site.d_output
    channels = x.shape[-1]
    places = prod(x.shape[1:]) // channels

    def turning(source: Array, target: Array, rows: int, columns: int) -> Call:
        if min(rows, columns) == 1:
            return launcher.over(prod(x.shape), "copy_values", source, target, prod(x.shape))
        blocks = site.rows * -(-columns // 32) * -(-rows // 32)
        return launcher.call("turn_matrices", blocks, (32, 8), source, target, rows, columns)

    forward = turning(x, y, places, channels)
    return Calls(forward, Chain() if dx is None else turning(dy, dx, channels, places))


class Reshape(Layer):
    """The same values in another shape, in the engine's order: the last axis (channels, features) changes fastest.

    A vector ``v`` becomes the sequence ``x[t, c] = v[t * C + c]``, so that columns of a table that stand in order of
    time, with all features of a step side by side, become its steps. Keras has this order too; exports, which are
    channels-first, turn to channels-last and back.
    """

    kind = "reshape"
    about = "Makes a sequence or a picture of a vector, or gives another shape to the same values."
    output_is_free = True

    shape: tuple[int, ...] = knob(
        (-1, 1),
        help="One number for a vector, steps × features for a sequence, height × width × channels for a picture; "
        "-1 stands for what is left.",
    )

    @field_validator("shape")
    @classmethod
    def _shape_is_one(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        sizes = [size for size in value if size != -1]
        if not 1 <= len(value) <= 3:
            raise PydanticCustomError("shape", "must have one to three numbers, not {count}", {"count": len(value)})
        if len(value) - len(sizes) > 1:
            raise PydanticCustomError("shape", "must have -1 in one place at most")
        if any(not 1 <= size <= 2**31 for size in sizes):
            raise PydanticCustomError("shape", "must have numbers from 1 on, or one -1 for what is left")
        return value

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        values, known = prod(inputs[0]), prod(size for size in self.shape if size != -1)
        if values % known if -1 in self.shape else values != known:
            raise ShapeError(f"the {values:,} values of {_times(inputs[0])} do not make {_times(self.shape)}")
        return tuple(values // known if size == -1 else size for size in self.shape)

    def compile(self, site: Site) -> Calls:
        if site.compiled or site.cuda:
            return copying(site)
        xp, y, dx, dy = site.xp, site.output, site.d_inputs[0], site.d_output
        x = site.inputs[0].reshape(y.shape)

        def backward() -> None:
            if dx is not None:
                xp.copyto(dx, dy.reshape(dx.shape))

        return Calls(lambda: xp.copyto(y, x), backward)

    def summary(self) -> str:
        return _times(self.shape)

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        shape, made = inputs[0], self.output_shape(inputs)
        before, after = _turns(shape), _turns(made)
        sizes = made if after else (made[-1], *made[:-1])
        nodes = [OnnxNode("Transpose", attributes={"perm": [0, *range(2, len(shape) + 1), 1]})] if before else []
        # The batch is what is left; 0 would stand for it too, but not in every reader of ONNX.
        constants = {"shape": np.array((-1, *sizes), np.int64)}
        nodes.append(OnnxNode("Reshape", ("-1" if before else "0", "shape"), constants=constants))
        if after:
            nodes.append(OnnxNode("Transpose", ("-1",), {"perm": [0, len(made), *range(1, len(made))]}))
        return nodes

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        made = self.output_shape(inputs)
        before = ".movedim(1, -1)" if _turns(inputs[0]) else ""
        sizes, after = (made, ".movedim(-1, 1)") if _turns(made) else ((made[-1], *made[:-1]), "")
        return TorchModule("", f"{{0}}{before}.reshape(-1, {', '.join(map(str, sizes))}){after}")


def _turns(shape: Shape) -> bool:
    """Whether the values of an example stand in another order channels-first."""
    return shape[-1] > 1 and prod(shape[:-1]) > 1


def _times(shape: Shape) -> str:
    return " × ".join(map(str, shape))


def copying(site: Site) -> Calls:
    """The calls of a layer that does nothing here: its output is its input."""
    xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
    if site.cuda:
        backward = Chain() if dx is None else site.cuda.over(prod(x.shape), "copy_values", dy, dx, prod(x.shape))
        return Calls(site.cuda.over(prod(x.shape), "copy_values", x, y, prod(x.shape)), backward)
    if not site.compiled:
        return Calls(lambda: xp.copyto(y, x), lambda: None if dx is None else xp.copyto(dx, dy))
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.shaping import copy_values

    size = prod(x.shape[1:])
    moved = 2 * size * x.itemsize
    forward = NativeCall(copy_values, site.rows, x, y, size, row_bytes=moved)
    return Calls(forward, Chain() if dx is None else NativeCall(copy_values, site.rows, dy, dx, size, row_bytes=moved))
