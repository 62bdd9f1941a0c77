"""Whether gradients and updates are of a healthy size, by simple rules on the figures that a run records.

The lecture ("Vanishing/exploding gradients"): in deep networks gradients get smaller and smaller, or greater and
greater, on their way to the earlier layers. The limits below are rules of thumb, not theory; each is told where it is
used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Numbers = np.ndarray[Any, Any]
Word = Literal["healthy", "vanishing", "exploding", "small", "large", "unknown"]

RECENT = 20
"""Records that are looked at, the latest: their median does not heed a single batch."""
LEAST = 5
"""Records before which nothing is said."""

EXPLODING = 1e3
"""A layer's gradient norm above which it counts as exploding; a healthy one is rarely above some tens."""
VANISHING = 1e-3
"""The first layer's gradient norm by the last one's, below which it counts as vanishing on the way."""
NOTHING = 1e-8
"""A gradient norm that moves no float32 weight any more."""

RATIO = 1e-3
"""An update's length by that of the weights: about what works well (Karpathy, CS231n, "Ratio of weights:updates")."""
RATIO_LARGE, RATIO_SMALL = 1e-1, 1e-5
"""Beyond a hundredfold of it in either direction."""


@dataclass(frozen=True)
class Health:
    """What the figures say.

    Attributes:
        word: in one word; ``unknown`` before there are enough records.
        text: in a sentence, with the figure and the rule.
        layer: the layer that it was seen at; empty where it concerns none or all.
    """

    word: Word
    text: str
    layer: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing is to be done."""
        return self.word in ("healthy", "unknown")


_UNKNOWN = Health("unknown", "")


def gradient_health(norms: Numbers, layers: Sequence[str]) -> Health:
    """Whether gradients explode or vanish.

    Args:
        norms: by layer, ``(records, layers)``, in the order of the network.
        layers: their names.
    """
    if len(norms) < LEAST or not layers:
        return _UNKNOWN
    recent = norms[-RECENT:]
    if not np.isfinite(recent).all():
        place = int(np.argmin(np.isfinite(recent).all(axis=0)))
        return Health("exploding", "The gradient is no longer a finite number.", layers[place])
    middle = np.median(recent, axis=0)
    highest = int(np.argmax(middle))
    if middle[highest] > EXPLODING:
        text = f"The gradient norm is {middle[highest]:.2g}, above {EXPLODING:g}: clip it, or lower the learning rate."
        return Health("exploding", text, layers[highest])
    return _vanishing(middle, layers) or Health("healthy", "Gradients reach all layers.")


def _vanishing(middle: Numbers, layers: Sequence[str]) -> Health | None:
    if middle.max() < NOTHING:
        return Health("vanishing", f"No gradient is left: all norms are below {NOTHING:g}.")
    share = middle[0] / max(float(middle[-1]), NOTHING)
    if len(layers) > 1 and share < VANISHING:
        text = f"The first layer’s gradient is {share:.1g} of the last one’s, below {VANISHING:g}."
        return Health("vanishing", text, layers[0])
    return None


def update_health(ratios: Numbers, layers: Sequence[str]) -> Health:
    """Whether updates are of a healthy size beside the weights.

    Args:
        ratios: by layer, ``(records, layers)``.
        layers: their names.
    """
    if len(ratios) < LEAST or not layers:
        return _UNKNOWN
    recent = ratios[-RECENT:]
    if not np.isfinite(recent).all():
        return Health("large", "An update is no longer a finite number.")
    middle = np.median(recent, axis=0)
    highest = int(np.argmax(middle))
    if middle[highest] > RATIO_LARGE:
        text = f"A step changes the weights by {middle[highest]:.0%} of their length: lower the learning rate."
        return Health("large", text, layers[highest])
    if middle[highest] < RATIO_SMALL:
        text = f"All updates are below {RATIO_SMALL:g} of the weights: little is learned any more."
        return Health("small", text)
    return Health("healthy", f"Updates are of a healthy size; about {RATIO:g} of the weights works well.")
