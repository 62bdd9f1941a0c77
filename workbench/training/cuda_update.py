"""What becomes of a gradient on a GPU: gathering, scaling, penalties, clipping, the optimizer's step, averaging.

All of it is launches that wait for nothing and take no memory, so that a recorded step holds them too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, prod

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.calls import THREADS, Words, blocks_for
from workbench.engine.parameters import Parameters, Slot
from workbench.engine.parts import Part
from workbench.recipe.training import TrainingRecipe
from workbench.training.averaging import WeightAverage
from workbench.training.flat_update import FlatUpdate
from workbench.training.gathering import GatheredGradient
from workbench.training.optimizers.base import Optimizer
from workbench.training.regularization import axis_of_units
from workbench.training.scaling import LossScale

_SHARED = 5
"""Numbers that all optimizers have; see ``updates.cu``."""


class CudaUpdate(FlatUpdate):
    """Updates the flat vectors. What changes from step to step lies on the device, so that a step can be recorded.

    ``gather``, ``judge`` and ``finish`` are what the run of a plan may end with: for a batch that waits for others of
    its group, for one whose gradient somebody wants to see before ``update``, and for any other.

    Args:
        recipe, optimizer, parameters, vectors, average: see ``FlatUpdate``.
        group: where gradients are gathered, or None.
        scaling: of the loss, or None.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        optimizer: Optimizer,
        parameters: Parameters,
        vectors: Sequence[Array],
        average: WeightAverage | None,
        group: GatheredGradient | None,
        scaling: LossScale | None,
    ) -> None:
        assert parameters.backend.cuda is not None
        super().__init__(recipe, optimizer, parameters, vectors, average)
        self._backend, self._launcher = parameters.backend, parameters.backend.cuda
        self._group, self._scaling, self._layout = group, scaling, parameters.layout
        # Where updates may be left out, only the device knows their number.
        self._counts = scaling is not None and bool(optimizer.counting_kernel)
        with self._backend.current():
            zeros, count = self._backend.zeros, len(self._numbers(0.0, 1))
            self._words = Words(self._launcher, zeros((_SHARED + count,), np.float64))
            given = self._words.array[_SHARED:]
            self._given = given
            self._of_step = zeros((len(optimizer.kernel_numbers(0.0, 1)),), np.float64) if self._counts else given
            judged = scaling is not None or recipe.clip_norm is not None
            self._verdict: Array = zeros((3,), np.float32) if judged else 0
            self._pairs = zeros((2 * blocks_for(len(self._values)),), np.float64) if judged else None
        self._updating: tuple[Array, list[Call]] | None = None

    @staticmethod
    def fits(optimizer: Optimizer, parameters: Parameters) -> bool:
        """Whether there is a kernel for it here, which counts in 32 bits."""
        known = parameters.dtype == np.float32 and optimizer.has_kernel() and parameters.layout.trained <= 2**30
        return parameters.backend.cuda is not None and known

    def _numbers(self, rate: float, update: int) -> tuple[float, ...]:
        if self._counts:
            return float(update), *self._optimizer.counting_numbers(rate)
        return self._optimizer.kernel_numbers(rate, update)

    def prepare(self, rate: float, update: int) -> None:
        """Write down what the next update must know: its learning rate and its number in the run, from 1."""
        recipe, optimizer, decay = self._recipe, self._optimizer, 0.0
        with self._backend.current():
            if self._average:
                self._average.begin()
                decay = self._average.decay_at(update)
            limit = inf if recipe.clip_value is None else recipe.clip_value
            shared = recipe.l2, recipe.l1, limit, 1.0 - optimizer.decay() * rate, decay
            self._words.set(*shared, *self._numbers(rate, update))

    def gather(self, part: Part, gradient: Array, strengths: Array) -> list[Call]:
        """Takes the gradient in, and no more."""
        assert self._group is not None
        return self._group.adding(gradient, strengths)

    def judge(self, part: Part, gradient: Array, strengths: Array) -> list[Call]:
        """Makes the gradient that of its group, and finds out what is to become of it."""
        assert (part.start, part.rows) == (0, len(self._values)), "the vector is updated as a whole"
        calls = self._group.settling(gradient, strengths) if self._group else []
        return [*calls, *self._judging(gradient)]

    def finish(self, part: Part, gradient: Array, strengths: Array) -> list[Call]:
        """All of it."""
        return [*self.judge(part, gradient, strengths), *self._update_calls(gradient)]

    def update(self, gradient: Array) -> None:
        """What is left after ``judge``."""
        if self._updating is None or self._updating[0] is not gradient:
            self._updating = gradient, self._update_calls(gradient)
        for call in self._updating[1]:
            call()

    def seen(self, squares: Array) -> None:
        """After ``judge``: correct squared lengths of parts of the gradient as it lies there, which is scaled."""
        if self._scaling is None:
            return
        _, fine, unscale = self._verdict
        squares *= unscale * unscale
        squares[...] = self._backend.xp.where(fine > 0, squares, 0)

    def _judging(self, gradient: Array) -> Iterator[Call]:
        if self._pairs is None:
            return
        count, scaling = len(self._values), self._scaling.numbers if self._scaling else 0
        arrays = self._values, gradient, self._words.array[:_SHARED], scaling, self._pairs
        yield self._launcher.over(count, "gradient_squares", *arrays, self._decayed, count)
        limit, patience = self._recipe.clip_norm or inf, self._scaling.patience if self._scaling else 0
        judged = self._pairs, scaling, self._verdict, float(limit), patience, len(self._pairs) // 2
        yield self._launcher.call("judge_gradient", 1, THREADS, *judged)
        if self._counts and self._scaling:
            numbers = self._given, self._scaling.left_out_there, self._of_step
            yield self._launcher.call(self._optimizer.counting_kernel, 1, self._optimizer.counting_threads, *numbers)

    def _update_calls(self, gradient: Array) -> list[Call]:
        count, shared = len(self._values), self._words.array[:_SHARED]
        average = self._average.vector if self._average else 0
        step = self._launcher.over(
            count, self._optimizer.kernel_name(), self._values, gradient, *self._vectors, shared, self._of_step,
            self._verdict, 0 if self.leaves_average else average, self._decayed, count,
        )  # fmt: skip
        calls: list[Call] = [step, *(self._limiting(slot) for slot in self._limited())]
        if self._average and self.leaves_average:
            arrays = self._values, shared, self._verdict, average
            calls.append(self._launcher.over(count, "follow_average", *arrays, count))
        return calls

    def _limited(self) -> list[Slot]:
        slots = self._layout.slots if self._recipe.max_norm is not None else ()
        return [slot for slot in slots if slot.stop <= self._layout.decayed]

    def _limiting(self, slot: Slot) -> Call:
        shape, axis = slot.parameter.shape, axis_of_units(slot)
        outer, units, inner = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
        assert self._recipe.max_norm is not None
        sizes = float(self._recipe.max_norm), outer, units, inner
        blocks = -(-units // (32 if inner == 1 else 8))
        weights = self._values[slot.start : slot.stop]
        return self._launcher.call("limit_units", blocks, (32, 8), weights, self._verdict, *sizes)
