"""The parametric ReLU, whose slope below 0 is trained.

A row is ``places`` lines of values; with ``each`` the values of a line have a weight each, else there is one for all.
"""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.native import doubles, floats, kernel, longs

_ZERO = np.float32(0)


@kernel
def prelu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y, weight; places a row, values a line, each."""
    x_place, y_place, weight_place, places, line, each = longs(arguments, 6)
    weight, one = floats(weight_place, line), floats(weight_place, 1)[0]
    for place in range(first * places, last * places):
        x, y = floats(x_place + 4 * place * line, line), floats(y_place + 4 * place * line, line)
        if each:
            for c in range(line):
                y[c] = x[c] if x[c] > _ZERO else x[c] * weight[c]
        else:
            for c in range(line):
                y[c] = x[c] if x[c] > _ZERO else x[c] * one


@kernel
def prelu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx, weight; places a row, values a line, each."""
    x_place, dy_place, dx_place, weight_place, places, line, each = longs(arguments, 7)
    weight, one = floats(weight_place, line), floats(weight_place, 1)[0]
    for place in range(first * places, last * places):
        at = 4 * place * line
        x, dy, dx = floats(x_place + at, line), floats(dy_place + at, line), floats(dx_place + at, line)
        if each:
            for c in range(line):
                dx[c] = dy[c] if x[c] > _ZERO else dy[c] * weight[c]
        else:
            for c in range(line):
                dx[c] = dy[c] if x[c] > _ZERO else dy[c] * one


@kernel
def prelu_slopes(arguments: int, first: int, last: int) -> None:
    """The weights' gradient over all rows so far.

    Arguments: x, dy, sums (a float64 for each weight), d_weight; places a row, values a line, each.
    """
    x_place, dy_place, sum_place, out_place, places, line, each = longs(arguments, 7)
    count = line if each else 1
    sums, out = doubles(sum_place, count), floats(out_place, count)
    if first == 0:
        sums[:] = 0
    for place in range(first * places, last * places):
        at = 4 * place * line
        x, dy = floats(x_place + at, line), floats(dy_place + at, line)
        if each:
            for c in range(line):
                sums[c] += np.float64(_ZERO if x[c] > _ZERO else x[c] * dy[c])
        else:
            total = _ZERO
            for c in range(line):
                total += _ZERO if x[c] > _ZERO else x[c] * dy[c]
            sums[0] += np.float64(total)
    for c in range(count):
        out[c] = sums[c]
