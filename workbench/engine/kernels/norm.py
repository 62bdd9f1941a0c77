"""Batch normalization over the last axis; statistics of the whole batch also where it is cut into shards.

Each shard's statistics stand in a slot of its own: per channel a mean, and a sum of squared distances from it.
"""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.native import doubles, floats, kernel, longs

_ONE = np.float32(1)


@kernel
def norm_statistics(arguments: int, first: int, last: int) -> None:
    """Means and squared distances of this shard's values, example by example, joined by the rule of Chan et al. (1979).

    Arguments: x, slot (means, then sums of squares), room for 2 C float32; places an example, channels.
    """
    x, slot, room, places, channels = longs(arguments, 5)
    means, squares = doubles(slot, channels), doubles(slot + 8 * channels, channels)
    total, spread = floats(room, channels), floats(room + 4 * channels, channels)
    if first == 0:
        means[:] = 0
        squares[:] = 0
    share = _ONE / np.float32(places)
    for number in range(first, last):
        example = x + 4 * number * places * channels
        total[:] = 0
        spread[:] = 0
        for place in range(places):
            value = floats(example + 4 * place * channels, channels)
            for c in range(channels):
                total[c] += value[c]
        for c in range(channels):
            total[c] *= share
        for place in range(places):
            value = floats(example + 4 * place * channels, channels)
            for c in range(channels):
                distance = value[c] - total[c]
                spread[c] += distance * distance
        for c in range(channels):
            step = total[c] - means[c]
            means[c] += step / (number + 1)
            squares[c] += spread[c] + step * step * (places * number / (number + 1))


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
    """``(x - mean) * inverse * weight + bias``. Arguments: x, y, mean, inverse, weight, bias; places, channels."""
    x, y, mean_place, inverse_place, weight_place, bias_place, places, channels = longs(arguments, 8)
    mean, inverse = floats(mean_place, channels), floats(inverse_place, channels)
    weight, bias = floats(weight_place, channels), floats(bias_place, channels)
    for place in range(first * places, last * places):
        value, out = floats(x + 4 * place * channels, channels), floats(y + 4 * place * channels, channels)
        for c in range(channels):
            out[c] = (value[c] - mean[c]) * (inverse[c] * weight[c]) + bias[c]


@kernel
def norm_slopes(arguments: int, first: int, last: int) -> None:
    """Sums of the gradient, and of the gradient times the normal value: of this shard, which are its parameters' too.

    Arguments: x, dy, mean, inverse, slot (2 C float64), d_bias or 0, d_weight, room for 2 C float32; places, channels.
    """
    x, dy, mean_place, inverse_place, slot, d_bias, d_weight, room, places, channels = longs(arguments, 10)
    mean, inverse = floats(mean_place, channels), floats(inverse_place, channels)
    sums, part, product = doubles(slot, 2 * channels), floats(room, channels), floats(room + 4 * channels, channels)
    if first == 0:
        sums[:] = 0
    for number in range(first, last):
        part[:] = 0
        product[:] = 0
        for place in range(number * places, (number + 1) * places):
            value, slope = floats(x + 4 * place * channels, channels), floats(dy + 4 * place * channels, channels)
            for c in range(channels):
                part[c] += slope[c]
                product[c] += slope[c] * (value[c] - mean[c])
        for c in range(channels):
            sums[c] += part[c]
            sums[channels + c] += product[c] * inverse[c]
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

    Arguments: x, dy, dx, mean, inverse, weight, averages (2 C float32); places, channels.
    """
    x, dy, dx, mean_place, inverse_place, weight_place, average_place, places, channels = longs(arguments, 9)
    mean, inverse, weight = (
        floats(mean_place, channels),
        floats(inverse_place, channels),
        floats(weight_place, channels),
    )
    lift, tilt = floats(average_place, channels), floats(average_place + 4 * channels, channels)
    for place in range(first * places, last * places):
        value, slope = floats(x + 4 * place * channels, channels), floats(dy + 4 * place * channels, channels)
        out = floats(dx + 4 * place * channels, channels)
        for c in range(channels):
            normal = (value[c] - mean[c]) * inverse[c]
            out[c] = (slope[c] - lift[c] - normal * tilt[c]) * (weight[c] * inverse[c])


@kernel
def scale_channels(arguments: int, first: int, last: int) -> None:
    """Inference, and its gradient: ``x * weight / sqrt(variance + epsilon)``, with the shift that belongs to it.

    Arguments: x, y, weight, bias or 0, running mean, running variance, room for 2 C float32; places, channels; epsilon.
    """
    x, y, weight_place, bias_place, mean_place, variance_place, room, places, channels = longs(arguments, 9)
    epsilon = doubles(arguments, 10)[9]
    weight, mean, variance = (
        floats(weight_place, channels),
        floats(mean_place, channels),
        floats(variance_place, channels),
    )
    factor, shift = floats(room, channels), floats(room + 4 * channels, channels)
    for c in range(channels):
        factor[c] = weight[c] / np.sqrt(variance[c] + epsilon)
        shift[c] = floats(bias_place, channels)[c] - mean[c] * factor[c] if bias_place else 0
    for place in range(first * places, last * places):
        value, out = floats(x + 4 * place * channels, channels), floats(y + 4 * place * channels, channels)
        for c in range(channels):
            out[c] = value[c] * factor[c] + shift[c]
