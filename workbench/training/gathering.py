"""Gradients of several small batches that make one step, as one large batch would."""

from __future__ import annotations

import numpy as np

from workbench.engine.backend import Array, Call
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
        self._share, self._scale = np.zeros(1), np.zeros(1)
        compiled = plan.backend.compiled and plan.gradient.dtype == np.float32
        self._calls = self._native_calls() if compiled else ()

    def add(self, rows: int) -> None:
        """Take in the gradient of the batch that the plan has just computed."""
        strength = self._plan.strengths[:rows].sum()
        self._strength += strength
        self._waiting = True
        if self._calls:
            self._share[0] = strength
            self._calls[0]()
            return
        for part in self._backend.blocks(len(self._sum)):
            self._sum[part] += self._plan.gradient[part] * strength

    def settle(self) -> None:
        """Write the group's gradient in place of the last batch's, and begin with the next group."""
        xp, total = self._backend.xp, self._strength
        # A group whose strengths are all 0 moves nothing.
        scale = xp.where(total > 0, 1 / xp.where(total > 0, total, 1), 0).astype(total.dtype)
        self._strength[...] = 0
        self._waiting = False
        if self._calls:
            self._scale[0] = scale[0]
            self._calls[1]()
            return
        xp.multiply(self._sum, scale, out=self._plan.gradient)
        self._sum[...] = 0

    def _native_calls(self) -> tuple[Call, Call]:
        """What ``add`` and ``settle`` do with the vectors."""
        from workbench.engine.kernels import updates as kernels
        from workbench.engine.kernels.calls import NativeCall

        count, vectors = len(self._sum), (self._sum, self._plan.gradient)
        return (
            NativeCall(kernels.gather_gradient, count, 1, *vectors, self._share, row_bytes=8),
            NativeCall(kernels.settle_gradient, count, 1, *vectors, self._scale, row_bytes=8),
        )

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
