"""An update of the weights as machine code: penalties, decay, the optimizer's step, averaging, in one pass."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Chain
from workbench.engine.parameters import Parameters
from workbench.engine.parts import Part
from workbench.engine.shards import ShardPool
from workbench.recipe.training import TrainingRecipe
from workbench.training.averaging import WeightAverage
from workbench.training.flat_update import FlatUpdate
from workbench.training.optimizers.base import Optimizer

_LEAST_STRETCH = 50_000
"""Elements under which a stretch is not worth a thread."""


class CompiledUpdate(FlatUpdate):
    """Updates stretches of the flat vectors. All of it is element by element, so that threads can share the work."""

    def __init__(
        self,
        recipe: TrainingRecipe,
        optimizer: Optimizer,
        parameters: Parameters,
        vectors: Sequence[Array],
        average: WeightAverage | None,
    ) -> None:
        super().__init__(recipe, optimizer, parameters, vectors, average)
        self._numbers = np.zeros(len(optimizer.kernel_numbers(0.0, 1)))
        self._penalties = np.array([recipe.l2, recipe.l1])
        self._limit = np.array([recipe.clip_value or 0.0])
        self._factor, self._decay = np.ones(1), np.zeros(1)
        self._bound: dict[tuple[int, int], list[Call]] = {}
        self._measured: dict[tuple[int, int], tuple[list[Call], Array]] = {}

    @staticmethod
    def fits(optimizer: Optimizer, parameters: Parameters) -> bool:
        """Whether there is machine code for it here."""
        return parameters.backend.compiled and parameters.dtype == np.float32 and optimizer.has_kernel()

    def prepare(self, rate: float, update: int) -> None:
        """Write down what the next update must know: its learning rate and its number in the run, from 1."""
        self._numbers[:] = self._optimizer.kernel_numbers(rate, update)
        self._factor[0] = 1.0 - self._optimizer.decay() * rate
        if self._average:
            self._average.begin()
            self._decay[0] = self._average.decay_at(update)

    def finish(self, part: Part, gradient: Array, strengths: Array) -> list[Call]:
        """Penalties, clipping by value and the update of a part whose gradient is there."""
        from workbench.engine.kernels import updates as kernels

        calls, slopes = [], part.of(gradient)
        if (self._recipe.l2 or self._recipe.l1) and self._decays(part):
            calls.append(_call(kernels.add_penalties, part.of(self._values), slopes, self._penalties))
        if self._recipe.clip_value is not None:
            calls.append(_call(kernels.clip_values, slopes, self._limit))
        return [*calls, *self._updating(part, gradient)]

    def run(self, gradient: Array, pool: ShardPool) -> None:
        """The update alone, after a gradient that was regularized elsewhere."""
        # By where it lies; what is bound to it keeps it from being given away.
        key = int(gradient.ctypes.data), pool.threads
        if key not in self._bound:
            self._bound[key] = self._tasks(gradient, pool.threads, (0, self._decayed, len(self._values)))
        pool.run(self._bound[key])

    def run_measured(self, gradient: Array, pool: ShardPool, ends: Sequence[int]) -> np.ndarray[Any, Any]:
        """As ``run``; gives by stretch the squared lengths of the weights before it and of their changes.

        Args:
            gradient, pool: as for ``run``.
            ends: where stretches end, the last one with all weights.

        Returns:
            float64 ``(stretches, 2)``.
        """
        key = int(gradient.ctypes.data), pool.threads
        if key not in self._measured:
            threads = self._threads(pool.threads)
            # Of the copies only as much is ever written to as a program works on at a time.
            before, sums = np.empty_like(self._values), np.zeros((threads, len(ends), 2))
            self._measured[key] = self._tasks(gradient, pool.threads, (0, *ends), (before, sums)), sums
        tasks, sums = self._measured[key]
        sums[...] = 0
        pool.run(tasks)
        total: np.ndarray[Any, Any] = sums.sum(axis=0)
        return total

    def _threads(self, most: int) -> int:
        return max(1, min(most, len(self._values) // _LEAST_STRETCH))

    def _tasks(
        self, gradient: Array, most: int, ends: Sequence[int], measured: tuple[Array, Array] | None = None
    ) -> list[Call]:
        """Each thread's share of an update; ``measured`` are room for copies of the weights, and sums to add to."""
        threads = self._threads(most)
        tasks: list[list[Call]] = [[] for _ in range(threads)]
        passing: list[Array] = []
        for stretch, (start, stop) in enumerate(itertools.pairwise(ends)):
            for number, calls in enumerate(tasks):
                first, last = (start + (stop - start) * k // threads for k in (number, number + 1))
                part = Part(first, last - first, 1)
                if not part.rows:
                    continue
                updating = self._updating(part, gradient)
                if measured:
                    before, sums = part.of(measured[0]), measured[1][number, stretch]
                    updating = _measuring(part.of(self._values), before, updating, sums)
                    passing.append(before)
                calls += updating
        return [_chain(calls, passing) for calls in tasks]

    def _updating(self, part: Part, gradient: Array) -> list[Call]:
        from workbench.engine.kernels import updates as kernels

        calls, values = [], part.of(self._values)
        if self._optimizer.decay() and self._decays(part):
            calls.append(_call(kernels.shrink, values, self._factor))
        step, state = getattr(kernels, self._optimizer.kernel_name()), [part.of(vector) for vector in self._vectors]
        calls.append(_call(step, values, part.of(gradient), *state, self._numbers))
        if self._average and not self.leaves_average:
            calls.append(_call(kernels.follow_average, values, part.of(self._average.vector), self._decay))
        return calls

    def _decays(self, part: Part) -> bool:
        return part.start < self._decayed


def _call(kernel: Any, *arguments: Array) -> Call:
    from workbench.engine.kernels.calls import NativeCall

    rows, size = arguments[0].shape
    return NativeCall(kernel, rows, size, *arguments, row_bytes=4 * size * (len(arguments) - 1))


def _measuring(values: Array, before: Array, updating: list[Call], sums: Array) -> list[Call]:
    """An update between a copy of the weights and what compares them with it."""
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.shaping import copy_values
    from workbench.engine.kernels.watching import add_squares

    rows, size = values.shape
    copy = NativeCall(copy_values, rows, values, before, size, row_bytes=4 * size)
    return [copy, *updating, NativeCall(add_squares, rows, size, before, values, sums, row_bytes=4 * size)]


def _chain(calls: list[Call], passing: Sequence[Array] = ()) -> Call:
    from workbench.engine.kernels.calls import joined

    if not calls:  # every layer is frozen, or none has weights
        return Chain()
    (program,) = joined(calls, passing)
    return program
