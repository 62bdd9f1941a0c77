"""Pooling over pictures ``(height, width, channels)``; what lies outside of them is passed over.

The block of sizes: height, width, channels, output rows and columns, window, stride, and places before the first row
and column.
"""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.native import floats, kernel, longs

_ZERO, _ONE = np.float32(0), np.float32(1)


@kernel
def max_pool_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y, sizes, and 1 for no less than 0. NaN stays NaN."""
    x, y, at, floored = longs(arguments, 4)
    height, width, channels, rows, columns, tall, wide, down, right, top, left = longs(at, 11)
    for number in range(first, last):
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
    for number in range(first, last):
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
