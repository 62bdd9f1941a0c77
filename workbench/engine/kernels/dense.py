"""The dense layer: ``y = x w + b``, weights ``(inputs, units)``."""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.native import kernel, longs, part
from workbench.engine.kernels.products import ROWS, column_sums, product, product_with_turned
from workbench.engine.kernels.turning import turn

LEAST, MOST, VALUES = 8 * ROWS, 32 * ROWS, 2**17
"""Inputs of a block: as many as stay in a level-2 cache for all examples, within limits."""


@part
def _blocks(inputs: int, examples: int) -> int:
    """In how many blocks inputs are worked on."""
    size = max(LEAST, min(MOST, VALUES // examples // ROWS * ROWS))
    return (inputs + size - 1) // size


@kernel
def dense_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, x, w, b or 0, y; inputs, units."""
    tile, x, w, b, y, inputs, units = longs(arguments, 7)
    source, target = x + 4 * first * inputs, y + 4 * first * units
    product(tile, source, inputs, 1, w, units, target, units, last - first, units, inputs, b, 0)


@kernel
def dense_weight_gradient(arguments: int, first: int, last: int) -> None:
    """Some rows of the gradient. Arguments: tile, x from the first of these inputs on, dy, the rows; inputs, units,
    examples, 1 to add to what is there.
    """
    tile, x, dy, dw, inputs, units, examples, add = longs(arguments, 8)
    # Turned first, a block of inputs at a time: read as they lie, each example would be on a page of its own.
    blocks = _blocks(last - first, examples)
    room = np.empty(((last - first) // blocks + 1) * examples, np.float32)
    room_at = np.int64(room.ctypes.data)
    for number in range(blocks):
        start, stop = first + (last - first) * number // blocks, first + (last - first) * (number + 1) // blocks
        rows, place = stop - start, dw + 4 * start * units
        turn(x + 4 * start, examples, rows, inputs, room_at, examples)
        product(tile, room_at, examples, 1, dy, units, place, units, rows, units, examples, place if add else 0, units)
    room[0] = 0  # see `product`


@kernel
def dense_bias_gradient(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, dy, db, the address of a 1; units. All rows at once."""
    tile, dy, db, one, units = longs(arguments, 5)
    column_sums(tile, dy, units, last, units, db, one)


@kernel
def dense_input_gradient(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, dy, w, dx; inputs, units."""
    tile, dy, w, dx, inputs, units = longs(arguments, 6)
    source, target = dy + 4 * first * units, dx + 4 * first * inputs
    product_with_turned(tile, source, units, w, units, target, inputs, last - first, inputs, units)
