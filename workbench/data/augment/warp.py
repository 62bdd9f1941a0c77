"""Resampling pictures under an affine map for each of them, bilinearly and in place."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from workbench.data.augment.base import Fill, Floats
from workbench.engine.backend import Array, Backend, Shape

_EXACT_IN_FLOAT32 = 2**24


class Warp:
    """Reads each pixel of a picture from the place that the picture's map gives, between four neighbors.

    A copy of one channel, with room around it, is the source: so the pictures are changed in place, every neighbor
    exists, and ``zero`` is nothing but clamping to a border of zeros (over the width of a pixel they fade out:
    scipy.ndimage's ``grid-constant``). The buffers grow to the largest batch and stay.

    Args:
        shape: of a picture, ``(H, W, C)``.
        fill: what stands beyond the border.
        backend: where the pictures lie.
        dtype: theirs.
    """

    def __init__(self, shape: Shape, fill: Fill, backend: Backend, dtype: Any) -> None:
        self._height, self._width, self._channels = shape
        self._backend, self._dtype = backend, dtype
        self._before = 1 if fill == "zero" else 0
        self._reserve(0)

    def _reserve(self, rows: int) -> None:
        xp, height, width, dtype = self._backend.xp, self._height, self._width, self._dtype
        # The neighbor below and to the right of the last place is read too, at weight 0.
        margin = 2 * self._before + 1
        self._plane = xp.zeros((rows, height + margin, width + margin), dtype)
        size = prod(self._plane.shape[1:])
        place = np.float64 if size >= _EXACT_IN_FLOAT32 else dtype
        self._places = [xp.empty((rows, height, width), place) for _ in range(4)]
        self._values = [xp.empty((rows, height, width), dtype) for _ in range(3)]
        self._index = xp.empty((rows, height, width), np.int64)
        self._first = (xp.arange(rows) * size)[:, None, None]

    def resample(self, pictures: Array, maps: Floats) -> None:
        """Change pictures in place.

        Args:
            pictures: ``(n, H, W, C)``.
            maps: of ``Geometric.maps``, ``(n, 3, 3)``, on the host.
        """
        if len(maps) > len(self._plane):
            self._reserve(len(maps))
        down, across, index = self._locate(maps)
        for channel in range(self._channels):
            self._interpolate(pictures[:, :, :, channel], down, across, index)

    def _locate(self, maps: Floats) -> tuple[Array, Array, Array]:
        """For each pixel the weights of the lower and the right neighbor, and where the upper left one stands."""
        xp, n, stride = self._backend.xp, len(maps), self._plane.shape[2]
        down, across, top, left = (buffer[:n] for buffer in self._places)
        for axis, (place, corner) in enumerate(((down, top), (across, left))):
            size = (self._height, self._width)[axis]
            by_line, by_column = self._steps(maps[:, axis], size, place.dtype)
            xp.add(by_line, by_column, out=place)
            xp.clip(place, 0, size - 1 + 2 * self._before, out=place)
            xp.floor(place, out=corner)
            place -= corner
        top *= stride
        top += left
        index = self._index[:n]
        xp.copyto(index, top, casting="unsafe")
        index += self._first[:n]
        return down, across, index

    def _steps(self, row: Floats, size: int, dtype: Any) -> tuple[Array, Array]:
        """A coordinate is what its line gives ``(n, H, 1)`` plus what its column gives ``(n, 1, W)``."""
        lines = np.arange(self._height) - (self._height - 1) / 2
        columns = np.arange(self._width) - (self._width - 1) / 2
        by_line = row[:, :1] * lines + (row[:, 2:] + (size - 1) / 2 + self._before)
        by_column = row[:, 1:2] * columns
        asarray = self._backend.asarray
        return asarray(by_line.astype(dtype)[:, :, None]), asarray(by_column.astype(dtype)[:, None, :])

    def _interpolate(self, picture: Array, down: Array, across: Array, index: Array) -> None:
        """One channel ``(n, H, W)``: along both lines, then between them."""
        n, before, stride = len(picture), self._before, self._plane.shape[2]
        self._plane[:n, before : before + self._height, before : before + self._width] = picture
        source = self._plane[:n].reshape(-1)
        upper, lower, right = (buffer[:n] for buffer in self._values)
        self._mix(source, index, across, upper, right)
        self._mix(source[stride:], index, across, lower, right)
        lower -= upper
        lower *= down
        self._backend.xp.add(upper, lower, out=picture)

    def _mix(self, source: Array, index: Array, weight: Array, out: Array, right: Array) -> None:
        self._take(source, index, out)
        self._take(source[1:], index, right)
        right -= out
        right *= weight
        out += right

    def _take(self, source: Array, index: Array, out: Array) -> None:
        if self._backend.on_host:
            # No index is out of bounds, but in the default mode NumPy would write to a copy of `out` first.
            np.take(source, index, out=out, mode="clip")
        else:
            self._backend.xp.take(source, index, out=out)
