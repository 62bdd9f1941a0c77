"""Matrix products as tiles (see ``tile.py``)."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from workbench.engine.kernels.machine import machine
from workbench.engine.kernels.native import intrinsic, part

WIDTH, ROWS = machine().width, machine().rows
DEPTH = 256
"""Rows of the right side at a time: with two vectors of columns they fit into a level-1 cache."""

_LONG = ir.IntType(64)


@intrinsic
def call_tile(typing_context: Any, address: Any, numbers: Any) -> Any:
    """Call the tile at an address with a tuple of its arguments; see ``tile._tile``."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        count = len(signature.args[1])
        kind = ir.FunctionType(ir.VoidType(), [_LONG] * count)
        target = builder.inttoptr(values[0], kind.as_pointer())
        builder.call(target, [builder.extract_value(values[1], number) for number in range(count)])
        return context.get_dummy_value()

    return types.void(address, numbers), write


@part
def product(
    tile: int, a: int, a_row: int, a_step: int, b: int, b_row: int, c: int, c_row: int, rows: int, columns: int,
    depth: int, start: int, start_row: int,
) -> None:  # fmt: skip
    """``c = start + a b``; addresses, and steps in elements (``a_step`` from one column of ``a`` to the next)."""
    tiles = (rows + ROWS - 1) // ROWS
    column = 0
    while column < columns:
        vectors = 2 if columns - column >= 2 * WIDTH else 1
        last = min(WIDTH, columns - column)
        for first in range(0, depth, DEPTH):
            inner = min(DEPTH, depth - first)
            for number in range(tiles):
                row, stop = rows * number // tiles, rows * (number + 1) // tiles
                place = c + 4 * (row * c_row + column)
                begin, begin_row = place, c_row
                if first == 0:
                    begin = start + 4 * (row * start_row + column) if start else 0
                    begin_row = start_row
                left, right = a + 4 * (row * a_row + first * a_step), b + 4 * (first * b_row + column)
                call_tile(
                    tile,
                    (stop - row, vectors, left, a_row, 0, 0, a_step, 1, 1, inner, right, b_row, place, c_row, begin,
                     begin_row, last),
                )  # fmt: skip
        column += vectors * WIDTH


@part
def column_sums(tile: int, source: int, row_step: int, rows: int, columns: int, target: int, one: int) -> None:
    """The sum of each column: a product with a row of ones (``one`` is the address of a 1)."""
    product(tile, one, 0, 0, source, row_step, target, columns, 1, columns, rows, 0, 0)
