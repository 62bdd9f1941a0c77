"""Dynamic loss scaling, without which small gradients vanish in float16."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.engine.backend import Array, Backend
from workbench.store.tensors import Tensors

_SCALE = "loss_scale"
_START, _FACTOR, _PATIENCE = 2.0**16, 2.0, 2_000
"""PyTorch's: where the scale starts, what it changes by, and after how many good steps it grows."""


class LossScale:
    """The gradient is worked out of the loss times a scale, and divided by it before it is used.

    Micikevicius et al., Mixed precision training, ICLR 2018, section 3.2, with a scale that follows the gradients:
    where one of them overflows, the update is left out and the scale halved; after many good ones it is doubled. All of
    it stays on the device, so that nobody has to wait for what a step found: the update is made, and taken back.

    Updates that were left out do not count in the optimizer's bias corrections, as in PyTorch, where they are steps
    that the optimizer never takes; how many there were is known to the device only. A schedule's steps go on all the
    same: they are of the run, whose length is known beforehand.

    With CUDA kernels all of this but keeping the numbers is theirs; see ``updates.cu``.

    Attributes:
        numbers: float32 ``(3,)``: the scale, good steps since it changed, updates left out in all.
        scale: ``(1,)``, the first of them, to multiply the loss's gradient by.
        left_out_there: ``(1,)``, the last of them.
        patience: good steps after which the scale grows.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend, xp = backend, backend.xp
        with backend.current():
            self.numbers = backend.asarray(np.array([_START, 0, 0], np.float32))
            self._fine: Array = xp.ones(1, np.bool_)
        self.scale, self._good, self.left_out_there = (self.numbers[place : place + 1] for place in range(3))
        self.patience = _PATIENCE
        self._vectors: list[Array] = []
        self._before: list[Array] = []

    def guard(self, vectors: Sequence[Array]) -> None:
        """Name all that an update changes."""
        self._vectors = list(vectors)
        with self._backend.current():
            self._before = [self._backend.empty(vector.shape, vector.dtype) for vector in vectors]

    def begin(self, gradient: Array) -> None:
        """Divide a gradient by the scale, and take note of how things are before the update."""
        xp = self._backend.xp
        self._fine[...] = xp.isfinite(gradient).all()
        xp.multiply(gradient, 1 / self.scale, out=gradient)
        gradient[...] = xp.where(self._fine, gradient, gradient.dtype.type(0))
        for before, vector in zip(self._before, self._vectors, strict=True):
            xp.copyto(before, vector)

    def end(self) -> None:
        """After the update: take it back if the gradient was not finite, and adapt the scale."""
        xp, fine, number = self._backend.xp, self._fine, self.numbers.dtype.type
        for before, vector in zip(self._before, self._vectors, strict=True):
            vector[...] = xp.where(fine, vector, before)
        grows = self._good + number(1) >= number(self.patience)
        factor = xp.where(fine, xp.where(grows, number(_FACTOR), number(1)), number(1 / _FACTOR))
        self._good[...] = xp.where(fine & ~grows, self._good + number(1), number(0))
        self.left_out_there += ~fine
        self.scale *= factor

    def count(self, update: int) -> Array:
        """The number of an update, float64 ``(1,)``, where those left out before are none."""
        return update - self.left_out_there.astype(np.float64)

    def memory(self) -> int:
        """Bytes of the copies."""
        return sum(int(before.nbytes) for before in self._before)

    def left_out(self) -> int:
        """How many updates were left out so far; the device is waited for."""
        return int(self._backend.to_host(self.left_out_there)[0])

    def tensors(self) -> Tensors:
        """What a checkpoint must hold."""
        return {_SCALE: np.array(self._backend.to_host(self.numbers))}

    def load(self, tensors: Tensors) -> None:
        """Take over what ``tensors`` gave; a checkpoint of a training without a scale has none, and starts anew."""
        if _SCALE in tensors:
            with self._backend.current():
                self.numbers[...] = self._backend.asarray(tensors[_SCALE])
