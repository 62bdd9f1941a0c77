"""Recurrent layers: all steps of one direction in one call.

A step's values (gates and their gradients) lie together, ``(steps, rows, slots * units)``, as do the states, of which
there is one more. What all kernels need to know stands in a block of numbers of its own, see ``SIZES``. Products with
the input are made step by step, just before a step's gates are worked out: their result is still in the cache then.
"""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.functions import hyperbolic_tangent, logistic
from workbench.engine.kernels.native import doubles, floats, kernel, longs, part
from workbench.engine.kernels.products import product
from workbench.engine.kernels.sums import column_sums
from workbench.engine.kernels.turning import turn

SIZES = (
    "steps", "features", "units",
    "slots",           # values of a step for each unit
    "gates",           # of these, how many the input takes part in; they come first
    "first",           # where those begin that the state before takes part in
    "turned",          # 1 where the sequence is read from its end
    "every",           # 1 where all steps are given, 0 for the last
    "width", "column", # of the output: values of a step, and where this direction's begin
)  # fmt: skip
"""The order of the numbers in the block of sizes."""

_DEPTH = 128
"""Rows that a weight gradient sums over at a time: one stands on each row of the values, and these are far apart."""

_ZERO, _ONE = np.float32(0), np.float32(1)


@kernel
def recurrent_weights(arguments: int, first: int, last: int) -> None:
    """Write transposed weights ``(columns, gates * units)`` and the sum of two biases, gates in the order of the slots.

    Arguments: gates, units, features; input weights, state weights, two biases or 0; transposed weights of input and of
    state, room for the sum; the order: for each of the slots the gate that stands there; 1 where the second bias is
    left out for the first slot.
    """
    gates, units, features, w, u, b, c, w_turned, u_turned, bias, at, apart = longs(arguments, 12)
    order = longs(at, gates)
    height = gates * units
    for slot in range(gates):
        gate = order[slot]
        turn(w + 4 * gate * units * features, units, features, features, w_turned + 4 * slot * units, height)
        if b:
            one, other = floats(b + 4 * gate * units, units), floats(c + 4 * gate * units, units)
            total = floats(bias + 4 * slot * units, units)
            both = _ZERO if apart and slot == 0 else _ONE
            for j in range(units):
                total[j] = one[j] + both * other[j]
    turn(u, height, units, units, u_turned, height)


@part
def _clear(place: int, count: int) -> None:
    values = floats(place, count)
    for j in range(count):
        values[j] = _ZERO


@part
def _place(number: int, sizes: int) -> int:
    """Which step is computed as the ``number``-th."""
    steps, turned = longs(sizes, 1)[0], longs(sizes, 7)[6]
    return steps - 1 - number if turned else number


@part
def _input_product(tile: int, x: int, w: int, bias: int, values: int, rows: int, step: int, sizes: int) -> None:
    """The input's part of a step's values, with the bias."""
    steps, features, units, slots, gates = longs(sizes, 5)
    product(
        tile, x + 4 * step * features, steps * features, 1, w, gates * units, values, slots * units, rows,
        gates * units, features, bias, 0,
    )  # fmt: skip


@part
def _state_product(tile: int, before: int, u: int, values: int, rows: int, sizes: int) -> None:
    """Add the previous state's part, where it has a slot for each gate."""
    units, slots = longs(sizes, 3)[2], longs(sizes, 4)[3]
    height = slots * units
    product(tile, before, units, 1, u, height, values, height, rows, height, units, values, height)


@part
def _give(h: int, y: int, rows: int, step: int, number: int, sizes: int) -> None:
    """Write a step's state to the output, where that has it."""
    steps, _, units, _, _, _, _, every, width, column = longs(sizes, 10)
    if every or number == steps - 1:
        length, start = (steps * width, step * width + column) if every else (width, column)
        for row in range(rows):
            state, out = floats(h + 4 * row * units, units), floats(y + 4 * (row * length + start), units)
            for j in range(units):
                out[j] = state[j]


@part
def _take(dy: int, dh: int, rows: int, step: int, number: int, sizes: int) -> None:
    """Add the output's gradient to that of a step's state, where the output has it."""
    steps, _, units, _, _, _, _, every, width, column = longs(sizes, 10)
    if every or number == steps - 1:
        length, start = (steps * width, step * width + column) if every else (width, column)
        for row in range(rows):
            d, source = floats(dh + 4 * row * units, units), floats(dy + 4 * (row * length + start), units)
            for j in range(units):
                d[j] += source[j]


