"""Updates of the weights, on a stretch of the flat vectors.

Arguments are the number of values a row, then addresses: of the values, their gradient, the optimizer's state, and a
block of float64 numbers that are written anew before each step (see ``Optimizer.kernel_numbers``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.kernels.native import doubles, floats, kernel, longs, part, stretch

_F, _ZERO, _ONE = np.float32, np.float32(0), np.float32(1)


@kernel
def add_vectors(arguments: int, first: int, last: int) -> None:
    """Add vectors to the first of them. Arguments: values a row, how many vectors, and these."""
    size, count = longs(arguments, 2)
    places = longs(arguments, count + 2)
    total = stretch(places[2], first, last, size)
    for number in range(3, count + 2):
        other = stretch(places[number], first, last, size)
        for i in range((last - first) * size):
            total[i] += other[i]


@kernel
def add_penalties(arguments: int, first: int, last: int) -> None:
    """``g + l2 w + l1 sign(w)``. Arguments: w, g; numbers l2, l1."""
    size, w_place, g_place, numbers = longs(arguments, 4)
    l2, l1 = _F(doubles(numbers, 2)[0]), _F(doubles(numbers, 2)[1])
    w, g = stretch(w_place, first, last, size), stretch(g_place, first, last, size)
    for i in range((last - first) * size):
        sign = (_ONE if w[i] > _ZERO else _ZERO) - (_ONE if w[i] < _ZERO else _ZERO)
        g[i] += l2 * w[i] + l1 * sign


@kernel
def clip_values(arguments: int, first: int, last: int) -> None:
    """Arguments: g; numbers: the limit. NaN stays NaN."""
    size, g_place, numbers = longs(arguments, 3)
    limit = _F(doubles(numbers, 1)[0])
    g = stretch(g_place, first, last, size)
    for i in range((last - first) * size):
        above = limit if g[i] > limit else g[i]
        g[i] = -limit if above < -limit else above


@kernel
def clip_length(arguments: int, first: int, last: int) -> None:
    """Scale a vector down to a length. Arguments: g; numbers: the length. All rows at once, so that the sum of squares
    is the same however many threads there are. NaN stays NaN.
    """
    size, g_place, numbers = longs(arguments, 3)
    g, total = stretch(g_place, 0, last, size), 0.0
    for i in range(last * size):
        total += np.float64(g[i]) * np.float64(g[i])
    # PyTorch's clip_grad_norm_: never lengthens, and 1e-6 keeps a zero gradient from dividing by 0.
    factor = _F(doubles(numbers, 1)[0] / (np.sqrt(total) + 1e-6))
    if factor < _ONE or factor != factor:
        for i in range(last * size):
            g[i] *= factor


@kernel
def limit_lengths(arguments: int, first: int, last: int) -> None:
    """Scale weights ``(outer, units, inner)`` down where those of a unit are longer than a limit.

    Arguments: w, room for a float64 and then a float32 for each unit; outer, units, inner; the limit.
    """
    w_place, square_place, factor_place, outer, units, inner = longs(arguments, 6)
    limit, squares, factors = doubles(arguments, 7)[6], doubles(square_place, units), floats(factor_place, units)
    squares[:] = 0
    for number in range(outer):
        w = floats(w_place + 4 * number * units * inner, units * inner)
        if inner == 1:
            for unit in range(units):
                squares[unit] += np.float64(w[unit]) * np.float64(w[unit])
        else:
            for unit in range(units):
                values, total = floats(w_place + 4 * (number * units + unit) * inner, inner), 0.0
                for i in range(inner):
                    total += np.float64(values[i]) * np.float64(values[i])
                squares[unit] += total
    for unit in range(units):
        factor = limit / max(np.sqrt(squares[unit]), 1e-30)
        factors[unit] = 1.0 if factor > 1.0 else factor
    for number in range(outer):
        w = floats(w_place + 4 * number * units * inner, units * inner)
        if inner == 1:
            for unit in range(units):
                w[unit] *= factors[unit]
        else:
            for unit in range(units):
                values = floats(w_place + 4 * (number * units + unit) * inner, inner)
                for i in range(inner):
                    values[i] *= factors[unit]


@kernel
def gather_gradient(arguments: int, first: int, last: int) -> None:
    """Arguments: sum, g; numbers: how much g counts."""
    size, sum_place, g_place, numbers = longs(arguments, 4)
    share = _F(doubles(numbers, 1)[0])
    total, g = stretch(sum_place, first, last, size), stretch(g_place, first, last, size)
    for i in range((last - first) * size):
        total[i] += g[i] * share


@kernel
def settle_gradient(arguments: int, first: int, last: int) -> None:
    """Write a sum, scaled, and set it back to 0. Arguments: sum, g; numbers: the scale."""
    size, sum_place, g_place, numbers = longs(arguments, 4)
    scale = _F(doubles(numbers, 1)[0])
    total, g = stretch(sum_place, first, last, size), stretch(g_place, first, last, size)
    for i in range((last - first) * size):
        g[i] = total[i] * scale
        total[i] = _ZERO


@kernel
def shrink(arguments: int, first: int, last: int) -> None:
    """Decoupled weight decay. Arguments: w; numbers: the factor."""
    size, w_place, numbers = longs(arguments, 3)
    factor, w = _F(doubles(numbers, 1)[0]), stretch(w_place, first, last, size)
    for i in range((last - first) * size):
        w[i] *= factor


@kernel
def follow_average(arguments: int, first: int, last: int) -> None:
    """``a := d a + (1 - d) w``. Arguments: w, a; numbers: d."""
    size, w_place, a_place, numbers = longs(arguments, 4)
    decay, new = _F(doubles(numbers, 1)[0]), _F(1.0 - doubles(numbers, 1)[0])
    w, a = stretch(w_place, first, last, size), stretch(a_place, first, last, size)
    for i in range((last - first) * size):
        a[i] = decay * a[i] + new * w[i]


@kernel
def sgd_update(arguments: int, first: int, last: int) -> None:
    """Arguments: w, g; numbers: rate."""
    size, w_place, g_place, numbers = longs(arguments, 4)
    rate = _F(doubles(numbers, 1)[0])
    w, g = stretch(w_place, first, last, size), stretch(g_place, first, last, size)
    for i in range((last - first) * size):
        w[i] -= rate * g[i]


@kernel
def momentum_update(arguments: int, first: int, last: int) -> None:
    """Arguments: w, g, velocity; numbers: beta, 1 - dampening, and the rates of velocity and gradient."""
    size, w_place, g_place, v_place, numbers = longs(arguments, 5)
    given = doubles(numbers, 4)
    beta, new, by_velocity, by_gradient = _F(given[0]), _F(given[1]), _F(given[2]), _F(given[3])
    w, g, v = (
        stretch(w_place, first, last, size),
        stretch(g_place, first, last, size),
        stretch(v_place, first, last, size),
    )
    for i in range((last - first) * size):
        velocity = beta * v[i] + new * g[i]
        v[i] = velocity
        w[i] -= by_velocity * velocity + by_gradient * g[i]


@kernel
def rmsprop_update(arguments: int, first: int, last: int) -> None:
    """RMSprop and Adagrad. Arguments: w, g, squares; numbers: what is kept, what is new, rate, epsilon, 0."""
    size, w_place, g_place, s_place, numbers = longs(arguments, 5)
    given = doubles(numbers, 4)
    kept, new, rate, epsilon = _F(given[0]), _F(given[1]), _F(given[2]), _F(given[3])
    w, g, s = (
        stretch(w_place, first, last, size),
        stretch(g_place, first, last, size),
        stretch(s_place, first, last, size),
    )
    for i in range((last - first) * size):
        squares = kept * s[i] + new * (g[i] * g[i])
        s[i] = squares
        w[i] -= rate * g[i] / (np.sqrt(squares) + epsilon)


@kernel
def rmsprop_momentum_update(arguments: int, first: int, last: int) -> None:
    """Arguments: w, g, squares, velocity; numbers as for ``rmsprop_update``."""
    size, w_place, g_place, s_place, v_place, numbers = longs(arguments, 6)
    given = doubles(numbers, 5)
    kept, new, rate, epsilon, momentum = _F(given[0]), _F(given[1]), _F(given[2]), _F(given[3]), _F(given[4])
    w, g = stretch(w_place, first, last, size), stretch(g_place, first, last, size)
    s, v = stretch(s_place, first, last, size), stretch(v_place, first, last, size)
    for i in range((last - first) * size):
        squares = kept * s[i] + new * (g[i] * g[i])
        s[i] = squares
        velocity = momentum * v[i] + g[i] / (np.sqrt(squares) + epsilon)
        v[i] = velocity
        w[i] -= rate * velocity


@part
def _spread(squares: Any, mean: Any) -> Any:
    """The gradients' variance; rounding must not put it below 0, and NaN stays NaN."""
    spread = squares - mean * mean
    return _ZERO if spread < _ZERO else spread


