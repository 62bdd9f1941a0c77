"""Batch normalization over the last axis; statistics of the whole batch also where it is cut into shards.

Each shard's statistics stand in a slot of its own: per channel a mean, and a sum of squared distances from it. Where a
ReLU follows, these kernels do its work too: 0 is then the least that may come out (``floor``), else minus infinity.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.kernels.asking import fetch_ahead
from workbench.engine.kernels.lanes import (
    WIDTH,
    at_least,
    load,
    minus,
    plus,
    splat,
    store,
    times,
    times_plus,
    where_above,
)
from workbench.engine.kernels.native import doubles, floats, kernel, longs, part
from workbench.engine.kernels.sums import vector_sum

_STRETCH = 2**12
"""Values that are gone through several times while they are in the level-1 cache."""

_ZERO = np.float32(0)


@part
def _spread(x: int, places: int, step: int, left: int, mean: Any) -> Any:
    """Squared distances of some places' vectors, ``step`` bytes apart, as ``vector_sum`` adds."""
    a = b = c = d = splat(_ZERO)
    for four in range(places // 4):
        at = x + 4 * four * step
        first, second = minus(load(at, left), mean), minus(load(at + step, left), mean)
        third, fourth = minus(load(at + 2 * step, left), mean), minus(load(at + 3 * step, left), mean)
        a, b = times_plus(first, first, a), times_plus(second, second, b)
        c, d = times_plus(third, third, c), times_plus(fourth, fourth, d)
    for place in range(places // 4 * 4, places):
        distance = minus(load(x + place * step, left), mean)
        a = times_plus(distance, distance, a)
    return plus(plus(a, b), plus(c, d))


@kernel
def norm_statistics(arguments: int, first: int, last: int) -> None:
    """Means and squared distances of this shard's values, stretch by stretch, joined by the rule of Chan et al. (1979).

    Arguments: x, slot (means, then sums of squares), room for 2 C float32; places an example, channels.
    """
    x, slot, room, places, channels = longs(arguments, 5)
    means, squares = doubles(slot, channels), doubles(slot + 8 * channels, channels)
    mean_here, spread_here = floats(room, channels), floats(room + 4 * channels, channels)
    most = max(1, _STRETCH // channels)
    if first == 0:
        means[:] = 0
        squares[:] = 0
    for number in range(first, last):
        for begin in range(0, places, most):
            count, before = min(most, places - begin), number * places + begin
            for c in range(0, channels, WIDTH):
                start, left = x + 4 * (before * channels + c), channels - c
                mean = times(vector_sum(start, count, 4 * channels, left), splat(np.float32(1.0 / count)))
                store(mean, room + 4 * c, left)
                store(_spread(start, count, 4 * channels, left, mean), room + 4 * (channels + c), left)
            share, lever = count / (before + count), before * (count / (before + count))
            for c in range(channels):
                step = mean_here[c] - means[c]
                means[c] += step * share
                squares[c] += spread_here[c] + step * step * lever


@kernel
def norm_join(arguments: int, first: int, last: int) -> None:
    """From all shards' slots to the batch's mean and 1 / deviation; and the running statistics, where asked for.

    Arguments: slots ``(shards, 2 C)``, rows of each shard, mean, inverse, running mean or 0, running variance; shards,
    places an example, channels; epsilon, momentum.
    """
    slots, row_place, mean_place, inverse_place, kept_mean, kept_variance, shards, places, channels = longs(
        arguments, 9
    )
    epsilon, momentum = doubles(arguments, 11)[9], doubles(arguments, 11)[10]
    rows, mean_out, inverse = longs(row_place, shards), floats(mean_place, channels), floats(inverse_place, channels)
    for c in range(channels):
        count, mean, squares = 0.0, 0.0, 0.0
        for shard in range(shards):
            slot = doubles(slots + 16 * shard * channels, 2 * channels)
            more = rows[shard] * places
            step = slot[c] - mean
            mean += step * more / (count + more)
            squares += slot[channels + c] + step * step * (count * more / (count + more))
            count += more
        mean_out[c] = mean
        inverse[c] = 1.0 / np.sqrt(squares / count + epsilon)
        if kept_mean:
            running, variance = floats(kept_mean, channels), floats(kept_variance, channels)
            running[c] = running[c] * (1.0 - momentum) + momentum * mean
            variance[c] = variance[c] * (1.0 - momentum) + momentum * squares / max(count - 1.0, 1.0)


@kernel
def norm_apply(arguments: int, first: int, last: int) -> None:
    """``(x - mean) * inverse * weight + bias``.

    Arguments: x, y, mean, inverse, weight, bias; places, channels; floor.
    """
    x, y, mean_place, inverse, weight, bias, places, channels = longs(arguments, 8)
    floor = splat(np.float32(doubles(arguments, 9)[8]))
    most = max(1, _STRETCH // channels)
    for begin in range(first * places, last * places, most):
        end = min(begin + most, last * places)
        for c in range(0, channels, WIDTH):
            left, at = channels - c, 4 * c
            mean, shift = load(mean_place + at, left), load(bias + at, left)
            scale = times(load(inverse + at, left), load(weight + at, left))
            for place in range(begin, end):
                here = 4 * (place * channels + c)
                fetch_ahead(x + here)
                value = times_plus(minus(load(x + here, left), mean), scale, shift)
                store(at_least(value, floor), y + here, left)


@part
def _slope_sums(
    x: int, dy: int, places: int, step: int, left: int, mean: Any, scale: Any, shift: Any, floor: Any
) -> tuple[Any, Any]:
    """Of the gradient, and of the gradient times the distance from the mean."""
    a = b = d = e = splat(_ZERO)
    for two in range(places // 2):
        at = 2 * two * step
        fetch_ahead(x + at)
        fetch_ahead(x + at + step)
        first, second = minus(load(x + at, left), mean), minus(load(x + at + step, left), mean)
        slope = where_above(times_plus(first, scale, shift), floor, load(dy + at, left))
        other = where_above(times_plus(second, scale, shift), floor, load(dy + at + step, left))
        a, b = plus(a, slope), plus(b, other)
        d, e = times_plus(slope, first, d), times_plus(other, second, e)
    if places % 2:
        at = (places - 1) * step
        first = minus(load(x + at, left), mean)
        slope = where_above(times_plus(first, scale, shift), floor, load(dy + at, left))
        a, d = plus(a, slope), times_plus(slope, first, d)
    return plus(a, b), plus(d, e)


@kernel
def norm_slopes(arguments: int, first: int, last: int) -> None:
    """Sums of the gradient, and of the gradient times the normal value: of this shard, which are its parameters' too.

    Arguments: x, dy, mean, inverse, weight, bias, slot (2 C float64), d_bias or 0, d_weight, room for 2 C float32;
    places, channels; floor.
    """
    x, dy, mean, inverse_place, weight, bias, slot, d_bias, d_weight, room, places, channels = longs(arguments, 12)
    floor = splat(np.float32(doubles(arguments, 13)[12]))
    inverse, sums = floats(inverse_place, channels), doubles(slot, 2 * channels)
    part_here, product_here = floats(room, channels), floats(room + 4 * channels, channels)
    most = max(1, _STRETCH // channels)
    if first == 0:
        sums[:] = 0
    for number in range(first, last):
        for begin in range(0, places, most):
            count, start = min(most, places - begin), 4 * (number * places + begin) * channels
            for c in range(0, channels, WIDTH):
                left, at = channels - c, 4 * c
                scale = times(load(inverse_place + at, left), load(weight + at, left))
                total, product = _slope_sums(
                    x + start + at, dy + start + at, count, 4 * channels, left, load(mean + at, left), scale,
                    load(bias + at, left), floor,
                )  # fmt: skip
                store(total, room + at, left)
                store(product, room + 4 * channels + at, left)
            for c in range(channels):
                sums[c] += part_here[c]
                sums[channels + c] += product_here[c] * inverse[c]
    if d_bias:
        into_bias, into_weight = floats(d_bias, channels), floats(d_weight, channels)
        for c in range(channels):
            into_bias[c] = sums[c]
            into_weight[c] = sums[channels + c]


@kernel
def norm_average(arguments: int, first: int, last: int) -> None:
    """Arguments: slots ``(shards, 2 C)``, their sum by the number of values (2 C float32); shards, 2 C, values."""
    slots, out_place, shards, length, count = longs(arguments, 5)
    out = floats(out_place, length)
    for i in range(length):
        total = 0.0
        for shard in range(shards):
            total += doubles(slots + 8 * shard * length, length)[i]
        out[i] = total / count


@kernel
def norm_backward(arguments: int, first: int, last: int) -> None:
    """``weight * inverse * (dy - mean(dy) - normal * mean(dy * normal))``.

    Arguments: x, dy, dx, mean, inverse, weight, bias, averages (2 C float32); places, channels; floor.
    """
    x, dy, dx, mean_place, inverse_place, weight, bias, average, places, channels = longs(arguments, 10)
    floor = splat(np.float32(doubles(arguments, 11)[10]))
    most = max(1, _STRETCH // channels)
    for begin in range(first * places, last * places, most):
        end = min(begin + most, last * places)
        for c in range(0, channels, WIDTH):
            left, at = channels - c, 4 * c
            mean, shift, inverse = load(mean_place + at, left), load(bias + at, left), load(inverse_place + at, left)
            scale, lift = times(inverse, load(weight + at, left)), load(average + at, left)
            tilt = times(minus(splat(_ZERO), inverse), load(average + 4 * channels + at, left))
            for place in range(begin, end):
                here = 4 * (place * channels + c)
                fetch_ahead(x + here)
                fetch_ahead(dy + here)
                distance = minus(load(x + here, left), mean)
                slope = where_above(times_plus(distance, scale, shift), floor, load(dy + here, left))
                store(times(times_plus(distance, tilt, minus(slope, lift)), scale), dx + here, left)


@kernel
def scale_channels(arguments: int, first: int, last: int) -> None:
    """With running statistics: ``(x - mean) / sqrt(variance + epsilon) * weight + bias`` as one scale and one shift.

    Arguments: x, y, weight, bias, running mean, running variance, room for 2 C float32; places, channels; epsilon,
    floor.
    """
    x, y, weight, bias, mean, variance, room, places, channels = longs(arguments, 9)
    floor, most = splat(np.float32(doubles(arguments, 11)[10])), max(1, _STRETCH // channels)
    _fold(weight, bias, mean, variance, room, channels, doubles(arguments, 10)[9])
    for begin in range(first * places, last * places, most):
        end = min(begin + most, last * places)
        for c in range(0, channels, WIDTH):
            left = channels - c
            factor, shift = load(room + 4 * c, left), load(room + 4 * (channels + c), left)
            for place in range(begin, end):
                here = 4 * (place * channels + c)
                store(at_least(times_plus(load(x + here, left), factor, shift), floor), y + here, left)


@kernel
def scale_channels_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx, weight, bias, running mean, running variance, room for 2 C float32; places, channels;
    epsilon, floor.
    """
    x, dy, dx, weight, bias, mean, variance, room, places, channels = longs(arguments, 10)
    floor, most = splat(np.float32(doubles(arguments, 12)[11])), max(1, _STRETCH // channels)
    _fold(weight, bias, mean, variance, room, channels, doubles(arguments, 11)[10])
    for begin in range(first * places, last * places, most):
        end = min(begin + most, last * places)
        for c in range(0, channels, WIDTH):
            left = channels - c
            factor, shift = load(room + 4 * c, left), load(room + 4 * (channels + c), left)
            for place in range(begin, end):
                here = 4 * (place * channels + c)
                value = times_plus(load(x + here, left), factor, shift)
                store(times(where_above(value, floor, load(dy + here, left)), factor), dx + here, left)


@part
def _fold(
    weight_place: int, bias_place: int, mean_place: int, variance_place: int, room: int, channels: int, epsilon: float
) -> None:
    weight, bias, mean = floats(weight_place, channels), floats(bias_place, channels), floats(mean_place, channels)
    variance = floats(variance_place, channels)
    factor, shift = floats(room, channels), floats(room + 4 * channels, channels)
    for c in range(channels):
        factor[c] = weight[c] / np.sqrt(variance[c] + epsilon)
        shift[c] = bias[c] - mean[c] * factor[c]