@part
def _input_gradient(tile: int, values: int, w: int, dx: int, add: int, rows: int, step: int, sizes: int) -> None:
    """A step's gradient by the input, where each slot has its gate."""
    steps, features, units, slots = longs(sizes, 4)
    place, length = dx + 4 * step * features, steps * features
    product(
        tile, values, slots * units, 1, w, features, place, length, rows, features, slots * units,
        place if add else 0, length,
    )  # fmt: skip


@part
def _state_gradient(tile: int, values: int, u: int, dh: int, add: int, rows: int, sizes: int) -> None:
    """The gradient by the state before; with ``add``, added to what ``dh`` holds."""
    units, slots, gates, begin = longs(sizes, 6)[2:]
    product(
        tile, values + 4 * begin * units, slots * units, 1, u, units, dh, units, rows, units, gates * units,
        dh if add else 0, units,
    )  # fmt: skip


@part
def _simple_forward(arguments: int, last: int, bends: int) -> None:
    tile, x, w, u, bias, values, states, y, sizes = longs(arguments, 9)
    steps, turned, size = longs(sizes, 1)[0], longs(sizes, 7)[6], last * longs(sizes, 3)[2]
    _clear(states + 4 * turned * steps * size, size)
    for number in range(steps):
        step = _place(number, sizes)
        here = values + 4 * step * size
        before, after = states + 4 * (step + turned) * size, states + 4 * (step + 1 - turned) * size
        _input_product(tile, x, w, bias, here, last, step, sizes)
        _state_product(tile, before, u, here, last, sizes)
        sums, h = floats(here, size), floats(after, size)
        if bends:
            for j in range(size):
                h[j] = hyperbolic_tangent(sums[j])
        else:
            for j in range(size):
                h[j] = _ZERO if sums[j] < _ZERO else sums[j]
        _give(after, y, last, step, number, sizes)


@kernel
def tanh_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, x, transposed input and state weights, bias or 0, values, states, y, sizes."""
    _simple_forward(arguments, last, 1)


@kernel
def relu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: as for ``tanh_forward``."""
    _simple_forward(arguments, last, 0)


@part
def _simple_backward(arguments: int, last: int, bends: int) -> None:
    tile, dy, w, u, values, states, dh, dx, add, sizes = longs(arguments, 10)
    steps, turned, size = longs(sizes, 1)[0], longs(sizes, 7)[6], last * longs(sizes, 3)[2]
    _clear(dh, size)
    for number in range(steps - 1, -1, -1):
        step = _place(number, sizes)
        here = values + 4 * step * size
        _take(dy, dh, last, step, number, sizes)
        d, h, gradient = floats(here, size), floats(states + 4 * (step + 1 - turned) * size, size), floats(dh, size)
        if bends:
            for j in range(size):
                d[j] = gradient[j] * (_ONE - h[j] * h[j])
        else:
            for j in range(size):
                d[j] = gradient[j] if h[j] > _ZERO else _ZERO
        if number:
            _state_gradient(tile, here, u, dh, 0, last, sizes)
        if dx:
            _input_gradient(tile, here, w, dx, add, last, step, sizes)


@kernel
def tanh_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, dy, input and state weights, values, states, dh, dx or 0, 1 to add to it, sizes."""
    _simple_backward(arguments, last, 1)


@kernel
def relu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: as for ``tanh_backward``."""
    _simple_backward(arguments, last, 0)


@part
def _lstm_gates(values: int, c_before: int, c: int, tanh_c: int, h: int, rows: int, units: int) -> None:
    for row in range(rows):
        place, at = values + 16 * row * units, 4 * row * units
        both, g, o = floats(place, 2 * units), floats(place + 8 * units, units), floats(place + 12 * units, units)
        for j in range(2 * units):
            both[j] = logistic(both[j])
        for j in range(units):
            g[j] = hyperbolic_tangent(g[j])
        for j in range(units):
            o[j] = logistic(o[j])
        i, f = floats(place, units), floats(place + 4 * units, units)
        old, new = floats(c_before + at, units), floats(c + at, units)
        for j in range(units):
            new[j] = f[j] * old[j] + i[j] * g[j]
        bent, state = floats(tanh_c + at, units), floats(h + at, units)
        for j in range(units):
            bent[j] = hyperbolic_tangent(new[j])
        for j in range(units):
            state[j] = o[j] * bent[j]


