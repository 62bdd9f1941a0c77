"""An update of the weights on a GPU: penalties, decay, the optimizer's step, averaging, in one launch."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.calls import CudaCall, Words
from workbench.engine.parameters import Parameters
from workbench.engine.parts import Part
from workbench.engine.shards import ShardPool
from workbench.recipe.training import TrainingRecipe
from workbench.training.averaging import WeightAverage
from workbench.training.flat_update import FlatUpdate
from workbench.training.optimizers.base import Optimizer

_SHARED = 5
"""Numbers that all optimizers have; see ``updates.cu``."""


class CudaUpdate(FlatUpdate):
    """Updates the flat vectors. What changes from step to step lies on the device, so that a step can be recorded."""

    def __init__(
        self,
        recipe: TrainingRecipe,
        optimizer: Optimizer,
        parameters: Parameters,
        vectors: Sequence[Array],
        average: WeightAverage | None,
    ) -> None:
        assert parameters.backend.cuda is not None
        super().__init__(recipe, optimizer, parameters, vectors, average)
        self._backend, self._launcher = parameters.backend, parameters.backend.cuda
        count = len(optimizer.kernel_numbers(0.0, 1))
        with self._backend.current():
            self._words = Words(self._launcher, self._backend.zeros((_SHARED + count,), np.float64))
        self._alone: tuple[Array, CudaCall] | None = None

    @staticmethod
    def fits(optimizer: Optimizer, parameters: Parameters) -> bool:
        """Whether there is a kernel for it here, which counts in 32 bits."""
        known = parameters.dtype == np.float32 and optimizer.has_kernel() and parameters.layout.trained <= 2**30
        return parameters.backend.cuda is not None and known

    def prepare(self, rate: float, update: int) -> None:
        """Write down what the next update must know: its learning rate and its number in the run, from 1."""
        recipe, optimizer, decay = self._recipe, self._optimizer, 0.0
        with self._backend.current():
            if self._average:
                self._average.begin()
                decay = self._average.decay_at(update)
            limit = inf if recipe.clip_value is None else recipe.clip_value
            shared = recipe.l2, recipe.l1, limit, 1.0 - optimizer.decay() * rate, decay
            self._words.set(*shared, *optimizer.kernel_numbers(rate, update))

    def finish(self, part: Part, gradient: Array) -> list[Call]:
        """Penalties, clipping by value and the update, once the whole gradient is there."""
        assert (part.start, part.rows) == (0, len(self._values)), "the vector is updated in one launch"
        return [self._bound(gradient, bare=False)]

    def run(self, gradient: Array, pool: ShardPool) -> None:
        """The update alone, after a gradient that was regularized elsewhere."""
        if self._alone is None or self._alone[0] is not gradient:
            self._alone = gradient, self._bound(gradient, bare=True)
        self._alone[1]()

    def _bound(self, gradient: Array, bare: bool) -> CudaCall:
        follows = self._average is not None and not self.leaves_average
        words = self._words.array
        return self._launcher.over(
            len(self._values), self._optimizer.kernel_name(), self._values, gradient, *self._vectors, words[:_SHARED],
            words[_SHARED:], self._average.vector if self._average and follows else 0, self._decayed, int(bare),
            len(self._values),
        )  # fmt: skip
