"""Pinned double buffering: the next batch is gathered and copied while the device computes the present one."""

from __future__ import annotations

from typing import Any

from workbench.engine.backend import Array, Shape
from workbench.engine.staging import Gather, Stager

_HALVES = 2


class _Half:
    """One of the two buffers, in pinned memory and on the device.

    Attributes:
        copied: recorded when its content is on the device.
        free: recorded when everything that reads it on the device has been started.
    """

    def __init__(self, cupy: Any, shape: Shape, dtype: Any) -> None:
        import cupyx

        self.host = cupyx.empty_pinned(shape, dtype)
        self.device = cupy.empty(shape, dtype)
        self.copied, self.free = (cupy.cuda.Event(disable_timing=True) for _ in range(2))


class PinnedStager(Stager):
    """Copies on a stream of its own, ordered with the plan's by events: the host waits for neither.

    A plan's calls only start work. So while the device computes a batch, the host is already back here, gathers the
    next one into the other buffer and starts its copy, which goes on beside the computation.
    """

    def __init__(self, cupy: Any, shape: Shape, dtype: Any) -> None:
        super().__init__(shape, dtype)
        self._cupy, self._rows, self._turn = cupy, 0, 0
        self._copying = cupy.cuda.Stream(non_blocking=True)
        self._halves: list[_Half] = []

    def bring(self, rows: int, gather: Gather) -> Array:
        if rows > self._rows:
            self._reserve(rows)
        main, half = self._cupy.cuda.get_current_stream(), self._halves[self._turn]
        self._turn = (self._turn + 1) % _HALVES
        # What reads the batch brought before has been started by now: its buffer's next copy waits for that.
        self._halves[self._turn].free.record(main)
        # Two batches ago; by now it is nearly always done.
        half.copied.synchronize()
        gather(half.host[:rows])
        self._copying.wait_event(half.free)
        half.device[:rows].set(half.host[:rows], stream=self._copying)
        half.copied.record(self._copying)
        main.wait_event(half.copied)
        return half.device[:rows]

    def _reserve(self, rows: int) -> None:
        # What still copies reads from memory that is about to be given away.
        self._copying.synchronize()
        self._halves.clear()
        self._halves += [_Half(self._cupy, (rows, *self._shape), self._dtype) for _ in range(_HALVES)]
        self._rows = rows
        # The pool may have taken the memory from something that the device still works on.
        main = self._cupy.cuda.get_current_stream()
        for half in self._halves:
            half.free.record(main)

    def device_bytes(self, rows: int) -> int:
        return _HALVES * self._bytes(rows)
