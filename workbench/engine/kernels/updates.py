"""Optimizer steps on a stretch of the flat vectors."""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.native import doubles, kernel, longs, stretch


@kernel
def add_vectors(arguments: int, first: int, last: int) -> None:
    """Add vectors to the first of them. Arguments: how many, and their addresses."""
    count = longs(arguments, 1)[0]
    places = longs(arguments, count + 1)
    total = stretch(places[1], first, last, 1)
    for number in range(2, count + 1):
        other = stretch(places[number], first, last, 1)
        for i in range(last - first):
            total[i] += other[i]


@kernel
def adam_update(arguments: int, first: int, last: int) -> None:
    """Arguments: values, gradient, velocity, squares; the numbers of ``Adam.kernel_numbers``."""
    w_place, g_place, v_place, s_place = longs(arguments, 4)
    numbers = doubles(arguments, 9)
    beta1, beta2, rate = np.float32(numbers[4]), np.float32(numbers[5]), np.float32(numbers[6])
    root, epsilon = np.float32(numbers[7]), np.float32(numbers[8])
    new1, new2 = np.float32(1.0 - numbers[4]), np.float32(1.0 - numbers[5])
    w, g = stretch(w_place, first, last, 1), stretch(g_place, first, last, 1)
    v, s = stretch(v_place, first, last, 1), stretch(s_place, first, last, 1)
    for i in range(last - first):
        velocity = beta1 * v[i] + new1 * g[i]
        squares = beta2 * s[i] + new2 * (g[i] * g[i])
        v[i] = velocity
        s[i] = squares
        w[i] -= rate * velocity / (np.sqrt(squares) * root + epsilon)
