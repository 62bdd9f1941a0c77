"""Exponential and its relatives in float32, written so that loops over them become vector instructions."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from workbench.engine.kernels.machine import machine
from workbench.engine.kernels.native import intrinsic, part

_inserted: Any = cgutils.get_or_insert_function
_F = np.float32
_LOG2_E = _F(1.44269504088896341)
# ln 2 in two parts: the first has few digits, so that n times it is exact (Cody and Waite, 1980).
_LN2_HIGH, _LN2_LOW = _F(0.693359375), _F(-2.12194440e-4)
_LARGEST, _SMALLEST = _F(88.72283), _F(-86.98)
_ZERO, _HALF, _ONE, _TWO = _F(0), _F(0.5), _F(1), _F(2)


@intrinsic
def _power_of_two(typing_context: Any, exponent: Any) -> Any:
    """2 to a whole number from -126 to 127: the exponent's bits put in place."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        integer = ir.IntType(32)
        bits = builder.shl(builder.add(values[0], integer(127)), integer(23))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.int32), write


@intrinsic
def _multiply_add(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """``a b + c``, rounded once where the processor can: then the compiler takes no liberties with it."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = ir.FloatType()
        if not machine().fused:
            return builder.fadd(builder.fmul(values[0], values[1]), values[2])
        kind = ir.FunctionType(number, [number] * 3)
        return builder.call(_inserted(builder.module, kind, "llvm.fma.f32"), values)

    return types.float32(types.float32, types.float32, types.float32), write


@part
def exponential(x: Any) -> Any:
    """``exp(x)``, within 2 units of the last place; the polynomial is that of Cephes (Moshier, 1992).

    What is below 2e-38 becomes 0: numbers without all their digits are slow.
    """
    bounded = min(max(x, _SMALLEST), _LARGEST)
    n = np.floor(bounded * _LOG2_E + _HALF)
    # Free to reorder, the compiler would join the two parts to one product, and lose the digits that they keep.
    r: Any = _multiply_add(n, -_LN2_LOW, _multiply_add(n, -_LN2_HIGH, bounded))
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


@part
def error_function(x: Any) -> Any:
    """``erf(x)``, within 4 units of the last place.

    Near 0 it is ``x + x P(x^2)``, further out ``1 - exp(-Q(|x|))``; both polynomials were fitted to it so that the
    largest relative error is least. From 4 on the difference to 1 is lost in rounding.
    """
    s = x * x
    p = _F(7.853788938e-5)
    p = p * s + _F(-8.010173729e-4)
    p = p * s + _F(5.188325654e-3)
    p = p * s + _F(-2.685381099e-2)
    p = p * s + _F(1.128358513e-1)
    p = p * s + _F(-3.761262582e-1)
    p = p * s + _F(1.283791657e-1)
    near = x + x * p
    size = min(abs(x), _F(4))
    q = _F(-1.959396253e-4)
    q = q * size + _F(3.043240817e-3)
    q = q * size + _F(-2.222701376e-2)
    q = q * size + _F(1.039317908e-1)
    q = q * size + _F(6.371820261e-1)
    q = q * size + _F(1.127675758)
    q = q * size + _F(1.956437308e-4)
    far = _ONE - exponential(-q)
    far = -far if x < _ZERO else far
    value = near if abs(x) < _F(0.96) else far
    return value if x == x else x


@part
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``, without overflow and without loss of digits far below 0.

    ``max(x, 0) + log(1 + u)`` with ``u = exp(-|x|)``, the logarithm being ``2 artanh(u / (2 + u))``: its series, fitted
    to the range.
    """
    u = exponential(-abs(x))
    s = u / (u + _TWO)
    q = s * s
    p = _F(2.801227979e-1)
    p = p * q + _F(2.800175108e-1)
    p = p * q + _F(4.002153020e-1)
    p = p * q + _F(6.666641624e-1)
    value = max(x, _ZERO) + (p * q * s + s + s)
    return value if x == x else x
