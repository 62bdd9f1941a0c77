"""Pictures made larger: by repetition, in straight lines, by zeros around them. A sequence is a picture of one row."""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.native import floats, kernel, longs

_ZERO = np.float32(0)


@kernel
def repeat_forward(arguments: int, first: int, last: int) -> None:
    """Each pixel becomes a block. Arguments: x, y; height, width, channels, times as high, times as wide."""
    x, y, height, width, channels, down, across = longs(arguments, 7)
    line = width * across * channels
    for row in range(first * height, last * height):
        out = y + 4 * row * down * line
        for column in range(width):
            value = floats(x + 4 * (row * width + column) * channels, channels)
            for number in range(across):
                target = floats(out + 4 * (column * across + number) * channels, channels)
                for c in range(channels):
                    target[c] = value[c]
        source = floats(out, line)
        for number in range(1, down):
            target = floats(out + 4 * number * line, line)
            for i in range(line):
                target[i] = source[i]


@kernel
def repeat_backward(arguments: int, first: int, last: int) -> None:
    """The sum of each block. Arguments: dy, dx; height, width, channels, times as high, times as wide."""
    dy, dx, height, width, channels, down, across = longs(arguments, 7)
    for row in range(first * height, last * height):
        for column in range(width):
            total = floats(dx + 4 * (row * width + column) * channels, channels)
            for c in range(channels):
                total[c] = _ZERO
            for number in range(down):
                place = ((row * down + number) * width + column) * across
                for block in range(across):
                    slope = floats(dy + 4 * (place + block) * channels, channels)
                    for c in range(channels):
                        total[c] += slope[c]


@kernel
def stretch_forward(arguments: int, first: int, last: int) -> None:
    """Straight lines between pixels.

    Arguments: x, y; for the rows and for the columns of the output the two of the input that each lies between, and the
    share of each; height, width, channels, output rows, output columns.
    """
    x, y, row_ends, row_shares, column_ends, column_shares, height, width, channels, rows, columns = longs(
        arguments, 11
    )
    ends_down, shares_down = longs(row_ends, 2 * rows), floats(row_shares, 2 * rows)
    ends_across, shares_across = longs(column_ends, 2 * columns), floats(column_shares, 2 * columns)
    for number in range(first, last):
        for row in range(rows):
            upper = x + 4 * (number * height + ends_down[2 * row]) * width * channels
            lower = x + 4 * (number * height + ends_down[2 * row + 1]) * width * channels
            high, low = shares_down[2 * row], shares_down[2 * row + 1]
            for column in range(columns):
                left, right = 4 * ends_across[2 * column] * channels, 4 * ends_across[2 * column + 1] * channels
                near, far = shares_across[2 * column], shares_across[2 * column + 1]
                out = floats(y + 4 * ((number * rows + row) * columns + column) * channels, channels)
                a, b = floats(upper + left, channels), floats(upper + right, channels)
                c, d = floats(lower + left, channels), floats(lower + right, channels)
                for i in range(channels):
                    out[i] = high * (near * a[i] + far * b[i]) + low * (near * c[i] + far * d[i])


@kernel
def stretch_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: dy, dx, then those of ``stretch_forward``."""
    dy, dx, row_ends, row_shares, column_ends, column_shares, height, width, channels, rows, columns = longs(
        arguments, 11
    )
    ends_down, shares_down = longs(row_ends, 2 * rows), floats(row_shares, 2 * rows)
    ends_across, shares_across = longs(column_ends, 2 * columns), floats(column_shares, 2 * columns)
    for number in range(first, last):
        picture = floats(dx + 4 * number * height * width * channels, height * width * channels)
        for i in range(height * width * channels):
            picture[i] = _ZERO
        for row in range(rows):
            for column in range(columns):
                slope = floats(dy + 4 * ((number * rows + row) * columns + column) * channels, channels)
                for corner in range(4):
                    down, across = 2 * row + corner // 2, 2 * column + corner % 2
                    share = shares_down[down] * shares_across[across]
                    if share != _ZERO:
                        place = (number * height + ends_down[down]) * width + ends_across[across]
                        target = floats(dx + 4 * place * channels, channels)
                        for i in range(channels):
                            target[i] += slope[i] * share


@kernel
def pad_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; height, width, channels, output rows, output columns, zeros above, zeros at the left."""
    x, y, height, width, channels, rows, columns, top, left = longs(arguments, 9)
    line, start = width * channels, left * channels
    for number in range(first, last):
        for row in range(rows):
            whole = floats(y + 4 * (number * rows + row) * columns * channels, columns * channels)
            inside = top <= row < top + height
            before, after = (start, start + line) if inside else (columns * channels, columns * channels)
            for i in range(before):
                whole[i] = _ZERO
            if inside:
                source = floats(x + 4 * (number * height + row - top) * line, line)
                target = floats(y + 4 * ((number * rows + row) * columns * channels + start), line)
                for i in range(line):
                    target[i] = source[i]
            rest = columns * channels - after
            end = floats(y + 4 * ((number * rows + row) * columns * channels + after), rest)
            for i in range(rest):
                end[i] = _ZERO


@kernel
def pad_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: dy, dx; those of ``pad_forward``."""
    dy, dx, height, width, channels, rows, columns, top, left = longs(arguments, 9)
    line = width * channels
    for number in range(first, last):
        for row in range(height):
            source = floats(dy + 4 * ((number * rows + row + top) * columns + left) * channels, line)
            target = floats(dx + 4 * (number * height + row) * line, line)
            for i in range(line):
                target[i] = source[i]


@kernel
def border_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y, the row and the column that each one repeats; height, width, channels, rows and columns of y."""
    x, y, down_place, across_place, height, width, channels, rows, columns = longs(arguments, 9)
    down, across = longs(down_place, rows), longs(across_place, columns)
    for number in range(first, last):
        for row in range(rows):
            line = x + 4 * (number * height + down[row]) * width * channels
            for column in range(columns):
                source = floats(line + 4 * across[column] * channels, channels)
                target = floats(y + 4 * ((number * rows + row) * columns + column) * channels, channels)
                for c in range(channels):
                    target[c] = source[c]


@kernel
def border_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: dy, dx; the others of ``border_forward``."""
    dy, dx, down_place, across_place, height, width, channels, rows, columns = longs(arguments, 9)
    down, across = longs(down_place, rows), longs(across_place, columns)
    for number in range(first, last):
        picture = floats(dx + 4 * number * height * width * channels, height * width * channels)
        for i in range(height * width * channels):
            picture[i] = _ZERO
        for row in range(rows):
            line = dx + 4 * (number * height + down[row]) * width * channels
            for column in range(columns):
                target = floats(line + 4 * across[column] * channels, channels)
                source = floats(dy + 4 * ((number * rows + row) * columns + column) * channels, channels)
                for c in range(channels):
                    target[c] += source[c]