@kernel
def rmsprop_centered_update(arguments: int, first: int, last: int) -> None:
    """Arguments: w, g, squares, mean; numbers as for ``rmsprop_update``."""
    size, w_place, g_place, s_place, m_place, numbers = longs(arguments, 6)
    given = doubles(numbers, 4)
    kept, new, rate, epsilon = _F(given[0]), _F(given[1]), _F(given[2]), _F(given[3])
    w, g = stretch(w_place, first, last, size), stretch(g_place, first, last, size)
    s, m = stretch(s_place, first, last, size), stretch(m_place, first, last, size)
    for i in range((last - first) * size):
        squares = kept * s[i] + new * (g[i] * g[i])
        mean = kept * m[i] + new * g[i]
        s[i] = squares
        m[i] = mean
        w[i] -= rate * g[i] / (np.sqrt(_spread(squares, mean)) + epsilon)


@kernel
def rmsprop_centered_momentum_update(arguments: int, first: int, last: int) -> None:
    """Arguments: w, g, squares, mean, velocity; numbers as for ``rmsprop_update``."""
    size, w_place, g_place, s_place, m_place, v_place, numbers = longs(arguments, 7)
    given = doubles(numbers, 5)
    kept, new, rate, epsilon, momentum = _F(given[0]), _F(given[1]), _F(given[2]), _F(given[3]), _F(given[4])
    w, g = stretch(w_place, first, last, size), stretch(g_place, first, last, size)
    s, m, v = (
        stretch(s_place, first, last, size),
        stretch(m_place, first, last, size),
        stretch(v_place, first, last, size),
    )
    for i in range((last - first) * size):
        squares = kept * s[i] + new * (g[i] * g[i])
        mean = kept * m[i] + new * g[i]
        s[i] = squares
        m[i] = mean
        velocity = momentum * v[i] + g[i] / (np.sqrt(_spread(squares, mean)) + epsilon)
        v[i] = velocity
        w[i] -= rate * velocity


