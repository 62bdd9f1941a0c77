"""Matrix products as tiles (see ``tile.py``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from workbench.engine.kernels.asking import claim, fetch
from workbench.engine.kernels.machine import machine
from workbench.engine.kernels.native import floats, intrinsic, part
from workbench.engine.kernels.turning import turn

WIDTH, ROWS = machine().width, machine().rows
DEPTH = 272
"""Rows of the right side at a time: with two vectors of columns they fit into a level-1 cache."""

THIN = 3
"""Rows under which a product is worked out row by row."""

LEAST_TILES = 4
"""Tiles from which on the right side is copied together first."""

_LEAVES, _COPIES, _TURNS = 0, 1, 2
"""What is done with the right side before it is read: nothing, copied together, or transposed on the way."""

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
def tiles_of(rows: int, vectors: int) -> int:
    """Tiles of one or two vectors that so many rows are cut into."""
    most = ROWS * (3 - vectors)
    return (rows + most - 1) // most


@part
def _fetch_rows(source: int, row_step: int, first: int, last: int) -> None:
    """Ask for rows of ``2 * WIDTH`` values, some time before they are read."""
    for row in range(first, last):
        place = source + 4 * row * row_step
        for line in range(0, 8 * WIDTH, 64):
            fetch(place + line)


@part
def claim_rows(target: int, row_step: int, rows: int, columns: int) -> None:
    """Ask for rows of a block before its sums are worked out: its stores would wait for the lines one by one."""
    for row in range(rows):
        place = target + 4 * row * row_step
        for line in range(0, 4 * columns, 64):
            claim(place + line)


@part
def _packed(source: int, row_step: int, rows: int, columns: int, target: int) -> None:
    """Copy a few columns of a matrix to rows of ``2 * WIDTH`` values that lie one after the other."""
    for row in range(rows):
        line, place = floats(source + 4 * row * row_step, columns), floats(target + 8 * row * WIDTH, columns)
        for column in range(columns):
            place[column] = line[column]


@part
def _thin_row(a: int, a_step: int, b: int, b_row: int, c: int, columns: int, depth: int, start: int) -> None:
    """One row of a product, four rows of the right side at a time: a tile of one row would wait for its own sums."""
    out = floats(c, columns)
    for column in range(columns):
        out[column] = floats(start, columns)[column] if start else np.float32(0)
    whole = depth - depth % 4
    for k in range(0, whole, 4):
        x0, x1 = floats(a + 4 * k * a_step, 1)[0], floats(a + 4 * (k + 1) * a_step, 1)[0]
        x2, x3 = floats(a + 4 * (k + 2) * a_step, 1)[0], floats(a + 4 * (k + 3) * a_step, 1)[0]
        b0, b1 = floats(b + 4 * k * b_row, columns), floats(b + 4 * (k + 1) * b_row, columns)
        b2, b3 = floats(b + 4 * (k + 2) * b_row, columns), floats(b + 4 * (k + 3) * b_row, columns)
        for column in range(columns):
            out[column] += x0 * b0[column] + x1 * b1[column] + x2 * b2[column] + x3 * b3[column]
    for k in range(whole, depth):
        x, line = floats(a + 4 * k * a_step, 1)[0], floats(b + 4 * k * b_row, columns)
        for column in range(columns):
            out[column] += x * line[column]


@part
def product(
    tile: int, a: int, a_row: int, a_step: int, b: int, b_row: int, c: int, c_row: int, rows: int, columns: int,
    depth: int, start: int, start_row: int,
) -> None:  # fmt: skip
    """``c = start + a b``; addresses, and steps in elements (``a_step`` from one column of ``a`` to the next)."""
    if rows < THIN and columns >= 4 * WIDTH:
        for row in range(rows):
            begin = start + 4 * row * start_row if start else 0
            _thin_row(a + 4 * row * a_row, a_step, b, b_row, c + 4 * row * c_row, columns, depth, begin)
        return
    # Read by many tiles, rows of the right side that lie far apart would fall on few lines of the cache.
    packing = _COPIES if rows > ROWS * (LEAST_TILES - 1) else _LEAVES
    _tiled(tile, a, a_row, a_step, b, b_row, c, c_row, rows, columns, depth, start, start_row, packing)


@part
def product_with_turned(
    tile: int, a: int, a_row: int, b: int, b_row: int, c: int, c_row: int, rows: int, columns: int, depth: int
) -> None:
    """``c = a b'``; addresses, and steps in elements. Each row of ``b`` is one of the ``columns``."""
    _tiled(tile, a, a_row, 1, b, b_row, c, c_row, rows, columns, depth, 0, 0, _TURNS)


@part
def _tiled(
    tile: int, a: int, a_row: int, a_step: int, b: int, b_row: int, c: int, c_row: int, rows: int, columns: int,
    depth: int, start: int, start_row: int, packing: int,
) -> None:  # fmt: skip
    """Tile by tile: two vectors of columns at a time, of these some rows of the right side, and all rows of the left.

    Args:
        packing: what is done with the right side first.
    """
    blocks = (depth + DEPTH - 1) // DEPTH
    room = np.empty(2 * WIDTH * DEPTH if packing else 1, np.float32)
    room_at = np.int64(room.ctypes.data)
    across, down = (b_row, 1) if packing == _TURNS else (1, b_row)
    column = 0
    while column < columns:
        vectors = 2 if columns - column >= 2 * WIDTH else 1
        width, tiles = min(vectors * WIDTH, columns - column), tiles_of(rows, vectors)
        for block in range(blocks):
            first = depth * block // blocks
            inner = depth * (block + 1) // blocks - first
            right, right_row = np.int64(b + 4 * (first * down + column * across)), b_row
            if packing:
                if packing == _TURNS:
                    turn(right, width, inner, b_row, room_at, 2 * WIDTH)
                else:
                    _packed(right, b_row, inner, width, room_at)
                right, right_row = room_at, 2 * WIDTH
            ahead, ahead_rows = b + 4 * (depth * (block + 1) // blocks * b_row + column), 0
            if packing == _COPIES and (block + 1 < blocks or column + width < columns):
                ahead_rows = inner
            if block + 1 == blocks:
                ahead = b + 4 * (column + width)
            for number in range(tiles):
                _fetch_rows(ahead, b_row, ahead_rows * number // tiles, ahead_rows * (number + 1) // tiles)
                row, stop = rows * number // tiles, rows * (number + 1) // tiles
                place = c + 4 * (row * c_row + column)
                claim_rows(place, c_row, stop - row, width)
                begin, begin_row = place, c_row
                if first == 0:
                    begin = start + 4 * (row * start_row + column) if start else 0
                    begin_row = start_row
                left = a + 4 * (row * a_row + first * a_step)
                call_tile(
                    tile,
                    (stop - row, vectors, left, a_row, 0, 0, a_step, 1, 1, inner, right, right_row, place, c_row,
                     begin, begin_row, min(WIDTH, width)),
                )  # fmt: skip
        column += vectors * WIDTH
    # A last use: Numba frees an array as soon as its name is no longer read, whatever was done with its address.
    room[0] = 0
