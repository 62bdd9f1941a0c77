"""Depthwise convolutions over pictures: each channel has filters of its own.

With several filters a channel, the picture's frame holds each channel as many times, so that frame, filters
``(kernel height, kernel width, filters)`` and output lie in one order, and tiles of the second kind (see ``tile.py``)
take them side by side. The sizes are those of ``conv.SIZES``, with a group for each channel.
"""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.native import floats, kernel, longs, part
from workbench.engine.kernels.products import ROWS, WIDTH, call_tile

_ZERO = np.float32(0)


@part
def _repeated(source: int, target: int, count: int, times: int) -> None:
    """Write each of the values so many times, side by side."""
    values, out = floats(source, count), floats(target, count * times)
    if times == 1:
        for i in range(count):
            out[i] = values[i]
    else:
        for i in range(count):
            for number in range(times):
                out[i * times + number] = values[i]


@part
def _framed(
    picture: int, frame: int, height: int, width: int, channels: int, times: int, across: int, top: int, left: int
) -> None:
    """Copy a picture into its frame; the zeros around it were written before."""
    line = width * channels
    for row in range(height):
        target = frame + 4 * ((row + top) * across + left) * channels * times
        _repeated(picture + 4 * row * line, target, line, times)


@part
def _windows(
    tile: int, frame: int, across: int, filters: int, sizes: tuple[int, ...], weight: int, out: int, bias: int
) -> None:
    """One framed picture times the filters; ``sizes`` are output rows and columns, kernel, strides, dilations."""
    rows, places, kernel_rows, kernel_columns, down, right, dilation_rows, dilation_columns = sizes
    tiles = (places + ROWS - 1) // ROWS
    column = 0
    while column < filters:
        vectors = 2 if filters - column >= 2 * WIDTH else 1
        begin = bias + 4 * column if bias else 0
        for row in range(rows):
            for number in range(tiles):
                place, stop = places * number // tiles, places * (number + 1) // tiles
                left = frame + 4 * ((row * down * across + place * right) * filters + column)
                call_tile(
                    tile,
                    (stop - place, vectors, left, right * filters, dilation_rows * across * filters,
                     dilation_columns * filters, 0, kernel_rows, kernel_columns, 1, weight + 4 * column, filters,
                     out + 4 * ((row * places + place) * filters + column), filters, begin, 0,
                     min(WIDTH, filters - column)),
                )  # fmt: skip
        column += vectors * WIDTH


@kernel
def depthwise_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, x, w, b or 0, y, frame or 0 where the picture needs none, sizes."""
    tile, x, w, b, y, frame, at = longs(arguments, 7)
    (
        height, width, channels, rows, columns, filters, kernel_rows, kernel_columns, down, right, dilation_rows,
        dilation_columns, groups, across, top, left,
    ) = longs(at, 16)  # fmt: skip
    sizes = (rows, columns, kernel_rows, kernel_columns, down, right, dilation_rows, dilation_columns)
    for number in range(first, last):
        picture = x + 4 * number * height * width * channels
        if frame:
            _framed(picture, frame, height, width, channels, filters // groups, across, top, left)
            picture = frame
        _windows(tile, picture, across, filters, sizes, w, y + 4 * number * rows * columns * filters, b)


@kernel
def depthwise_weight_gradient(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, x, dy, dw, frame or 0, sizes."""
    tile, x, dy, dw, frame, at = longs(arguments, 6)
    (
        height, width, channels, rows, columns, filters, kernel_rows, kernel_columns, down, right, dilation_rows,
        dilation_columns, groups, across, top, left,
    ) = longs(at, 16)  # fmt: skip
    tiles = (kernel_columns + ROWS - 1) // ROWS
    for number in range(first, last):
        picture = x + 4 * number * height * width * channels
        if frame:
            _framed(picture, frame, height, width, channels, filters // groups, across, top, left)
            picture = frame
        slopes = dy + 4 * number * rows * columns * filters
        column = 0
        while column < filters:
            vectors = 2 if filters - column >= 2 * WIDTH else 1
            for kernel_row in range(kernel_rows):
                for part_number in range(tiles):
                    start, stop = kernel_columns * part_number // tiles, kernel_columns * (part_number + 1) // tiles
                    corner = kernel_row * dilation_rows * across + start * dilation_columns
                    target = dw + 4 * ((kernel_row * kernel_columns + start) * filters + column)
                    call_tile(
                        tile,
                        (stop - start, vectors, picture + 4 * (corner * filters + column), dilation_columns * filters,
                         down * across * filters, 0, right * filters, rows, 1, columns, slopes + 4 * column, filters,
                         target, filters, target if number > 0 else 0, filters, min(WIDTH, filters - column)),
                    )  # fmt: skip
            column += vectors * WIDTH


@kernel
def mirrored_filters(arguments: int, first: int, last: int) -> None:
    """Filters with their taps in reverse, for the input's gradient. Arguments: w, target; taps, filters."""
    w, target, taps, filters = longs(arguments, 4)
    for tap in range(taps):
        source, out = floats(w + 4 * (taps - 1 - tap) * filters, filters), floats(target + 4 * tap * filters, filters)
        for i in range(filters):
            out[i] = source[i]


@kernel
def depthwise_input_gradient(arguments: int, first: int, last: int) -> None:
    """The mirrored filters over the output's gradient, which is spread by the stride in a frame of zeros.

    Arguments: tile, dy, mirrored filters, dx, frame, room for a picture of filters (or 0 with one a channel), sizes,
    and where the gradient lands in the frame: first row and column there, first row and column of the gradient, how
    many rows and columns.
    """
    (
        tile, dy, w, dx, frame, room, at, into_row, into_column, from_row, from_column, count_rows, count_columns,
    ) = longs(arguments, 13)  # fmt: skip
    (
        height, width, channels, rows, columns, filters, kernel_rows, kernel_columns, down, right, dilation_rows,
        dilation_columns,
    ) = longs(at, 12)  # fmt: skip
    across = width + (kernel_columns - 1) * dilation_columns
    sizes = (height, width, kernel_rows, kernel_columns, 1, 1, dilation_rows, dilation_columns)
    for number in range(first, last):
        for row in range(count_rows):
            for column in range(count_columns):
                place = ((number * rows + from_row + row) * columns + from_column + column) * filters
                landing = (into_row + row * down) * across + into_column + column * right
                _repeated(dy + 4 * place, frame + 4 * landing * filters, filters, 1)
        out = dx + 4 * number * height * width * channels
        _windows(tile, frame, across, filters, sizes, w, room if room else out, 0)
        if room:
            _sum_by_channel(room, out, height * width * channels, filters // channels)


@part
def _sum_by_channel(source: int, target: int, count: int, times: int) -> None:
    """Sums of so many values side by side."""
    values, out = floats(source, count * times), floats(target, count)
    for i in range(count):
        total = _ZERO
        for number in range(times):
            total += values[i * times + number]
        out[i] = total
