"""An update of the weights as machine code: penalties, decay, the optimizer's step, averaging, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.parameters import Parameters
from workbench.engine.shards import ShardPool
from workbench.recipe.training import TrainingRecipe
from workbench.training.averaging import WeightAverage
from workbench.training.optimizers.base import Optimizer

_LEAST_STRETCH = 50_000
"""Elements under which a stretch is not worth a thread."""


class CompiledUpdate:
    """Updates stretches of the flat vectors. All of it is element by element, so that threads can share the work.

    Args:
        recipe: for the penalties.
        optimizer: has a kernel.
        parameters: in float32, on a backend with compiled kernels.
        vectors: the optimizer's state, in the order of its ``vectors``.
        average: of the weights, or None.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        optimizer: Optimizer,
        parameters: Parameters,
        vectors: Sequence[Array],
        average: WeightAverage | None,
    ) -> None:
        self._recipe, self._optimizer, self._average = recipe, optimizer, average
        self._vectors, self._decayed = list(vectors), parameters.layout.decayed
        self._values = parameters.values[: parameters.layout.trained]
        self._numbers = np.zeros(len(optimizer.kernel_numbers(0.0, 1)))
        self._penalties = np.array([recipe.l2, recipe.l1])
        self._limit = np.array([recipe.clip_value or 0.0])
        self._factor, self._decay = np.ones(1), np.zeros(1)

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

    def regularizing(self, gradient: Array, stretch: tuple[int, int]) -> list[Call]:
        """What changes the gradient element by element before the optimizer sees it."""
        from workbench.engine.kernels import updates as kernels

        calls = []
        weights = stretch[0], min(stretch[1], self._decayed)
        if (self._recipe.l2 or self._recipe.l1) and weights[0] < weights[1]:
            calls.append(_call(kernels.add_penalties, weights, self._values, gradient, self._penalties))
        if self._recipe.clip_value is not None:
            calls.append(_call(kernels.clip_values, stretch, gradient, self._limit))
        return calls

    def updating(self, gradient: Array, stretch: tuple[int, int]) -> list[Call]:
        """The update itself."""
        from workbench.engine.kernels import updates as kernels

        calls, weights = [], (stretch[0], min(stretch[1], self._decayed))
        if self._optimizer.decay() and weights[0] < weights[1]:
            calls.append(_call(kernels.shrink, weights, self._values, self._factor))
        step = getattr(kernels, self._optimizer.kernel)
        calls.append(_call(step, stretch, self._values, gradient, *self._vectors, self._numbers))
        if self._average:
            calls.append(_call(kernels.follow_average, stretch, self._values, self._average.vector, self._decay))
        return calls

    def finish(self, shard: int, shards: int, gradients: Sequence[Array]) -> list[Call]:
        """One thread's share of an update: its stretch of all shards' gradients added up, and all that follows."""
        from workbench.engine.kernels import updates as kernels

        stretch = self._stretch(shard, shards)
        calls = []
        if shards > 1:
            calls.append(_call(kernels.add_vectors, stretch, shards, *gradients[:shards]))
        return [*calls, *self.regularizing(gradients[0], stretch), *self.updating(gradients[0], stretch)]

    def run(self, gradient: Array, pool: ShardPool) -> None:
        """The update alone, after a gradient that was regularized elsewhere."""
        count = max(1, min(pool.threads, len(self._values) // _LEAST_STRETCH))
        stretches = [self._stretch(number, count) for number in range(count)]
        pool.run([_chain(self.updating(gradient, stretch)) for stretch in stretches])

    def _stretch(self, number: int, count: int) -> tuple[int, int]:
        # Whole cache lines: no two threads write to the same one.
        length = len(self._values)
        start, stop = (length * k // count // 16 * 16 for k in (number, number + 1))
        return start, length if number == count - 1 else stop


def _call(kernel: Any, stretch: tuple[int, int], *arguments: Any) -> Call:
    from workbench.engine.kernels.calls import NativeCall

    return NativeCall(kernel, stretch, *arguments, row_bytes=4 * len(arguments))


def _chain(calls: list[Call]) -> Call:
    from workbench.engine.kernels.calls import joined

    (program,) = joined(calls)
    return program
