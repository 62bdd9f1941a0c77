"""Exponential and its relatives in float32, written so that loops over them become vector instructions."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from workbench.engine.kernels.native import intrinsic, part

_F = np.float32
_LOG2_E = _F(1.44269504088896341)
# ln 2 in two parts: the first has few digits, so that n times it is exact (Cody and Waite, 1980).
_LN2_HIGH, _LN2_LOW = _F(0.693359375), _F(-2.12194440e-4)
_LARGEST, _SMALLEST = _F(88.72), _F(-87.33)
_HALF, _ONE, _TWO = _F(0.5), _F(1), _F(2)


@intrinsic
def _power_of_two(typing_context: Any, exponent: Any) -> Any:
    """2 to a whole number from -126 to 127: the exponent's bits put in place."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        integer = ir.IntType(32)
        bits = builder.shl(builder.add(values[0], integer(127)), integer(23))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.int32), write


@part
def exponential(x: Any) -> Any:
    """``exp(x)``, within 2 units of the last place; the polynomial is that of Cephes (Moshier, 1992)."""
    bounded = min(max(x, _SMALLEST), _LARGEST)
    n = np.floor(bounded * _LOG2_E + _HALF)
    r = bounded - n * _LN2_HIGH - n * _LN2_LOW
    p = _F(1.9875691500e-4)
    p = p * r + _F(1.3981999507e-3)
    p = p * r + _F(8.3334519073e-3)
    p = p * r + _F(4.1665795894e-2)
    p = p * r + _F(1.6666665459e-1)
    p = p * r + _F(5.0000001201e-1)
    # Half of 2^n twice: 2^128 itself has no float32.
    half: Any = _power_of_two(np.int32(n) - np.int32(1))
    value = (p * r * r + r + _ONE) * half * _TWO
    value = value if x <= _LARGEST else _F(np.inf)
    value = value if x >= _SMALLEST else _F(0)
    return value if x == x else x


@part
def logistic(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    return _ONE / (_ONE + exponential(-x))


@part
def hyperbolic_tangent(x: Any) -> Any:
    """``tanh(x)``: by its series near 0, where the exponential's form would lose digits (Cephes)."""
    s = x * x
    p = _F(-5.70498872745e-3)
    p = p * s + _F(2.06390887954e-2)
    p = p * s + _F(-5.37397155531e-2)
    p = p * s + _F(1.33314422036e-1)
    p = p * s + _F(-3.33332819422e-1)
    near = p * s * x + x
    far = _ONE - _TWO / (exponential(_TWO * x) + _ONE)
    return near if abs(x) < _F(0.625) else far
