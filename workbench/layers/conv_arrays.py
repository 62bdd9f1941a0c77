"""Convolution in array operations: matrix products of window copies (im2col) in pieces that stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.engine.backend import Array
from workbench.engine.layer import Calls, Site
from workbench.layers.windows import Axis, windows

if TYPE_CHECKING:
    from workbench.layers.conv import Geometry


def convolution(site: Site, geometry: Geometry) -> Calls:
    """A convolution's calls on any backend and in any precision."""
    groups = [_Group(site, geometry, number) for number in range(geometry.groups)]
    y, dy, bias, d_bias = site.output, site.d_output, site.weights.get("bias"), site.gradients.get("bias")
    xp = site.xp

    def forward() -> None:
        for group in groups:
            group.forward()
        if bias is not None:
            xp.add(y, bias, out=y)

    def backward() -> None:
        if d_bias is not None:
            # Picture by picture first: a single long float32 sum loses digits.
            xp.sum(dy.sum(axis=tuple(range(1, dy.ndim - 1))), axis=0, out=d_bias)
        for group in groups:
            group.backward()

    return Calls(forward, backward)


class _Group:
    """Some channels, and the filters that read them."""

    def __init__(self, site: Site, geometry: Geometry, number: int) -> None:
        rows, columns, groups = geometry.rows, geometry.columns, geometry.groups
        depth, share = geometry.channels // groups, geometry.filters // groups
        read, made = slice(number * depth, (number + 1) * depth), slice(number * share, (number + 1) * share)
        pictures, output = (rows.size, columns.size, geometry.channels), (rows.count, columns.count, geometry.filters)
        self.site, self.rows, self.columns = site, rows, columns
        self.x = site.inputs[0].reshape(-1, *pictures)[..., read]
        self.y = site.output.reshape(-1, *output)[..., made]
        self.weight = site.weights["weight"].reshape(geometry.weight_shape)[..., made]
        self.windows = _Windows(site, "input", len(self.x), rows, columns, depth)
        d_weight, d_x = site.gradients.get("weight"), site.d_inputs[0]
        self.d_weight = None if d_weight is None else d_weight.reshape(geometry.weight_shape)[..., made]
        if site.d_output is not None:
            self.d_y = site.d_output.reshape(-1, *output)[..., made]
        self.input_gradient = None
        if d_x is not None:
            self.input_gradient = _InputGradient(self, d_x.reshape(-1, *pictures)[..., read])

    def forward(self) -> None:
        """Fill the outputs of these filters, without a bias."""
        matrix = self.weight.reshape(-1, self.weight.shape[3])
        for piece, found in self._pieces():
            _multiply(self.site, found, matrix, self.y[piece])

    def backward(self) -> None:
        """Fill the gradients."""
        if self.d_weight is not None:
            self._weight_gradient(self.d_weight)
        if self.input_gradient:
            self.input_gradient.run()

    def _weight_gradient(self, d_weight: Array) -> None:
        d_weight[...] = 0
        for piece, found in self._pieces():
            slopes = self.d_y[piece].reshape(len(found), -1)
            d_weight += self.site.backend.matmul(found.T, slopes).reshape(d_weight.shape)

    def _pieces(self) -> Iterator[tuple[slice, Array]]:
        """Pieces of the batch, each with its windows as a matrix."""
        rows, columns, padded = self.rows, self.columns, self.windows.padded
        inner = padded[:, rows.before : rows.before + rows.size, columns.before : columns.before + columns.size]
        for piece in self.windows.pieces(len(self.x)):
            count = piece.stop - piece.start
            self.site.xp.copyto(inner[:count], self.x[piece])
            yield piece, self.windows.copy(count)


class _Windows:
    """Copies windows of some pictures at a time into a matrix ``(pictures * windows, window values)``."""

    def __init__(self, site: Site, name: str, pictures: int, rows: Axis, columns: Axis, channels: int) -> None:
        values = rows.window * columns.window * channels
        self.places = rows.count * columns.count
        dtype = site.output.dtype
        one = self.places * values * dtype.itemsize
        self.step = max(1, min(pictures, site.backend.piece_bytes // one))
        self._xp, self._rows, self._columns = site.xp, rows, columns
        self._matrix = site.buffer(f"{name}.matrix", (self.step * self.places, values), dtype)
        self.padded = site.buffer(f"{name}.padded", (self.step, rows.padded, columns.padded, channels), dtype)
        # Zeros once: what is written later always falls on the same places.
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


class _InputGradient:
    """The input's gradient: windows of the output's gradient, spread by the stride, times the flipped filters.

    Gathering is faster than scattering window gradients back (col2im), and adds in a fixed order.
    """

    def __init__(self, group: _Group, d_x: Array) -> None:
        self.group, self.d_x = group, d_x
        self.lands = landing(group.rows), landing(group.columns)
        filters = group.d_y.shape[3]
        axes = turned(group.rows), turned(group.columns)
        self.windows = _Windows(group.site, "gradient", len(group.d_y), *axes, filters)

    def run(self) -> None:
        """Fill the input's gradient."""
        site, d_y = self.group.site, self.group.d_y
        flipped = self.group.weight[::-1, ::-1].transpose(0, 1, 3, 2)
        matrix = flipped.reshape(-1, flipped.shape[3])
        (into_rows, from_rows), (into_columns, from_columns) = self.lands
        inner = self.windows.padded[:, into_rows, into_columns]
        for piece in self.windows.pieces(len(d_y)):
            count = piece.stop - piece.start
            site.xp.copyto(inner[:count], d_y[piece][:, from_rows, from_columns])
            _multiply(site, self.windows.copy(count), matrix, self.d_x[piece])


def _multiply(site: Site, a: Array, b: Array, out: Array) -> None:
    """A product whose rows are laid out as pictures; some channels of them only where there are groups."""
    if out.flags.c_contiguous:
        site.backend.matmul(a, b, out=out.reshape(a.shape[0], -1))
    else:
        out[...] = site.backend.matmul(a, b).reshape(out.shape)


def turned(axis: Axis) -> Axis:
    """The windows of the spread gradient: one for each input value, every place."""
    return Axis(axis.size + axis.reach - 1, axis.window, 1, 0, 0, axis.dilation)


def landing(axis: Axis) -> tuple[slice, slice]:
    """Where the output's gradient lands in the spread one, and which part of it lands there at all."""
    offset = axis.reach - 1 - axis.before
    first = -(min(offset, 0) // axis.stride)
    last = min(axis.count - 1, (axis.size + axis.reach - 2 - offset) // axis.stride)
    start = offset + first * axis.stride
    stop = offset + last * axis.stride + 1
    return slice(start, stop, axis.stride), slice(first, last + 1)
