"""Gaussian noise on pictures, sequences and tables."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from workbench.data.augment.base import Draw, Span, ValueChange
from workbench.engine.backend import Array, Backend
from workbench.engine.random import bits
from workbench.recipe.fields import knob


class Noise(ValueChange):
    """Adds Gaussian noise to each value by itself: ``x + sigma * width * N(0, 1)``.

    The width is the range of a picture's values (255 for 8-bit pictures; the sum is clipped to the range), or the
    standard deviation of a table's column or a sequence's feature over the training set.
    """

    kind = "noise"
    about = "For measurements that are never twice the same; keeps a network from learning values by heart."
    applies_to = frozenset({"pictures", "sequences", "table"})

    sigma: float = knob(
        0.05,
        help="The noise's standard deviation, as a share of the pictures' range or of a feature's deviation.",
        ge=0,
        le=10,
        unit="fraction",
    )

    def change(self, values: Array, draw: Draw, span: Span, backend: Backend) -> None:
        rows = backend.asarray(draw.rows)
        size = int(values[0].size)
        noise = normals_of(backend.xp, draw.key("noise"), rows, size).reshape(values.shape)
        noise *= self.sigma * span.width
        values += noise
        span.clip(backend.xp, values)


def normals_of(xp: Any, key: int, rows: Array, size: int) -> Array:
    """Standard normal numbers for each example, by the transform of Box and Muller (1958).

    In float32 and two at a time: this is most of the cost of noise on pictures.

    Args:
        xp: NumPy or CuPy.
        key: of the stream.
        rows: the examples' numbers, ``(n,)``.
        size: how many numbers an example needs.

    Returns:
        float32 ``(n, size)``, within ±5.8.
    """
    pairs = (size + 1) // 2
    index = rows.astype(np.uint64)[:, None] * np.uint64(pairs) + xp.arange(pairs, dtype=np.uint64)
    halves = bits(xp, key, index).view(np.uint32).reshape(len(rows), pairs, 2) >> np.uint32(8)
    # One more keeps the logarithm finite.
    chance = (halves[:, :, 0] + np.uint32(1)).astype(np.float32) * np.float32(2.0**-24)
    angle = halves[:, :, 1].astype(np.float32) * np.float32(2.0 * pi * 2.0**-24)
    radius = xp.sqrt(np.float32(-2.0) * xp.log(chance))
    normals = xp.empty((len(rows), 2 * pairs), np.float32)
    xp.multiply(radius, xp.cos(angle), out=normals[:, :pairs])
    xp.multiply(radius, xp.sin(angle), out=normals[:, pairs:])
    return normals[:, :size]
