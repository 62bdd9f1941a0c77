"""One training step: forward, backward, regularization, clipping, update; and the figures of a step's health."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, cast

import numpy as np

from workbench.engine.backend import Array
from workbench.engine.layer import Clock, Loss
from workbench.engine.parameters import Parameters, Slot
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.recipe.training import TrainingRecipe
from workbench.store.tensors import Tensors
from workbench.training.compiled_update import compiled_update
from workbench.training.optimizers.base import Optimizer

_OPTIMIZER = "optimizer."


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
    """

    def __init__(self, recipe: TrainingRecipe, parameters: Parameters, batch: int, pool: ShardPool) -> None:
        self.recipe, self.parameters, self.backend = recipe, parameters, parameters.backend
        self.clock = Clock(seed=recipe.seed)
        loss = cast(Loss, recipe.loss)
        self.plan = Plan(parameters, loss, batch, training=True, pool=pool, clock=self.clock)
        self.optimizer = cast(Optimizer, recipe.optimizer)
        self._trained = parameters.values[: parameters.layout.trained]
        with self.backend.current():
            self._vectors = {name: self.backend.xp.zeros_like(self._trained) for name in self.optimizer.vectors}
        self._compiled = compiled_update(
            self.optimizer, self.backend, [self._trained, self.plan.gradient, *self._vectors.values()], pool
        )
        self._slots = parameters.layout.trained_slots()
        self.layers = tuple(dict.fromkeys(slot.layer for slot in parameters.layout.in_order if slot in self._slots))

    def step(self, rows: int, rate: float, number: int, *, watch: bool = False) -> StepHealth | None:
        """Train on the first ``rows`` rows of the plan's input.

        Args:
            rows: of this batch.
            rate: the learning rate.
            number: of this step in the whole run, counted from 1.
            watch: whether to work out the step's health; costs a copy of the parameters.
        """
        self.clock.step = number - 1
        self.plan.run(rows)
        with self.backend.current(), np.errstate(all="ignore"):
            gradient = self.plan.gradient
            norms = self._norms(gradient) if watch else None
            self._regularize(gradient)
            before = self._trained.copy() if watch else None
            self._update(gradient, rate, number)
            return self._health(norms, before) if norms is not None else None

    def _regularize(self, gradient: Array) -> None:
        xp, decayed, number = self.backend.xp, self.parameters.layout.decayed, self.parameters.dtype.type
        if self.recipe.l2:
            for part in self.backend.blocks(decayed):
                gradient[part] += self._trained[part] * number(self.recipe.l2)
        if self.recipe.clip_norm is not None:
            norm = xp.sqrt(xp.dot(gradient, gradient))
            # PyTorch's clip_grad_norm_: never lengthens, and 1e-6 keeps a zero gradient from dividing by 0.
            xp.multiply(
                gradient, xp.minimum(number(1), number(self.recipe.clip_norm) / (norm + number(1e-6))), gradient
            )

    def _update(self, gradient: Array, rate: float, number: int) -> None:
        shrink = self.optimizer.decay() * rate
        if shrink:
            self._trained[: self.parameters.layout.decayed] *= self.parameters.dtype.type(1.0 - shrink)
        if self._compiled:
            self._compiled(rate, number)
            return
        for part in self.backend.blocks(len(self._trained)):
            state = {name: vector[part] for name, vector in self._vectors.items()}
            self.optimizer.update(self.backend, self._trained[part], gradient[part], state, rate, number)

    def penalty(self) -> float:
        """What L2 adds to the loss: ``0.5 * l2 * sum of squared weights``."""
        weights = self._trained[: self.parameters.layout.decayed]
        return 0.5 * self.recipe.l2 * float(weights @ weights) if self.recipe.l2 else 0.0

    def finite(self) -> bool:
        """Whether all parameters are finite numbers."""
        with self.backend.current():
            return bool(self.backend.xp.isfinite(self.parameters.values).all())

    def _norms(self, vector: Array) -> np.ndarray[Any, Any]:
        """Squared lengths by layer."""
        squares = dict.fromkeys(self.layers, 0.0)
        for slot in self._slots:
            squares[slot.layer] += _square(vector, slot)
        return np.array(list(squares.values()))

    def _health(self, norms: np.ndarray[Any, Any], before: Array) -> StepHealth:
        weights = self._norms(before)
        updates = self._norms(self._trained - before)
        ratios = np.sqrt(updates / np.maximum(weights, 1e-24))
        return StepHealth(
            sqrt(float(norms.sum())),
            sqrt(float(updates.sum()) / max(float(weights.sum()), 1e-24)),
            tuple(np.sqrt(norms).tolist()),
            tuple(ratios.tolist()),
        )

    def tensors(self) -> Tensors:
        """The network's and the optimizer's numbers, for a checkpoint."""
        state = {_OPTIMIZER + name: np.array(self.backend.to_host(v)) for name, v in self._vectors.items()}
        return {**self.parameters.export(), **state}

    def load(self, tensors: Tensors) -> None:
        """Take over what ``tensors`` gave."""
        self.parameters.load(tensors)
        for name, vector in self._vectors.items():
            vector[...] = self.backend.asarray(tensors[_OPTIMIZER + name])


def _square(vector: Array, slot: Slot) -> float:
    part = vector[slot.start : slot.stop]
    return float(part @ part)
