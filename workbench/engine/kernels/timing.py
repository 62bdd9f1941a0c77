"""As ``run_table``, with the time that each kernel takes. A function of its own, so that training pays nothing."""

from __future__ import annotations

import platform
import time
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from workbench.engine.kernels.calls import NativeProgram
from workbench.engine.kernels.native import intrinsic, invoke, longs, njit

_LONG = ir.IntType(64)
_X86, _ARM = ("x86_64", "amd64"), ("aarch64", "arm64")


@intrinsic
def _ticks(typing_context: Any, nothing: Any) -> Any:
    """A counter of the processor that rises evenly; 0 where none is known."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, machine = ir.FunctionType(_LONG, []), platform.machine().lower()
        if machine in _X86:
            insert: Any = cgutils.get_or_insert_function
            return builder.call(insert(builder.module, kind, "llvm.readcyclecounter"), [])
        if machine in _ARM:
            # The cycle counter is closed to programs there, the timer is open.
            return builder.call(ir.InlineAsm(kind, "mrs $0, cntvct_el0", "=r", side_effect=True), [])
        return _LONG(0)

    return types.int64(types.int64), write


@njit
def _run_timed(table: Any, groups: Any, moved: Any, spent: Any) -> Any:
    """``spent``: int64 ``(kernels, 2)``, to be filled with ticks and runs of each. Returns the ticks of all."""
    move = 0
    began = _ticks(0)
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
                before = _ticks(0)
                invoke(table[number, 0], table[number, 1], first, last)
                spent[number, 0] += _ticks(0) - before
                spent[number, 1] += 1
        for number in range(move, done):
            longs(moved[number, 1], 1)[0] = moved[number, 2]
        move = done
    return _ticks(0) - began


def run_timed(program: NativeProgram) -> tuple[np.ndarray[Any, np.dtype[np.float64]], list[int]]:
    """Run a program once, in its usual order.

    Returns:
        Seconds of each of its calls, and in how many pieces it was done. Where the processor has no counter that can
        be read, each call gets the same share.
    """
    spent = np.zeros((len(program.calls), 2), np.int64)
    tables = program.tables()
    start = time.perf_counter()
    total = _run_timed(*tables, spent)
    seconds = time.perf_counter() - start
    shares = spent[:, 0] / total if total > 0 else np.full(len(spent), 1 / max(1, len(spent)))
    return shares * seconds, spent[:, 1].tolist()
