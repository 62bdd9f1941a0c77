"""NumPy, and machine code where it pays: the everyday backend on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from math import prod
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Backend, Call, Shape
from workbench.engine.resident import HUGE_PAGE, LARGE_ARRAY
from workbench.errors import DeviceError

_SLAB = 2**25
"""Bytes that smaller arrays are cut from. For large ones NumPy asks for large pages itself."""

_LINE = 64
"""Bytes of a cache line: no two arrays share one."""


class CompiledBackend(Backend):
    """As ``Backend``, and what computes in float32 may bind compiled kernels (``workbench.engine.kernels``).

    Raises:
        DeviceError: Numba, which compiles them, cannot be used here.
    """

    compiled = True

    def __init__(self) -> None:
        try:
            from workbench.engine.kernels.calls import joined
        except Exception as error:  # A broken compiler fails in many ways; plain NumPy goes on without it.
            raise _lack(error) from None
        self._joined = joined
        self._slab, self._used = np.empty(0, np.uint8), 0

    def joined(self, calls: Iterable[Call], passing: Collection[Array] = ()) -> list[Call]:
        return self._joined(calls, passing)

    def empty(self, shape: Shape, dtype: Any) -> Array:
        """Cut from large slabs, for which NumPy asks the system for large pages.

        A matrix product walks through many pages at a time: with small ones it waits for their addresses.
        """
        size = prod(shape) * np.dtype(dtype).itemsize
        if size >= LARGE_ARRAY:
            return _at_a_border(np.empty, shape, dtype)
        if self._used + size > self._slab.nbytes:
            self._slab, self._used = np.empty(_SLAB, np.uint8), 0
            self._used = -self._slab.ctypes.data % _LINE
        cut = self._slab[self._used : self._used + size]
        self._used += -(-size // _LINE) * _LINE
        return cut.view(dtype).reshape(shape)

    def zeros(self, shape: Shape, dtype: Any) -> Array:
        if prod(shape) * np.dtype(dtype).itemsize >= LARGE_ARRAY:
            # Memory that the system gives is 0 already, and takes no room before something else is written to it.
            return _at_a_border(np.zeros, shape, dtype)
        array = self.empty(shape, dtype)
        array[...] = 0
        return array

    def ready(self) -> bool:
        from workbench.engine.kernels.native import pending
        from workbench.engine.kernels.team import runners_on_disk

        return runners_on_disk() and all(function.on_disk() for function in pending())

    def prepare(self) -> Iterator[tuple[int, int]]:
        from workbench.engine.kernels.native import pending
        from workbench.engine.kernels.team import compile_runners, runners_on_disk

        waiting = pending()
        total = len(waiting) + 1
        if not runners_on_disk():
            yield 0, total
        try:
            compile_runners()
        except Exception as error:  # As above.
            raise _lack(error) from None
        for number, function in enumerate(waiting, start=1):
            if function.prepare():
                yield number + 1, total


def _at_a_border(make: Callable[..., Array], shape: Shape, dtype: Any) -> Array:
    """A large array that begins with a large page: how many of them its first rows take is then no matter of chance."""
    size = prod(shape) * np.dtype(dtype).itemsize
    room = make(size + HUGE_PAGE, np.uint8)
    start = -room.ctypes.data % HUGE_PAGE
    return room[start : start + size].view(dtype).reshape(shape)


def _lack(error: Exception) -> DeviceError:
    mend = "Install it, or set WORKBENCH_KERNELS=off."
    return DeviceError(f"Numba cannot be used ({error})", where="compiled kernels", mend=mend)
