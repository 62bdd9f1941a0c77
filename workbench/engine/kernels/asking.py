"""Asking for lines of memory before they are needed: a processor then works on while they come."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from workbench.engine.kernels.native import intrinsic, part


def _asking(write: int, near: int) -> Any:
    """Writes the instruction that asks for the line at an address, to be written or read, into a cache."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place, number, number, number])
        ask: Any = cgutils.get_or_insert_function
        builder.call(
            ask(builder.module, kind, "llvm.prefetch.p0"),
            [builder.inttoptr(values[0], place), number(write), number(near), number(1)],
        )
        return context.get_dummy_value()

    return build


@intrinsic
def fetch(typing_context: Any, address: Any) -> Any:
    """Ask for what lies at an address to be brought into the level-2 cache."""
    return types.void(types.int64), _asking(0, 2)


_AHEAD = 2**11
"""Bytes: the processor looks ahead by itself, but stops at each page's end."""


@part
def fetch_ahead(address: int) -> None:
    """Ask for what will soon be read of an array that is gone through from its start."""
    fetch(address + _AHEAD)


@intrinsic
def claim(typing_context: Any, address: Any) -> Any:
    """Ask for the line at an address to be brought into the level-1 cache, to be written."""
    return types.void(types.int64), _asking(1, 3)


@part
def fetch_bytes(address: int, count: int) -> None:
    """Ask for that many bytes."""
    for line in range(0, count, 64):
        fetch(address + line)
