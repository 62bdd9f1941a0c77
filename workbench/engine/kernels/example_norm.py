"""Normalization of each example by itself: layer norm and group norm.

An example is ``items`` stretches that are normalized apart from each other (steps, pixels, or the whole), each of
``(places, groups, values)``: statistics are over places and values. Weights have the shape ``(groups, values)``, or
with ``whole`` that of a stretch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.kernels.native import doubles, floats, kernel, longs

_ZERO = np.float32(0)


@kernel
def example_norm_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y, means, inverses, weight or 0, bias or 0; items a row, places, groups, values, whole; epsilon."""
    x, y, mean_place, inverse_place, weight, bias, items, places, groups, values, whole = longs(arguments, 11)
    epsilon, line = doubles(arguments, 12)[11], groups * values
    count = places * values
    for item in range(first * items, last * items):
        means, inverses = (
            floats(mean_place + 4 * item * groups, groups),
            floats(inverse_place + 4 * item * groups, groups),
        )
        for group in range(groups):
            start = 4 * (item * places * line + group * values)
            total: Any = 0.0
            for place in range(places):
                value, sum_here = floats(x + start + 4 * place * line, values), _ZERO
                for v in range(values):
                    sum_here += value[v]
                total += sum_here
            mean = np.float32(total / count)
            spread: Any = 0.0
            for place in range(places):
                value, sum_here = floats(x + start + 4 * place * line, values), _ZERO
                for v in range(values):
                    sum_here += (value[v] - mean) * (value[v] - mean)
                spread += sum_here
            inverse = np.float32(1.0 / np.sqrt(spread / count + epsilon))
            means[group], inverses[group] = mean, inverse
            for place in range(places):
                value, out = floats(x + start + 4 * place * line, values), floats(y + start + 4 * place * line, values)
                at = 4 * ((place * line if whole else 0) + group * values)
                factor, shift = floats(weight + at, values), floats(bias + at, values)
                if weight and bias:
                    for v in range(values):
                        out[v] = (value[v] - mean) * inverse * factor[v] + shift[v]
                elif weight:
                    for v in range(values):
                        out[v] = (value[v] - mean) * inverse * factor[v]
                else:
                    for v in range(values):
                        out[v] = (value[v] - mean) * inverse


@kernel
def example_norm_slopes(arguments: int, first: int, last: int) -> None:
    """Sums of the gradient, and of the gradient times the normal value, over all rows so far.

    Arguments: x, dy, means, inverses, sums (2 parameters float64), d_weight, d_bias or 0; items a row, places, groups,
    values, whole.
    """
    x, dy, mean_place, inverse_place, sum_place, d_weight, d_bias, items, places, groups, values, whole = longs(
        arguments, 12
    )
    line = groups * values
    size = places * line if whole else line
    if first == 0:
        sums = doubles(sum_place, 2 * size)
        for i in range(2 * size):
            sums[i] = 0.0
    for item in range(first * items, last * items):
        means, inverses = (
            floats(mean_place + 4 * item * groups, groups),
            floats(inverse_place + 4 * item * groups, groups),
        )
        for place in range(places):
            for group in range(groups):
                start = 4 * ((item * places + place) * line + group * values)
                at = (place * line if whole else 0) + group * values
                value, slope = floats(x + start, values), floats(dy + start, values)
                by_weight, by_bias = doubles(sum_place + 8 * at, values), doubles(sum_place + 8 * (size + at), values)
                mean, inverse = means[group], inverses[group]
                for v in range(values):
                    by_weight[v] += np.float64(slope[v] * ((value[v] - mean) * inverse))
                for v in range(values):
                    by_bias[v] += np.float64(slope[v])
    into_weight, by_weight = floats(d_weight, size), doubles(sum_place, size)
    for i in range(size):
        into_weight[i] = by_weight[i]
    if d_bias:
        into_bias, by_bias = floats(d_bias, size), doubles(sum_place + 8 * size, size)
        for i in range(size):
            into_bias[i] = by_bias[i]


@kernel
def example_norm_backward(arguments: int, first: int, last: int) -> None:
    """``(d - mean(d) - normal * mean(d * normal)) * inverse`` with ``d = dy * weight``.

    Arguments: x, dy, dx, means, inverses, weight or 0; items a row, places, groups, values, whole.
    """
    x, dy, dx, mean_place, inverse_place, weight, items, places, groups, values, whole = longs(arguments, 11)
    line = groups * values
    for item in range(first * items, last * items):
        means, inverses = (
            floats(mean_place + 4 * item * groups, groups),
            floats(inverse_place + 4 * item * groups, groups),
        )
        for group in range(groups):
            mean, inverse = means[group], inverses[group]
            lift: Any = 0.0
            tilt: Any = 0.0
            for place in range(places):
                start = 4 * ((item * places + place) * line + group * values)
                value, slope, out = floats(x + start, values), floats(dy + start, values), floats(dx + start, values)
                factor = floats(weight + 4 * ((place * line if whole else 0) + group * values), values)
                if weight:
                    for v in range(values):
                        out[v] = slope[v] * factor[v]
                else:
                    for v in range(values):
                        out[v] = slope[v]
                lift_here, tilt_here = _ZERO, _ZERO
                for v in range(values):
                    lift_here += out[v]
                    tilt_here += out[v] * (value[v] - mean)
                lift += lift_here
                tilt += tilt_here
            average = np.float32(lift / (places * values))
            lean = np.float32(tilt / (places * values)) * inverse * inverse
            for place in range(places):
                start = 4 * ((item * places + place) * line + group * values)
                value, out = floats(x + start, values), floats(dx + start, values)
                for v in range(values):
                    out[v] = (out[v] - average - (value[v] - mean) * lean) * inverse
