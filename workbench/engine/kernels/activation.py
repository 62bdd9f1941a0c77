"""Activation functions and their slopes, on all values of some rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.kernels.asking import fetch_ahead
from workbench.engine.kernels.functions import error_function, exponential, hyperbolic_tangent, logistic, softplus
from workbench.engine.kernels.lanes import WIDTH, load, splat, store, where_above
from workbench.engine.kernels.native import doubles, kernel, longs, part, stretch

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_THREE, _SIX, _SIXTH = np.float32(3), np.float32(6), np.float32(1 / 6)
_SCALE, _LEAST = np.float32(1.0507009873554805), np.float32(1.0507009873554805 * 1.6732632423543772)
_STEEP, _CUBE = np.float32((2 / np.pi) ** 0.5), np.float32((2 / np.pi) ** 0.5 * 0.044715)
_ROOT_HALF, _DENSITY = np.float32(0.5**0.5), np.float32(1 / (2 * np.pi) ** 0.5)


@part
def _forward(arguments: int, first: int, last: int) -> Any:
    """x and y, and how many values there are."""
    x, y, size = longs(arguments, 3)
    return stretch(x, first, last, size), stretch(y, first, last, size), (last - first) * size


@part
def _backward(arguments: int, first: int, last: int) -> Any:
    """x or y, dy and dx, and how many values there are."""
    known, dy, dx, size = longs(arguments, 4)
    values, slopes = stretch(known, first, last, size), stretch(dy, first, last, size)
    return values, slopes, stretch(dx, first, last, size), (last - first) * size


@kernel
def relu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row. NaN stays NaN."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        y[i] = _ZERO if x[i] < _ZERO else x[i]


@kernel
def relu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: y, dy, dx; values a row."""
    y, dy, dx, size = longs(arguments, 4)
    zero, end = splat(_ZERO), last * size
    for i in range(first * size, end, WIDTH):
        at, left = 4 * i, end - i
        fetch_ahead(y + at)
        store(where_above(load(y + at, left), zero, load(dy + at, left)), dx + at, left)


@kernel
def leaky_relu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row; the slope below 0."""
    slope = np.float32(doubles(arguments, 4)[3])
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        y[i] = x[i] * slope if x[i] < _ZERO else x[i]


@kernel
def leaky_relu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row; the slope below 0."""
    slope = np.float32(doubles(arguments, 5)[4])
    x, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        dx[i] = dy[i] if x[i] > _ZERO else dy[i] * slope


@kernel
def tanh_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        y[i] = hyperbolic_tangent(x[i])


@kernel
def tanh_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: y, dy, dx; values a row."""
    y, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        dx[i] = dy[i] * (_ONE - y[i] * y[i])


@kernel
def sigmoid_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        y[i] = logistic(x[i])


@kernel
def sigmoid_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: y, dy, dx; values a row."""
    y, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        dx[i] = dy[i] * (y[i] * (_ONE - y[i]))


@kernel
def silu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        y[i] = x[i] * logistic(x[i])


@kernel
def silu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row. ``s + x s (1 - s)`` with ``s`` the logistic function."""
    x, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        gate = logistic(x[i])
        dx[i] = dy[i] * (gate + x[i] * gate * (_ONE - gate))


@part
def _exponential_less_one(x: Any) -> Any:
    """``exp(x) - 1`` up to 0: it loses digits near 0, where the first terms of its series are exact enough."""
    small = x + x * x * (np.float32(0.5) + x * np.float32(1 / 6))
    return small if x > np.float32(-0.01) else exponential(x) - _ONE


@kernel
def elu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row; alpha."""
    alpha = np.float32(doubles(arguments, 4)[3])
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        y[i] = alpha * _exponential_less_one(x[i]) if x[i] < _ZERO else x[i]


@kernel
def elu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: y, dy, dx; values a row; alpha. Below 0 the slope is ``y + alpha``."""
    alpha = np.float32(doubles(arguments, 5)[4])
    y, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        dx[i] = dy[i] if y[i] > _ZERO else dy[i] * (y[i] + alpha)


@kernel
def gelu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row. ``x (1 + erf(x / sqrt(2))) / 2``."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        y[i] = x[i] * ((error_function(x[i] * _ROOT_HALF) + _ONE) * _HALF)


@kernel
def gelu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row. The normal distribution's function, and ``x`` times its density."""
    x, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        share = (error_function(x[i] * _ROOT_HALF) + _ONE) * _HALF
        dx[i] = dy[i] * (share + x[i] * (exponential(-_HALF * x[i] * x[i]) * _DENSITY))


@kernel
def softplus_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        y[i] = softplus(x[i])


@kernel
def softplus_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row. The slope is the logistic function."""
    x, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        dx[i] = dy[i] * logistic(x[i])


@kernel
def relu6_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row. NaN stays NaN."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        floored = _ZERO if x[i] < _ZERO else x[i]
        y[i] = _SIX if floored > _SIX else floored


@kernel
def relu6_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: y, dy, dx; values a row."""
    y, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        above = dy[i] if y[i] > _ZERO else _ZERO
        dx[i] = above if y[i] < _SIX else _ZERO


@kernel
def selu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        y[i] = _LEAST * _exponential_less_one(x[i]) if x[i] < _ZERO else _SCALE * x[i]


@kernel
def selu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: y, dy, dx; values a row. Below 0 the slope is y and what it comes near to, negated."""
    y, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        dx[i] = dy[i] * (_SCALE if y[i] > _ZERO else y[i] + _LEAST)


@part
def _mish_odds(x: Any) -> Any:
    """``u`` and ``n = u (u + 2)`` with ``u = exp(x)``: then ``tanh(softplus(x)) = n / (n + 2)``.

    From 20 on that is 1 to the last digit, and n must not overflow.
    """
    u = exponential(min(x, np.float32(20)))
    return u, u * (u + np.float32(2))


@kernel
def mish_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row. ``x tanh(softplus(x))``."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        _, n = _mish_odds(x[i])
        y[i] = x[i] * (n / (n + np.float32(2)))


@kernel
def mish_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row. ``t + x (1 - t^2) s``: t the hyperbolic tangent, s the logistic function."""
    x, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        u, n = _mish_odds(x[i])
        share = _ONE / (n + np.float32(2))
        rest = np.float32(4) * (n + _ONE) * share * share
        dx[i] = dy[i] * (n * share + x[i] * (rest * (u / (_ONE + u))))


@kernel
def hardswish_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row. ``x min(max(x + 3, 0), 6) / 6``."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        y[i] = x[i] * (min(max(x[i] + _THREE, _ZERO), _SIX) * _SIXTH)


@kernel
def hardswish_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row."""
    x, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        between = x[i] * (_SIXTH + _SIXTH) + _HALF
        slope = between if x[i] < _THREE else _ONE
        dx[i] = dy[i] * (slope if x[i] > -_THREE else _ZERO)


@kernel
def gelu_tanh_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row. ``x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2``."""
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        share = hyperbolic_tangent(x[i] * (_STEEP + _CUBE * (x[i] * x[i])))
        y[i] = x[i] * ((share + _ONE) * _HALF)


@kernel
def gelu_tanh_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row."""
    x, dy, dx, count = _backward(arguments, first, last)
    for i in range(count):
        square = x[i] * x[i]
        share = hyperbolic_tangent(x[i] * (_STEEP + _CUBE * square))
        inner = x[i] * (_STEEP + _THREE * _CUBE * square)
        dx[i] = dy[i] * (_HALF * ((_ONE + share) + (_ONE - share * share) * inner))
