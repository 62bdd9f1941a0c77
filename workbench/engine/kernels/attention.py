"""Self-attention between its projections: weights by softmax over scores, and what is read with them.

Queries, keys and values of an example stand beside each other, ``(steps, 3 * heads * depth)``, each head's features
together; so do what is read, ``(steps, heads * depth)``, and the gradients. The weights are ``(heads, steps, steps)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.kernels.functions import exponential
from workbench.engine.kernels.native import doubles, floats, kernel, longs, part
from workbench.engine.kernels.products import product
from workbench.engine.kernels.turning import turn

_ZERO, _ONE = np.float32(0), np.float32(1)


@part
def _largest(values: Any, count: int) -> Any:
    """Four at a time, which need not wait for each other. NaN is passed over: it shows in the sum."""
    a = b = c = d = values[0]
    whole = count - count % 4
    for k in range(0, whole, 4):
        a = values[k] if values[k] > a else a
        b = values[k + 1] if values[k + 1] > b else b
        c = values[k + 2] if values[k + 2] > c else c
        d = values[k + 3] if values[k + 3] > d else d
    for k in range(whole, count):
        a = values[k] if values[k] > a else a
    a, c = (b if b > a else a), (d if d > c else c)
    return c if c > a else a


@part
def _softmax(place: int, count: int, steps: int, scale: Any) -> None:
    """Softmax of ``scale`` times the first ``count`` values of a row; the rest becomes 0."""
    values, rest = floats(place, count), floats(place + 4 * count, steps - count)
    most, total = _largest(values, count), _ZERO
    for k in range(count):
        values[k] = exponential((values[k] - most) * scale)
    for k in range(count):
        total += values[k]
    share = _ONE / total
    for k in range(count):
        values[k] *= share
    for k in range(steps - count):
        rest[k] = _ZERO


@part
def _weigh(tile: int, projected: int, weights: int, room: int, sizes: int, scale: Any) -> None:
    """One example's weights. Sizes: steps, heads, depth, 1 where no later step is read."""
    steps, heads, depth, causal = longs(sizes, 4)
    width = 3 * heads * depth
    for head in range(heads):
        queries, place = projected + 4 * head * depth, weights + 4 * head * steps * steps
        turn(queries + 4 * heads * depth, steps, depth, width, room, steps)
        product(tile, queries, width, 1, room, steps, place, steps, steps, steps, depth, 0, 0)
        for step in range(steps):
            _softmax(place + 4 * step * steps, step + 1 if causal else steps, steps, scale)


@part
def _read(tile: int, weights: int, projected: int, context: int, sizes: int) -> None:
    """What an example's steps read: the values by their weights."""
    steps, heads, depth = longs(sizes, 3)
    inner = heads * depth
    for head in range(heads):
        at = 4 * head * depth
        product(
            tile, weights + 4 * head * steps * steps, steps, 1, projected + 8 * inner + at, 3 * inner, context + at,
            inner, steps, depth, steps, 0, 0,
        )  # fmt: skip


@kernel
def attention_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, projected, weights, context, room for the keys of a head, sizes (see ``_weigh``); how many
    weights an example has of its own, 0 where all share the place of one; scale.
    """
    tile, projected, weights, context, room, sizes, own = longs(arguments, 7)
    scale = np.float32(doubles(arguments, 8)[7])
    steps, heads, depth = longs(sizes, 3)
    size = 4 * steps * heads * depth
    for row in range(first, last):
        place = weights + 4 * row * own
        _weigh(tile, projected + 3 * row * size, place, room, sizes, scale)
        _read(tile, place, projected + 3 * row * size, context + row * size, sizes)


@kernel
def attention_weights(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, projected, weights, room, sizes; scale."""
    tile, projected, weights, room, sizes = longs(arguments, 5)
    scale = np.float32(doubles(arguments, 6)[5])
    steps, heads, depth = longs(sizes, 3)
    for row in range(first, last):
        place = weights + 4 * row * heads * steps * steps
        _weigh(tile, projected + 12 * row * steps * heads * depth, place, room, sizes, scale)


@kernel
def attention_context(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, weights, projected, context, sizes."""
    tile, weights, projected, context, sizes = longs(arguments, 5)
    steps, heads, depth = longs(sizes, 3)
    size = 4 * steps * heads * depth
    for row in range(first, last):
        _read(tile, weights + 4 * row * heads * steps * steps, projected + 3 * row * size, context + row * size, sizes)


@kernel
def attention_values_backward(arguments: int, first: int, last: int) -> None:
    """The gradients by the values and by the weights. Arguments: tile, weights, projected, d_context, d_projected,
    d_weights, room, sizes.
    """
    tile, weights, projected, d_context, d_projected, d_weights, room, sizes = longs(arguments, 8)
    steps, heads, depth = longs(sizes, 3)
    inner, square = heads * depth, steps * steps
    for row in range(first, last):
        for head in range(heads):
            place, at = 4 * (row * heads + head) * square, 4 * (row * steps * inner + head * depth)
            values = 4 * (row * steps * 3 * inner + 2 * inner + head * depth)
            product(
                tile, weights + place, 1, steps, d_context + at, inner, d_projected + values, 3 * inner, steps, depth,
                steps, 0, 0,
            )  # fmt: skip
            turn(projected + values, steps, depth, 3 * inner, room, steps)
            product(
                tile, d_context + at, inner, 1, room, steps, d_weights + place, steps, steps, steps, depth, 0, 0
            )  # fmt: skip


@part
def _softmax_backward(weights: int, d_weights: int, context: int, d_context: int, steps: int, depth: int, scale: Any
) -> None:  # fmt: skip
    """One row: ``scale * w (d - sum(w d))``, where the sum is that of what was read times its gradient."""
    read, slope, total = floats(context, depth), floats(d_context, depth), _ZERO
    for k in range(depth):
        total += read[k] * slope[k]
    weight, d = floats(weights, steps), floats(d_weights, steps)
    for k in range(steps):
        d[k] = weight[k] * (d[k] - total) * scale


@kernel
def attention_scores_backward(arguments: int, first: int, last: int) -> None:
    """The gradients by queries and keys; those by the weights are spoiled. Arguments: tile, weights, d_weights,
    context, d_context, projected, d_projected, sizes; scale.
    """
    tile, weights, d_weights, context, d_context, projected, d_projected, sizes = longs(arguments, 8)
    scale = np.float32(doubles(arguments, 9)[8])
    steps, heads, depth = longs(sizes, 3)
    inner = heads * depth
    width = 3 * inner
    for row in range(first, last):
        for head in range(heads):
            place = 4 * (row * heads + head) * steps * steps
            for step in range(steps):
                line, at = place + 4 * step * steps, 4 * ((row * steps + step) * inner + head * depth)
                _softmax_backward(
                    weights + line, d_weights + line, context + at, d_context + at, steps, depth, scale
                )  # fmt: skip
            queries = 4 * (row * steps * width + head * depth)
            keys, d = queries + 4 * inner, d_weights + place
            product(
                tile, d, steps, 1, projected + keys, width, d_projected + queries, width, steps, depth, steps, 0, 0
            )  # fmt: skip
            product(
                tile, d, 1, steps, projected + queries, width, d_projected + keys, width, steps, depth, steps, 0, 0
            )  # fmt: skip
