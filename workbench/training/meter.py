"""Sums up the training loss without making a GPU wait: on the device each step, fetched when somebody looks."""

from __future__ import annotations

import numpy as np

from workbench.engine.backend import Array, Backend
from workbench.engine.plan import Plan


class LossMeter:
    """Adds up sum of s_i L_i and sum of s_i over steps."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        with backend.current():
            self._sums: Array = backend.xp.zeros(2, np.float64)

    def add(self, plan: Plan, rows: int) -> None:
        """Take note of the step that the plan has just computed."""
        with self._backend.current():
            self._sums[0] += plan.sums[0]
            self._sums[1] += plan.strengths[:rows].sum(dtype=np.float64)

    def fetch(self) -> tuple[float, float]:
        """The sums since the last fetch."""
        loss, strength = (float(value) for value in self._backend.to_host(self._sums))
        with self._backend.current():
            self._sums[...] = 0
        return loss, strength
