"""Convolution over pictures, as matrix products of window copies (im2col) in pieces that stay in the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from workbench.engine.backend import Array, Shape
from workbench.engine.initializers import ZEROS, Initializer, InitializerName
from workbench.engine.layer import Calls, Layer, OnnxNode, Parameter, Site, TorchModule
from workbench.layers.windows import Axis, Padding, Pair, axes_of, pair, shown, windows
from workbench.recipe.fields import knob


class Conv2d(Layer):
    """Filters that slide over a picture. Weights ``(filters, height, width, channels)`` in the engine.

    The windows are copied twice, forward and backward, instead of kept: a copy in the cache is cheaper than memory.
    """

    kind = "conv2d"
    stem = "conv"
    title = "convolution 2d"
    about = "Looks for the same small patterns everywhere in a picture."
    role = "weights"
    width_field = "filters"

    filters: int = knob(32, help="How many patterns to look for.", ge=1, le=65_536, log=True)
    kernel: Pair = knob(3, help="Height and width of a filter.", unit="px")
    stride: Pair = knob(1, help="How far the filters move at a time.", unit="px")
    padding: Padding = knob("same", help="Zeros around the picture: `same` keeps its size, `valid` adds none.")
    bias: bool = knob(True, help="Add a trained constant to each filter; a batch norm right after makes it needless.")
    initializer: InitializerName = knob("he_normal", help="How the weights start.")
    constant: float = knob(0.0, help="The value that `constant` fills in.", advanced=True)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        rows, columns = self._axes(inputs)
        return rows.count, columns.count, self.filters

    def parameters(self, inputs: Sequence[Shape]) -> tuple[Parameter, ...]:
        height, width = pair(self.kernel)
        shape = (self.filters, height, width, inputs[0][2])
        weight = Parameter(
            "weight",
            shape,
            Initializer(self.initializer, self.constant),
            fan_in=prod(shape[1:]),
            fan_out=self.filters * height * width,
            decays=True,
            axes=(0, 3, 1, 2),
        )
        return (weight, Parameter("bias", (self.filters,), ZEROS)) if self.bias else (weight,)

    def compile(self, site: Site) -> Calls:
        axes = self._axes([tuple(site.inputs[0].shape[1:])])
        forward_pass = _Forward(site, axes)
        input_gradient = _InputGradient(site, axes) if site.d_inputs[0] is not None else None
        xp, dy, d_bias = site.xp, site.d_output, site.gradients.get("bias")

        def backward() -> None:
            if "weight" in site.gradients:
                forward_pass.weight_gradient()
            if d_bias is not None:
                # Picture by picture first: a single long float32 sum loses digits.
                xp.sum(dy.sum(axis=(1, 2)), axis=0, out=d_bias)
            if input_gradient:
                input_gradient.run()

        return Calls(forward_pass.run, backward)

    def multiply_adds(self, inputs: Sequence[Shape]) -> int:
        rows, columns = self._axes(inputs)
        return rows.count * columns.count * self.filters * rows.window * columns.window * inputs[0][2]

    def summary(self) -> str:
        stride = "" if pair(self.stride) == (1, 1) else f" · stride {shown(self.stride)}"
        padding = self.padding if isinstance(self.padding, str) else f"padding {shown(self.padding)}"
        return f"{self.filters} filters · {shown(self.kernel)}{stride} · {padding}"

    def onnx(self, inputs: Sequence[Shape]) -> Sequence[OnnxNode]:
        rows, columns = self._axes(inputs)
        attributes = {
            "kernel_shape": [rows.window, columns.window],
            "strides": [rows.stride, columns.stride],
            "pads": [rows.before, columns.before, rows.after, columns.after],
        }
        return [OnnxNode("Conv", ("0", "weight", "bias") if self.bias else ("0", "weight"), attributes)]

    def torch(self, inputs: Sequence[Shape]) -> TorchModule:
        rows, columns = self._axes(inputs)
        sizes = f"{inputs[0][2]}, {self.filters}, ({rows.window}, {columns.window})"
        stride = "" if rows.stride == columns.stride == 1 else f", stride=({rows.stride}, {columns.stride})"
        bias = "" if self.bias else ", bias=False"
        if (rows.before, columns.before) == (rows.after, columns.after):
            margin = f", padding=({rows.before}, {columns.before})" if rows.before or columns.before else ""
            return TorchModule(f"nn.Conv2d({sizes}{stride}{margin}{bias})")
        pads = (columns.before, columns.after, rows.before, rows.after)
        return TorchModule(f"nn.Conv2d({sizes}{stride}{bias})", f"{{self}}(F.pad({{0}}, {pads}))")

    def _axes(self, inputs: Sequence[Shape]) -> tuple[Axis, Axis]:
        return axes_of("kernel", inputs[0], self.kernel, self.stride, self.padding)


class _Windows:
    """Copies windows of some pictures at a time into a matrix ``(pictures * windows, window values)``."""

    def __init__(self, site: Site, name: str, pictures: int, rows: Axis, columns: Axis, channels: int) -> None:
        self.values = rows.window * columns.window * channels
        self.places = rows.count * columns.count
        dtype = site.output.dtype
        one = self.places * self.values * dtype.itemsize
        self.step = max(1, min(pictures, site.backend.piece_bytes // one))
        self._xp, self._rows, self._columns = site.xp, rows, columns
        self._matrix = site.buffer(f"{name}.matrix", (self.step * self.places, self.values), dtype)
        # Zeros once: what is written later always falls on the same places.
        self.padded = site.buffer(f"{name}.padded", (self.step, rows.padded, columns.padded, channels), dtype)
        self.padded[...] = 0

    def pieces(self, pictures: int) -> list[slice]:
        """The pictures in pieces of ``step``."""
        return [slice(start, min(start + self.step, pictures)) for start in range(0, pictures, self.step)]

    def copy(self, count: int) -> Array:
        """The windows of the first ``count`` padded pictures as a matrix."""
        matrix = self._matrix[: count * self.places]
        found = windows(self._xp, self.padded[:count], self._rows, self._columns)
        self._xp.copyto(matrix.reshape(found.shape), found)
        return matrix


class _Forward:
    """The output and the weights' gradient: products with the input's windows."""

    def __init__(self, site: Site, axes: tuple[Axis, Axis]) -> None:
        self.site, (self.rows, self.columns) = site, axes
        x = site.inputs[0]
        self.windows = _Windows(site, "input", x.shape[0], *axes, x.shape[3])
        weight = site.weights["weight"]
        self.matrix = weight.reshape(weight.shape[0], -1)
        self.bias = site.weights.get("bias")
        if "weight" in site.gradients:
            self.d_matrix = site.gradients["weight"].reshape(self.matrix.shape)
            self.part = site.like("part", self.d_matrix)

    def run(self) -> None:
        """Fill the output."""
        xp, y = self.site.xp, self.site.output
        self._each(lambda matrix, out: xp.matmul(matrix, self.matrix.T, out=out), y)
        if self.bias is not None:
            xp.add(y, self.bias, out=y)

    def weight_gradient(self) -> None:
        """Fill the weights' gradient."""
        xp, first = self.site.xp, True

        def add(matrix: Array, dy: Array) -> None:
            nonlocal first
            xp.matmul(dy.T, matrix, out=self.d_matrix if first else self.part)
            if not first:
                xp.add(self.d_matrix, self.part, out=self.d_matrix)
            first = False

        self._each(add, self.site.d_output)

    def _each(self, use: Callable[[Array, Array], Any], beside: Array) -> None:
        x, padded = self.site.inputs[0], self.windows.padded
        rows, columns = self.rows, self.columns
        inner = padded[:, rows.before : rows.before + rows.size, columns.before : columns.before + columns.size]
        for piece in self.windows.pieces(x.shape[0]):
            count = piece.stop - piece.start
            self.site.xp.copyto(inner[:count], x[piece])
            use(self.windows.copy(count), beside[piece].reshape(count * self.windows.places, -1))


