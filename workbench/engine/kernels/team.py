"""Threads that look out for their next table of kernels for a short while, before they go back to Python to sleep.

To wake a thread takes some 50 microseconds, as much as a small step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from workbench.engine.boxes import BOX, FINISHED, GIVEN, POSTED, STANDS, TAKEN, Boxes
from workbench.engine.kernels.calls import NativeProgram
from workbench.engine.kernels.native import grid, intrinsic, longs, njit, on_disk, part, run_table
from workbench.engine.kernels.waiting import raised, rest, seen

_ASLEEP, _WATCHING, _AT_WORK = 0, 1, 2
"""How a thread stands: in Python, looking at its box, or doing what it found there."""

_LOOKS = 1_500
"""At a box before a thread goes to sleep: some 300 microseconds, more than goes by between two steps."""

_LONG = ir.IntType(64)


@intrinsic
def _changed(typing_context: Any, address: Any, expected: Any, value: Any) -> Any:
    """Put a value where the expected one lies, unless another thread was first; 1 if it was put there."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = builder.inttoptr(values[0], _LONG.as_pointer())
        found = builder.cmpxchg(place, values[1], values[2], "seq_cst", "seq_cst")
        return builder.zext(builder.extract_value(found, 1), _LONG)

    return types.int64(*[types.int64] * 3), write


@njit
def _serve(box: Any) -> None:
    stands, looks = box + 8 * STANDS, 0
    _changed(stands, _ASLEEP, _WATCHING)
    while True:
        if seen(stands) == _AT_WORK:
            given = longs(box + 8 * GIVEN, 6)
            run_table(grid(given[0], given[1], 2), grid(given[2], given[3], 5), grid(given[4], given[5], 4))
            # Ready for the next one before the end of this one is told.
            _changed(stands, _AT_WORK, _WATCHING)
            raised(box + 8 * FINISHED)
            looks = 0
        over = looks > _LOOKS or seen(box + 8 * POSTED) != seen(box + 8 * TAKEN)
        if over and _changed(stands, _WATCHING, _ASLEEP) == 1:
            return
        looks += 1
        rest(looks)


@part
def _handed_over(boxes: int, given: Any, there: Any, finished: Any) -> int:
    """Give each row of tables to the thread of its number; how many were there to take theirs."""
    count = 0
    for number in range(given.shape[0]):
        box = boxes + 8 * BOX * number
        there[number], finished[number] = 0, seen(box + 8 * FINISHED)
        if seen(box + 8 * STANDS) == _WATCHING:
            into = longs(box + 8 * GIVEN, 6)
            for i in range(6):
                into[i] = given[number, i]
            there[number] = _changed(box + 8 * STANDS, _WATCHING, _AT_WORK)
        count += there[number]
    return count


@njit
def _await(boxes: Any, there: Any, finished: Any) -> None:
    """Return once those who were there have finished one table more."""
    for number in range(there.shape[0]):
        looks = 0
        while there[number] and seen(boxes + 8 * (BOX * number + FINISHED)) == finished[number]:
            looks += 1
            rest(looks)


@njit
def _lead(boxes: Any, given: Any, there: Any, finished: Any, table: Any, groups: Any, moved: Any) -> Any:
    """Hand over; where all were there, do the own table and wait for theirs, and give True."""
    if _handed_over(boxes, given, there, finished) < given.shape[0]:
        return False
    run_table(table, groups, moved)
    _await(boxes, there, finished)
    return True


_TABLES, _NUMBERS = (types.Array(types.int64, 2, "C"),) * 3, types.Array(types.int64, 1, "C")
_RUNNERS = (
    (run_table, _TABLES),
    (_serve, (types.int64,)),
    (_await, (types.int64, _NUMBERS, _NUMBERS)),
    (_lead, (types.int64, types.Array(types.int64, 2, "C"), _NUMBERS, _NUMBERS, *_TABLES)),
)


def runners_on_disk() -> bool:
    """Whether what runs tables of kernels, alone and with others, is kept on disk for this processor."""
    return all(on_disk(runner.py_func, arguments) for runner, arguments in _RUNNERS)


def compile_runners() -> None:
    """Have it ready."""
    for runner, arguments in _RUNNERS:
        runner.compile(arguments)


def serve(box: Boxes) -> None:
    """Do what comes into a box ``(BOX,)``; return after a while, or as soon as Python has something for the thread."""
    _serve(int(box.ctypes.data))


class Lead:
    """What gives programs to threads.

    Args:
        boxes: of the threads, ``(threads, BOX)``.
    """

    def __init__(self, boxes: Boxes) -> None:
        self._boxes, self._place = boxes, int(boxes.ctypes.data)
        self._there, self._finished = (np.zeros(len(boxes), np.int64) for _ in range(2))

    def start(self, programs: Sequence[NativeProgram]) -> list[int]:
        """Give all but the first to threads in order.

        Returns:
            The threads that sleep: theirs are still to be done, and the first. If none does, all has been done.
        """
        count = len(programs) - 1
        given = np.array([program.addresses() for program in programs[1:]], np.int64).reshape(count, 6)
        there = self._there[:count]
        if _lead(self._place, given, there, self._finished[:count], *programs[0].tables()):
            return []
        return np.flatnonzero(there == 0).tolist()

    def wait(self) -> None:
        """Return once those that did not sleep have done theirs."""
        _await(self._place, self._there, self._finished)
