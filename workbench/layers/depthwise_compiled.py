"""Depthwise convolution as machine code; see ``workbench.engine.kernels.depthwise``."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Calls, Chain, Site
from workbench.layers.conv_arrays import landing, turned
from workbench.layers.conv_compiled import sizes_of

if TYPE_CHECKING:
    from workbench.layers.conv import Geometry


def compiled_depthwise(site: Site, geometry: Geometry) -> Calls:
    """A depthwise convolution's calls in float32 on a CPU."""
    return _Compiler(site, geometry).calls()


class _Compiler:
    def __init__(self, site: Site, geometry: Geometry) -> None:
        from workbench.engine.kernels.tile import channel_tile_address

        self.site, self.geometry, self.tile = site, geometry, channel_tile_address()
        self.sizes = np.array(sizes_of(geometry), np.int64)
        rows, columns = geometry.rows, geometry.columns
        bare = (rows.size, columns.size, geometry.channels) == (rows.padded, columns.padded, geometry.filters)
        self.frame: Any = 0 if bare else self._zeros("frame", (rows.padded, columns.padded, geometry.filters))
        x, y = site.inputs[0], site.output
        self.row_bytes = (prod(x.shape[1:]) + prod(y.shape[1:])) * x.dtype.itemsize

    def calls(self) -> Calls:
        from workbench.engine.kernels import depthwise as kernels

        site, bias = self.site, self.site.weights.get("bias")
        forward = self._call(
            kernels.depthwise_forward, self.tile, site.inputs[0], site.weights["weight"], 0 if bias is None else bias,
            site.output, self.frame, self.sizes,
        )  # fmt: skip
        turn, spread = self._input_gradient(site.d_inputs[0]) if site.d_inputs[0] is not None else (None, Chain())
        return Calls(forward, Chain(*self._gradients(), spread), turn=turn)

    def _gradients(self) -> list[Call]:
        from workbench.engine.kernels import depthwise as kernels
        from workbench.engine.kernels.conv import conv_bias_gradient

        site, geometry, found = self.site, self.geometry, list[Call]()
        d_weight, d_bias, dy = site.gradients.get("weight"), site.gradients.get("bias"), site.d_output
        if d_bias is not None:
            room = site.buffer("bias part", d_bias.shape, d_bias.dtype)
            places = geometry.rows.count * geometry.columns.count
            found.append(self._call(conv_bias_gradient, dy, d_bias, room, places, len(d_bias)))
        if d_weight is not None:
            x = site.inputs[0]
            found.append(
                self._call(kernels.depthwise_weight_gradient, self.tile, x, dy, d_weight, self.frame, self.sizes)
            )
        return found

    def _input_gradient(self, dx: Array) -> tuple[Call, Call]:
        from workbench.engine.kernels import depthwise as kernels
        from workbench.engine.kernels.calls import NativeCall

        site, geometry, weight = self.site, self.geometry, self.site.weights["weight"]
        mirrored = site.like("mirrored", weight)
        mirror = NativeCall(kernels.mirrored_filters, 1, weight, mirrored, geometry.taps, geometry.filters)
        rows, columns = turned(geometry.rows), turned(geometry.columns)
        frame = self._zeros("spread", (rows.padded, columns.padded, geometry.filters))
        room: Any = 0
        if geometry.filters > geometry.channels:
            room = site.buffer("by filter", (*dx.shape[1:3], geometry.filters), dx.dtype)
        (into_rows, from_rows), (into_columns, from_columns) = landing(geometry.rows), landing(geometry.columns)
        counts = from_rows.stop - from_rows.start, from_columns.stop - from_columns.start
        lands = into_rows.start, into_columns.start, from_rows.start, from_columns.start, *counts
        arrays = site.d_output, mirrored, dx, frame, room, self.sizes
        return mirror, self._call(kernels.depthwise_input_gradient, self.tile, *arrays, *lands)

    def _call(self, kernel: Any, *arguments: Any) -> Call:
        from workbench.engine.kernels.calls import NativeCall

        return NativeCall(kernel, self.site.rows, *arguments, row_bytes=self.row_bytes)

    def _zeros(self, name: str, shape: tuple[int, ...]) -> Array:
        # Zeros once: what is written later always falls on the same places.
        array = self.site.buffer(name, shape, self.site.output.dtype)
        array[...] = 0
        return array
