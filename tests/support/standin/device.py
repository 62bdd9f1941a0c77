"""What a device that is none keeps of itself: memory, transfers, streams, and who may touch what when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class OutOfMemoryError(MemoryError):
    """As ``cupy.cuda.memory.OutOfMemoryError``."""


class RaceError(AssertionError):
    """Two streams touch the same memory, and nothing says which of them is first."""


@dataclass
class Counts:
    """What was done.

    Attributes:
        uploads, downloads: transfers from and to the host, and bytes of them.
        synchronizations: times that the host waited for the device; each download is one.
        calls: operations started.
        allocations: arrays made.
    """

    uploads: int = 0
    downloads: int = 0
    uploaded: int = 0
    synchronizations: int = 0
    calls: int = 0
    allocations: int = 0


@dataclass
class Device:
    """A device with memory of its own.

    Attributes:
        total: bytes of memory.
        fails_at: the number of the allocation, from 1, that finds no memory; None for none.
        fails_above: bytes that a single allocation may not exceed, however much is free.
        used, peak: bytes of the arrays that live, and their most so far.
        now: how many operations the main stream was given.
    """

    total: int = 2**40
    fails_at: int | None = None
    fails_above: int | None = None
    used: int = 0
    peak: int = 0
    now: int = 0
    counts: Counts = field(default_factory=Counts)
    main: Stream = field(init=False)

    def __post_init__(self) -> None:
        self.main = Stream(self)

    def forget(self) -> None:
        """Begin to count anew."""
        self.counts = Counts()

    def give_back(self) -> None:
        """What a pool holds beyond what is used is given back, so that its size is that of the arrays that live."""
        self.peak = self.used

    def wait(self) -> None:
        """The host waits."""
        self.counts.synchronizations += 1


class Memory:
    """The memory of an array, shared by its views."""

    def __init__(self, device: Device, size: int) -> None:
        self.device, self.size = device, 0
        counts = device.counts
        counts.allocations += 1
        if device.fails_at is not None:
            device.fails_at -= 1
            if device.fails_at <= 0:
                device.fails_at = None
                raise OutOfMemoryError(f"Out of memory allocating {size:,} bytes (planted)")
        if device.used + size > device.total or size > (device.fails_above or size):
            raise OutOfMemoryError(f"Out of memory allocating {size:,} bytes (allocated so far: {device.used:,} bytes)")
        self.size = size
        device.used += size
        device.peak = max(device.peak, device.used)
        # What a pool hands out may still be in use by what was started before.
        device.now += 1
        self.used_at = device.now
        self.arriving: Stream | None = None

    def touch(self) -> None:
        """The main stream reads or writes it."""
        if self.arriving is not None:
            raise RaceError("the main stream uses what another stream still copies: it must wait for that one's event")
        self.used_at = self.device.now

    def __del__(self) -> None:
        self.device.used -= self.size


class Stream:
    """A queue of copies. All but those run at once, copies when somebody waits for them: as late as they may.

    What was forgotten to be waited for is then seen: what a copy brings is not there yet, what it reads is overwritten.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._queue: list[tuple[Memory, Callable[[], None]]] = []
        self.done = 0
        self.seen = 0

    @property
    def issued(self) -> int:
        return self.done + len(self._queue)

    def copy(self, memory: Memory, work: Callable[[], None]) -> None:
        if self is self._device.main:
            work()
            return
        if memory.used_at > self.seen:
            raise RaceError("a copy overwrites what the main stream may still read: it must wait for its event")
        memory.arriving = self
        self._queue.append((memory, work))

    def advance(self, mark: int) -> None:
        """Run what was queued before a mark."""
        while self.done < mark and self._queue:
            memory, work = self._queue.pop(0)
            memory.arriving = None
            work()
            self.done += 1

    def wait_event(self, event: Event) -> None:
        if event.stream is None:
            return
        if self is self._device.main:
            event.stream.advance(event.mark)
        else:
            self.seen = max(self.seen, event.mark if event.stream is self._device.main else event.stream.seen)

    def record(self, event: Event | None = None) -> Event:
        event = event or Event(self._device)
        event.record(self)
        return event

    def synchronize(self) -> None:
        self._device.wait()
        self.advance(self.issued)


class Event:
    """A place in a stream."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.stream: Stream | None = None
        self.mark = 0

    def record(self, stream: Stream | None = None) -> None:
        self.stream = stream or self._device.main
        self.mark = self._device.now if self.stream is self._device.main else self.stream.issued

    @property
    def done(self) -> bool:
        return self.stream is None or self.stream is self._device.main or self.stream.done >= self.mark

    def synchronize(self) -> None:
        # Waiting for what has long been done costs nothing.
        if not self.done and self.stream:
            self._device.wait()
            self.stream.advance(self.mark)


def size_of(array: np.ndarray[Any, Any]) -> int:
    """Bytes of memory that an array takes."""
    return int(array.size * array.itemsize)
