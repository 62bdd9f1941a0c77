"""One training step: forward, backward, regularization, update, averaging; and the figures of a step's health."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import sqrt
from typing import Any, cast

import numpy as np

from workbench.engine.backend import Array
from workbench.engine.layer import Clock, Loss
from workbench.engine.parameters import Parameters
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.recipe.training import TrainingRecipe
from workbench.store.tensors import Tensors
from workbench.training.averaging import WeightAverage
from workbench.training.compiled_update import CompiledUpdate
from workbench.training.cuda_update import CudaUpdate
from workbench.training.gathering import GatheredGradient
from workbench.training.optimizers.base import Optimizer
from workbench.training.regularization import Regularization
from workbench.training.scaling import LossScale

_OPTIMIZER, _RAW = "optimizer.", "raw_weights"


@dataclass(frozen=True)
class StepHealth:
    """Figures of one step.

    Attributes:
        gradient_norm, update_ratio: over all trained parameters.
        gradient_norms, update_ratios: by layer, in the order of ``Stepper.layers``.
    """

    gradient_norm: float
    update_ratio: float
    gradient_norms: tuple[float, ...]
    update_ratios: tuple[float, ...]


class Stepper:
    """Trains the parameters in place, one batch at a time.

    Attributes:
        plan: fill its input, targets and strengths, then call ``step``.
        layers: the names of the layers with trained parameters.
        figures: how many numbers ``step`` works out where it is to be watched.
    """

    def __init__(self, recipe: TrainingRecipe, parameters: Parameters, batch: int, pool: ShardPool) -> None:
        self.recipe, self.parameters, self.backend = recipe, parameters, parameters.backend
        self.clock = Clock(seed=recipe.seed)
        loss = cast(Loss, recipe.loss)
        self._pool, self.optimizer = pool, cast(Optimizer, recipe.optimizer)
        self.regularization = Regularization(recipe, parameters)
        self._trained = parameters.values[: parameters.layout.trained]
        with self.backend.current():
            shape, dtype = self._trained.shape, self._trained.dtype
            self._vectors = {name: self.backend.zeros(shape, dtype) for name in self.optimizer.state_vectors()}
        self._average = WeightAverage(recipe.ema.decay, self.backend, self._trained) if recipe.ema else None
        computing = self.backend.in_precision(recipe.precision)
        self.scaling = LossScale(self.backend) if computing.precision == "float16" else None
        self._gathered = GatheredGradient(self.backend, self._trained) if recipe.accumulate > 1 else None
        self._compiled = self._compiled_update()
        finish = self._compiled.finish if self._compiled and self._at_once() else None
        self.plan = Plan(
            parameters, loss, batch, training=True, pool=pool, clock=self.clock, finish=finish, backend=computing,
            loss_scale=self.scaling.scale if self.scaling else None,
        )  # fmt: skip
        if self.scaling and not self._compiled:
            self.scaling.guard(self._changing())
        self._slots = parameters.layout.trained_slots()
        self.layers = tuple(dict.fromkeys(slot.layer for slot in parameters.layout.in_order if slot in self._slots))
        self._places = {name: place for place, name in enumerate(self.layers)}
        self.figures = 3 * len(self.layers)

    def _changing(self) -> list[Array]:
        """What an update changes."""
        return [self._trained, *self._vectors.values(), *((self._average.vector,) if self._average else ())]

    def gather(self, rows: int, number: int) -> None:
        """Compute a batch whose gradient waits for the others of its group; ``step`` takes the last one.

        Args:
            rows: of this batch.
            number: of this batch in the whole run, counted from 1.
        """
        assert self._gathered is not None
        self.clock.step = number - 1
        if isinstance(self._compiled, CudaUpdate):
            self.plan.run(rows, finish=self._compiled.gather)
            self._gathered.open = True
            return
        self.plan.run(rows)
        with self.backend.current(), np.errstate(all="ignore"):
            self._gathered.add(self.plan.gradient, self.plan.strengths[:rows])

    def step(
        self, rows: int, rate: float, number: int, *, update: int | None = None, watch: Array | None = None
    ) -> None:
        """Train on the first ``rows`` rows of the plan's input, and on the batches gathered before.

        Args:
            rows: of this batch.
            rate: the learning rate.
            number: of this batch in the whole run, counted from 1.
            update: of the weights, the same way; ``number`` where each batch makes an update.
            watch: where to put the step's figures, ``(figures,)`` on the backend, of which ``health_of`` makes sense;
                costs a copy of the parameters.
        """
        self.clock.step = number - 1
        if self._compiled:
            self._compiled.prepare(rate, update or number)
            if self._at_once() and watch is None:
                self.plan.run(rows, finish=self._compiled.finish)
                self._finished(update or number)
                return
        if isinstance(self._compiled, CudaUpdate):
            assert watch is not None
            self._watched_update(self._compiled, rows, watch)
            self._finished(update or number)
            return
        self.plan.run(rows)
        with self.backend.current(), np.errstate(all="ignore"):
            gradient = self.plan.gradient
            if self._gathered:
                self._gathered.add(gradient, self.plan.strengths[:rows])
                self._gathered.settle(gradient)
            self._begin_update(gradient)
            if watch is None:
                self._finish_update(gradient, rate, update or number)
                return
            gradients, weights, updates = watch.reshape(3, -1)
            self._squares(gradient, gradients)
            if isinstance(self._compiled, CompiledUpdate) and not self._compiled.leaves_average:
                self.regularization.change(gradient)
                self._measured_update(self._compiled, gradient, update or number, weights, updates)
                return
            with self._compared(weights, updates):
                self._finish_update(gradient, rate, update or number)

    @contextmanager
    def _compared(self, weights: Array, updates: Array) -> Iterator[None]:
        """Squared lengths by layer of the weights as they are, and of what becomes of them while this lasts."""
        before = self._trained.copy()
        yield
        self._squares(before, weights)
        # In its own place: another copy would be the most memory that a training takes.
        self.backend.xp.subtract(self._trained, before, out=before)
        self._squares(before, updates)

    def _watched_update(self, cuda: CudaUpdate, rows: int, watch: Array) -> None:
        gradients, weights, updates = watch.reshape(3, -1)
        self.plan.run(rows, finish=cuda.judge)
        with self.backend.current(), np.errstate(all="ignore"):
            self._squares(self.plan.gradient, gradients)
            cuda.seen(gradients)
            with self._compared(weights, updates):
                cuda.update(self.plan.gradient)

    def _finished(self, number: int) -> None:
        """After an update at the end of a plan's run."""
        if not isinstance(self._compiled, CudaUpdate):
            self._limit(number)
        elif self._gathered:
            self._gathered.open = False

    def _begin_update(self, gradient: Array) -> None:
        if self._average and not self._compiled:
            self._average.begin()
        if self.scaling:
            self.scaling.begin(gradient)

    def _finish_update(self, gradient: Array, rate: float, number: int) -> None:
        self.regularization.change(gradient)
        self._update(gradient, rate, number)
        if self.scaling:
            self.scaling.end()

    def _compiled_update(self) -> CompiledUpdate | CudaUpdate | None:
        given = self.recipe, self.optimizer, self.parameters, list(self._vectors.values()), self._average
        if CompiledUpdate.fits(self.optimizer, self.parameters):
            return CompiledUpdate(*given)
        if CudaUpdate.fits(self.optimizer, self.parameters):
            return CudaUpdate(*given, self._gathered, self.scaling)
        return None

    def _at_once(self) -> bool:
        """Whether weights can be updated at the end of a plan's run: on a CPU as soon as a stretch of them can be."""
        bare = self.recipe.accumulate == 1 and self.recipe.clip_norm is None and self.scaling is None
        return bare or isinstance(self._compiled, CudaUpdate)

    def _update(self, gradient: Array, rate: float, number: int) -> None:
        if isinstance(self._compiled, CompiledUpdate):
            self._compiled.run(gradient, self._pool)
            self._limit(number)
            return
        shrink = self.optimizer.decay() * rate
        if shrink:
            self._trained[: self.parameters.layout.decayed] *= self.parameters.dtype.type(1.0 - shrink)
        self._update_arrays(gradient, rate, number)
        self._limit(number)

    def _measured_update(
        self, compiled: CompiledUpdate, gradient: Array, number: int, weights: Array, updates: Array
    ) -> None:
        """As ``_update``, with squared lengths by layer, taken while each stretch is in the cache."""
        found = compiled.run_measured(gradient, self._pool, [slot.stop for slot in self._slots])
        weights[...] = updates[...] = 0
        for slot, (length, change) in zip(self._slots, found.tolist(), strict=True):
            place = self._places[slot.layer]
            weights[place] += length
            updates[place] += change
        self._limit(number)

    def _limit(self, number: int) -> None:
        """What needs the updated weights of all threads: their limit, and the average that follows it."""
        self.regularization.limit()
        if self._average and (self._compiled is None or self._compiled.leaves_average):
            self._average.follow(number)

    def _update_arrays(self, gradient: Array, rate: float, number: int) -> None:
        step = self.scaling.count(number) if self.scaling else number
        for part in self.backend.blocks(len(self._trained)):
            state = {name: vector[part] for name, vector in self._vectors.items()}
            self.optimizer.update(self.backend, self._trained[part], gradient[part], state, rate, step)

    def averaged(self) -> AbstractContextManager[None]:
        """While this lasts, the network's numbers are those of the model: with ``ema`` the averaged ones."""
        return self._average.in_place() if self._average else nullcontext()

    def kept_values(self) -> int:
        """Bytes of what is kept of the parameters from step to step, beside themselves and their gradient."""
        copies = self.scaling.memory() if self.scaling else 0
        return sum(int(vector.nbytes) for vector in self._changing()[1:]) + self.gathered_values() + copies

    def gathered_values(self) -> int:
        """Bytes of those that only a checkpoint in the middle of an update holds."""
        return int(self.plan.gradient.nbytes) if self._gathered else 0

    def penalty(self) -> float:
        """What L1 and L2 add to the loss."""
        return self.regularization.penalty()

    def finite(self) -> bool:
        """Whether all parameters are finite numbers."""
        with self.backend.current():
            return bool(self.backend.xp.isfinite(self.parameters.values).all())

    def _squares(self, vector: Array, into: Array) -> None:
        """Squared lengths by layer."""
        into[...] = 0
        for slot in self._slots:
            part = vector[slot.start : slot.stop]
            into[self._places[slot.layer]] += self.backend.xp.dot(part, part)

    def tensors(self) -> Tensors:
        """The model's numbers, and beside them what training goes on with, for a checkpoint.

        With ``ema`` the model's are the averaged ones; the trained ones and batch norm's own statistics go along.
        """
        with self.averaged():
            model = self.parameters.export()
        state = {name: np.array(self.backend.to_host(vector)) for name, vector in self._vectors.items()}
        if self._average:
            state[_RAW] = np.array(self.backend.to_host(self._trained))
        if self._gathered:
            state.update(self._gathered.tensors())
        if self.scaling:
            state.update(self.scaling.tensors())
        return {**model, **{_OPTIMIZER + name: array for name, array in state.items()}}

    def load(self, tensors: Tensors) -> None:
        """Take over what ``tensors`` gave."""
        self.parameters.load(tensors)
        state = {name.removeprefix(_OPTIMIZER): array for name, array in tensors.items() if name.startswith(_OPTIMIZER)}
        for name, vector in self._vectors.items():
            vector[...] = self.backend.asarray(state[name])
        if self._average:
            self._average.restart()
            self._trained[...] = self.backend.asarray(state[_RAW])
        if self._gathered:
            self._gathered.load(state)
        if self.scaling:
            self.scaling.load(state)


def health_of(figures: np.ndarray[Any, Any]) -> StepHealth:
    """What a step's figures say: squared lengths by layer of gradient, weights and update, as ``Stepper`` has them."""
    gradients, weights, updates = figures.reshape(3, -1)
    ratios = np.sqrt(updates / np.maximum(weights, 1e-24))
    return StepHealth(
        sqrt(float(gradients.sum())),
        sqrt(float(updates.sum()) / max(float(weights.sum()), 1e-24)),
        tuple(np.sqrt(gradients).tolist()),
        tuple(ratios.tolist()),
    )
