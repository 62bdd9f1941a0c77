"""Convolutions over pictures ``(height, width, channels)`` as tiles over the windows where they lie.

A picture is copied once into a frame of zeros that stays in the cache; windows are never copied. Weights are
``(kernel height, kernel width, channels / groups, filters)``. The sizes common to all kernels are read from a block of
their own, see ``Sizes``.
"""

from __future__ import annotations

from workbench.engine.kernels.asking import fetch_bytes
from workbench.engine.kernels.native import floats, kernel, longs, part
from workbench.engine.kernels.products import WIDTH, call_tile, claim_rows, tiles_of
from workbench.engine.kernels.sums import column_sums

SIZES = (
    "height", "width", "channels",          # of the input
    "rows", "columns", "filters",           # of the output
    "kernel_rows", "kernel_columns",
    "stride_rows", "stride_columns",
    "dilation_rows", "dilation_columns",
    "groups",
    "framed_columns",                       # of the input with the zeros around it
    "before_rows", "before_columns",        # zeros above and at the left
)  # fmt: skip
"""The order of the numbers in the block of sizes."""

BAND, LEAST_ROWS = 2**13, 4
"""Values of a picture and of what was made of it that are worked on together, and rows of the latter at least."""


@part
def _framed(picture: int, frame: int, height: int, width: int, channels: int, across: int, top: int, left: int) -> None:
    """Copy a picture into its frame; the zeros around it were written before."""
    line = width * channels
    for row in range(height):
        fetch_bytes(picture + 4 * (row + 1) * line, 4 * line)
        source = floats(picture + 4 * row * line, line)
        target = floats(frame + 4 * ((row + top) * across + left) * channels, line)
        for i in range(line):
            target[i] = source[i]


@part
def _windows(
    tile: int, frame: int, across: int, channels: int, first_channel: int, depth: int, sizes: tuple[int, ...],
    weight: int, weight_row: int, out: int, out_row: int, out_line: int, columns: int, bias: int, adds: int,
) -> None:  # fmt: skip
    """One picture times the filters of one group.

    Args:
        tile: the tile's address.
        frame, across, channels: the framed picture, and its sizes.
        first_channel, depth: the channels that the group reads.
        sizes: output rows and columns, kernel rows and columns, strides, dilations.
        weight, weight_row: the group's filters, and from one row of them to the next.
        out, out_row, out_line, columns: where the group's outputs go, values from one place to the next and from one
            row of places to the next, and how many outputs a place has.
        bias: what they begin with, or 0.
        adds: 1 to add to the outputs that are there.
    """
    rows, places, kernel_rows, kernel_columns, down, right, dilation_rows, dilation_columns = sizes
    middle, inner = kernel_columns, depth
    if dilation_columns == 1 and depth == channels:
        # The values of a window's row lie side by side.
        middle, inner = 1, kernel_columns * channels
    column = 0
    while column < columns:
        vectors = 2 if columns - column >= 2 * WIDTH else 1
        tiles = tiles_of(places, vectors)
        last = min(WIDTH, columns - column)
        begin = bias + 4 * column if bias else 0
        for row in range(rows):
            for number in range(tiles):
                place, stop = places * number // tiles, places * (number + 1) // tiles
                left = frame + 4 * ((row * down * across + place * right) * channels + first_channel)
                target = out + 4 * (row * out_line + place * out_row + column)
                claim_rows(target, out_row, stop - place, min(vectors * WIDTH, columns - column))
                call_tile(
                    tile,
                    (stop - place, vectors, left, right * channels, dilation_rows * across * channels,
                     dilation_columns * channels, 1, kernel_rows, middle, inner, weight + 4 * column, weight_row,
                     target, out_row, target if adds else begin, out_row if adds else 0, last),
                )  # fmt: skip
        column += vectors * WIDTH


@kernel
def conv_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, x, w, b or 0, y, frame or 0, sizes; the output's rows from one to before another."""
    tile, x, w, b, y, frame, at, begin, end = longs(arguments, 9)
    (
        height, width, channels, rows, columns, filters, kernel_rows, kernel_columns, down, right, dilation_rows,
        dilation_columns, groups, across, top, left,
    ) = longs(at, 16)  # fmt: skip
    sizes = (end - begin, columns, kernel_rows, kernel_columns, down, right, dilation_rows, dilation_columns)
    depth, share = channels // groups, filters // groups
    # What these rows' windows read of a picture.
    above = max(0, begin * down - top)
    below = min(height, (end - 1) * down + (kernel_rows - 1) * dilation_rows + 1 - top)
    for number in range(first, last):
        picture = x + 4 * number * height * width * channels
        if frame:
            seen = picture + 4 * above * width * channels
            _framed(seen, frame, below - above, width, channels, across, top + above, left)
            picture = frame
        picture += 4 * begin * down * across * channels
        out = y + 4 * (number * rows + begin) * columns * filters
        for group in range(groups):
            _windows(
                tile, picture, across, channels, group * depth, depth, sizes, w + 4 * group * share, filters,
                out + 4 * group * share, filters, columns * filters, share, b + 4 * group * share if b else 0, 0,
            )  # fmt: skip


