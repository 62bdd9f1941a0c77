"""Gaussian blur."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from workbench.data.augment.base import Draw, Floats, Span, ValueChange
from workbench.engine.backend import Array, Backend
from workbench.recipe.fields import knob

_REACH = 3.0
"""Standard deviations after which the bell is cut off: what is left out is 0.3 %."""


class Blur(ValueChange):
    """Smooths a picture with a Gaussian bell, its standard deviation uniform in 0 to ``sigma`` pixels.

    Beyond the border stand the border's pixels.
    """

    kind = "blur"
    about = "For pictures that are out of focus."

    sigma: float = knob(1.0, help="The largest standard deviation of the bell.", ge=0, le=50, unit="px")

    def change(self, values: Array, draw: Draw, span: Span, backend: Backend) -> None:
        xp, (n, height, width, channels) = backend.xp, values.shape
        sigmas = draw.uniform("sigma", 0.0, self.sigma)
        # The reach depends on the field only: an example's blur must not depend on its batch.
        reach = ceil(_REACH * self.sigma)
        down = blur_matrices(backend, sigmas, reach, height, values.dtype)
        across = blur_matrices(backend, sigmas, reach, width, values.dtype)
        lines = xp.matmul(down, values.reshape(n, height, width * channels))
        turned = lines.reshape(n, height, width, channels).swapaxes(1, 2).reshape(n, width, height * channels)
        turned = xp.matmul(across, turned).reshape(n, width, height, channels)
        # Weights that add up to 1 but for rounding may leave the range by as much.
        xp.clip(turned.swapaxes(1, 2), span.low, span.high, out=values)


def blur_matrices(backend: Backend, sigmas: Floats, reach: int, size: int, dtype: Any) -> Array:
    """Matrices that blur along an axis of ``size`` pixels, for each example its own.

    Multiplying by a full matrix costs more arithmetic than sliding a window, but BLAS does it, at any sigma.

    Returns:
        ``(n, size, size)``; each row adds up to 1: what reaches beyond the border counts for the border's
        pixel.
    """
    xp = backend.xp
    bell, tail = (backend.asarray(part.astype(dtype)) for part in _bells(sigmas, reach, max(reach, size) + 1))
    places = xp.arange(size)
    matrices = xp.take(bell, abs(places[:, None] - places), axis=1)
    matrices[:, :, 0] += tail[:, 1 : size + 1]
    matrices[:, :, -1] += tail[:, size:0:-1]
    return matrices


def _bells(sigmas: Floats, reach: int, length: int) -> tuple[Floats, Floats]:
    """The weight at each distance, and the sum of the weights from each distance on, both ``(n, length)``."""
    distances = np.arange(length)
    # At a sigma this small the bell is one pixel wide.
    bell = np.exp(-0.5 * (distances / np.maximum(sigmas, 1e-3)[:, None]) ** 2)
    bell[:, distances > reach] = 0.0
    bell /= 2.0 * bell.sum(axis=1, keepdims=True) - bell[:, :1]
    return bell, bell[:, ::-1].cumsum(axis=1)[:, ::-1]
