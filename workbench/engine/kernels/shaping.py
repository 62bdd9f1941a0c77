"""Changes of shape and order."""

from __future__ import annotations

from workbench.engine.kernels.native import floats, kernel, longs
from workbench.engine.kernels.turning import turn


@kernel
def channels_first(arguments: int, first: int, last: int) -> None:
    """``(places, channels)`` to ``(channels, places)``, example by example. Arguments: x, y; places, channels."""
    x, y, places, channels = longs(arguments, 4)
    size = places * channels
    for number in range(first, last):
        turn(x + 4 * number * size, places, channels, channels, y + 4 * number * size, places)


@kernel
def copy_values(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row."""
    x_place, y_place, size = longs(arguments, 3)
    count = (last - first) * size
    x, y = floats(x_place + 4 * first * size, count), floats(y_place + 4 * first * size, count)
    for i in range(count):
        y[i] = x[i]


@kernel
def add_values(arguments: int, first: int, last: int) -> None:
    """``c = a + b``. Arguments: a, b, c; values a row."""
    a_place, b_place, c_place, size = longs(arguments, 4)
    count, start = (last - first) * size, 4 * first * size
    a, b, c = floats(a_place + start, count), floats(b_place + start, count), floats(c_place + start, count)
    for i in range(count):
        c[i] = a[i] + b[i]
