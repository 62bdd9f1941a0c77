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
from workbench.engine.kernels.native import floats, intrinsic, ints, kernel, longs, part

WIDTH = machine().width
NOBODY = -1
"""Stands for no place of a window, where that of the largest value is told; others are counted row by row."""

_ZERO, _LOWEST = np.float32(0), np.float32(-np.inf)


def _vector(builder: Any, address: Any, kind: Any) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=4)


def _put(builder: Any, value: Any, address: Any) -> None:
    place = builder.inttoptr(address, value.type.as_pointer())
    builder.store(value, place, align=4)


def _fours(builder: Any, corner: Any, right: Any, below: Any) -> list[Any]:
    """Addresses of the places of a window."""
    return [corner, *(builder.add(corner, step) for step in (right, below, builder.add(right, below)))]


@intrinsic
def _largest(typing_context: Any, x: Any, right: Any, below: Any, y: Any, winners: Any, floored: Any) -> Any:
    """A vector of channels of the largest of four. A compiler does not make vectors of so many arrays by itself."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, index = ir.VectorType(ir.FloatType(), WIDTH), ir.VectorType(ir.IntType(32), WIDTH)
        x, right, below, y, winners, floored = values

        def number(value: int) -> Any:
            return ir.Constant(index, [value] * WIDTH)

        corner, floors = _vector(builder, x, kind), builder.icmp_signed("!=", floored, floored.type(0))
        most = builder.select(floors, ir.Constant(kind, [0.0] * WIDTH), corner)
        winner = builder.select(floors, number(NOBODY), number(0))
        for place, address in enumerate(_fours(builder, x, right, below)):
            value = _vector(builder, address, kind)
            # Larger, or not a number, which stays.
            more = builder.and_(builder.fcmp_unordered(">", value, most), builder.fcmp_ordered("ord", most, most))
            most = builder.select(more, value, most)
            winner = builder.select(more, number(place), winner)
        _put(builder, most, y)
        with builder.if_then(builder.icmp_signed("!=", winners, winners.type(0))):
            _put(builder, winner, winners)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 6), write


@intrinsic
def _share_out(typing_context: Any, winners: Any, slope: Any, dx: Any, right: Any, below: Any) -> Any:
    """The gradient of the same: each winner gets all."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, index = ir.VectorType(ir.FloatType(), WIDTH), ir.VectorType(ir.IntType(32), WIDTH)
        winner, given = _vector(builder, values[0], index), _vector(builder, values[1], kind)
        for place, address in enumerate(_fours(builder, *values[2:])):
            wins = builder.icmp_signed("==", winner, ir.Constant(index, [place] * WIDTH))
            _put(builder, builder.select(wins, given, ir.Constant(kind, [0.0] * WIDTH)), address)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), write


@part
def _largest_of_fours(
    x: int, y: int, winners: int, width: int, channels: int, rows: int, columns: int, floored: int
) -> None:
    """One picture by windows of 2 x 2 side by side, the most usual ones, some vectors of channels at a time."""
    for row in range(rows):
        for column in range(columns):
            corner, place = x + 4 * (2 * row * width + 2 * column) * channels, (row * columns + column) * channels
            for channel in range(0, channels, WIDTH):
                winner = winners + 4 * (place + channel) if winners else 0
                _largest(
                    corner + 4 * channel, 4 * channels, 4 * width * channels, y + 4 * (place + channel), winner, floored
                )


@part
def _back_to_fours(
    winners: int, dy: int, dx: int, height: int, width: int, channels: int, rows: int, columns: int
) -> None:
    """The gradient of the same."""
    line = width * channels
    for row in range(rows):
        for column in range(columns):
            corner, place = dx + 4 * (2 * row * width + 2 * column) * channels, (row * columns + column) * channels
            for channel in range(0, channels, WIDTH):
                at = place + channel
                _share_out(winners + 4 * at, dy + 4 * at, corner + 4 * channel, 4 * channels, 4 * line)
        for column in range(2 * columns, width):
            edge = dx + 4 * (2 * row * width + column) * channels
            floats(edge, channels)[:] = 0
            floats(edge + 4 * line, channels)[:] = 0
    if 2 * rows < height:
        floats(dx + 4 * 2 * rows * line, (height - 2 * rows) * line)[:] = 0


@part
def _are_fours(sizes: int) -> bool:
    """Whether windows are of 2 x 2, side by side, with whole vectors of channels."""
    height, width, channels, rows, columns, tall, wide, down, right, top, left = longs(sizes, 11)
    inside = 2 * rows <= height and 2 * columns <= width and top == left == 0
    return bool(inside and tall == wide == down == right == 2 and channels % WIDTH == 0)


@kernel
def max_pool_forward(arguments: int, first: int, last: int) -> None:
    """Of several largest values the first wins. NaN stays NaN.

    Arguments: x, y, winners or 0, sizes, 1 for no less than 0; the output's rows from one to before another.
    """
    x, y, winners, at, floored, start, stop = longs(arguments, 7)
    height, width, channels, rows, columns, tall, wide, down, right, top, left = longs(at, 11)
    fours, begin = _are_fours(at), _ZERO if floored else _LOWEST
    unseen = np.empty(channels, np.int32)
    for number in range(first, last):
        picture, pooled = x + 4 * number * height * width * channels, number * rows * columns * channels
        if fours:
            picture, pooled = picture + 8 * start * width * channels, pooled + start * columns * channels
            winner = winners + 4 * pooled if winners else 0
            _largest_of_fours(picture, y + 4 * pooled, winner, width, channels, stop - start, columns, floored)
            continue
        for place in range(start * columns, stop * columns):
            row, column = place // columns * down - top, place % columns * right - left
            out = floats(y + 4 * (pooled + place * channels), channels)
            winner = ints(winners + 4 * (pooled + place * channels), channels) if winners else unseen
            for c in range(channels):
                out[c] = begin
                winner[c] = NOBODY
            for i in range(max(0, row), min(height, row + tall)):
                for j in range(max(0, column), min(width, column + wide)):
                    value, tap = (
                        floats(picture + 4 * (i * width + j) * channels, channels),
                        (i - row) * wide + j - column,
                    )
                    for c in range(channels):
                        stays = (floored or winner[c] != NOBODY) and (value[c] <= out[c] or out[c] != out[c])
                        winner[c] = winner[c] if stays else tap
                        out[c] = out[c] if stays else value[c]


@kernel
def max_pool_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: winners, dy, dx, sizes."""
    winners, dy, dx, at = longs(arguments, 4)
    height, width, channels, rows, columns, tall, wide, down, right, top, left = longs(at, 11)
    fours = _are_fours(at)
    for number in range(first, last):
        picture, pooled = dx + 4 * number * height * width * channels, number * rows * columns * channels
        if fours:
            _back_to_fours(winners + 4 * pooled, dy + 4 * pooled, picture, height, width, channels, rows, columns)
            continue
        floats(picture, height * width * channels)[:] = 0
        for place in range(rows * columns):
            row, column = place // columns * down - top, place % columns * right - left
            winner = ints(winners + 4 * (pooled + place * channels), channels)
            slope = floats(dy + 4 * (pooled + place * channels), channels)
            for i in range(max(0, row), min(height, row + tall)):
                for j in range(max(0, column), min(width, column + wide)):
                    target, tap = (
                        floats(picture + 4 * (i * width + j) * channels, channels),
                        (i - row) * wide + j - column,
                    )
                    for c in range(channels):
                        target[c] += slope[c] if winner[c] == tap else _ZERO


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
