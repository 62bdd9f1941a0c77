"""Gradients of several small batches that make one step, as one large batch would."""

from __future__ import annotations

import numpy as np

from workbench.engine.backend import Array, Backend, Call
from workbench.store.tensors import Tensors

_SUM, _STRENGTH = "gathered", "gathered_strength"


class GatheredGradient:
    """The gradient of ``sum s_i L_i / sum s_i`` over a group of batches: their own, weighted by their strengths.

    ``add`` and ``settle`` are to be called where the backend's device is the current one. On a GPU with kernels they
    are left to launches, ``adding`` and ``settling``; whoever launches them says whether the group is then ``open``.

    Args:
        backend: of the gradients.
        values: like the gradients, flat.

    Attributes:
        open: whether the group has batches that wait for others.
    """

    def __init__(self, backend: Backend, values: Array) -> None:
        self._backend, self.open = backend, False
        with self._backend.current():
            self._sum: Array = backend.zeros(values.shape, values.dtype)
            # Of the last batch, and of the group.
            self._strengths: Array = backend.zeros((2,), values.dtype)
        self._strength = self._strengths[1:]
        self._share, self._scale = np.zeros(1), np.zeros(1)
        self._compiled = backend.compiled and values.dtype == np.float32
        self._bound: tuple[Array, tuple[Call, Call]] | None = None

    def add(self, gradient: Array, strengths: Array) -> None:
        """Take in the gradient of a batch."""
        strength = strengths.sum()
        self._strength += strength
        self.open = True
        if self._compiled:
            self._share[0] = strength
            self._native_calls(gradient)[0]()
            return
        for part in self._backend.blocks(len(self._sum)):
            self._sum[part] += gradient[part] * strength

    def settle(self, gradient: Array) -> None:
        """Write the group's gradient in place of the last batch's, and begin with the next group."""
        xp, total = self._backend.xp, self._strength
        # A group whose strengths are all 0 moves nothing.
        scale = xp.where(total > 0, 1 / xp.where(total > 0, total, 1), 0).astype(total.dtype)
        self._strength[...] = 0
        self.open = False
        if self._compiled:
            self._scale[0] = scale[0]
            self._native_calls(gradient)[1]()
            return
        xp.multiply(self._sum, scale, out=gradient)
        self._sum[...] = 0

    def _native_calls(self, gradient: Array) -> tuple[Call, Call]:
        """What ``add`` and ``settle`` do with the vectors."""
        from workbench.engine.kernels import updates as kernels
        from workbench.engine.kernels.calls import NativeCall

        if self._bound is None or self._bound[0] is not gradient:
            count, vectors = len(self._sum), (self._sum, gradient)
            adding = NativeCall(kernels.gather_gradient, count, 1, *vectors, self._share, row_bytes=8)
            settling = NativeCall(kernels.settle_gradient, count, 1, *vectors, self._scale, row_bytes=8)
            self._bound = gradient, (adding, settling)
        return self._bound[1]

    def adding(self, gradient: Array, strengths: Array) -> list[Call]:
        """What takes in a batch's gradient on a GPU."""
        return [self._weighing(strengths), self._launch("gather_gradient", self._sum, gradient, self._strengths)]

    def settling(self, gradient: Array, strengths: Array) -> list[Call]:
        """What takes in the last batch's gradient on a GPU, and puts the group's in its place."""
        settle = self._launch("settle_gradient", self._sum, gradient, self._strengths)
        return [self._weighing(strengths), settle, self._launch("fill_zeros", self._strength)]

    def _weighing(self, strengths: Array) -> Call:
        assert self._backend.cuda is not None
        return self._backend.cuda.call("gather_strength", 1, 256, strengths, self._strengths, len(strengths))

    def _launch(self, kernel: str, *arrays: Array) -> Call:
        assert self._backend.cuda is not None
        return self._backend.cuda.over(len(arrays[0]), kernel, *arrays, len(arrays[0]))

    def tensors(self) -> Tensors:
        """What a checkpoint in the middle of a group must hold; nothing between groups."""
        if not self.open:
            return {}
        host = self._backend.to_host
        return {_SUM: np.array(host(self._sum)), _STRENGTH: np.array(host(self._strength))}

    def load(self, tensors: Tensors) -> None:
        """Take over what ``tensors`` gave."""
        self.open = _SUM in tensors
        for name, vector in ((_SUM, self._sum), (_STRENGTH, self._strength)):
            with self._backend.current():
                vector[...] = self._backend.asarray(tensors[name]) if self.open else 0
