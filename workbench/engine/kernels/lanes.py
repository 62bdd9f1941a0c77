"""Vectors of float32 as values that kernels hold, add and multiply: one register's worth of neighboring channels.

A compiler makes vectors of a loop by itself only where it can tell that arrays do not overlap, and asks that anew for
each short row of channels. These say it outright. No rounding is left to the compiler either: equal operations give
equal bits, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, register_model

from workbench.engine.kernels.machine import machine
from workbench.engine.kernels.native import intrinsic

WIDTH = machine().width
"""Values in a vector."""

_EXACT = ("nsz",)
"""Of all liberties with rounding (see ``native.FAST_MATH``) the one that rounds nothing. Numba gives all of them to
operations that have none."""

_FLOAT, _INT = ir.FloatType(), ir.IntType(32)
_VECTOR, _BITS = ir.VectorType(_FLOAT, WIDTH), ir.VectorType(ir.IntType(1), WIDTH)
_MASKS = WIDTH > 4
"""Whether the processor loads and stores a part of a vector in one instruction; others go value by value."""


class Lanes(types.Type):
    """A vector, as Numba's typing knows it."""


_LANES = Lanes("lanes")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


def _spread(builder: Any, value: Any) -> Any:
    one = builder.insert_element(ir.Constant(ir.VectorType(value.type, WIDTH), ir.Undefined), value, _INT(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_INT, WIDTH), [0] * WIDTH))


def _zeros() -> Any:
    return ir.Constant(_VECTOR, [0.0] * WIDTH)


def _mask(builder: Any, left: Any) -> Any:
    lanes = ir.Constant(ir.VectorType(_INT, WIDTH), list(range(WIDTH)))
    return builder.icmp_signed("<", lanes, _spread(builder, builder.trunc(left, _INT)))


def _function(builder: Any, name: str, gives: Any, takes: list[Any]) -> Any:
    inserted: Any = cgutils.get_or_insert_function
    return inserted(builder.module, ir.FunctionType(gives, takes), name)


def _masked_load(builder: Any, place: Any, left: Any) -> Any:
    name = f"llvm.masked.load.v{WIDTH}f32.p0"
    load = _function(builder, name, _VECTOR, [place.type, _INT, _BITS, _VECTOR])
    return builder.call(load, [place, _INT(4), _mask(builder, left), _zeros()])


def _masked_store(builder: Any, value: Any, place: Any, left: Any) -> None:
    name = f"llvm.masked.store.v{WIDTH}f32.p0"
    store = _function(builder, name, ir.VoidType(), [_VECTOR, place.type, _INT, _BITS])
    builder.call(store, [value, place, _INT(4), _mask(builder, left)])


@intrinsic
def load(typing_context: Any, address: Any, left: Any) -> Any:
    """The vector at an address, of which no more than ``left`` values are read; the others are 0."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place, left = builder.inttoptr(values[0], _VECTOR.as_pointer()), values[1]
        if _MASKS:
            return _masked_load(builder, place, left)
        with builder.if_else(builder.icmp_signed(">=", left, left.type(WIDTH))) as (whole, some):
            with whole:
                full, came_whole = builder.load(place, align=4), builder.block
            with some:
                few, came_some = _masked_load(builder, place, left), builder.block
        joined = builder.phi(_VECTOR)
        joined.add_incoming(full, came_whole)
        joined.add_incoming(few, came_some)
        return joined

    return _LANES(types.int64, types.int64), write


@intrinsic
def store(typing_context: Any, value: Any, address: Any, left: Any) -> Any:
    """Write the first ``left`` values of a vector, or all where there are fewer."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        value, address, left = values
        place = builder.inttoptr(address, _VECTOR.as_pointer())
        if _MASKS:
            _masked_store(builder, value, place, left)
            return context.get_dummy_value()
        with builder.if_else(builder.icmp_signed(">=", left, left.type(WIDTH))) as (whole, some):
            with whole:
                builder.store(value, place, align=4)
            with some:
                _masked_store(builder, value, place, left)
        return context.get_dummy_value()

    return types.void(_LANES, types.int64, types.int64), write


@intrinsic
def splat(typing_context: Any, value: Any) -> Any:
    """A float32 in all places."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _spread(builder, values[0])

    return _LANES(types.float32), write


def _operation(count: int, write: Callable[..., Any]) -> tuple[Any, Any]:
    return _LANES(*[_LANES] * count), lambda context, builder, signature, values: write(builder, *values)


@intrinsic
def plus(typing_context: Any, a: Any, b: Any) -> Any:
    """``a + b``."""
    return _operation(2, lambda builder, a, b: builder.fadd(a, b, flags=_EXACT))


@intrinsic
def minus(typing_context: Any, a: Any, b: Any) -> Any:
    """``a - b``."""
    return _operation(2, lambda builder, a, b: builder.fsub(a, b, flags=_EXACT))


@intrinsic
def times(typing_context: Any, a: Any, b: Any) -> Any:
    """``a * b``."""
    return _operation(2, lambda builder, a, b: builder.fmul(a, b, flags=_EXACT))


@intrinsic
def times_plus(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once where the processor can."""

    def write(builder: Any, a: Any, b: Any, c: Any) -> Any:
        if not machine().fused:
            return builder.fadd(builder.fmul(a, b, flags=_EXACT), c, flags=_EXACT)
        return builder.call(_function(builder, f"llvm.fma.v{WIDTH}f32", _VECTOR, [_VECTOR] * 3), [a, b, c])

    return _operation(3, write)


@intrinsic
def at_least(typing_context: Any, value: Any, floor: Any) -> Any:
    """The larger of the two; NaN stays NaN."""
    return _operation(2, lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), b, a))


@intrinsic
def where_above(typing_context: Any, value: Any, floor: Any, given: Any) -> Any:
    """``given`` where the value is above the floor or not a number, else 0."""

    def write(builder: Any, value: Any, floor: Any, given: Any) -> Any:
        return builder.select(builder.fcmp_unordered(">", value, floor), given, _zeros())

    return _operation(3, write)
