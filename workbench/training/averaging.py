"""An exponential moving average of the weights, kept beside the ones that are trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.engine.backend import Array, Backend


class WeightAverage:
    """``a := d a + (1 - d) w`` after each update t, with ``d = min(decay, (1 + t) / (10 + t))``.

    The rising d lets the first weights be forgotten (TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``).
    The average begins with the weights as they are before the first update.

    Attributes:
        vector: a, or while the two are exchanged w; as long as ``values``.
    """

    def __init__(self, decay: float, backend: Backend, values: Array) -> None:
        self._decay, self._backend, self._values = decay, backend, values
        self._begun = False
        with backend.current():
            self.vector = backend.xp.zeros(values.shape, values.dtype)

    def begin(self) -> None:
        """Start from the weights as they are, unless it has begun."""
        if not self._begun:
            self.restart()

    def restart(self) -> None:
        """Forget what was averaged: start from the weights as they are."""
        with self._backend.current():
            self.vector[...] = self._values
        self._begun = True

    def follow(self, update: int) -> None:
        """Take in the weights after an update, counted from 1."""
        decay = self.decay_at(update)
        xp, number = self._backend.xp, self._values.dtype.type
        for part in self._backend.blocks(len(self._values)):
            average = self.vector[part]
            xp.multiply(average, number(decay), out=average)
            xp.add(average, self._values[part] * number(1.0 - decay), out=average)

    def decay_at(self, update: int) -> float:
        """d of an update."""
        return min(self._decay, (1.0 + update) / (10.0 + update))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While this lasts, the network's numbers are the averaged ones."""
        if not self._begun:
            yield
            return
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        with self._backend.current():
            for part in self._backend.blocks(len(self._values)):
                kept = self._values[part].copy()
                self._values[part] = self.vector[part]
                self.vector[part] = kept
