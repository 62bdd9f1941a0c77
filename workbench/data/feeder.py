"""Fills a plan's buffers with examples: gathered, augmented, normalized."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.data.augment.base import Rows, Span, ValueChange
from workbench.data.augment.pipeline import Augmenter, range_of
from workbench.data.compiled_fill import CompiledFill, compiled_fill
from workbench.data.cuda_fill import CudaFill, cuda_fill
from workbench.data.supply import Feedable, Supply
from workbench.engine.backend import Array, Backend
from workbench.engine.plan import Plan
from workbench.recipe.kinds import AugmentSpec

_BLOCK = 4096
"""Rows of a table that are measured at a time."""


class Feeder:
    """Gathers rows of a dataset into a plan's buffers, on the plan's backend.

    Pictures are augmented before they are normalized, others after. One thread at a time.

    Args:
        dataset: the examples.
        backend: the plan's.
        augment: random changes, made where ``fill`` is given an epoch.
        seed: the training's.
        dtype: the plan's.
        supply: the examples on the backend, where another feeder has them there already.

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
        supply: Supply | None = None,
    ) -> None:
        self._backend, self._dtype = backend, np.dtype(dtype)
        self._inputs = np.asarray(dataset.inputs)
        self._shape = self._inputs.shape[1:]
        with backend.current():
            augmenter = self._augmenting(dataset, augment, seed) if augment else None
        self.supply = supply or Supply(dataset, backend, dtype)
        pictures = len(self._shape) == 3
        self._before: Augmenter | None = augmenter if pictures else None
        self._after: Augmenter | None = None if pictures else augmenter
        self._fills: dict[tuple[int, int], CompiledFill | None] = {}
        self._launches: dict[tuple[int, int], CudaFill | None] = {}

    def fill(self, plan: Plan, rows: Rows, epoch: int | None = None) -> int:
        """Write rows into the first places of ``plan.input``, ``plan.targets`` and ``plan.strengths``.

        Inputs are ``(x - shift) * scale``, targets of a regression ``(y - target_shift) / target_scale``, labels 1, 0,
        or -1 where unknown. A row of which nothing is known gets strength 0, so that it counts in no loss.

        Args:
            plan: room for at least as many rows.
            rows: the examples' numbers, int64 ``(n,)``, on the host.
            epoch: the pass to augment for; None leaves the examples as they are.

        Returns:
            n.

        Raises:
            IndexError: there is no such row.
        """
        rows = self._checked(rows)
        self._fill(plan, rows, None, epoch)
        return len(rows)

    def passing(self, plan: Plan, rows: Rows, epoch: int | None = None) -> Iterator[int]:
        """Fill a plan with all of the rows in order, batch after batch.

        On a device the rows' numbers are uploaded once. Where the examples do not lie there, a batch is gathered and
        copied while the device computes the one before. On a CPU the plan's threads gather it when the plan runs.

        Args:
            plan: its ``batch`` is the size of all batches but the last.
            rows, epoch: as for ``fill``.

        Yields:
            The rows of each batch, once the plan's next run computes it; that must have been started when the next
            one is asked for.

        Raises:
            IndexError: there is no such row.
        """
        rows = self._checked(rows)
        with self._backend.current():
            places = rows if self._backend.on_host else self._backend.asarray(rows)
        for start in range(0, len(rows), plan.batch):
            cut = slice(start, start + plan.batch)
            compiled = self._compiled(plan, len(rows[cut]), epoch)
            if compiled is not None:
                compiled.begin(rows[cut])
                plan.source = compiled
            else:
                self._fill(plan, rows[cut], places[cut], epoch)
            yield len(rows[cut])

    def _checked(self, rows: Rows) -> Rows:
        rows = np.asarray(rows, np.int64)
        # Read as unsigned, a negative row is a huge one.
        if len(rows) and int(rows.view(np.uint64).max()) >= len(self._inputs):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of a dataset of {len(self._inputs)}")
        return rows

    def _fill(self, plan: Plan, rows: Rows, places: Array | None, epoch: int | None) -> None:
        n, supply = len(rows), self.supply
        # What an earlier batch left there that was never computed would be written over this one.
        plan.source = None
        compiled = self._compiled(plan, n, epoch)
        if compiled is not None:
            compiled(rows)
            return
        with self._backend.current():
            places = self._backend.asarray(rows) if places is None else places
            on_device = self._on_device(plan, places, epoch)
            if on_device is not None:
                on_device(places)
                return
            self._fill_inputs(plan.input[:n], rows, places, epoch)
            supply.pick(supply.targets, places, plan.targets[:n])
            supply.pick(supply.strengths, places, plan.strengths[:n])

    def bind(self, plan: Plan) -> None:
        """Make ready to fill full batches of a plan, so that what must be compiled for it is known beforehand."""
        self._compiled(plan, plan.batch, None)

    def _compiled(self, plan: Plan, n: int, epoch: int | None) -> CompiledFill | None:
        """The machine code that fills ``n`` rows of a plan, where there is some for these examples."""
        augmented = epoch is not None and (self._before or self._after)
        if augmented or not (self._backend.compiled and plan.input.dtype == np.float32):
            return None
        # By where it lies, which the fill keeps from being given away; not by ``id``, which is.
        key, supply = (int(plan.input.ctypes.data), n), self.supply
        if key not in self._fills:
            self._fills[key] = compiled_fill(
                supply.inputs, supply.shift, supply.scale, [supply.targets, supply.strengths],
                plan.input[:n], [plan.targets[:n], plan.strengths[:n]],
            )  # fmt: skip
        return self._fills[key]

    def _on_device(self, plan: Plan, places: Array, epoch: int | None) -> CudaFill | None:
        """The launch that fills a plan with the examples of some places, where there is one for these examples."""
        augmented = epoch is not None and (self._before or self._after)
        if augmented or self._backend.cuda is None:
            return None
        key = self._backend.cuda.address(plan.input), len(places)
        if key not in self._launches:
            self._launches[key] = cuda_fill(self.supply, plan, places)
        return self._launches[key]

    @staticmethod
    def batches(rows: Rows, size: int) -> Iterator[Rows]:
        """The rows in pieces of ``size``, the last one smaller."""
        for start in range(0, len(rows), size):
            yield rows[start : start + size]

    def _fill_inputs(self, out: Array, rows: Rows, places: Array, epoch: int | None) -> None:
        xp, supply = self._backend.xp, self.supply
        raw = supply.take(rows, places, out)
        if self._before and epoch is not None:
            if raw is not out:
                xp.copyto(out, raw)
                raw = out
            self._before.apply(out, rows, epoch)
        width = len(supply.shift)
        lines = out.reshape(-1, width)
        xp.subtract(raw.reshape(-1, width), supply.shift, out=lines)
        xp.multiply(lines, supply.scale, out=lines)
        if self._after and epoch is not None:
            self._after.apply(out, rows, epoch)

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
