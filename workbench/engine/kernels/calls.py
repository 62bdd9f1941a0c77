"""Kernels bound to their arguments, and lists of them joined to one call."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.kernels.native import Function, run_table

_CACHE_BYTES = 2**20
"""What the buffers of a group may take for the rows that it works on at a time: about half of a level-2 cache."""


Table = np.ndarray[Any, np.dtype[np.int64]]


class NativeCall:
    """A kernel with its arguments.

    Args:
        kernel: what runs.
        rows: how many rows it works on, or the first and the one after the last.
        arguments: its numbers: arrays and functions stand for their address, floats for the bits of a float64.
        row_bytes: what it reads and writes for each row, so that kernels in a row can share the cache; 0 where it must
            see all rows at once.
        least_rows: fewer at a time are not worth it.

    Attributes:
        pieces: where one example can be cut up, given how many threads there are, makes the calls that together do the
            same: stage by stage a call for each thread, or for fewer.
    """

    def __init__(
        self,
        kernel: Function,
        rows: int | tuple[int, int],
        *arguments: Any,
        row_bytes: int = 0,
        least_rows: int = 1,
        pieces: Callable[[int], list[list[NativeCall]]] | None = None,
    ) -> None:
        self.least_rows, self.pieces = least_rows, pieces
        self.kernel, self.rows, self.row_bytes = kernel, (0, rows) if isinstance(rows, int) else rows, row_bytes
        self.arguments = np.array([_number(value) for value in arguments] or [0], np.int64)
        self._functions = [(place, value) for place, value in enumerate(arguments) if isinstance(value, Function)]
        for function in (kernel, *(function for _, function in self._functions)):
            function.bound = True
        # The arrays behind the addresses must live as long as the call.
        self.arrays = [(place, value) for place, value in enumerate(arguments) if isinstance(value, np.ndarray)]
        self._program: NativeProgram | None = None

    def prepare(self) -> tuple[int, int]:
        """Compile what it needs; the addresses of the kernel and of its arguments."""
        for place, function in self._functions:
            self.arguments[place] = function.address
        return self.kernel.address, self.arguments.ctypes.data

    def __call__(self) -> None:
        if self._program is None:
            self._program = NativeProgram([self])
        self._program()


@dataclass(frozen=True)
class _Group:
    """Calls that run in turns over ``step`` rows at a time; ``start`` and ``stop`` are their places in the program."""

    start: int
    stop: int
    rows: tuple[int, int]
    step: int


class NativeProgram:
    """Kernels that run one after the other in a single call, outside Python.

    Args:
        calls: what runs.
        passing: arrays with a row for each of the batch that nothing outside of the program's calls touches. Those that
            one group alone touches are not filled at all: their first rows serve for each few rows in turn, and so
            stay in the cache.

    Attributes:
        narrowed: those arrays by address, with the bytes of them that are used.
    """

    def __init__(self, calls: Sequence[NativeCall], passing: Collection[Array] = ()) -> None:
        self.calls = tuple(calls)
        self._tables: tuple[Table, Table, Table] | None = None
        self._addresses: tuple[int, ...] = ()
        groups = list(_groups(calls))
        self._groups = np.array([(g.start, g.stop, *g.rows, g.step) for g in groups], np.int64).reshape(-1, 5)
        self.narrowed: dict[int, int] = {}
        moved = [(number, *move) for number, g in enumerate(groups) for move in self._moves(g, passing)]
        self._moved = np.array(moved, np.int64).reshape(-1, 4)

    def __call__(self) -> None:
        run_table(*self.tables())

    def tables(self) -> tuple[Table, Table, Table]:
        """What ``run_table`` is given. Compiles what has not been: to bind a program costs nothing before it runs."""
        if self._tables is None:
            table = np.array([call.prepare() for call in self.calls], np.int64).reshape(-1, 2)
            self._tables = table, self._groups, self._moved
        return self._tables

    def addresses(self) -> tuple[int, ...]:
        """Where they lie, each with its length."""
        if not self._addresses:
            self._addresses = tuple(number for each in self.tables() for number in (_address(each), len(each)))
        return self._addresses

    def _moves(self, group: _Group, passing: Collection[Array]) -> Iterator[tuple[int, int, int]]:
        """Where addresses of passing arrays stand, the addresses, and the bytes of a row."""
        if group.step >= group.rows[1] - group.rows[0]:
            return
        inside, outside = self.calls[group.start : group.stop], (*self.calls[: group.start], *self.calls[group.stop :])
        kept = {_address(array) for call in outside for _, array in call.arrays}
        local = {_address(array): array.nbytes // len(array) for array in passing if _address(array) not in kept}
        for call in inside:
            for place, array in call.arrays:
                if _address(array) in local:
                    self.narrowed[_address(array)] = group.step * local[_address(array)]
                    slot = int(call.arguments.ctypes.data) + place * call.arguments.itemsize
                    yield slot, _address(array), local[_address(array)]


def stretches(count: int, pieces: int, least: int) -> list[tuple[int, int]]:
    """``count`` things in up to that many stretches, each from one to another, of no fewer than ``least``."""
    pieces = max(1, min(pieces, count // least))
    return [(count * piece // pieces, count * (piece + 1) // pieces) for piece in range(pieces)]


def joined(calls: Iterable[Call], passing: Collection[Array] = ()) -> list[Call]:
    """The calls, each run of native ones in a row made one; for ``passing`` see ``NativeProgram``."""
    found: list[Call] = []
    runs = [(native, list(run)) for native, run in itertools.groupby(calls, lambda call: isinstance(call, NativeCall))]
    for number, (native, run) in enumerate(runs):
        if not native:
            found += run
            continue
        others = [call for k, (also, other) in enumerate(runs) if also and k != number for call in other]
        elsewhere = {_address(array) for call in others for _, array in call.arrays}  # type: ignore[attr-defined]
        own = [array for array in passing if _address(array) not in elsewhere]
        found.append(NativeProgram(run, own))  # type: ignore[arg-type]
    return found


def _groups(calls: Sequence[NativeCall]) -> Iterator[_Group]:
    """Kernels in a row that can work on a few rows at a time, with how many rows fit into the cache."""
    start = 0
    for (shared, rows), run in itertools.groupby(calls, lambda call: (call.row_bytes > 0, call.rows)):
        members, count = list(run), max(1, rows[1] - rows[0])
        if shared:
            fitting = _CACHE_BYTES // sum(call.row_bytes for call in members)
            least = max(call.least_rows for call in members)
            step = min(count, max(fitting // least * least, least))
            yield _Group(start, start + len(members), rows, step)
        else:
            yield from (_Group(start + number, start + number + 1, rows, count) for number in range(len(members)))
        start += len(members)


def _number(value: Any) -> int:
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous, "a kernel reads contiguous arrays"
        return _address(value)
    if isinstance(value, float):
        return int(np.float64(value).view(np.int64))
    return 0 if isinstance(value, Function) else int(value)


def _address(array: Array) -> int:
    return int(array.ctypes.data)