@kernel
def adam_update(arguments: int, first: int, last: int) -> None:
    """Adam and NAdam. Arguments: w, g, velocity, squares.

    Numbers: beta1, beta2, the rates of velocity and gradient, 1 / sqrt(1 - beta2^t), epsilon outside and inside of the
    root.
    """
    size, w_place, g_place, v_place, s_place, numbers = longs(arguments, 6)
    given = doubles(numbers, 7)
    beta1, beta2, by_velocity, by_gradient = _F(given[0]), _F(given[1]), _F(given[2]), _F(given[3])
    root, outside, inside = _F(given[4]), _F(given[5]), _F(given[6])
    new1, new2 = _F(1.0 - given[0]), _F(1.0 - given[1])
    w, g = stretch(w_place, first, last, size), stretch(g_place, first, last, size)
    v, s = stretch(v_place, first, last, size), stretch(s_place, first, last, size)
    for i in range((last - first) * size):
        velocity = beta1 * v[i] + new1 * g[i]
        squares = beta2 * s[i] + new2 * (g[i] * g[i])
        v[i] = velocity
        s[i] = squares
        w[i] -= (by_velocity * velocity + by_gradient * g[i]) / (np.sqrt(squares + inside) * root + outside)


@kernel
def adam_amsgrad_update(arguments: int, first: int, last: int) -> None:
    """Arguments: w, g, velocity, squares, largest squares; numbers as for ``adam_update``. NaN stays NaN."""
    size, w_place, g_place, v_place, s_place, most_place, numbers = longs(arguments, 7)
    given = doubles(numbers, 7)
    beta1, beta2, by_velocity = _F(given[0]), _F(given[1]), _F(given[2])
    root, outside, inside = _F(given[4]), _F(given[5]), _F(given[6])
    new1, new2 = _F(1.0 - given[0]), _F(1.0 - given[1])
    w, g = stretch(w_place, first, last, size), stretch(g_place, first, last, size)
    v, s, most = (
        stretch(v_place, first, last, size),
        stretch(s_place, first, last, size),
        stretch(most_place, first, last, size),
    )
    for i in range((last - first) * size):
        velocity = beta1 * v[i] + new1 * g[i]
        squares = beta2 * s[i] + new2 * (g[i] * g[i])
        v[i] = velocity
        s[i] = squares
        largest = most[i] if squares <= most[i] else squares
        most[i] = largest
        w[i] -= by_velocity * velocity / (np.sqrt(largest + inside) * root + outside)


@kernel
def lion_update(arguments: int, first: int, last: int) -> None:
    """Arguments: w, g, velocity; numbers: beta1, beta2, rate."""
    size, w_place, g_place, v_place, numbers = longs(arguments, 5)
    given = doubles(numbers, 3)
    beta1, beta2, rate = _F(given[0]), _F(given[1]), _F(given[2])
    new1, new2 = _F(1.0 - given[0]), _F(1.0 - given[1])
    w, g, v = (
        stretch(w_place, first, last, size),
        stretch(g_place, first, last, size),
        stretch(v_place, first, last, size),
    )
    for i in range((last - first) * size):
        direction = beta1 * v[i] + new1 * g[i]
        v[i] = beta2 * v[i] + new2 * g[i]
        # The sign of NaN is NaN: divergence must show.
        sign = (_ONE if direction > _ZERO else _ZERO) - (_ONE if direction < _ZERO else _ZERO)
        w[i] -= rate * (sign if direction == direction else direction)
