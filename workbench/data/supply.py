"""A dataset's examples where a plan computes: gathered there where they fit, else brought batch by batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from workbench.data.augment.base import Rows
from workbench.engine.backend import Array, Backend

_SPARE = 0.2
"""The share of a device's free memory that the examples leave to the network."""


class Normalization(Protocol):
    """What a feeder reads from an encoder."""

    @property
    def task(self) -> str: ...
    @property
    def shift(self) -> np.ndarray[Any, Any]: ...
    @property
    def scale(self) -> np.ndarray[Any, Any]: ...
    @property
    def target_shift(self) -> float: ...
    @property
    def target_scale(self) -> float: ...


class Feedable(Protocol):
    """What a feeder reads from a dataset."""

    @property
    def inputs(self) -> np.ndarray[Any, Any]: ...
    @property
    def targets(self) -> np.ndarray[Any, Any]: ...
    @property
    def strengths(self) -> np.ndarray[Any, Any]: ...
    @property
    def sets(self) -> Mapping[Any, Rows]: ...
    @property
    def encoder(self) -> Normalization: ...


class Supply:
    """The examples for one or more feeders, used one at a time.

    On a GPU the inputs lie on the device where they fit; else each batch is gathered on the host and copied while the
    one before is computed. Pictures of 8 bits stay so until they are gathered; memory-mapped inputs are read row by
    row.

    Args:
        dataset: the examples.
        backend: where they are needed.
        dtype: of the plans that are fed.

    Attributes:
        inputs: as the dataset has them, on the host.
        targets, strengths: of all examples, as the loss reads them, on the backend.
        shift, scale: of a line of a picture or a row of a table, on the backend.
    """

    def __init__(self, dataset: Feedable, backend: Backend, dtype: Any = np.float32) -> None:
        self.backend, self.dtype = backend, np.dtype(dtype)
        self.inputs = np.asarray(dataset.inputs)
        self._shape = self.inputs.shape[1:]
        with backend.current():
            self.shift, self.scale = self._normalization(dataset.encoder)
            self.targets, self.strengths = self._answers(dataset)
            self._there: Array | None = self.inputs if backend.on_host else self._uploaded()
            self._buffer = backend.xp.empty((0, *self._shape), self.inputs.dtype)
        self._stager = backend.stager(self._shape, self.inputs.dtype)

    @property
    def resident(self) -> bool:
        """Whether the inputs lie where the plan computes."""
        return self._there is not None

    @property
    def there(self) -> Array | None:
        """The inputs where the plan computes; None where they do not lie there."""
        return self._there

    def take(self, rows: Rows, places: Array, out: Array) -> Array:
        """Some rows of the inputs as the dataset has them: in ``out`` where the types agree, else in a buffer.

        Args:
            rows: their numbers, on the host.
            places: the same on the backend.
            out: ``(n, *shape)`` of the plan's type.
        """
        if self._there is None:
            return self._stager.bring(len(rows), lambda buffer: self._gather(rows, buffer))
        raw = out if self.inputs.dtype == self.dtype else self._room(len(rows))
        self.pick(self._there, places, raw)
        return raw

    def _gather(self, rows: Rows, buffer: np.ndarray[Any, Any]) -> None:
        np.take(self.inputs, rows, axis=0, out=buffer, mode="clip")

    def pick(self, source: Array, places: Array, out: Array) -> None:
        """Some rows of an array on the backend."""
        if self.backend.on_host:
            # In the default mode NumPy would write to a copy of `out` first.
            np.take(source, places, axis=0, out=out, mode="clip")
        else:
            self.backend.xp.take(source, places, axis=0, out=out)

    def device_bytes(self, rows: int) -> int:
        """Memory on a device for the inputs, or for bringing batches of so many rows; 0 on the host."""
        if self.backend.on_host:
            return 0
        if self._there is None:
            return self._stager.device_bytes(rows)
        one = self.inputs.nbytes // max(1, len(self.inputs))
        return self.inputs.nbytes + (0 if self.inputs.dtype == self.dtype else rows * one)

    def _room(self, rows: int) -> Array:
        if len(self._buffer) < rows:
            self._buffer = self.backend.xp.empty((rows, *self._shape), self.inputs.dtype)
        return self._buffer[:rows]

    def _normalization(self, encoder: Normalization) -> tuple[Array, Array]:
        # A line at a time: over three channels NumPy's inner loop would be three elements long.
        channels = self._shape[-1]
        times = self._shape[-2] if len(self._shape) > 1 and channels > 1 else 1
        asarray, dtype = self.backend.asarray, self.dtype
        shift, scale = (np.broadcast_to(part, channels) for part in (encoder.shift, encoder.scale))
        return asarray(np.tile(shift, times).astype(dtype)), asarray(np.tile(scale, times).astype(dtype))

    def _answers(self, dataset: Feedable) -> tuple[Array, Array]:
        """Targets as the loss reads them, and strengths."""
        encoder, targets = dataset.encoder, np.asarray(dataset.targets)
        if encoder.task == "classification":
            known = np.asarray(targets >= 0)
            targets = np.where(known, targets, 0).astype(np.int64)
        else:
            values = targets.reshape(len(targets), -1).astype(np.float64)
            known = np.asarray(np.isfinite(values).all(axis=1))
            values = (values - encoder.target_shift) / encoder.target_scale
            targets = np.where(known[:, None], values, 0.0).astype(self.dtype)
        strengths = np.where(known, dataset.strengths, 0.0).astype(self.dtype)
        return self.backend.asarray(targets), self.backend.asarray(strengths)

    def _uploaded(self) -> Array | None:
        """The inputs on the device, or None where there is no room for them."""
        free = self.backend.free_bytes()
        if free is None or self.inputs.nbytes > (1.0 - _SPARE) * free:
            return None
        try:
            return self.backend.upload(self.inputs)
        except Exception as error:
            if not self.backend.is_out_of_memory(error):
                raise
            self.backend.release()
            return None
