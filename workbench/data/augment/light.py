"""Augmentations that change a picture's light: brightness, contrast."""

from __future__ import annotations

from math import log1p
from typing import Any

import numpy as np

from workbench.data.augment.base import Draw, Floats, Span, ValueChange
from workbench.engine.backend import Array, Backend
from workbench.recipe.fields import knob


class Brightness(ValueChange):
    """Adds one number to all pixels of a picture, uniform in ±amount of the range, and clips."""

    kind = "brightness"
    about = "For pictures taken in different light."

    amount: float = knob(
        0.1, help="The largest change, as a share of the pictures' range.", ge=0, le=1, unit="fraction"
    )

    def change(self, values: Array, draw: Draw, span: Span, backend: Backend) -> None:
        flat = values.reshape(len(values), -1)
        flat += _column(backend, draw.uniform("change", -self.amount, self.amount) * span.width, values.dtype)
        span.clip(backend.xp, values)


class Contrast(ValueChange):
    """Multiplies differences from a picture's mean by a factor in ``[1 / (1 + amount), 1 + amount]``, and clips.

    The factor's logarithm is uniform, so that contrast rises as often as it falls.
    """

    kind = "contrast"
    about = "For pictures that are flat or harsh."

    amount: float = knob(
        0.2,
        help="How much stronger at most; at 20 % the factor lies between 1/1.2 and 1.2.",
        ge=0,
        le=3,
        unit="fraction",
    )

    def change(self, values: Array, draw: Draw, span: Span, backend: Backend) -> None:
        flat = values.reshape(len(values), -1)
        factor = np.exp(draw.uniform("factor", -1.0, 1.0) * log1p(self.amount))
        # x + (factor - 1)(x - mean): exactly x where the factor is 1.
        difference = flat - flat.mean(axis=1, keepdims=True)
        difference *= _column(backend, factor - 1.0, values.dtype)
        flat += difference
        span.clip(backend.xp, values)


def _column(backend: Backend, numbers: Floats, dtype: Any) -> Array:
    """A number for each example, ``(n, 1)`` on the backend."""
    return backend.asarray(numbers.astype(dtype)[:, None])