class _InputGradient:
    """The input's gradient: windows of the output's gradient, spread by the stride, times the flipped filters.

    Gathering is faster than scattering window gradients back (col2im), and adds in a fixed order.
    """

    def __init__(self, site: Site, axes: tuple[Axis, Axis]) -> None:
        self.site = site
        self.turned = _turned(axes[0]), _turned(axes[1])
        self.lands = tuple(_landing(axis) for axis in axes)
        filters = site.output.shape[3]
        self.windows = _Windows(site, "gradient", site.output.shape[0], *self.turned, filters)
        weight = site.weights["weight"]
        height, width, channels = weight.shape[1:]
        self.flipped = site.buffer("flipped", (height, width, filters, channels), weight.dtype)
        self.source = weight[:, ::-1, ::-1, :].transpose(1, 2, 0, 3)

    def run(self) -> None:
        """Fill the input's gradient."""
        xp, dx, dy = self.site.xp, self.site.d_inputs[0], self.site.d_output
        assert dx is not None
        xp.copyto(self.flipped, self.source)
        matrix = self.flipped.reshape(-1, self.flipped.shape[3])
        (into_rows, from_rows), (into_columns, from_columns) = self.lands
        inner = self.windows.padded[:, into_rows, into_columns]
        for piece in self.windows.pieces(dy.shape[0]):
            count = piece.stop - piece.start
            xp.copyto(inner[:count], dy[piece][:, from_rows, from_columns])
            out = dx[piece].reshape(count * self.windows.places, -1)
            xp.matmul(self.windows.copy(count), matrix, out=out)


def _turned(axis: Axis) -> Axis:
    """The windows of the spread gradient: one for each input value, every place."""
    return Axis(axis.size + axis.window - 1, axis.window, 1, 0, 0)


def _landing(axis: Axis) -> tuple[slice, slice]:
    """Where the output's gradient lands in the spread one, and which part of it lands there at all."""
    offset = axis.window - 1 - axis.before
    first = -(min(offset, 0) // axis.stride)
    last = min(axis.count - 1, (axis.size + axis.window - 2 - offset) // axis.stride)
    start = offset + first * axis.stride
    stop = offset + last * axis.stride + 1
    return slice(start, stop, axis.stride), slice(first, last + 1)
