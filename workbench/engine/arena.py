"""Memory of one shard: buffers handed out while a program is compiled, and used again where lives do not overlap."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Backend, Shape
from workbench.engine.resident import taken_by


class Arena:
    """Buffers of one shard.

    Programs for fewer rows take the same memory: ``begin`` starts handing it out anew. The memory of the largest
    program stays; only one program runs at a time.
    """

    def __init__(self, backend: Backend, dtype: Any) -> None:
        self._backend, self._dtype = backend, np.dtype(dtype)
        self._pages: list[Array] = []
        self._free: list[Array] = []
        self._taken: list[tuple[Array, Array]] = []
        self._kept: dict[str, Array] = {}
        self._rows = 0
        self._uses: list[tuple[Array, Array]] = []
        self._touched: dict[int, int] = {}

    @property
    def nbytes(self) -> int:
        """All memory held that is ever written to: what is not takes room in no memory chip."""
        return sum(self._touched.values()) + sum(int(page.nbytes) for page in self._kept.values())

    def largest(self) -> int:
        """Bytes of the largest buffer."""
        return max((int(page.nbytes) for page in (*self._pages, *self._kept.values())), default=0)

    def begin(self, rows: int) -> None:
        """Start a program for this many rows."""
        self._rows = rows
        self._free, self._taken, self._uses = list(self._pages), [], []

    def end(self, narrowed: Mapping[int, int]) -> None:
        """The program is bound.

        Args:
            narrowed: by address, bytes of the arrays of which only the first rows are used (see ``NativeProgram``).
        """
        for array, page in self._uses:
            used = int(array.nbytes)
            if narrowed and array.ctypes.data in narrowed:
                used = taken_by(array.ctypes.data, page.nbytes, narrowed[array.ctypes.data])
            self._touched[id(page)] = max(self._touched.get(id(page), 0), used)

    def take(self, shape: Shape) -> Array:
        """An array ``(rows, *shape)``, its contents undefined."""
        count = self._rows * prod(shape)
        fitting = [page for page in self._free if page.size >= count]
        if fitting:
            page = min(fitting, key=lambda page: page.size)
            self._free = [other for other in self._free if other is not page]
        else:
            page = self._backend.empty((max(1, count),), self._dtype)
            self._pages.append(page)
        array = page[:count].reshape(self._rows, *shape)
        self._taken.append((array, page))
        self._uses.append((array, page))
        return array

    def give(self, array: Array) -> None:
        """Hand a taken array back: the next ``take`` may return its memory."""
        self._free += [page for taken, page in self._taken if taken is array]
        self._taken = [pair for pair in self._taken if pair[0] is not array]

    def keep(self, name: str, shape: Shape, dtype: Any) -> Array:
        """An array for one purpose, the same memory for each program."""
        size = prod(shape) * np.dtype(dtype).itemsize
        page = self._kept.get(name)
        if page is None or page.nbytes < size:
            page = self._backend.empty((max(1, size),), np.uint8)
            self._kept[name] = page
        return page[:size].view(dtype).reshape(shape)
