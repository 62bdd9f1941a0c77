"""Changes of shape and order."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.kernels.asking import fetch_ahead
from workbench.engine.kernels.lanes import WIDTH, at_least, load, plus, splat, store
from workbench.engine.kernels.native import doubles, floats, kernel, longs, part
from workbench.engine.kernels.turning import turn

_ZERO, _UNIT = np.float32(0), np.float32(2.0**-24)
_GOLDEN, _FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@part
def mixed(key: Any, index: Any) -> Any:
    """64 random bits: element ``index`` of the stream of a key, the same as ``random.bits`` gives."""
    z = (index + np.uint64(1)) * _GOLDEN + key
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


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
    """``c = a + b``, but no less than the floor. Arguments: a, b, c; values a row; floor."""
    a, b, c, size = longs(arguments, 4)
    floor = splat(np.float32(doubles(arguments, 5)[4]))
    end = last * size
    for i in range(first * size, end, WIDTH):
        at, left = 4 * i, end - i
        fetch_ahead(a + at)
        fetch_ahead(b + at)
        store(at_least(plus(load(a + at, left), load(b + at, left)), floor), c + at, left)


@kernel
def join_channels(arguments: int, first: int, last: int) -> None:
    """Copy into, or out of, some channels of a wider array.

    Arguments: narrow, wide; places an example, channels of each, first channel in the wide one, 1 to copy out of it.
    """
    narrow, wide, places, few, many, start, out = longs(arguments, 7)
    for place in range(first * places, last * places):
        a, b = floats(narrow + 4 * place * few, few), floats(wide + 4 * (place * many + start), few)
        if out:
            for c in range(few):
                a[c] = b[c]
        else:
            for c in range(few):
                b[c] = a[c]


@kernel
def mean_over_places(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; places an example, channels."""
    x, y, places, channels = longs(arguments, 4)
    share = np.float32(1.0 / places)
    for number in range(first, last):
        total = floats(y + 4 * number * channels, channels)
        total[:] = 0
        for place in range(number * places, (number + 1) * places):
            value = floats(x + 4 * place * channels, channels)
            for c in range(channels):
                total[c] += value[c]
        for c in range(channels):
            total[c] *= share


@kernel
def spread_over_places(arguments: int, first: int, last: int) -> None:
    """Arguments: dy, dx; places an example, channels."""
    dy, dx, places, channels = longs(arguments, 4)
    share = np.float32(1.0 / places)
    for place in range(first * places, last * places):
        slope, out = (
            floats(dy + 4 * (place // places) * channels, channels),
            floats(dx + 4 * place * channels, channels),
        )
        for c in range(channels):
            out[c] = slope[c] * share


@kernel
def dropped(arguments: int, first: int, last: int) -> None:
    """Inverted dropout: keep a value, scaled, or drop it, by the random bits of its place.

    Arguments: x, y, key (of the step, see ``random.key_of``); values a row, first row in the batch; rate, scale. A row
    begins at an even place of the stream: each 64 random bits serve two values (see ``random.uniform``).
    """
    x, y, key_place, size, offset = longs(arguments, 5)
    rate, scale = np.float32(doubles(arguments, 7)[5]), np.float32(doubles(arguments, 7)[6])
    key, pairs = np.uint64(longs(key_place, 1)[0]), (size + 1) // 2
    for row in range(first, last):
        value, out = floats(x + 4 * row * size, size), floats(y + 4 * row * size, size)
        start = np.uint64((row + offset) * pairs)
        for pair in range(pairs):
            bits = mixed(key, start + np.uint64(pair))
            low = np.float32((bits & np.uint64(0xFFFFFFFF)) >> np.uint64(8)) * _UNIT
            high = np.float32(bits >> np.uint64(40)) * _UNIT
            place = 2 * pair
            out[place] = value[place] * scale if low >= rate else _ZERO
            if place + 1 < size:
                out[place + 1] = value[place + 1] * scale if high >= rate else _ZERO
