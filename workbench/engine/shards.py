"""Threads that each compute one shard of a batch, and the place where shards exchange sums."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any

from workbench.engine.backend import Array
from workbench.engine.boxes import POSTED, TAKEN, Boxes, new_boxes

Task = Callable[[], None]


class ShardPool:
    """Runs a list of tasks at once, the first on the calling thread, the others on threads that wait for them.

    The threads are daemons named ``shard-1``..., and end with ``close`` or with the pool itself. Once tasks have come
    that are machine code alone, they look out for the next ones for a while before they sleep.
    """

    def __init__(self, threads: int) -> None:
        self.threads = max(1, threads)
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._boxes = new_boxes(self.threads - 1)
        self._posts = [_Post(box) for box in self._boxes]
        self._lead: Any = None
        self._workers = [
            threading.Thread(target=_work, args=(post, self._done), name=f"shard-{number}", daemon=True)
            for number, post in enumerate(self._posts, start=1)
        ]
        for worker in self._workers:
            worker.start()
        # The workers hold the posts, not the pool: dropping the pool without close must end them too.
        self._finalizer = weakref.finalize(self, _stop, self._posts)

    def run(self, tasks: Sequence[Task], abort: Task | None = None) -> None:
        """Run at most as many tasks as there are threads; return when all have ended.

        Args:
            tasks: what to do, one for each shard.
            abort: called once as soon as a task fails, to free others that wait for it.

        Raises:
            BaseException: what a task raised; of several the first that is no consequence of the abort.
        """
        # Machine code looks for a box of each thread, whether there is one or not.
        assert len(tasks) <= self.threads, "no thread for each task"
        programs = [getattr(task, "program", None) for task in tasks]
        if len(tasks) == 1 or not all(programs):
            self._run(tasks[0], dict(enumerate(tasks[1:])), abort)
            return
        lead = self._lead or self._new_lead()
        try:
            if asleep := lead.start(programs):
                self._run(tasks[0], {number: tasks[number + 1] for number in asleep}, abort)
                lead.wait()
        except BaseException:
            # Ctrl+C, say. Nothing but the caller keeps the memory that the others still work on.
            if abort:
                abort()
            lead.wait()
            raise

    def _new_lead(self) -> Any:
        from workbench.engine.kernels.team import Lead, serve

        self._lead = Lead(self._boxes)
        for post in self._posts:
            post.serve = serve
        return self._lead

    def _run(self, first: Task, others: Mapping[int, Task], abort: Task | None) -> None:
        """Run one task here and others on the threads of their numbers."""
        for number, task in others.items():
            self._posts[number].put(_guarded(task, abort) if abort else task)
        failures: list[BaseException] = []
        try:
            first()
        except BaseException as error:
            failures.append(error)
            if abort:
                abort()
        try:
            failures += [failure for _ in others if (failure := self._done.get()) is not None]
        except BaseException as error:  # Ctrl+C
            failures.append(error)
            if abort:
                abort()
            self._await_all(others)
        if failures:
            raise next((e for e in failures if not isinstance(e, threading.BrokenBarrierError)), failures[0])

    def _await_all(self, numbers: Iterable[int]) -> None:
        """Return once some threads have ended their tasks, however many of them have been heard of."""
        while any(self._posts[number].at_work() for number in numbers):
            time.sleep(0.001)
        while not self._done.empty():
            self._done.get()

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


class _Post:
    """Where a thread gets its tasks.

    Attributes:
        serve: what the thread does with its box before it sleeps; see ``workbench.engine.kernels.team``.
        ended: how many tasks the thread has told the end of.
    """

    def __init__(self, box: Boxes) -> None:
        self.box = box
        self.serve: Callable[[Boxes], None] | None = None
        self.ended = 0
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()

    def put(self, task: Task | None) -> None:
        """Send a task; None ends the thread."""
        # First the number: who looks at the box is to come back.
        self.box[POSTED] += 1
        self._tasks.put(task)

    def get(self) -> Task | None:
        """The next task, when there is one."""
        if self.serve:
            self.serve(self.box)
        task = self._tasks.get()
        self.box[TAKEN] += 1
        return task

    def at_work(self) -> bool:
        """Whether a task that was sent has not ended."""
        return bool(self.box[POSTED] != self.ended)


def _work(post: _Post, done: SimpleQueue[BaseException | None]) -> None:
    while (task := post.get()) is not None:
        try:
            task()
        except BaseException as error:
            done.put(error)
        else:
            done.put(None)
        post.ended += 1
        # Holding the last task would keep its plan's buffers alive until the next one comes.
        del task


def _stop(posts: list[_Post]) -> None:
    for post in posts:
        post.put(None)


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
