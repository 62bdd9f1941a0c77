"""Activation functions and their slopes, on all values of some rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.kernels.asking import fetch_ahead
from workbench.engine.kernels.functions import error_function, exponential, hyperbolic_tangent, logistic, softplus
from workbench.engine.kernels.lanes import WIDTH, load, splat, store, where_above
from workbench.engine.kernels.native import doubles, kernel, longs, part, stretch

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
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


@kernel
def elu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row; alpha."""
    alpha = np.float32(doubles(arguments, 4)[3])
    x, y, count = _forward(arguments, first, last)
    for i in range(count):
        value = x[i]
        # exp(x) - 1 loses digits near 0: there the first terms of its series are exact enough.
        small = value + value * value * (np.float32(0.5) + value * np.float32(1 / 6))
        below = small if value > np.float32(-0.01) else exponential(value) - _ONE
        y[i] = alpha * below if value < _ZERO else value


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
