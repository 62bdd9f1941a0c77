"""The histograms of a run's layers, record by record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.events import LayersDone

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Histograms:
    """Histograms at some places.

    Attributes:
        x: where they were taken, ascending, ``(n,)``.
        low, high: from and to of each, ``(n,)``.
        shares: of its bins, ``(n, bins)``; a row of zeros where there is none.
        version: another one whenever something of it is.
    """

    x: Numbers
    low: Numbers
    high: Numbers
    shares: Numbers
    version: object

    def window(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        known = self.shares.any(axis=1)
        return (float(self.low[known].min()), float(self.high[known].max())) if known.any() else (0.0, 1.0)

    def quantile(self, share: float) -> Numbers:
        """The value that this share of the others lies below, at each place; NaN where there is no histogram."""
        total = self.shares.sum(axis=1)
        sums = np.cumsum(self.shares, axis=1) / np.maximum(total, 1)[:, None]
        bins = self.shares.shape[1]
        place = np.minimum((sums < share).sum(axis=1), bins - 1)
        rows = np.arange(len(sums))
        before = np.where(place > 0, sums[rows, place - 1], 0.0)
        inside = np.clip((share - before) / np.maximum(sums[rows, place] - before, 1e-12), 0, 1)
        values = self.low + (place + inside) * (self.high - self.low) / bins
        return np.where(total > 0, values, np.nan)

    def grid(self, columns: int, rows: int) -> Numbers:
        """Densities on even rows and columns, each column's highest 1, ``(columns, rows)``."""
        if not len(self.x):
            return np.zeros((1, rows))
        bottom, top = self.window()
        heights = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
        bins = self.shares.shape[1]
        width = np.maximum(self.high - self.low, 1e-30)[:, None]
        place = np.floor((heights[None, :] - self.low[:, None]) / width * bins).astype(np.int64)
        inside = (place >= 0) & (place < bins)
        density = np.where(inside, np.take_along_axis(self.shares, np.clip(place, 0, bins - 1), axis=1), 0.0)
        density = density / np.maximum(density.max(axis=1, keepdims=True), 1e-30)
        # Each histogram reaches halfway to its neighbors.
        across = np.linspace(self.x[0], self.x[-1], columns)
        nearest = np.searchsorted((self.x[1:] + self.x[:-1]) / 2, across)
        return np.asarray(density[nearest] if len(self.x) > 1 else density)


def histograms_of(
    records: Sequence[LayersDone], layer: str, place: Callable[[LayersDone], float], version: object = None
) -> Histograms | None:
    """The histograms of a layer: of what its function is given, or else of its weights. None where there are none.

    Args:
        records: in order.
        layer: its name.
        place: where a record stands.
        version: see ``Histograms``.
    """
    found = [record for record in records if layer in with_histograms(record)]
    if not found:
        return None
    rows = [_histogram(record, layer) for record in found]
    bins = max(1, *(len(shares) for _, shares in rows))
    low, high = (np.array([ends[side] for ends, _ in rows]) for side in (0, 1))
    shares = np.array([shares or (0,) * bins for _, shares in rows], float).reshape(len(rows), bins)
    return Histograms(np.array([place(record) for record in found]), low, high, shares, version)


def with_histograms(record: LayersDone) -> tuple[str, ...]:
    """The layers that a record holds a histogram of, in the order of the network."""
    return tuple(layer for layer in record.layers if layer in record.activations or layer in record.weights)


def kind_of(record: LayersDone, layer: str) -> str:
    """What a layer's histograms are of: ``input`` or ``output`` of its function, or ``weights``."""
    return record.measured[record.activations.index(layer)] if layer in record.activations else "weights"


def _histogram(record: LayersDone, layer: str) -> tuple[tuple[float, float], tuple[int, ...]]:
    if layer in record.activations:
        place = record.activations.index(layer)
        return record.value_ranges[place], record.value_shares[place]
    place = record.weights.index(layer)
    return record.weight_ranges[place], record.weight_shares[place]
