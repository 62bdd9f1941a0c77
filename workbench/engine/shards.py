"""Threads that each compute one shard of a batch, and the place where shards exchange sums."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

from workbench.engine.backend import Array

Task = Callable[[], None]


class ShardPool:
    """Runs a list of tasks at once, the first on the calling thread, the others on threads that wait for them.

    The threads are daemons named ``shard-1``..., and end with ``close`` or with the pool itself.
    """

    def __init__(self, threads: int) -> None:
        self.threads = max(1, threads)
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._inboxes: list[SimpleQueue[Task | None]] = [SimpleQueue() for _ in range(self.threads - 1)]
        self._workers = [
            threading.Thread(target=_work, args=(inbox, self._done), name=f"shard-{number}", daemon=True)
            for number, inbox in enumerate(self._inboxes, start=1)
        ]
        for worker in self._workers:
            worker.start()
        # The workers hold the queues, not the pool: dropping the pool without close must end them too.
        self._finalizer = weakref.finalize(self, _stop, self._inboxes)

    def run(self, tasks: Sequence[Task], abort: Task | None = None) -> None:
        """Run at most as many tasks as there are threads; return when all have ended.

        Args:
            tasks: what to do, one for each shard.
            abort: called once as soon as a task fails, to free others that wait for it.

        Raises:
            BaseException: what a task raised; of several the first that is no consequence of the abort.
        """
        for inbox, task in zip(self._inboxes, tasks[1:], strict=False):
            inbox.put(_guarded(task, abort) if abort else task)
        failures: list[BaseException] = []
        try:
            tasks[0]()
        except BaseException as error:
            failures.append(error)
            if abort:
                abort()
        failures += [failure for _ in tasks[1:] if (failure := self._done.get()) is not None]
        if failures:
            raise next((e for e in failures if not isinstance(e, threading.BrokenBarrierError)), failures[0])

    def close(self) -> None:
        """End the threads and wait for them."""
        self._finalizer()
        for worker in self._workers:
            worker.join()


def _guarded(task: Task, abort: Task) -> Task:
    def run() -> None:
        try:
            task()
        except BaseException:
            abort()
            raise

    return run


def _work(inbox: SimpleQueue[Task | None], done: SimpleQueue[BaseException | None]) -> None:
    while (task := inbox.get()) is not None:
        try:
            task()
        except BaseException as error:
            done.put(error)
        else:
            done.put(None)
        # Holding the last task would keep its plan's buffers alive until the next one comes.
        del task


def _stop(inboxes: list[SimpleQueue[Any]]) -> None:
    for inbox in inboxes:
        inbox.put(None)


class SumMeeting:
    """Where a layer's shards add up their sums, always in the order of the shards (see ``layer.Meeting``)."""

    def __init__(self, shards: int, barrier: threading.Barrier) -> None:
        self._slots: list[Array | None] = [None] * shards
        self._barrier = barrier

    def total(self, shard: int, values: Array) -> Array:
        """The sum of all shards' values, the same bits for each shard."""
        self._slots[shard] = values
        self._barrier.wait()
        total = self._slots[0].copy()  # type: ignore[union-attr]
        for values_of_other in self._slots[1:]:
            total += values_of_other
        # Nobody may hand in the next values before all have read these.
        self._barrier.wait()
        return total