@kernel
def lstm_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, x, transposed input and state weights, bias or 0, values, states, y, sizes; memory, its tanh."""
    tile, x, w, u, bias, values, states, y, sizes, memory, bent = longs(arguments, 11)
    steps, units, turned = longs(sizes, 1)[0], longs(sizes, 3)[2], longs(sizes, 7)[6]
    size = last * units
    _clear(states + 4 * turned * steps * size, size)
    _clear(memory + 4 * turned * steps * size, size)
    for number in range(steps):
        step = _place(number, sizes)
        here, before, after = values + 16 * step * size, 4 * (step + turned) * size, 4 * (step + 1 - turned) * size
        _input_product(tile, x, w, bias, here, last, step, sizes)
        _state_product(tile, states + before, u, here, last, sizes)
        _lstm_gates(here, memory + before, memory + after, bent + 4 * step * size, states + after, last, units)
        _give(states + after, y, last, step, number, sizes)


@part
def _lstm_gates_backward(values: int, c_before: int, tanh_c: int, dh: int, dc: int, rows: int, units: int) -> None:
    for row in range(rows):
        place, at = values + 16 * row * units, 4 * row * units
        i, f = floats(place, units), floats(place + 4 * units, units)
        g, o = floats(place + 8 * units, units), floats(place + 12 * units, units)
        bent, d_state, d_memory = floats(tanh_c + at, units), floats(dh + at, units), floats(dc + at, units)
        old = floats(c_before + at, units)
        for j in range(units):
            d_memory[j] += d_state[j] * o[j] * (_ONE - bent[j] * bent[j])
        for j in range(units):
            o[j] = d_state[j] * bent[j] * o[j] * (_ONE - o[j])
        for j in range(units):
            share, value, d = i[j], g[j], d_memory[j]
            i[j] = d * value * share * (_ONE - share)
            g[j] = d * share * (_ONE - value * value)
        for j in range(units):
            kept, d = f[j], d_memory[j]
            f[j] = d * old[j] * kept * (_ONE - kept)
            d_memory[j] = d * kept


@kernel
def lstm_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, dy, input and state weights, values, states, dh, dx or 0, 1 to add to it, sizes; memory, its
    tanh, room for its gradient.
    """
    tile, dy, w, u, values, _, dh, dx, add, sizes, memory, bent, dc = longs(arguments, 13)
    steps, units, turned = longs(sizes, 1)[0], longs(sizes, 3)[2], longs(sizes, 7)[6]
    size = last * units
    _clear(dh, size)
    _clear(dc, size)
    for number in range(steps - 1, -1, -1):
        step = _place(number, sizes)
        here = values + 16 * step * size
        _take(dy, dh, last, step, number, sizes)
        before = memory + 4 * (step + turned) * size
        _lstm_gates_backward(here, before, bent + 4 * step * size, dh, dc, last, units)
        if number:
            _state_gradient(tile, here, u, dh, 0, last, sizes)
        if dx:
            _input_gradient(tile, here, w, dx, add, last, step, sizes)


@part
def _gru_gates(values: int, before: int, h: int, rows: int, units: int) -> None:
    for row in range(rows):
        place, at = values + 16 * row * units, 4 * row * units
        both = floats(place + 4 * units, 2 * units)
        for j in range(2 * units):
            both[j] = logistic(both[j])
        n, r = floats(place, units), floats(place + 4 * units, units)
        z, m = floats(place + 8 * units, units), floats(place + 12 * units, units)
        for j in range(units):
            n[j] += r[j] * m[j]
        for j in range(units):
            n[j] = hyperbolic_tangent(n[j])
        old, state = floats(before + at, units), floats(h + at, units)
        for j in range(units):
            state[j] = n[j] + z[j] * (old[j] - n[j])


