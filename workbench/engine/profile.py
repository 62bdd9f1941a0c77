"""Where the time of a step goes: by layer and by kernel, measured in the order of a step and with its caches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from workbench.engine.backend import Backend, Call
from workbench.engine.network import Network
from workbench.engine.shards import ShardPool
from workbench.engine.shards import Task as PoolTask
from workbench.engine.task import Owner, Task

WAITING = "wait_for_all"
"""The kernel in which shards wait for each other."""
_PRODUCTS = ("_forward", "_input_gradient", "_weight_gradient")
"""How kernels are called that make all of a layer's multiply-adds once."""

Key = tuple[Owner, str]
"""What a call is for, and its kernel; empty for a call in Python."""
Spent = dict[Key, tuple[float, int]]
"""Seconds and calls."""


@dataclass(frozen=True)
class Timing:
    """One kernel of one layer, or what Python does for it.

    Attributes:
        owner: what it is for.
        kernel: its name; empty for a call in Python.
        seconds: of a step, the mean of the threads.
        calls: in a step, of one thread; kernels that take turns over a few rows count each of them.
        multiply_adds: of a step, of all threads; 0 where it is not known.
    """

    owner: Owner
    kernel: str
    seconds: float
    calls: int
    multiply_adds: int


class RecordingPool(ShardPool):
    """Runs tasks as ``ShardPool`` does, and in every other step notes how long each of their calls takes.

    The steps between, in which nothing is noted, say what a step takes: noting costs time too.

    Args:
        threads: to use.
        backend: of the tasks; waited for around each call where it computes on its own.
    """

    def __init__(self, threads: int, backend: Backend) -> None:
        super().__init__(threads)
        self._backend = backend
        self._steps: list[Spent] = []
        self._elapsed: list[float] = []
        self._noting = False
        self.shards = 1

    def begin_step(self) -> bool:
        """What runs from now on belongs to another step; whether its calls are timed."""
        self._noting = not self._noting
        if self._noting:
            self._steps.append({})
        else:
            self._elapsed.append(0.0)
        return self._noting

    def forget(self) -> None:
        """Begin anew: what was noted was warming up."""
        self._steps, self._elapsed, self._noting = [], [], False

    def run(self, tasks: Sequence[PoolTask], abort: PoolTask | None = None) -> None:
        self.shards = max(self.shards, len(tasks))
        if self._noting:
            self._note(tasks, abort)
            return
        start = time.perf_counter()
        super().run(tasks, abort)
        self._elapsed[-1] += time.perf_counter() - start

    def _note(self, tasks: Sequence[PoolTask], abort: PoolTask | None) -> None:
        notes: list[list[tuple[Key, float, int]]] = [[] for _ in tasks]
        super().run([self._timed(task, note) for task, note in zip(tasks, notes, strict=True)], abort)
        spent = self._steps[-1]
        for key, seconds, calls in (each for note in notes for each in note):
            before = spent.get(key, (0.0, 0))
            spent[key] = before[0] + seconds / len(tasks), before[1] + calls

    def elapsed(self) -> float:
        """Median seconds of a step within this pool, where nothing was noted."""
        return median(self._elapsed)

    def timings(self, network: Network, rows: int) -> list[Timing]:
        """Medians over the steps.

        Args:
            network: what was computed.
            rows: of each batch.
        """
        keys = dict.fromkeys(key for step in self._steps for key in step)
        return [self._timing(key, network, rows) for key in keys]

    def _timing(self, key: Key, network: Network, rows: int) -> Timing:
        (owner, kernel), found = key, [step.get(key, (0.0, 0)) for step in self._steps]
        seconds, calls = median(each[0] for each in found), median(each[1] for each in found)
        return Timing(owner, kernel, seconds, round(calls / self.shards), rows * _multiply_adds(network, owner, kernel))

    def _timed(self, task: PoolTask, note: list[tuple[Key, float, int]]) -> PoolTask:
        calls: list[Call] = task.calls if isinstance(task, Task) else [task]
        # What comes from elsewhere than a plan is the update of the weights.
        owner = task.owner if isinstance(task, Task) else lambda _: Owner("", "update")

        def run() -> None:
            with np.errstate(all="ignore"):
                for call in calls:
                    note.extend(self._call(call, owner))

        return run

    def _call(self, call: Call, owner: Callable[[Call], Owner]) -> Iterator[tuple[Key, float, int]]:
        singles = getattr(call, "calls", None)
        if self._backend.compiled and singles is not None:
            from workbench.engine.kernels.calls import NativeProgram
            from workbench.engine.kernels.timing import run_timed

            assert isinstance(call, NativeProgram)
            seconds, pieces = run_timed(call)
            for single, spent, count in zip(call.calls, seconds.tolist(), pieces, strict=True):
                yield (owner(single), single.kernel.name), spent, count
            return
        for piece in singles or (call,):
            self._backend.synchronize()
            start = time.perf_counter()
            piece()
            self._backend.synchronize()
            # What was fused into one launch counts for the first of them.
            began, kernel = getattr(piece, "origin", piece), getattr(piece, "kernel", None)
            yield (owner(began), kernel.name if kernel else ""), time.perf_counter() - start, 1


def _multiply_adds(network: Network, owner: Owner, kernel: str) -> int:
    """Of one example; 0 where it is not known."""
    node = next((node for node in network.nodes if node.name == owner.layer), None)
    if node is None:
        return 0
    once = node.layer.multiply_adds(node.input_shapes)
    if kernel:
        return once if kernel.endswith(_PRODUCTS) else 0
    return once if owner.duty == "forward" else 0
