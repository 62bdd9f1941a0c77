"""Fills a plan's buffers with examples: gathered, augmented, normalized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from workbench.data.augment.base import Rows, Span, ValueChange
from workbench.data.augment.pipeline import Augmenter, range_of
from workbench.data.compiled_fill import CompiledFill, compiled_fill
from workbench.engine.backend import Array, Backend
from workbench.engine.plan import Plan
from workbench.recipe.kinds import AugmentSpec

_SPARE = 0.2
"""The share of a device's free memory that the examples leave to the network."""

_BLOCK = 4096
"""Rows of a table that are measured at a time."""


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


class Feeder:
    """Gathers rows of a dataset into a plan's buffers, on the plan's backend.

    On a GPU the inputs lie on the device where they fit, else each batch is gathered on the host and copied. Pictures
    of 8 bits stay so until they are gathered; memory-mapped inputs are read row by row. Pictures are augmented before
    they are normalized, others after. One thread at a time.

    Args:
        dataset: the examples.
        backend: the plan's.
        augment: random changes, made where ``fill`` is given an epoch.
        seed: the training's.
        dtype: the plan's.

    Raises:
        RecipeError: an augmentation cannot act on these examples.
    """

    def __init__(
        self,
        dataset: Feedable,
        backend: Backend,
        augment: Sequence[AugmentSpec] = (),
        seed: int = 0,
        dtype: Any = np.float32,
    ) -> None:
        self._backend, self._dtype = backend, np.dtype(dtype)
        self._inputs = np.asarray(dataset.inputs)
        self._shape = self._inputs.shape[1:]
        with backend.current():
            self._shift, self._scale = self._normalization(dataset.encoder)
            self._targets, self._strengths = self._answers(dataset)
            augmenter = self._augmenting(dataset, augment, seed) if augment else None
            self._on_device: Array | None = self._inputs if backend.on_host else self._uploaded()
        pictures = len(self._shape) == 3
        self._before: Augmenter | None = augmenter if pictures else None
        self._after: Augmenter | None = None if pictures else augmenter
        self._host_buffer = np.empty((0, *self._shape), self._inputs.dtype)
        self._buffer = backend.xp.empty((0, *self._shape), self._inputs.dtype)
        self._fills: dict[tuple[int, int], CompiledFill | None] = {}

    @property
    def gathers_on_device(self) -> bool:
        """Whether the inputs lie where the plan computes."""
        return self._on_device is not None

    def fill(self, plan: Plan, rows: Rows, epoch: int | None = None) -> int:
        """Write rows into the first places of ``plan.input``, ``plan.targets`` and ``plan.strengths``.

        Inputs are ``(x - shift) * scale``, targets of a regression ``(y - target_shift) / target_scale``. A row whose
        target is unknown gets strength 0, so that it counts in no loss.

        Args:
            plan: room for at least as many rows.
            rows: the examples' numbers, int64 ``(n,)``, on the host.
            epoch: the pass to augment for; None leaves the examples as they are.

        Returns:
            n.

        Raises:
            IndexError: there is no such row.
        """
        rows = np.asarray(rows, np.int64)
        n = len(rows)
        # Read as unsigned, a negative row is a huge one.
        if n and int(rows.view(np.uint64).max()) >= len(self._inputs):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of a dataset of {len(self._inputs)}")
        compiled = self._compiled(plan, n, epoch)
        if compiled is not None:
            compiled(rows)
            return n
        with self._backend.current():
            places = self._backend.asarray(rows)
            self._fill_inputs(plan.input[:n], rows, places, epoch)
            self._take(self._targets, places, plan.targets[:n])
            self._take(self._strengths, places, plan.strengths[:n])
        return n

    def bind(self, plan: Plan) -> None:
        """Make ready to fill full batches of a plan, so that what must be compiled for it is known beforehand."""
        self._compiled(plan, plan.batch, None)

    def _compiled(self, plan: Plan, n: int, epoch: int | None) -> CompiledFill | None:
        """The machine code that fills ``n`` rows of a plan, where there is some for these examples."""
        augmented = epoch is not None and (self._before or self._after)
        if augmented or not (self._backend.compiled and plan.input.dtype == np.float32):
            return None
        # By where it lies, which the fill keeps from being given away; not by ``id``, which is.
        key = int(plan.input.ctypes.data), n
        if key not in self._fills:
            self._fills[key] = compiled_fill(
                self._inputs, self._shift, self._scale, [self._targets, self._strengths],
                plan.input[:n], [plan.targets[:n], plan.strengths[:n]],
            )  # fmt: skip
        return self._fills[key]

    @staticmethod
    def batches(rows: Rows, size: int) -> Iterator[Rows]:
        """The rows in pieces of ``size``, the last one smaller."""
        for start in range(0, len(rows), size):
            yield rows[start : start + size]

    def _fill_inputs(self, out: Array, rows: Rows, places: Array, epoch: int | None) -> None:
        xp, raw = self._backend.xp, self._gathered(out, rows, places)
        if self._before and epoch is not None:
            if raw is not out:
                xp.copyto(out, raw)
                raw = out
            self._before.apply(out, rows, epoch)
        width = len(self._shift)
        lines = out.reshape(-1, width)
        xp.subtract(raw.reshape(-1, width), self._shift, out=lines)
        xp.multiply(lines, self._scale, out=lines)
        if self._after and epoch is not None:
            self._after.apply(out, rows, epoch)

    def _gathered(self, out: Array, rows: Rows, places: Array) -> Array:
        """The rows as the dataset has them: in ``out`` where the types agree, else in a buffer."""
        n, same = len(rows), self._inputs.dtype == self._dtype
        if self._on_device is not None:
            if not same and len(self._buffer) < n:
                self._buffer = self._backend.xp.empty((n, *self._shape), self._inputs.dtype)
            raw = out if same else self._buffer[:n]
            self._take(self._on_device, places, raw)
            return raw
        if len(self._host_buffer) < n:
            self._host_buffer = np.empty((n, *self._shape), self._inputs.dtype)
        np.take(self._inputs, rows, axis=0, out=self._host_buffer[:n], mode="clip")
        return self._backend.asarray(self._host_buffer[:n])

    def _take(self, source: Array, places: Array, out: Array) -> None:
        if self._backend.on_host:
            # In the default mode NumPy would write to a copy of `out` first.
            np.take(source, places, axis=0, out=out, mode="clip")
        else:
            self._backend.xp.take(source, places, axis=0, out=out)

    def _normalization(self, encoder: Normalization) -> tuple[Array, Array]:
        """Shift and scale for a line of a picture, a whole sequence or a row of a table."""
        # A line at a time: over three channels NumPy's inner loop would be three elements long.
        channels = self._shape[-1]
        times = self._shape[-2] if len(self._shape) > 1 and channels > 1 else 1
        asarray, dtype = self._backend.asarray, self._dtype
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
            targets = np.where(known[:, None], values, 0.0).astype(self._dtype)
        strengths = np.where(known, dataset.strengths, 0.0).astype(self._dtype)
        return self._backend.asarray(targets), self._backend.asarray(strengths)

    def _augmenting(self, dataset: Feedable, augment: Sequence[AugmentSpec], seed: int) -> Augmenter:
        if not any(isinstance(spec, ValueChange) for spec in augment):
            # Moving pixels needs no measures, which would read the whole training set.
            span = Span(-np.inf, np.inf, 1.0)
        elif len(self._shape) == 3:
            span = Span.of_range(*range_of(self._inputs, dataset.sets["train"]))
        else:
            deviations = column_deviations(self._inputs, dataset.sets["train"]) * np.abs(dataset.encoder.scale)
            span = Span(-np.inf, np.inf, self._backend.asarray(deviations.astype(self._dtype)))
        return Augmenter(augment, self._shape, span, self._backend, self._dtype, seed)

    def _uploaded(self) -> Array | None:
        """The inputs on the device, or None where there is no room for them."""
        free = self._backend.free_bytes()
        if free is None or self._inputs.nbytes > (1.0 - _SPARE) * free:
            return None
        try:
            return self._backend.asarray(self._inputs)
        except Exception as error:
            if not self._backend.is_out_of_memory(error):
                raise
            self._backend.release()
            return None


def column_deviations(inputs: np.ndarray[Any, Any], rows: Rows) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Each feature's standard deviation over some rows and all steps, float64 ``(F,)``, without a copy of the whole."""
    count, width = 0, inputs.shape[-1]
    mean, squares = np.zeros(width), np.zeros(width)
    # Chan, Golub and LeVeque (1979): joining means and squares of blocks loses no digits to a large mean.
    for piece in Feeder.batches(rows, _BLOCK):
        block = inputs[piece].reshape(-1, width).astype(np.float64)
        block_mean, n = block.mean(axis=0), len(block)
        squares += ((block - block_mean) ** 2).sum(axis=0) + (block_mean - mean) ** 2 * (count * n / (count + n))
        mean += (block_mean - mean) * (n / (count + n))
        count += n
    return np.sqrt(squares / max(1, count))