@kernel
def gru_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, x, transposed input and state weights, bias or 0, values, states, y, sizes; bias of m or 0."""
    tile, x, w, u, bias, values, states, y, sizes, apart = longs(arguments, 10)
    steps, units, turned = longs(sizes, 1)[0], longs(sizes, 3)[2], longs(sizes, 7)[6]
    size, length = last * units, 4 * units
    _clear(states + 4 * turned * steps * size, size)
    for number in range(steps):
        step = _place(number, sizes)
        here = values + 16 * step * size
        before, after = states + 4 * (step + turned) * size, states + 4 * (step + 1 - turned) * size
        _input_product(tile, x, w, bias, here, last, step, sizes)
        both, alone = here + 4 * units, here + 12 * units
        product(tile, before, units, 1, u, 3 * units, both, length, last, 2 * units, units, both, length)
        product(tile, before, units, 1, u + 8 * units, 3 * units, alone, length, last, units, units, apart, 0)
        _gru_gates(here, before, after, last, units)
        _give(after, y, last, step, number, sizes)


@part
def _gru_gates_backward(values: int, before: int, dh: int, rows: int, units: int) -> None:
    for row in range(rows):
        place, at = values + 16 * row * units, 4 * row * units
        n, r = floats(place, units), floats(place + 4 * units, units)
        z, m = floats(place + 8 * units, units), floats(place + 12 * units, units)
        old, d_state = floats(before + at, units), floats(dh + at, units)
        for j in range(units):
            new, kept, d = n[j], z[j], d_state[j]
            n[j] = d * (_ONE - kept) * (_ONE - new * new)
            z[j] = d * (old[j] - new) * kept * (_ONE - kept)
            d_state[j] = d * kept
        for j in range(units):
            share, d = r[j], n[j]
            r[j] = d * m[j] * share * (_ONE - share)
            m[j] = d * share


@kernel
def gru_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, dy, input and state weights, values, states, dh, dx or 0, 1 to add to it, sizes."""
    tile, dy, w, u, values, states, dh, dx, add, sizes = longs(arguments, 10)
    steps, features, units, turned = longs(sizes, 1)[0], longs(sizes, 2)[1], longs(sizes, 3)[2], longs(sizes, 7)[6]
    size, length, across = last * units, 4 * units, steps * features
    _clear(dh, size)
    for number in range(steps - 1, -1, -1):
        step = _place(number, sizes)
        here = values + 16 * step * size
        _take(dy, dh, last, step, number, sizes)
        _gru_gates_backward(here, states + 4 * (step + turned) * size, dh, last, units)
        if number:
            _state_gradient(tile, here, u, dh, 1, last, sizes)
        if dx:
            place = dx + 4 * step * features
            n_weights, start = w + 8 * units * features, place if add else 0
            product(tile, here, length, 1, n_weights, features, place, across, last, features, units, start, across)
            product(
                tile, here + 4 * units, length, 1, w, features, place, across, last, features, 2 * units, place, across
            )


@kernel
def recurrent_state_gradients(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, values, states, gradient by the state weights, sizes."""
    tile, values, states, du, sizes = longs(arguments, 5)
    steps, _, units, slots, gates, begin, turned = longs(sizes, 7)
    length, before = slots * units, states + 4 * turned * last * units
    at_once = max(1, _DEPTH // last)
    for step in range(0, steps, at_once):
        count = min(at_once, steps - step) * last
        product(
            tile, values + 4 * (step * last * length + begin * units), 1, length, before + 4 * step * last * units,
            units, du, units, gates * units, units, count, du if step else 0, units,
        )  # fmt: skip


@kernel
def recurrent_input_gradients(arguments: int, first: int, last: int) -> None:
    """Arguments: tile, values, x, gradient by the input weights, sizes; the first slot, the first gate, how many."""
    tile, values, x, dw, sizes, slot, gate, count = longs(arguments, 8)
    steps, features, units, slots = longs(sizes, 4)
    length, out = slots * units, dw + 4 * gate * units * features
    for step in range(steps):
        here = values + 4 * (step * last * length + slot * units)
        product(
            tile, here, 1, length, x + 4 * step * features, steps * features, out, features, count * units, features,
            last, out if step else 0, features,
        )  # fmt: skip


@kernel
def recurrent_bias_gradients(arguments: int, first: int, last: int) -> None:
    """Arguments: values, gradients by both biases, sizes; the first slot of the one and of the other, the first gate,
    how many.
    """
    values, db, dc, sizes, slot, other, gate, count = longs(arguments, 8)
    steps, _, units, slots = longs(sizes, 4)
    place, height, length = 4 * gate * units, count * units, slots * units
    column_sums(values + 4 * slot * units, length, steps * last, height, db + place)
    if other != slot:
        column_sums(values + 4 * other * units, length, steps * last, height, dc + place)
        return
    same, target = floats(db + place, height), floats(dc + place, height)
    for j in range(height):
        target[j] = same[j]


@kernel
def merge_halves(arguments: int, first: int, last: int) -> None:
    """Add what two directions found. Arguments: both ``(..., 2 units)``, y; places a row, units; a factor."""
    both, y, places, units = longs(arguments, 4)
    share = np.float32(doubles(arguments, 5)[4])
    for place in range(first * places, last * places):
        at = both + 8 * place * units
        one, other, out = floats(at, units), floats(at + 4 * units, units), floats(y + 4 * place * units, units)
        for c in range(units):
            out[c] = (one[c] + other[c]) * share


@kernel
def spread_halves(arguments: int, first: int, last: int) -> None:
    """The gradient by both directions. Arguments: dy, d_both; places a row, units; a factor."""
    dy, d_both, places, units = longs(arguments, 4)
    share = np.float32(doubles(arguments, 5)[4])
    for place in range(first * places, last * places):
        at = d_both + 8 * place * units
        one, other, slope = floats(at, units), floats(at + 4 * units, units), floats(dy + 4 * place * units, units)
        for c in range(units):
            one[c] = slope[c] * share
            other[c] = slope[c] * share
