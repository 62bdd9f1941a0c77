"""Matrix products as tiles (see ``tile.py``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from workbench.engine.kernels.machine import machine
from workbench.engine.kernels.native import floats, intrinsic, part

WIDTH, ROWS = machine().width, machine().rows
DEPTH = 272
"""Rows of the right side at a time: with two vectors of columns they fit into a level-1 cache."""

LEAST_TILES = 4
"""Tiles from which on the right side is copied together first."""

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


@intrinsic
def _fetch(typing_context: Any, address: Any) -> Any:
    """Ask for what lies at an address to be brought into the level-2 cache."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place, number, number, number])
        ask: Any = cgutils.get_or_insert_function
        builder.call(
            ask(builder.module, kind, "llvm.prefetch.p0"),
            [builder.inttoptr(values[0], place), number(0), number(2), number(1)],
        )
        return context.get_dummy_value()

    return types.void(types.int64), write


@part
def _fetch_rows(source: int, row_step: int, first: int, last: int) -> None:
    """Ask for rows of ``2 * WIDTH`` values, some time before they are read."""
    for row in range(first, last):
        place = source + 4 * row * row_step
        for line in range(0, 8 * WIDTH, 64):
            _fetch(place + line)


@part
def _packed(source: int, row_step: int, rows: int, columns: int, target: int) -> None:
    """Copy a few columns of a matrix to rows of ``2 * WIDTH`` values that lie one after the other."""
    for row in range(rows):
        line, place = floats(source + 4 * row * row_step, columns), floats(target + 8 * row * WIDTH, columns)
        for column in range(columns):
            place[column] = line[column]


@part
def product(
    tile: int, a: int, a_row: int, a_step: int, b: int, b_row: int, c: int, c_row: int, rows: int, columns: int,
    depth: int, start: int, start_row: int,
) -> None:  # fmt: skip
    """``c = start + a b``; addresses, and steps in elements (``a_step`` from one column of ``a`` to the next)."""
    tiles, blocks = (rows + ROWS - 1) // ROWS, (depth + DEPTH - 1) // DEPTH
    # Read by many tiles, rows of the right side that lie far apart would fall on few lines of the cache.
    packs = tiles >= LEAST_TILES
    room = np.empty(2 * WIDTH * DEPTH if packs else 1, np.float32)
    room_at = np.int64(room.ctypes.data)
    column = 0
    while column < columns:
        vectors = 2 if columns - column >= 2 * WIDTH else 1
        last = min(WIDTH, columns - column)
        for block in range(blocks):
            first = depth * block // blocks
            inner = depth * (block + 1) // blocks - first
            right, right_row = np.int64(b + 4 * (first * b_row + column)), b_row
            if packs:
                _packed(right, b_row, inner, min(vectors * WIDTH, columns - column), room_at)
                right, right_row = room_at, 2 * WIDTH
            ahead, ahead_rows = b + 4 * (depth * (block + 1) // blocks * b_row + column), 0
            if packs and (block + 1 < blocks or column + vectors * WIDTH < columns):
                ahead_rows = inner
            if block + 1 == blocks:
                ahead = b + 4 * (column + vectors * WIDTH)
            for number in range(tiles):
                _fetch_rows(ahead, b_row, ahead_rows * number // tiles, ahead_rows * (number + 1) // tiles)
                row, stop = rows * number // tiles, rows * (number + 1) // tiles
                place = c + 4 * (row * c_row + column)
                begin, begin_row = place, c_row
                if first == 0:
                    begin = start + 4 * (row * start_row + column) if start else 0
                    begin_row = start_row
                left = a + 4 * (row * a_row + first * a_step)
                call_tile(
                    tile,
                    (stop - row, vectors, left, a_row, 0, 0, a_step, 1, 1, inner, right, right_row, place, c_row,
                     begin, begin_row, last),
                )  # fmt: skip
        column += vectors * WIDTH
    # A last use: Numba frees an array as soon as its name is no longer read, whatever was done with its address.
    room[0] = 0


@part
def column_sums(tile: int, source: int, row_step: int, rows: int, columns: int, target: int, one: int) -> None:
    """The sum of each column: a product with a row of ones (``one`` is the address of a 1)."""
    product(tile, one, 0, 0, source, row_step, target, columns, 1, columns, rows, 0, 0)
