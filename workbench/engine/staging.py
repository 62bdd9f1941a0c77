"""How batches that are gathered on the host get to where a plan computes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

Array = Any
Gather = Callable[[np.ndarray[Any, Any]], None]
"""Fills an array on the host with the rows of a batch."""


class Stager:
    """On the host: one buffer, which the plan's feeder reads where it is.

    Args:
        shape: of an example.
        dtype: of its values.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self._shape, self._dtype = shape, np.dtype(dtype)
        self._buffer: np.ndarray[Any, Any] = np.empty((0, *shape), dtype)

    def bring(self, rows: int, gather: Gather) -> Array:
        """Have a batch gathered and bring it over.

        Args:
            rows: of the batch.
            gather: called at once.

        Returns:
            ``(rows, *shape)``; to be read before the next but one is brought.
        """
        if len(self._buffer) < rows:
            self._buffer = np.empty((rows, *self._shape), self._dtype)
        gather(self._buffer[:rows])
        return self._buffer[:rows]

    def device_bytes(self, rows: int) -> int:
        """Memory that it takes beside the host's for batches of so many rows."""
        return 0

    def _bytes(self, rows: int) -> int:
        return rows * int(prod(self._shape)) * int(self._dtype.itemsize)
