"""How weights start: zero-mean, scaled by how many values a unit sums over.

``lecun``: variance 1 / fan_in (the lecture calls it Xavier; LeCun et al., Efficient BackProp, 1998).
``glorot``: 2 / (fan_in + fan_out) (Glorot and Bengio, AISTATS 2010, the one called Xavier elsewhere).
``he``: 2 / fan_in (He et al., ICCV 2015), for ReLU and its relatives.
``orthogonal``: a matrix that keeps lengths, so far as its shape allows (Saxe et al., Exact solutions to the nonlinear
dynamics of learning in deep linear neural networks, ICLR 2014): for what is multiplied by itself step after step.
``normal`` and ``uniform`` alone have the variance that they are given, for tables of vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from workbench.engine.random import key_of, normal, uniform

InitializerName = Literal[
    "he_normal",
    "he_uniform",
    "glorot_normal",
    "glorot_uniform",
    "lecun_normal",
    "lecun_uniform",
    "orthogonal",
    "zeros",
    "constant",
]
NAMES: tuple[str, ...] = get_args(InitializerName)


class Initializer:
    """A rule for a parameter's first values.

    Args:
        name: one of ``NAMES``, or ``normal`` or ``uniform``.
        value: what ``constant`` fills in; the standard deviation of ``normal`` and ``uniform``.
        empty_row: the row of a matrix that starts at 0, whatever the others do.
    """

    def __init__(self, name: str, value: float = 0.0, empty_row: int | None = None) -> None:
        self.name, self.value, self.empty_row = name, value, empty_row

    def variance(self, fan_in: int, fan_out: int) -> float:
        """The variance of the first values; of orthogonal ones, that of a matrix ``(fan_out, fan_in)``."""
        family = self.name.partition("_")[0]
        if family in ("normal", "uniform"):
            return self.value**2
        if family == "he":
            return 2.0 / fan_in
        if family == "glorot":
            return 2.0 / (fan_in + fan_out)
        if family == "orthogonal":
            return 1.0 / max(fan_in, fan_out)
        return 1.0 / fan_in if family == "lecun" else 0.0

    def fill(self, shape: tuple[int, ...], fan_in: int, fan_out: int, *key: int | str) -> np.ndarray[Any, Any]:
        """First values, float64 of the shape; the key (seed, layer, parameter) fixes them."""
        count = int(np.prod(shape))
        if self.name in ("zeros", "constant"):
            return np.full(shape, self.value if self.name == "constant" else 0.0)
        if self.name == "orthogonal":
            return _orthogonal(normal(np, key_of(*key), 0, count).reshape(shape[0], -1)).reshape(shape)
        deviation = self.variance(fan_in, fan_out) ** 0.5
        values: np.ndarray[Any, Any]
        if self.name.endswith("normal"):
            values = deviation * normal(np, key_of(*key), 0, count)
        else:
            # A uniform distribution on (-a, a) has the variance a² / 3.
            values = deviation * 3.0**0.5 * (2.0 * uniform(np, key_of(*key), 0, count, np.float64) - 1.0)
        values = values.reshape(shape)
        if self.empty_row is not None:
            values[self.empty_row] = 0
        return values


class Stacked(Initializer):
    """Equal parts one under the other, each started by a rule of its own: the gates of a recurrent layer.

    Args:
        parts: their rules, from the top.
    """

    def __init__(self, parts: Sequence[Initializer]) -> None:
        super().__init__(parts[0].name, parts[0].value)
        self.parts = tuple(parts)

    def fill(self, shape: tuple[int, ...], fan_in: int, fan_out: int, *key: int | str) -> np.ndarray[Any, Any]:
        """First values; the fans are those of one part."""
        one = (shape[0] // len(self.parts), *shape[1:])
        filled = [part.fill(one, fan_in, fan_out, *key, number) for number, part in enumerate(self.parts)]
        return np.concatenate(filled)


def _orthogonal(draws: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The orthogonal factor of a matrix, rows or columns orthonormal, whichever are fewer."""
    tall = draws if draws.shape[0] >= draws.shape[1] else draws.T
    q, r = np.linalg.qr(tall)
    # With the signs of R's diagonal taken out, all orthogonal matrices are equally likely (Mezzadri, 2007).
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return np.ascontiguousarray(q if tall is draws else q.T)


ONES = Initializer("constant", 1.0)
ZEROS = Initializer("zeros")
