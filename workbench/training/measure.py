"""Loss and error of a set while training: in inference mode, without augmentation."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.data.dataset import Dataset
from workbench.data.feeder import Feeder
from workbench.engine.layer import Loss
from workbench.engine.parameters import Parameters
from workbench.engine.plan import Plan
from workbench.engine.random import key_of, permutation
from workbench.engine.shards import ShardPool
from workbench.recipe.tasks import TASKS

Rows = np.ndarray[Any, Any]

_SAMPLE = 4_000
"""Training examples that the error after each epoch is measured on; at the end it is all of them."""


@dataclass(frozen=True)
class Measured:
    """What a set gave.

    Attributes:
        loss: sum of s_i L_i by sum of s_i.
        error: the share of wrong rows; for regression the unexplained share of variance, 1 - R², where the variance is
            about the training set's mean.
    """

    loss: float
    error: float


class Measure:
    """Measures sets with the parameters as they are.

    Attributes:
        plan: computes the network in inference mode.
    """

    def __init__(self, dataset: Dataset, parameters: Parameters, loss: Loss, pool: ShardPool, batch: int) -> None:
        self.dataset, self._loss, self._backend = dataset, loss, parameters.backend
        self._parameters, self._pool = parameters, pool
        self.plan = Plan(parameters, loss, batch, training=False, pool=pool)
        # After all plans: the examples take of a device's memory what these leave.
        self.feeder = Feeder(dataset, parameters.backend, dtype=parameters.dtype)

    def one_by_one(self) -> Measure:
        """The same with one example at a time, as a model answers in use."""
        other = copy(self)
        other.plan = Plan(self._parameters, self._loss, 1, training=False, pool=self._pool)
        return other

    def __call__(self, rows: Rows) -> Measured:
        """Loss and error over some rows; NaN for none."""
        if not len(rows):
            return Measured(float("nan"), float("nan"))
        with self._backend.current():
            totals = self._backend.xp.zeros(2, np.float64)
            for count in self.feeder.passing(self.plan, rows):
                self.plan.run(count)
                totals += self.plan.sums
        loss, error = (float(value) for value in self._backend.to_host(totals))
        strength = float(self.dataset.strengths[rows].sum(dtype=np.float64))
        return Measured(loss / max(strength, 1e-30), error / len(rows) / self._unit(rows))

    def outputs(self, rows: Rows) -> np.ndarray[Any, Any]:
        """Probabilities ``(n, classes)``, or for regression values ``(n, outputs)`` in the target's unit."""
        found = []
        for count in self.feeder.passing(self.plan, rows):
            self.plan.run(count)
            found.append(self._backend.to_host(self._predicted(count)))
        if len(found) == 1:
            return found[0]
        return np.concatenate(found) if found else np.zeros((0, self.plan.network.outputs), np.float32)

    def _predicted(self, count: int) -> Any:
        """A new array: the plan's own is filled anew by the next batch."""
        predicted = self._loss.predict(self._backend.xp, self.plan.output[:count])
        if TASKS[self._loss.task].named:
            return predicted
        encoder = self.dataset.encoder
        return predicted * encoder.target_scale + encoder.target_shift

    def _unit(self, rows: Rows) -> float:
        """What an error of 1 is: for regression the variance of the rows' targets, in the unit they are trained in."""
        if TASKS[self._loss.task].rate:
            return 1.0
        return target_variance(self.dataset, rows) / self.dataset.encoder.target_scale**2


def target_variance(dataset: Dataset, rows: Rows) -> float:
    """Mean squared distance of the rows' targets from the training set's mean."""
    mean = dataset.targets[dataset.sets["train"]].mean(axis=0, dtype=np.float64)
    return max(float(((dataset.targets[rows] - mean) ** 2).mean()), 1e-30)


def training_sample(dataset: Dataset, seed: int) -> Rows:
    """The training rows that the error after each epoch is measured on: all of a small set, the same ones each time."""
    rows = dataset.sets["train"]
    if len(rows) <= _SAMPLE:
        return rows
    return np.sort(rows[permutation(np, key_of(seed, "training sample"), len(rows))[:_SAMPLE]])
