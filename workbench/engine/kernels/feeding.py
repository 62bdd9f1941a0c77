"""Gathering rows of a dataset into a batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.kernels.asking import fetch_bytes
from workbench.engine.kernels.native import floats, kernel, longs, octets, part

_AHEAD = 2
"""Rows that are asked for before they are read: each lies somewhere else, which the processor cannot foresee."""


@part
def _fetch_row(source: int, places: Any, row: int, last: int, size: int) -> None:
    if row + _AHEAD < last:
        fetch_bytes(source + places[row + _AHEAD] * size, size)


@kernel
def gather_floats(arguments: int, first: int, last: int) -> None:
    """``(x - shift) * scale``. Arguments: source, places, shift, scale, out; values a row, length of the shift."""
    source_place, places_at, shift_place, scale_place, out_place, size, width = longs(arguments, 7)
    places, shift, scale = longs(places_at, last), floats(shift_place, width), floats(scale_place, width)
    for row in range(first, last):
        _fetch_row(source_place, places, row, last, 4 * size)
        x, y = floats(source_place + 4 * places[row] * size, size), floats(out_place + 4 * row * size, size)
        for start in range(0, size, width):
            for i in range(width):
                y[start + i] = (x[start + i] - shift[i]) * scale[i]


@kernel
def gather_octets(arguments: int, first: int, last: int) -> None:
    """The same from uint8."""
    source_place, places_at, shift_place, scale_place, out_place, size, width = longs(arguments, 7)
    places, shift, scale = longs(places_at, last), floats(shift_place, width), floats(scale_place, width)
    if width == 1:
        # Grey pictures: a loop of one value each would not become vectors.
        lift, factor = shift[0], scale[0]
        for row in range(first, last):
            _fetch_row(source_place, places, row, last, size)
            x, y = octets(source_place + places[row] * size, size), floats(out_place + 4 * row * size, size)
            for i in range(size):
                y[i] = (np.float32(x[i]) - lift) * factor
        return
    for row in range(first, last):
        _fetch_row(source_place, places, row, last, size)
        x, y = octets(source_place + places[row] * size, size), floats(out_place + 4 * row * size, size)
        for start in range(0, size, width):
            for i in range(width):
                y[start + i] = (np.float32(x[start + i]) - shift[i]) * scale[i]


@kernel
def gather_rows(arguments: int, first: int, last: int) -> None:
    """Copies rows of bytes. Arguments: source, places, out; bytes a row."""
    source_place, places_at, out_place, size = longs(arguments, 4)
    places = longs(places_at, last)
    for row in range(first, last):
        x, y = octets(source_place + places[row] * size, size), octets(out_place + row * size, size)
        for i in range(size):
            y[i] = x[i]
