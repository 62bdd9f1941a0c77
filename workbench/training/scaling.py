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

    Updates that were left out count in the optimizer's bias corrections, as the host does not know of them.

    Attributes:
        scale: ``(1,)``, to multiply the loss's gradient by.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend, xp = backend, backend.xp
        with backend.current():
            # Scale, good steps since it changed, steps left out in all.
            self._numbers = backend.asarray(np.array([_START, 0, 0], np.float32))
            self._fine: Array = xp.ones(1, np.bool_)
        self.scale, self._good, self._left_out = (self._numbers[place : place + 1] for place in range(3))
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
        xp, fine, number = self._backend.xp, self._fine, self._numbers.dtype.type
        for before, vector in zip(self._before, self._vectors, strict=True):
            vector[...] = xp.where(fine, vector, before)
        grows = self._good + number(1) >= number(_PATIENCE)
        factor = xp.where(fine, xp.where(grows, number(_FACTOR), number(1)), number(1 / _FACTOR))
        self._good[...] = xp.where(fine & ~grows, self._good + number(1), number(0))
        self._left_out += ~fine
        self.scale *= factor

    def memory(self) -> int:
        """Bytes of the copies."""
        return sum(int(before.nbytes) for before in self._before)

    def left_out(self) -> int:
        """How many updates were left out so far; the device is waited for."""
        return int(self._backend.to_host(self._left_out)[0])

    def tensors(self) -> Tensors:
        """What a checkpoint must hold."""
        return {_SCALE: np.array(self._backend.to_host(self._numbers))}

    def load(self, tensors: Tensors) -> None:
        """Take over what ``tensors`` gave; a checkpoint of a training without a scale has none, and starts anew."""
        if _SCALE in tensors:
            with self._backend.current():
                self._numbers[...] = self._backend.asarray(tensors[_SCALE])
