"""Machine code for the steps of a plan, and one call that runs a whole list of them outside Python.

A kernel is a Python function in Numba's subset of the language, compiled when it is first needed and kept on disk
for the next start. All kernels have one form, ``kernel(arguments, first, last)``: the address of a block of numbers,
and the rows (of the batch, or elements of a vector) to work on. So a plan becomes a table of addresses, and
``run_table`` walks through it without the interpreter and without its lock.

Kernels never check anything: whoever binds one answers for shapes, types and contiguity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numba
import numpy as np
from llvmlite import ir
from numba import cfunc, types
from numba import njit as _njit
from numba.core import caching
from numba.core.registry import cpu_target
from numba.extending import intrinsic as _intrinsic

from workbench.engine.kernels.kept import keep_by_content
from workbench.errors import DeviceError

_cache_of: Any = caching.FunctionCache
_jit: Any = _njit
"""Numba's own type knows only some of its options."""

carray: Any = numba.carray  # type: ignore[attr-defined]


keep_by_content()

FAST_MATH = {"reassoc", "contract", "arcp", "nsz"}
"""Liberties with rounding that keep NaN and infinity what they are: divergence is seen by them."""

_COMPILE: Any = {"cache": True, "error_model": "numpy", "fastmath": FAST_MATH}
"""With Python's error model every division would be checked, which stops vectorization."""

_LONG = ir.IntType(64)


def intrinsic(function: Callable[..., Any]) -> Any:
    """Numba's ``intrinsic``, whose own type knows nothing of a call from within a kernel."""
    return _intrinsic(function)


def njit(function: Callable[..., Any]) -> Any:
    """Numba's ``njit`` with the settings of all kernels, callable from Python too."""
    return _kept(lambda **options: _njit(function, nogil=True, **options))


def _kept(make: Callable[..., Any]) -> Any:
    """What Numba makes, kept on disk where its folder (see ``kept.py``) can be written to."""
    try:
        return make(**_COMPILE)
    except (RuntimeError, OSError):
        return make(**{**_COMPILE, "cache": False})


class Function:
    """A function of some whole numbers, compiled when its address is first asked for.

    Attributes:
        bound: whether some call needs it.
    """

    known: ClassVar[list[Function]] = []
    """All that have been defined so far."""

    def __init__(self, function: Callable[..., None], arguments: int) -> None:
        self.function, self._signature = function, types.void(*[types.int64] * arguments)
        self.__doc__ = function.__doc__
        self._compiled: Any = None
        self.bound = False
        Function.known.append(self)

    @property
    def name(self) -> str:
        """What it is called in a profile."""
        return str(self.function.__name__)

    @property
    def address(self) -> int:
        """Where its machine code is.

        Raises:
            DeviceError: it cannot be compiled.
        """
        self.prepare()
        return int(self._compiled.address)

    def prepare(self) -> bool:
        """Compile it, or load what was compiled before; whether it had to be compiled.

        Raises:
            DeviceError: it cannot be compiled.
        """
        if self._compiled is not None:
            return False
        try:
            self._compiled = _kept(lambda **options: cfunc(self._signature, **options)(self.function))
        except Exception as error:  # A compiler that is broken or too old fails in many ways.
            what = str(error).strip().partition("\n")[0] or type(error).__name__
            raise DeviceError(
                f"{self.name} cannot be compiled ({what})", where="compiled kernels", mend="Set WORKBENCH_KERNELS=off."
            ) from error
        return int(self._compiled.cache_hits) == 0

    def on_disk(self) -> bool:
        """Whether its machine code for this processor is kept on disk; loads it."""
        return on_disk(self.function, self._signature)

    def folder(self) -> str | None:
        """The folder where its machine code is kept; None where no folder can be written to."""
        try:
            return str(_cache_of(self.function).cache_path)
        except (RuntimeError, OSError):
            return None


def on_disk(function: Any, arguments: Any) -> bool:
    """Whether a function's machine code for arguments of these types is kept on disk; loads it."""
    try:
        return _cache_of(function).load_overload(arguments, cpu_target.target_context) is not None
    except (RuntimeError, OSError):
        return False


def pending() -> list[Function]:
    """What some call needs and has no machine code yet."""
    return [function for function in Function.known if function.bound and function._compiled is None]


def kernel(function: Callable[[int, int, int], None]) -> Function:
    """Decorate ``kernel(arguments, first, last)``; see the module."""
    return Function(function, 3)


def part(function: Callable[..., Any]) -> Any:
    """Decorate a function that kernels call. Python cannot: what that takes would be a tenth of all compiling."""
    return _kept(lambda **options: _jit(function, no_cpython_wrapper=True, **options))


@intrinsic
def _as_pointer(typing_context: Any, address: Any) -> Any:
    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), write


@intrinsic
def invoke(typing_context: Any, address: Any, arguments: Any, first: Any, last: Any) -> Any:
    """Call the kernel at an address."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_LONG] * 3)
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), values[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), write


@part
def longs(address: int, count: int) -> Any:
    """The int64 vector at an address."""
    return carray(_as_pointer(address), (count,), np.int64)


@part
def doubles(address: int, count: int) -> Any:
    """The float64 vector at an address."""
    return carray(_as_pointer(address), (count,), np.float64)


@part
def floats(address: int, count: int) -> Any:
    """The float32 vector at an address."""
    return carray(_as_pointer(address), (count,), np.float32)


@part
def stretch(address: int, first: int, last: int, size: int) -> Any:
    """Rows ``first`` to ``last`` of ``size`` float32 values each, as one vector.

    Loops over it start at 0: with any other start the compiler cannot rule out negative indices, and gives up vectors.
    """
    return carray(_as_pointer(address + 4 * first * size), ((last - first) * size,), np.float32)


@part
def octets(address: int, count: int) -> Any:
    """The uint8 vector at an address."""
    return carray(_as_pointer(address), (count,), np.uint8)


@part
def ints(address: int, count: int) -> Any:
    """The int32 vector at an address."""
    return carray(_as_pointer(address), (count,), np.int32)


@part
def matrix(address: int, rows: int, columns: int) -> Any:
    """The float32 matrix at an address."""
    return carray(_as_pointer(address), (rows, columns), np.float32)


@part
def grid(address: int, rows: int, columns: int) -> Any:
    """The int64 matrix at an address."""
    return carray(_as_pointer(address), (rows, columns), np.int64)


@njit
def run_table(table: Any, groups: Any, moved: Any) -> None:
    """Run kernels in order.

    Args:
        table: int64 ``(kernels, 2)``: address and arguments of each.
        groups: int64 ``(groups, 5)``: the first kernel and the one after the last, the first row and the one after the
            last, and rows at a time. The kernels of a group run in turns over a few rows, so that what one writes is
            still in the cache when the next reads it.
        moved: int64 ``(moves, 4)``, by group: a group's number, where an address stands, the address, and bytes a row.
            These are arrays whose first rows serve for each few rows in turn: the kernels, which count rows from the
            batch's first, are given an address that far before them.
    """
    move = 0
    for group in range(groups.shape[0]):
        start, stop, begin, end, step = groups[group]
        done = move
        while done < moved.shape[0] and moved[done, 0] == group:
            done += 1
        for first in range(begin, end, step):
            for number in range(move, done):
                longs(moved[number, 1], 1)[0] = moved[number, 2] - first * moved[number, 3]
            last = min(end, first + step)
            for number in range(start, stop):
                invoke(table[number, 0], table[number, 1], first, last)
        for number in range(move, done):
            longs(moved[number, 1], 1)[0] = moved[number, 2]
        move = done
