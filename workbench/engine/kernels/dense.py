"""The dense layer: ``y = x w + b``, weights ``(inputs, units)``."""

from __future__ import annotations

from workbench.engine.kernels.native import kernel, longs
from workbench.engine.kernels.products import column_sums, product
from workbench.engine.kernels.turning import turn

BLOCK = 64
"""Inputs whose gradients are worked out at a time."""


@kernel
def dense_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, x, w, b or 0, y; inputs, units."""
    tile, x, w, b, y, inputs, units = longs(arguments, 7)
    product(
        tile,
        x + 4 * first * inputs,
        inputs,
        1,
        w,
        units,
        y + 4 * first * units,
        units,
        last - first,
        units,
        inputs,
        b,
        0,
    )


@kernel
def dense_weight_gradient(arguments: int, first: int, last: int) -> None:
    """Some rows of the gradient. Arguments: tile, x, dy, dw; inputs, units, examples, 1 to add to what is there."""
    tile, x, dy, dw, inputs, units, examples, add = longs(arguments, 8)
    place = dw + 4 * first * units
    product(
        tile,
        x + 4 * first,
        1,
        inputs,
        dy,
        units,
        place,
        units,
        last - first,
        units,
        examples,
        place if add else 0,
        units,
    )


@kernel
def dense_bias_gradient(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, dy, db, the address of a 1; units. All rows at once."""
    tile, dy, db, one, units = longs(arguments, 5)
    column_sums(tile, dy, units, last, units, db, one)


@kernel
def dense_input_gradient(arguments: int, first: int, last: int) -> None:
    """``dx' = w dy'`` in blocks of inputs, each turned into its place: the weights are read once, as they lie.

    Arguments: tile, dy, w, dx, room for the transposed dy and a block; inputs, units. All rows at once.
    """
    tile, dy, w, dx, room, inputs, units = longs(arguments, 7)
    turn(dy, last, units, units, room, last)
    block = room + 4 * last * units
    for start in range(0, inputs, BLOCK):
        count = min(BLOCK, inputs - start)
        product(tile, w + 4 * start * units, units, 1, room, last, block, last, count, last, units, 0, 0)
        turn(block, count, last, last, dx + 4 * start, inputs)
