"""Pooling over pictures ``(height, width, channels)``; what lies outside of them is passed over.

The block of sizes: height, width, channels, output rows and columns, window, stride, and places before the first row
and column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from workbench.engine.kernels.machine import machine
from workbench.engine.kernels.native import floats, intrinsic, kernel, longs, part

WIDTH = machine().width
_ZERO, _LOWEST = np.float32(0), np.float32(-np.inf)


@part
def _larger(most: Any, value: Any) -> Any:
    """NaN stays NaN."""
    return most if value <= most or most != most else value


@part
def _largest_of_fours(
    x: int, y: int, height: int, width: int, channels: int, rows: int, columns: int, floor: Any
) -> None:
    """One picture by windows of 2 x 2 side by side, by far the most usual ones: each value is read once."""
    for row in range(rows):
        for column in range(columns):
            corner = x + 4 * (2 * row * width + 2 * column) * channels
            below = corner + 4 * width * channels
            a, b = floats(corner, channels), floats(corner + 4 * channels, channels)
            c, d = floats(below, channels), floats(below + 4 * channels, channels)
            out = floats(y + 4 * (row * columns + column) * channels, channels)
            for i in range(channels):
                out[i] = _larger(_larger(_larger(_larger(floor, a[i]), b[i]), c[i]), d[i])


@intrinsic
def _share_out(
    typing_context: Any, x: Any, dx: Any, right: Any, below: Any, most: Any, slope: Any, floored: Any
) -> Any:
    """One vector of channels of ``_back_to_fours``: a compiler will not make vectors of so many arrays by itself."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, (x, dx, right, below, most, slope, floored) = ir.VectorType(ir.FloatType(), WIDTH), values
        zero = ir.Constant(kind, [0.0] * WIDTH)

        def vector(address: Any) -> Any:
            return builder.load(builder.inttoptr(address, kind.as_pointer()), align=4)

        largest = vector(most)
        closed = builder.fcmp_ordered("<=", largest, zero)
        given = builder.select(
            builder.icmp_signed("!=", floored, floored.type(0)),
            builder.select(closed, zero, vector(slope)),
            vector(slope),
        )
        for offset in (None, right, below, builder.add(right, below)):
            here, there = (place if offset is None else builder.add(place, offset) for place in (x, dx))
            wins = builder.fcmp_ordered("==", vector(here), largest)
            builder.store(builder.select(wins, given, zero), builder.inttoptr(there, kind.as_pointer()), align=4)
            given = builder.select(wins, zero, given)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 7), write


@part
def _back_to_fours(
    x: int, y: int, dy: int, dx: int, height: int, width: int, channels: int, rows: int, columns: int, floored: int
) -> None:
    """The gradient of the same."""
    line, whole = width * channels, channels - channels % WIDTH
    right, below = 4 * channels, 4 * line
    for row in range(rows):
        for column in range(columns):
            corner, place = 4 * (2 * row * width + 2 * column) * channels, 4 * (row * columns + column) * channels
            for channel in range(0, 4 * whole, 4 * WIDTH):
                here = corner + channel
                _share_out(x + here, dx + here, right, below, y + place + channel, dy + place + channel, floored)
            for channel in range(whole, channels):
                most = floats(y + place, channels)[channel]
                given = _ZERO if floored and most <= _ZERO else floats(dy + place, channels)[channel]
                for number in range(4):
                    tap = corner + number % 2 * right + number // 2 * below
                    wins = floats(x + tap, channels)[channel] == most
                    floats(dx + tap, channels)[channel] = given if wins else _ZERO
                    given = _ZERO if wins else given
        for column in range(2 * columns, width):
            edge = 4 * (2 * row * width + column) * channels
            floats(dx + edge, channels)[:] = 0
            floats(dx + edge + below, channels)[:] = 0
    if 2 * rows < height:
        floats(dx + 4 * 2 * rows * line, (height - 2 * rows) * line)[:] = 0


