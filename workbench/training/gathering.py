"""Gradients of several small batches that make one step, as one large batch would."""

from __future__ import annotations

import numpy as np

from workbench.engine.backend import Array
from workbench.engine.plan import Plan
from workbench.store.tensors import Tensors

_SUM, _STRENGTH = "gathered", "gathered_strength"


class GatheredGradient:
    """The gradient of ``sum s_i L_i / sum s_i`` over a group of batches: their own, weighted by their strengths.

    ``add`` and ``settle`` are to be called where the backend's device is the current one.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._backend = plan, plan.backend
        self._waiting = False
        with self._backend.current():
            xp = self._backend.xp
            self._sum: Array = xp.zeros(plan.gradient.shape, plan.gradient.dtype)
            self._strength: Array = xp.zeros(1, plan.gradient.dtype)

    def add(self, rows: int) -> None:
        """Take in the gradient of the batch that the plan has just computed."""
        strength = self._plan.strengths[:rows].sum()
        for part in self._backend.blocks(len(self._sum)):
            self._sum[part] += self._plan.gradient[part] * strength
        self._strength += strength
        self._waiting = True

    def settle(self) -> None:
        """Write the group's gradient in place of the last batch's, and begin with the next group."""
        xp, total = self._backend.xp, self._strength
        # A group whose strengths are all 0 moves nothing.
        scale = xp.where(total > 0, 1 / xp.where(total > 0, total, 1), 0).astype(total.dtype)
        xp.multiply(self._sum, scale, out=self._plan.gradient)
        self._sum[...] = 0
        self._strength[...] = 0
        self._waiting = False

    def tensors(self) -> Tensors:
        """What a checkpoint in the middle of a group must hold; nothing between groups."""
        if not self._waiting:
            return {}
        host = self._backend.to_host
        return {_SUM: np.array(host(self._sum)), _STRENGTH: np.array(host(self._strength))}

    def load(self, tensors: Tensors) -> None:
        """Take over what ``tensors`` gave."""
        self._waiting = _SUM in tensors
        for name, vector in ((_SUM, self._sum), (_STRENGTH, self._strength)):
            with self._backend.current():
                vector[...] = self._backend.asarray(tensors[name]) if self._waiting else 0
