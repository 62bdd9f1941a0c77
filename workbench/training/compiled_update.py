"""An optimizer's step as machine code, each thread on its own stretch of the flat vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.backend import Array, Backend
from workbench.engine.shards import ShardPool
from workbench.training.optimizers.base import Optimizer

_LEAST_STRETCH = 50_000
"""Elements under which a stretch is not worth a thread."""


def compiled_update(
    optimizer: Optimizer, backend: Backend, vectors: list[Array], pool: ShardPool
) -> CompiledUpdate | None:
    """The optimizer's step on its vectors; None where there is no machine code for it.

    Args:
        optimizer: whose step.
        backend: where the vectors live.
        vectors: values, gradient and state, flat and of one length.
        pool: the threads to use.
    """
    if not (backend.compiled and optimizer.kernel and vectors[0].dtype == np.float32):
        return None
    return CompiledUpdate(optimizer, vectors, pool)


class CompiledUpdate:
    """Takes steps in place."""

    def __init__(self, optimizer: Optimizer, vectors: list[Array], pool: ShardPool) -> None:
        from workbench.engine.kernels import updates
        from workbench.engine.kernels.calls import NativeCall

        self._optimizer, self._pool, self._first_number = optimizer, pool, len(vectors)
        length, kernel = len(vectors[0]), getattr(updates, optimizer.kernel)
        stretches = max(1, min(pool.threads, length // _LEAST_STRETCH))
        numbers = [0.0] * len(optimizer.kernel_numbers(0.0, 1))
        self._calls = [
            NativeCall(kernel, (length * k // stretches, length * (k + 1) // stretches), *vectors, *numbers)
            for k in range(stretches)
        ]

    def __call__(self, rate: float, step: int) -> None:
        """Take a step: see ``Optimizer.update``."""
        numbers: Any = self._optimizer.kernel_numbers(rate, step)
        for call in self._calls:
            call.floats[self._first_number :] = numbers
        self._pool.run(self._calls)