@kernel
def max_pool_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y, sizes, and 1 for no less than 0. NaN stays NaN."""
    x, y, at, floored = longs(arguments, 4)
    height, width, channels, rows, columns, tall, wide, down, right, top, left = longs(at, 11)
    fours = tall == wide == down == right == 2 and top == left == 0
    for number in range(first, last):
        if fours and 2 * rows <= height and 2 * columns <= width:
            picture, target = number * height * width * channels, number * rows * columns * channels
            floor = _ZERO if floored else _LOWEST
            _largest_of_fours(x + 4 * picture, y + 4 * target, height, width, channels, rows, columns, floor)
            continue
        for row in range(rows):
            for column in range(columns):
                out = floats(y + 4 * ((number * rows + row) * columns + column) * channels, channels)
                fresh = floored == 0
                if floored:
                    for c in range(channels):
                        out[c] = _ZERO
                for i in range(max(0, row * down - top), min(height, row * down - top + tall)):
                    for j in range(max(0, column * right - left), min(width, column * right - left + wide)):
                        value = floats(x + 4 * ((number * height + i) * width + j) * channels, channels)
                        if fresh:
                            for c in range(channels):
                                out[c] = value[c]
                        else:
                            for c in range(channels):
                                out[c] = out[c] if value[c] <= out[c] or out[c] != out[c] else value[c]
                        fresh = False


@kernel
def max_pool_backward(arguments: int, first: int, last: int) -> None:
    """Of several largest values the first takes all.

    Arguments: x, y, dy, dx, room for a value a channel, sizes, and 1 where 0 stands for nothing above it.
    """
    x, y, dy, dx, room, at, floored = longs(arguments, 7)
    height, width, channels, rows, columns, tall, wide, down, right, top, left = longs(at, 11)
    given = floats(room, channels)
    fours = tall == wide == down == right == 2 and top == left == 0
    for number in range(first, last):
        if fours and 2 * rows <= height and 2 * columns <= width:
            here, there = 4 * number * height * width * channels, 4 * number * rows * columns * channels
            _back_to_fours(x + here, y + there, dy + there, dx + here, height, width, channels, rows, columns, floored)
            continue
        picture = floats(dx + 4 * number * height * width * channels, height * width * channels)
        for i in range(height * width * channels):
            picture[i] = _ZERO
        for row in range(rows):
            for column in range(columns):
                place = 4 * ((number * rows + row) * columns + column) * channels
                most, slope = floats(y + place, channels), floats(dy + place, channels)
                for c in range(channels):
                    given[c] = _ZERO if floored and most[c] <= _ZERO else slope[c]
                for i in range(max(0, row * down - top), min(height, row * down - top + tall)):
                    for j in range(max(0, column * right - left), min(width, column * right - left + wide)):
                        source = 4 * ((number * height + i) * width + j) * channels
                        value, target = floats(x + source, channels), floats(dx + source, channels)
                        for c in range(channels):
                            wins = value[c] == most[c]
                            target[c] += given[c] if wins else _ZERO
                            # What has been given away is gone.
                            given[c] = _ZERO if wins else given[c]


@kernel
def average_pool_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y, shares (1 / values a window), sizes."""
    x, y, share_place, at = longs(arguments, 4)
    height, width, channels, rows, columns, tall, wide, down, right, top, left = longs(at, 11)
    shares = floats(share_place, rows * columns)
    for number in range(first, last):
        for row in range(rows):
            for column in range(columns):
                out = floats(y + 4 * ((number * rows + row) * columns + column) * channels, channels)
                share = shares[row * columns + column]
                for c in range(channels):
                    out[c] = _ZERO
                for i in range(max(0, row * down - top), min(height, row * down - top + tall)):
                    for j in range(max(0, column * right - left), min(width, column * right - left + wide)):
                        value = floats(x + 4 * ((number * height + i) * width + j) * channels, channels)
                        for c in range(channels):
                            out[c] += value[c]
                for c in range(channels):
                    out[c] *= share


@kernel
def average_pool_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: dy, dx, shares, sizes."""
    dy, dx, share_place, at = longs(arguments, 4)
    height, width, channels, rows, columns, tall, wide, down, right, top, left = longs(at, 11)
    shares = floats(share_place, rows * columns)
    for number in range(first, last):
        picture = floats(dx + 4 * number * height * width * channels, height * width * channels)
        for i in range(height * width * channels):
            picture[i] = _ZERO
        for row in range(rows):
            for column in range(columns):
                slope = floats(dy + 4 * ((number * rows + row) * columns + column) * channels, channels)
                share = shares[row * columns + column]
                for i in range(max(0, row * down - top), min(height, row * down - top + tall)):
                    for j in range(max(0, column * right - left), min(width, column * right - left + wide)):
                        target = floats(dx + 4 * ((number * height + i) * width + j) * channels, channels)
                        for c in range(channels):
                            target[c] += slope[c] * share
