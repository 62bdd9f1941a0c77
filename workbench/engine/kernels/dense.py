"""The dense layer: ``y = x w + b``, weights ``(inputs, units)``."""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.native import floats, kernel, longs, part
from workbench.engine.kernels.products import (
    DEPTH,
    ROWS,
    WIDTH,
    call_tile,
    claim_rows,
    product,
    product_with_turned,
    tiles_of,
)
from workbench.engine.kernels.sums import column_sums
from workbench.engine.kernels.turning import turn

LEAST = 8 * ROWS
"""Rows of a gradient that are worth a turn of their own."""

LEAST_CUT = 2**15
"""Weights that are worth a thread of their own for a single example."""


@kernel
def dense_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, x, w, b or 0, y; inputs, units; the inputs to sum over, from one to before another."""
    tile, x, w, b, y, inputs, units, begin, end = longs(arguments, 9)
    source, weight, target = x + 4 * (first * inputs + begin), w + 4 * begin * units, y + 4 * first * units
    product(tile, source, inputs, 1, weight, units, target, units, last - first, units, end - begin, b, 0)


@part
def _panel(units: int, column: int) -> tuple[int, int]:
    """Vectors of a panel of columns, and how many columns it has."""
    vectors = 2 if units - column >= 2 * WIDTH else 1
    return vectors, min(vectors * WIDTH, units - column)


@kernel
def dense_panels(arguments: int, first: int, last: int) -> None:
    """Copy dy so that the columns of a tile lie together. Arguments: dy, panels; units. All rows at once."""
    dy, panels, units = longs(arguments, 3)
    column = 0
    while column < units:
        vectors, width = _panel(units, column)
        for row in range(last):
            line = floats(dy + 4 * (row * units + column), width)
            place = floats(panels + 4 * (last * column + row * vectors * WIDTH), width)
            for i in range(width):
                place[i] = line[i]
        column += vectors * WIDTH


@kernel
def dense_weight_gradient(arguments: int, first: int, last: int) -> None:
    """Some rows of the gradient ``x' dy``.

    Arguments: tile, x, which of the inputs ``dw`` begins with, dy in panels, dw; inputs, units, examples, 1 to add to
    what is there.
    """
    tile, x, start, panels, dw, inputs, units, examples, add = longs(arguments, 9)
    rows, blocks = last - first, (examples + DEPTH - 1) // DEPTH
    room = np.empty(rows * min(examples, DEPTH), np.float32)
    room_at = np.int64(room.ctypes.data)
    for block in range(blocks):
        begin, end = examples * block // blocks, examples * (block + 1) // blocks
        # Turned first: read as it lies, each example would be on a page of its own.
        turn(x + 4 * (begin * inputs + start + first), end - begin, rows, inputs, room_at, end - begin)
        column = 0
        while column < units:
            vectors, width = _panel(units, column)
            right = panels + 4 * (examples * column + begin * vectors * WIDTH)
            tiles = tiles_of(rows, vectors)
            for number in range(tiles):
                row, stop = rows * number // tiles, rows * (number + 1) // tiles
                place = dw + 4 * ((first + row) * units + column)
                claim_rows(place, units, stop - row, width)
                call_tile(
                    tile,
                    (stop - row, vectors, room_at + 4 * row * (end - begin), end - begin, 0, 0, 1, 1, 1, end - begin,
                     right, vectors * WIDTH, place, units, place if add or block else 0, units, min(WIDTH, width)),
                )  # fmt: skip
            column += vectors * WIDTH
    room[0] = 0  # see `product`


@kernel
def dense_bias_gradient(arguments: int, first: int, last: int) -> None:
    """Arguments: dy, db; units. All rows at once."""
    dy, db, units = longs(arguments, 3)
    column_sums(dy, units, last, units, db)


@kernel
def dense_input_gradient(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, dy, w, dx; inputs, units."""
    tile, dy, w, dx, inputs, units = longs(arguments, 6)
    source, target = dy + 4 * first * units, dx + 4 * first * inputs
    product_with_turned(tile, source, units, w, units, target, inputs, last - first, inputs, units)