@kernel
def conv_bias_gradient(arguments: int, first: int, last: int) -> None:
    """Arguments: dy, db, room; places, filters. By picture: one long float32 sum would lose digits."""
    dy, db, room, places, filters = longs(arguments, 5)
    total, part_sum = floats(db, filters), floats(room, filters)
    if first == 0:
        total[:] = 0
    for number in range(first, last):
        column_sums(dy + 4 * number * places * filters, filters, places, filters, room)
        for i in range(filters):
            total[i] += part_sum[i]


@kernel
def conv_weight_gradient(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, x, dy, dw, frame or 0, sizes."""
    tile, x, dy, dw, frame, at = longs(arguments, 6)
    (
        height, width, channels, rows, columns, filters, kernel_rows, kernel_columns, down, right, dilation_rows,
        dilation_columns, groups, across, top, left,
    ) = longs(at, 16)  # fmt: skip
    depth, share = channels // groups, filters // groups
    # Where the values of a window's row lie side by side, one tile covers several columns of the kernel.
    whole = dilation_columns == 1 and groups == 1
    steps, length = (1, kernel_columns * channels) if whole else (kernel_columns, depth)
    # Each tap reads all of a band: some rows of the picture that stay in the level-1 cache.
    line = across * channels * down + columns * min(share, 2 * WIDTH)
    bands = (rows * line + BAND - 1) // BAND
    bands = min(bands, (rows + LEAST_ROWS - 1) // LEAST_ROWS)
    for number in range(first, last):
        picture = x + 4 * number * height * width * channels
        if frame:
            _framed(picture, frame, height, width, channels, across, top, left)
            picture = frame
        for band in range(bands):
            begin, end = rows * band // bands, rows * (band + 1) // bands
            slopes = dy + 4 * (number * rows + begin) * columns * filters
            for group in range(groups):
                column = 0
                while column < share:
                    vectors = 2 if share - column >= 2 * WIDTH else 1
                    tiles = tiles_of(length, vectors)
                    place = group * share + column
                    for tap in range(kernel_rows * steps):
                        row, step = begin * down + tap // steps * dilation_rows, tap % steps * dilation_columns
                        corner = (row * across + step) * channels + group * depth
                        for part_number in range(tiles):
                            start, stop = length * part_number // tiles, length * (part_number + 1) // tiles
                            target = dw + 4 * ((tap * length + start) * filters + place)
                            call_tile(
                                tile,
                                (stop - start, vectors, picture + 4 * (corner + start), 1, down * across * channels, 0,
                                 right * channels, end - begin, 1, columns, slopes + 4 * place, filters, target,
                                 filters, target if number + band > 0 else 0, filters, min(WIDTH, share - column)),
                            )  # fmt: skip
                    column += vectors * WIDTH


@kernel
def flipped_filters(arguments: int, first: int, last: int) -> None:
    """Turn filters for the input's gradient: ``(rows, columns, channels / groups, filters)``, mirrored, to
    ``(rows, columns, filters / groups, channels)``. Arguments: w, target; taps, channels a group, filters, groups.
    """
    w, target, taps, depth, filters, groups = longs(arguments, 6)
    share = filters // groups
    for tap in range(taps):
        source = floats(w + 4 * (taps - 1 - tap) * depth * filters, depth * filters)
        turned = floats(target + 4 * tap * share * depth * groups, share * depth * groups)
        for group in range(groups):
            for channel in range(depth):
                for number in range(share):
                    value = source[channel * filters + group * share + number]
                    turned[number * depth * groups + group * depth + channel] = value


@part
def _spread_line(source: int, target: int, places: int, step: int, size: int) -> None:
    """Copy places of a line to every ``step``-th one of another."""
    if step == 1:
        places, size = 1, places * size
    for place in range(places):
        value, out = floats(source + 4 * place * size, size), floats(target + 4 * place * step * size, size)
        for i in range(size):
            out[i] = value[i]


@kernel
def conv_input_gradient(arguments: int, first: int, last: int) -> None:
    """The turned filters over the output's gradient, which is spread by the stride in a frame of zeros.

    Arguments: tile, dy, turned filters, dx, frame, sizes, where the gradient lands in the frame: first row and column
    there, first row and column of the gradient, how many rows and columns; and 1 to add to what is in dx.
    """
    tile, dy, w, dx, frame, at, into_row, into_column, from_row, from_column, count_rows, count_columns, adds = longs(
        arguments, 13
    )
    (
        height, width, channels, rows, columns, filters, kernel_rows, kernel_columns, down, right, dilation_rows,
        dilation_columns, groups,
    ) = longs(at, 13)  # fmt: skip
    framed_columns = width + (kernel_columns - 1) * dilation_columns
    sizes = (height, width, kernel_rows, kernel_columns, 1, 1, dilation_rows, dilation_columns)
    depth, share = channels // groups, filters // groups
    for number in range(first, last):
        for row in range(count_rows):
            source = dy + 4 * ((number * rows + from_row + row) * columns + from_column) * filters
            target = frame + 4 * ((into_row + row * down) * framed_columns + into_column) * filters
            _spread_line(source, target, count_columns, right, filters)
        out = dx + 4 * number * height * width * channels
        for group in range(groups):
            _windows(
                tile, frame, framed_columns, filters, group * share, share, sizes, w + 4 * group * depth, channels,
                out + 4 * group * depth, channels, width * channels, depth, 0, adds,
            )  # fmt: skip


PHASE = ("row", "column", "rows", "columns", "from_row", "from_column", "taps_down", "taps_across", "weights")
"""With a stride, input values a stride apart read the same part of each filter. The numbers of such a phase: its first
row and column in the input, how many, where its windows of the output's gradient begin, the taps that it reads, and
where its weights begin."""


@kernel
def phase_filters(arguments: int, first: int, last: int) -> None:
    """Turn filters for ``conv_phase_gradient``: each phase's taps, mirrored, ``(taps, filters / groups, channels)``.

    Arguments: w, target, phases, how many; kernel columns, channels a group, filters, groups, strides, zeros before.
    """
    w, target, at, count, kernel_columns, depth, filters, groups, down, right, top, left_side = longs(arguments, 12)
    share = filters // groups
    for number in range(count):
        row, column, _, _, _, _, taps_down, taps_across, place = longs(at + 72 * number, 9)
        first_row, first_column = (row + top) % down, (column + left_side) % right
        for tap in range(taps_down * taps_across):
            i = first_row + (taps_down - 1 - tap // taps_across) * down
            j = first_column + (taps_across - 1 - tap % taps_across) * right
            source = floats(w + 4 * (i * kernel_columns + j) * depth * filters, depth * filters)
            turned = floats(target + 4 * (place + tap * share * depth * groups), share * depth * groups)
            for group in range(groups):
                for channel in range(depth):
                    for k in range(share):
                        turned[k * depth * groups + group * depth + channel] = source[
                            channel * filters + group * share + k
                        ]


@kernel
def conv_phase_gradient(arguments: int, first: int, last: int) -> None:
    """The input's gradient of a convolution with strides, without products with the zeros between.

    Arguments: tile, dy, turned filters, dx, frame, sizes, phases, how many; the frame's columns, rows and columns of
    zeros before the gradient in it, 1 where some input values are read by no filter, and 1 to add to what is in dx.
    """
    tile, dy, w, dx, frame, at, phases, count, across, top, left, gaps, adds = longs(arguments, 13)
    height, width, channels, rows, columns, filters, _, _, down, right, _, _, groups = longs(at, 13)
    depth, share = channels // groups, filters // groups
    for number in range(first, last):
        _framed(dy + 4 * number * rows * columns * filters, frame, rows, columns, filters, across, top, left)
        out = dx + 4 * number * height * width * channels
        if gaps and not adds:
            floats(out, height * width * channels)[:] = 0
        for phase in range(count):
            row, column, many, wide, from_row, from_column, taps_down, taps_across, place = longs(
                phases + 72 * phase, 9
            )
            sizes = (many, wide, taps_down, taps_across, 1, 1, 1, 1)
            corner = frame + 4 * (from_row * across + from_column) * filters
            target = out + 4 * (row * width + column) * channels
            for group in range(groups):
                _windows(
                    tile, corner, across, filters, group * share, share, sizes, w + 4 * (place + group * depth),
                    channels, target + 4 * group * depth, right * channels, down * width * channels, depth, 0, adds,
                )  # fmt: skip
