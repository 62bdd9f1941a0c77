"""Activation functions and their slopes, on all values of some rows."""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.functions import error_function, exponential, hyperbolic_tangent, logistic, softplus
from workbench.engine.kernels.native import doubles, kernel, longs, stretch

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_ROOT_HALF, _DENSITY = np.float32(0.5**0.5), np.float32(1 / (2 * np.pi) ** 0.5)


@kernel
def relu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row. NaN stays NaN."""
    x_place, y_place, size = longs(arguments, 3)
    x, y = stretch(x_place, first, last, size), stretch(y_place, first, last, size)
    for i in range((last - first) * size):
        y[i] = _ZERO if x[i] < _ZERO else x[i]


@kernel
def relu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: y, dy, dx; values a row."""
    y_place, dy_place, dx_place, size = longs(arguments, 4)
    y, dy, dx = (
        stretch(y_place, first, last, size),
        stretch(dy_place, first, last, size),
        stretch(dx_place, first, last, size),
    )
    for i in range((last - first) * size):
        dx[i] = dy[i] if y[i] > _ZERO else _ZERO


@kernel
def leaky_relu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row; the slope below 0."""
    x_place, y_place, size = longs(arguments, 3)
    slope = np.float32(doubles(arguments, 4)[3])
    x, y = stretch(x_place, first, last, size), stretch(y_place, first, last, size)
    for i in range((last - first) * size):
        y[i] = x[i] * slope if x[i] < _ZERO else x[i]


@kernel
def leaky_relu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row; the slope below 0."""
    x_place, dy_place, dx_place, size = longs(arguments, 4)
    slope = np.float32(doubles(arguments, 5)[4])
    x, dy, dx = (
        stretch(x_place, first, last, size),
        stretch(dy_place, first, last, size),
        stretch(dx_place, first, last, size),
    )
    for i in range((last - first) * size):
        dx[i] = dy[i] if x[i] > _ZERO else dy[i] * slope


@kernel
def tanh_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row."""
    x_place, y_place, size = longs(arguments, 3)
    x, y = stretch(x_place, first, last, size), stretch(y_place, first, last, size)
    for i in range((last - first) * size):
        y[i] = hyperbolic_tangent(x[i])


@kernel
def tanh_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: y, dy, dx; values a row."""
    y_place, dy_place, dx_place, size = longs(arguments, 4)
    y, dy, dx = (
        stretch(y_place, first, last, size),
        stretch(dy_place, first, last, size),
        stretch(dx_place, first, last, size),
    )
    for i in range((last - first) * size):
        dx[i] = dy[i] * (_ONE - y[i] * y[i])


@kernel
def sigmoid_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row."""
    x_place, y_place, size = longs(arguments, 3)
    x, y = stretch(x_place, first, last, size), stretch(y_place, first, last, size)
    for i in range((last - first) * size):
        y[i] = logistic(x[i])


@kernel
def sigmoid_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: y, dy, dx; values a row."""
    y_place, dy_place, dx_place, size = longs(arguments, 4)
    y, dy, dx = (
        stretch(y_place, first, last, size),
        stretch(dy_place, first, last, size),
        stretch(dx_place, first, last, size),
    )
    for i in range((last - first) * size):
        dx[i] = dy[i] * (y[i] * (_ONE - y[i]))


@kernel
def silu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row."""
    x_place, y_place, size = longs(arguments, 3)
    x, y = stretch(x_place, first, last, size), stretch(y_place, first, last, size)
    for i in range((last - first) * size):
        y[i] = x[i] * logistic(x[i])


@kernel
def silu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row. ``s + x s (1 - s)`` with ``s`` the logistic function."""
    x_place, dy_place, dx_place, size = longs(arguments, 4)
    x, dy, dx = (
        stretch(x_place, first, last, size),
        stretch(dy_place, first, last, size),
        stretch(dx_place, first, last, size),
    )
    for i in range((last - first) * size):
        gate = logistic(x[i])
        dx[i] = dy[i] * (gate + x[i] * gate * (_ONE - gate))


@kernel
def elu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row; alpha."""
    x_place, y_place, size = longs(arguments, 3)
    alpha = np.float32(doubles(arguments, 4)[3])
    x, y = stretch(x_place, first, last, size), stretch(y_place, first, last, size)
    for i in range((last - first) * size):
        value = x[i]
        # exp(x) - 1 loses digits near 0: there the first terms of its series are exact enough.
        small = value + value * value * (np.float32(0.5) + value * np.float32(1 / 6))
        below = small if value > np.float32(-0.01) else exponential(value) - _ONE
        y[i] = alpha * below if value < _ZERO else value


@kernel
def elu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: y, dy, dx; values a row; alpha. Below 0 the slope is ``y + alpha``."""
    y_place, dy_place, dx_place, size = longs(arguments, 4)
    alpha = np.float32(doubles(arguments, 5)[4])
    y, dy, dx = (
        stretch(y_place, first, last, size),
        stretch(dy_place, first, last, size),
        stretch(dx_place, first, last, size),
    )
    for i in range((last - first) * size):
        dx[i] = dy[i] if y[i] > _ZERO else dy[i] * (y[i] + alpha)


@kernel
def gelu_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row. ``x (1 + erf(x / sqrt(2))) / 2``."""
    x_place, y_place, size = longs(arguments, 3)
    x, y = stretch(x_place, first, last, size), stretch(y_place, first, last, size)
    for i in range((last - first) * size):
        y[i] = x[i] * ((error_function(x[i] * _ROOT_HALF) + _ONE) * _HALF)


@kernel
def gelu_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row. The normal distribution's function, and ``x`` times its density."""
    x_place, dy_place, dx_place, size = longs(arguments, 4)
    x, dy, dx = (
        stretch(x_place, first, last, size),
        stretch(dy_place, first, last, size),
        stretch(dx_place, first, last, size),
    )
    for i in range((last - first) * size):
        share = (error_function(x[i] * _ROOT_HALF) + _ONE) * _HALF
        dx[i] = dy[i] * (share + x[i] * (exponential(-_HALF * x[i] * x[i]) * _DENSITY))


@kernel
def softplus_forward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, y; values a row."""
    x_place, y_place, size = longs(arguments, 3)
    x, y = stretch(x_place, first, last, size), stretch(y_place, first, last, size)
    for i in range((last - first) * size):
        y[i] = softplus(x[i])


@kernel
def softplus_backward(arguments: int, first: int, last: int) -> None:
    """Arguments: x, dy, dx; values a row. The slope is the logistic function."""
    x_place, dy_place, dx_place, size = longs(arguments, 4)
    x, dy, dx = (
        stretch(x_place, first, last, size),
        stretch(dy_place, first, last, size),
        stretch(dx_place, first, last, size),
    )
    for i in range((last - first) * size):
        dx[i] = dy[i] * logistic(x[i])
