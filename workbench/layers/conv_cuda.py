"""Convolutions on a GPU; see ``conv.cu``. Windows are read where they lie, nothing is copied together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.pointwise import column_sums, shifted
from workbench.engine.cuda.products import BLOCKS, cut, launcher_of, threads, tiles
from workbench.engine.layer import Calls, Chain, Site
from workbench.layers.dense_cuda import dense_on_cuda

if TYPE_CHECKING:
    from workbench.layers.conv import Geometry


def convolution_on_cuda(site: Site, geometry: Geometry) -> Calls:
    """A convolution's calls in float32."""
    return dense_on_cuda(site) if _is_a_product(geometry) else _Compiler(site, geometry).calls()


class _Compiler:
    def __init__(self, site: Site, geometry: Geometry) -> None:
        self.site, self.geometry, self.launcher = site, geometry, launcher_of(site.backend)
        self.depth, self.share = geometry.channels // geometry.groups, geometry.filters // geometry.groups
        self.places = site.rows * geometry.rows.count * geometry.columns.count
        self.sizes = sizes_of(geometry)

    def calls(self) -> Calls:
        site, bias, gradients = self.site, self.site.weights.get("bias"), self.site.gradients
        tile, blocks = self._tiles(self.places, self.share)
        arrays = site.inputs[0], site.weights["weight"], site.output
        forward = [self.launcher.call(f"conv_forward_{tile}", blocks, threads(tile), *arrays, self.sizes, self.places)]
        if bias is not None:
            forward.append(shifted(self.launcher, site.output, site.output, bias))
        backward: list[Call] = []
        if "bias" in gradients:
            # First, so that it joins the launch of the activation behind.
            backward += column_sums(self.launcher, site.d_output, gradients["bias"], site.buffer)
        if "weight" in gradients:
            backward += self._weight_gradient(gradients["weight"])
        if site.d_inputs[0] is not None:
            backward.append(self._input_gradient(site.d_inputs[0]))
        return Calls(Chain(*forward), Chain(*backward))

    def _weight_gradient(self, d_weight: Array) -> list[Call]:
        site, launcher, groups = self.site, self.launcher, self.geometry.groups
        taps = self.geometry.taps * self.depth
        tile, count, parts, each = cut(taps, self.share, self.places, groups)
        shape = (parts, taps, self.geometry.filters)
        target = d_weight if parts == 1 else site.buffer("weight gradient parts", shape, d_weight.dtype)
        arrays = site.inputs[0], site.d_output, target
        summed = launcher.call(
            f"conv_weight_gradient_{tile}",
            (count, parts, groups),
            threads(tile),
            *arrays,
            self.sizes,
            self.places,
            each,
        )
        return [summed] if parts == 1 else [summed, shifted(launcher, target, d_weight, None, parts)]

    def _input_gradient(self, dx: Array) -> Call:
        pixels = self.site.rows * self.geometry.rows.size * self.geometry.columns.size
        tile, blocks = self._tiles(pixels, self.depth)
        arrays = self.site.d_output, self.site.weights["weight"], dx
        return self.launcher.call(f"conv_input_gradient_{tile}", blocks, threads(tile), *arrays, self.sizes, pixels)

    def _tiles(self, rows: int, columns: int) -> tuple[int, tuple[int, int, int]]:
        """The side of a tile, and the blocks of a product whose depth is not cut up."""
        groups = self.geometry.groups
        tile = 64 if columns > 32 and groups * tiles(rows, columns, 64) >= BLOCKS else 32
        return tile, (tiles(rows, columns, tile), 1, groups)


def _is_a_product(geometry: Geometry) -> bool:
    """Whether each pixel is multiplied by itself."""
    rows, columns = geometry.rows, geometry.columns
    stays = all(axis.stride == 1 and axis.padded == axis.size for axis in (rows, columns))
    return stays and geometry.taps == geometry.groups == 1


def sizes_of(geometry: Geometry) -> tuple[int, ...]:
    """The numbers in the order of ``Geometry`` in ``conv.cu``."""
    rows, columns = geometry.rows, geometry.columns
    return (
        rows.size, columns.size, geometry.channels, rows.count, columns.count, geometry.filters, rows.window,
        columns.window, rows.stride, columns.stride, rows.dilation, columns.dilation, geometry.groups, rows.before,
        columns.before,
    )  # fmt: skip
