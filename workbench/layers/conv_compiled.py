"""Convolution as machine code; see ``workbench.engine.kernels.conv``."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Calls, Chain, Site
from workbench.layers.conv_arrays import landing, turned
from workbench.layers.windows import ALONE, Axis

if TYPE_CHECKING:
    from workbench.engine.kernels.calls import NativeCall
    from workbench.layers.conv import Geometry


def compiled_convolution(site: Site, geometry: Geometry) -> Calls:
    """A convolution's calls in float32 on a CPU."""
    return _Compiler(site, _in_one_row(geometry)).calls()


class _Compiler:
    def __init__(self, site: Site, geometry: Geometry) -> None:
        from workbench.engine.kernels.tile import tile_address

        self.site, self.geometry, self.tile = site, geometry, tile_address()
        rows, columns = geometry.rows, geometry.columns
        self.sizes = np.array(sizes_of(geometry), np.int64)
        bare = (rows.size, columns.size) == (rows.padded, columns.padded)
        self.frame: Any = 0 if bare else self._zeros("frame", (rows.padded, columns.padded, geometry.channels))
        x, y = site.inputs[0], site.output
        self.row_bytes = (prod(x.shape[1:]) + prod(y.shape[1:])) * x.dtype.itemsize

    def calls(self) -> Calls:
        site, rows = self.site, self.geometry.rows.count
        forward = self._forward(self.frame, 0, rows, self._pieces)
        turn, spread = self._input_gradient(site.d_inputs[0]) if site.d_inputs[0] is not None else (None, Chain())
        return Calls(forward, Chain(*self._gradients(), spread), turn=turn)

    def _forward(self, frame: Any, begin: int, end: int, pieces: Any = None) -> NativeCall:
        from workbench.engine.kernels.calls import NativeCall
        from workbench.engine.kernels.conv import conv_forward

        site, bias = self.site, self.site.weights.get("bias")
        return NativeCall(
            conv_forward, site.rows, self.tile, site.inputs[0], site.weights["weight"], 0 if bias is None else bias,
            site.output, frame, self.sizes, begin, end, row_bytes=self.row_bytes, pieces=pieces,
        )  # fmt: skip

    def _pieces(self, count: int) -> list[list[NativeCall]]:
        """Some of the output's rows each, with a frame of its own."""
        from workbench.engine.kernels.calls import stretches

        found = []
        for number, rows in enumerate(stretches(self.geometry.rows.count, count, 1)):
            bare = isinstance(self.frame, int)
            frame = self.frame if bare or not number else self._zeros(f"frame {number}", self.frame.shape)
            found.append(self._forward(frame, *rows))
        return [found]

    def _gradients(self) -> list[Call]:
        from workbench.engine.kernels import conv as kernels
        from workbench.engine.kernels.calls import NativeCall

        site, geometry, found = self.site, self.geometry, list[Call]()
        d_weight, d_bias, dy = site.gradients.get("weight"), site.gradients.get("bias"), site.d_output
        if d_bias is not None:
            room = site.buffer("bias part", d_bias.shape, d_bias.dtype)
            places = geometry.rows.count * geometry.columns.count
            fields = dy, d_bias, room, places, geometry.filters
            found.append(NativeCall(kernels.conv_bias_gradient, site.rows, *fields, row_bytes=self.row_bytes))
        if d_weight is not None:
            found.append(self._call(kernels.conv_weight_gradient, site.inputs[0], dy, d_weight, self.frame, self.sizes))
        return found

    def _input_gradient(self, dx: Array) -> tuple[Call, Call]:
        from workbench.engine.kernels import conv as kernels
        from workbench.engine.kernels.calls import NativeCall

        site, geometry = self.site, self.geometry
        if (
            max(geometry.rows.stride, geometry.columns.stride) > 1
            and geometry.rows.dilation == geometry.columns.dilation == 1
        ):
            return self._phase_gradient(dx)
        height, width, depth, filters = geometry.weight_shape
        flipped = site.buffer("flipped", (height, width, filters // geometry.groups, geometry.channels), dx.dtype)
        turn = NativeCall(
            kernels.flipped_filters, 1, site.weights["weight"], flipped, geometry.taps, depth, filters, geometry.groups
        )
        rows, columns = turned(geometry.rows), turned(geometry.columns)
        frame = self._zeros("spread", (rows.padded, columns.padded, filters))
        (into_rows, from_rows), (into_columns, from_columns) = landing(geometry.rows), landing(geometry.columns)
        counts = from_rows.stop - from_rows.start, from_columns.stop - from_columns.start
        lands = into_rows.start, into_columns.start, from_rows.start, from_columns.start, *counts
        fields = site.d_output, flipped, dx, frame, self.sizes, *lands, int(site.adds)
        spread = self._call(kernels.conv_input_gradient, *fields)
        return turn, spread

    def _phase_gradient(self, dx: Array) -> tuple[Call, Call]:
        from workbench.engine.kernels import conv as kernels
        from workbench.engine.kernels.calls import NativeCall

        site, geometry = self.site, self.geometry
        rows, columns = geometry.rows, geometry.columns
        kernel_columns, depth, filters = geometry.weight_shape[1:]
        phases = _phases(geometry)
        turned_filters = site.buffer("flipped", (max(1, prod(geometry.weight_shape)),), dx.dtype)
        turn = NativeCall(
            kernels.phase_filters, 1, site.weights["weight"], turned_filters, phases, len(phases), kernel_columns,
            depth, filters, geometry.groups, rows.stride, columns.stride, rows.before, columns.before,
        )  # fmt: skip
        (top, tall), (left, wide) = (_phase_frame(axis) for axis in (rows, columns))
        frame = self._zeros("spread", (tall, wide, filters))
        gaps = int(len(phases) < rows.stride * columns.stride)
        spread = self._call(
            kernels.conv_phase_gradient, site.d_output, turned_filters, dx, frame, self.sizes, phases, len(phases),
            wide, top, left, gaps, int(site.adds),
        )  # fmt: skip
        return turn, spread

    def _call(self, kernel: Any, *arguments: Any) -> Call:
        from workbench.engine.kernels.calls import NativeCall

        return NativeCall(kernel, self.site.rows, self.tile, *arguments, row_bytes=self.row_bytes)

    def _zeros(self, name: str, shape: tuple[int, ...]) -> Array:
        # Zeros once: what is written later always falls on the same places.
        array = self.site.buffer(name, shape, self.site.output.dtype)
        array[...] = 0
        return array


def _axis_phases(axis: Axis) -> list[tuple[int, int, int, int, int]]:
    """For each phase that reads anything: its number, first place, how many, taps, first window in the frame."""
    found = []
    before, _ = _phase_frame(axis)
    for phase in range(min(axis.stride, axis.window)):
        start = (phase - axis.before) % axis.stride
        count = len(range(start, axis.size, axis.stride))
        taps = len(range(phase, axis.window, axis.stride))
        if count:
            window = (start + axis.before - phase) // axis.stride - (taps - 1) + before
            found.append((phase, start, count, taps, window))
    return found


def _phase_frame(axis: Axis) -> tuple[int, int]:
    """Zeros before the output's gradient, and the length of the frame that all phases' windows lie in."""
    before = -(-axis.window // axis.stride) - 1
    last = (axis.size - 1 + axis.before) // axis.stride
    return before, before + max(axis.count, last + 1)


def _phases(geometry: Geometry) -> Array:
    """The numbers of all phases, int64 ``(phases, 9)``; see ``kernels.conv.PHASE``."""
    found, place = [], 0
    for _, row, rows, down, from_row in _axis_phases(geometry.rows):
        for _, column, columns, across, from_column in _axis_phases(geometry.columns):
            found.append((row, column, rows, columns, from_row, from_column, down, across, place))
            place += down * across * geometry.filters // geometry.groups * geometry.channels
    return np.array(found, np.int64).reshape(-1, 9)


def _in_one_row(geometry: Geometry) -> Geometry:
    """A product at each pixel does not care for rows and columns: one long row of them makes full tiles."""
    rows, columns = geometry.rows, geometry.columns
    moved = (rows.stride, columns.stride) != (1, 1) or (rows.padded, columns.padded) != (rows.size, columns.size)
    if geometry.taps > 1 or moved:
        return geometry
    return replace(geometry, rows=ALONE, columns=Axis(rows.size * columns.size, 1, 1, 0, 0))


def sizes_of(geometry: Geometry) -> tuple[int, ...]:
    """The numbers in the order of ``kernels.conv.SIZES``."""
    rows, columns = geometry.rows, geometry.columns
    return (
        rows.size, columns.size, geometry.channels, rows.count, columns.count, geometry.filters, rows.window,
        columns.window, rows.stride, columns.stride, rows.dilation, columns.dilation, geometry.groups, columns.padded,
        rows.before, columns.before,
    )  # fmt: skip
