"""Where the shards of a batch wait for each other without Python: a counter that each of them raises and looks at."""

from __future__ import annotations

import platform
import sys
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from workbench.engine.kernels.calls import NativeCall
from workbench.engine.kernels.native import intrinsic, kernel, longs

_LONG, _INT = ir.IntType(64), ir.IntType(32)
_SPINS, _YIELDS = 1_000, 2_000
"""Looks at the counter before the thread offers its core to others after each look, which costs nothing where none
wants it, and before it goes to sleep: some 50 microseconds, and a millisecond. On a machine with more to do than cores
the other shard may be waiting for this very core."""

_SLEEP = 50
"""Microseconds from then on between looks; a system makes them 100 or more."""

_inserted: Any = cgutils.get_or_insert_function


@intrinsic
def raised(typing_context: Any, address: Any) -> Any:
    """Add 1 to a number that other threads add to as well; its value before."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = builder.inttoptr(values[0], _LONG.as_pointer())
        return builder.atomic_rmw("add", place, _LONG(1), "seq_cst")

    return types.int64(types.int64), write


@intrinsic
def seen(typing_context: Any, address: Any) -> Any:
    """The present value of a number that other threads change."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(values[0], _LONG.as_pointer()), "acquire", align=8)

    return types.int64(types.int64), write


@intrinsic
def rest(typing_context: Any, looks: Any) -> Any:
    """Let the processor breathe after so many looks: a pause instruction, then the core for others, then a sleep."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        nothing = ir.FunctionType(ir.VoidType(), [])
        if platform.machine().lower() in ("x86_64", "amd64"):
            builder.call(_inserted(builder.module, nothing, "llvm.x86.sse2.pause"), [])
        if sys.platform != "win32":
            yields = _inserted(builder.module, ir.FunctionType(_INT, []), "sched_yield")
            sleeps = _inserted(builder.module, ir.FunctionType(_INT, [_INT]), "usleep")
            with builder.if_then(builder.icmp_signed(">", values[0], _LONG(_SPINS))):
                late = builder.icmp_signed(">", values[0], _LONG(_SPINS + _YIELDS))
                with builder.if_else(late) as (then, otherwise):
                    with then:
                        builder.call(sleeps, [_INT(_SLEEP)])
                    with otherwise:
                        builder.call(yields, [])
        return context.get_dummy_value()

    return types.void(types.int64), write


@kernel
def wait_for_all(arguments: int, first: int, last: int) -> None:
    """Return once all shards are here, or the wait is given up. Arguments: counter and flag, how many shards."""
    place, shards = longs(arguments, 2)
    target = (raised(place) // shards + 1) * shards
    spins = 0
    while seen(place) < target and seen(place + 8) == 0:
        spins += 1
        rest(spins)


class Rendezvous:
    """A place where some shards wait for each other, any number of times.

    Args:
        shards: how many.
    """

    def __init__(self, shards: int) -> None:
        self.shards = shards
        # On a cache line of their own: the counter, and the flag that ends all waiting.
        self._numbers = np.zeros(32, np.int64)

    def wait(self) -> NativeCall:
        """The call that waits."""
        return NativeCall(wait_for_all, 1, self._numbers[8:10], self.shards)

    def abort(self) -> None:
        """Let everybody go: a shard has failed and will not come."""
        self._numbers[9] = 1

    def reset(self) -> None:
        """Begin anew after an abort."""
        self._numbers[...] = 0


class SlotMeeting:
    """Where a layer's shards put sums for each other.

    Args:
        rendezvous: where they wait.
        rows: of each shard, int64.
    """

    def __init__(self, rendezvous: Rendezvous, rows: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        self.rows, self._rendezvous = rows, rendezvous
        self._slots: dict[str, np.ndarray[Any, Any]] = {}

    def wait(self) -> NativeCall:
        """The call after which all shards have filled their slots."""
        return self._rendezvous.wait()

    def slots(self, name: str, length: int) -> np.ndarray[Any, Any]:
        """A float64 slot for each shard, ``(shards, length)``; the same array for all who ask by this name."""
        return self._slots.setdefault(name, np.zeros((len(self.rows), length)))
