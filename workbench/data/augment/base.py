"""What an augmentation is: a random change of an example, drawn anew in each epoch.

Its numbers are a function of (seed, epoch, place in the recipe's list, example), so that neither the order of the
examples nor a resume changes them.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from workbench.engine.backend import Array, Backend, Shape
from workbench.engine.random import key_of, uniform_of
from workbench.recipe.fields import knob
from workbench.recipe.kinds import AugmentSpec

Fill = Literal["edge", "zero"]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Draw:
    """The random numbers of one augmentation for some examples: the same whatever batch an example stands in.

    Attributes:
        seed: the training's.
        epoch: which pass; each pass draws anew.
        position: the augmentation's place in the recipe's list, from 0.
        rows: the examples' numbers in the dataset, int64 ``(n,)``, on the host.
    """

    seed: int
    epoch: int
    position: int
    rows: Rows

    def key(self, name: str) -> int:
        """The key of one of the augmentation's streams."""
        return key_of(int(self.seed), "augment", int(self.epoch), self.position, name)

    def uniform(self, name: str, low: float, high: float) -> Floats:
        """A number in ``[low, high)`` for each example, float64 ``(n,)``."""
        return low + (high - low) * np.asarray(uniform_of(np, self.key(name), self.rows))


@dataclass(frozen=True)
class Span:
    """How large the values of the examples are.

    Attributes:
        low, high: the range that changed values are clipped to.
        width: what a strength of 1 stands for: the range of a picture's values, or each feature's standard
            deviation ``(F,)`` on the backend.
    """

    low: float
    high: float
    width: Any

    @classmethod
    def of_range(cls, low: float, high: float) -> Span:
        """The span of pictures with values from ``low`` to ``high``."""
        return cls(low, high, high - low)

    def clip(self, xp: Any, values: Array) -> None:
        """Bring values back into the range, in place."""
        if np.isfinite(self.low) or np.isfinite(self.high):
            xp.clip(values, self.low, self.high, out=values)


class Augmentation(AugmentSpec):
    """A kind of augmentation. Those with a ``kind`` are final and stand in ``workbench.data.augment``."""

    applies_to: ClassVar[frozenset[str]] = frozenset({"pictures"})
    """Which examples it can change: ``pictures``, ``sequences``, ``table``."""

    def problem(self, shape: Shape) -> str:
        """Why it cannot act on examples of this shape, a clause; empty where it can."""
        return ""


class Geometric(Augmentation):
    """Moves pixels. Neighbors in the list become one map, and the pictures are resampled once."""

    @abstractmethod
    def maps(self, draw: Draw, height: int, width: int) -> Floats:
        """From a place in the changed picture to where its value stands in the picture before.

        Returns:
            float64 ``(n, 3, 3)``, acting on ``(y, x, 1)`` in pixels from the picture's center.
        """


class Bordered(Geometric):
    """A geometric kind that may show what lies beyond the border."""

    fill: Fill = knob(
        "edge",
        help="What comes in from beyond the border: its pixels drawn out (`edge`), or 0. Zeros show a network how far "
        "a photo was turned; where the border is 0 anyway, both are the same.",
        advanced=True,
    )


class ValueChange(Augmentation):
    """Changes values where they stand."""

    @abstractmethod
    def change(self, values: Array, draw: Draw, span: Span, backend: Backend) -> None:
        """Change examples in place.

        Args:
            values: ``(n, H, W, C)``, ``(n, T, F)``, or for a table ``(n, F)``; contiguous.
            draw: the random numbers, for these examples.
            span: how large the values are.
            backend: where ``values`` lie.
        """


def identity_maps(count: int) -> Floats:
    """Maps that leave pictures as they are, float64 ``(count, 3, 3)``."""
    return np.tile(np.eye(3), (count, 1, 1))
