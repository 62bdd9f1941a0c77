"""Augmentations that move pixels: rotate, scale, shift, flip, crop."""

from __future__ import annotations

from math import log1p
from typing import Literal

import numpy as np

from workbench.data.augment.base import Bordered, Draw, Floats, Geometric, identity_maps
from workbench.engine.backend import Shape
from workbench.recipe.fields import knob


class Rotate(Bordered):
    """Turns a picture about its center by an angle uniform in ±degrees."""

    kind = "rotate"
    about = "For things that are seen at an angle."

    degrees: float = knob(10.0, help="The largest angle, to either side.", ge=0, le=180, unit="°")

    def maps(self, draw: Draw, height: int, width: int) -> Floats:
        angle = np.radians(draw.uniform("angle", -self.degrees, self.degrees))
        maps = identity_maps(len(angle))
        maps[:, 0, 0] = maps[:, 1, 1] = np.cos(angle)
        maps[:, 0, 1] = np.sin(angle)
        maps[:, 1, 0] = -maps[:, 0, 1]
        return maps


class Scale(Bordered):
    """Enlarges or shrinks a picture about its center by a factor in ``[1 / (1 + amount), 1 + amount]``.

    The factor's logarithm is uniform, so that a picture is as often enlarged as it is shrunk.
    """

    kind = "scale"
    about = "For things that are near or far."

    amount: float = knob(
        0.1,
        help="How much larger at most; at 10 % the factor lies between 1/1.1 and 1.1.",
        ge=0,
        le=3,
        unit="fraction",
    )

    def maps(self, draw: Draw, height: int, width: int) -> Floats:
        maps = identity_maps(len(draw.rows))
        maps[:, 0, 0] = maps[:, 1, 1] = np.exp(draw.uniform("factor", -1.0, 1.0) * log1p(self.amount))
        return maps


class Shift(Bordered):
    """Moves a picture down and across, each by a distance uniform in ±pixels (fractions of a pixel too)."""

    kind = "shift"
    about = "For things that are not centered."

    pixels: float = knob(2.0, help="The largest distance, down and across.", ge=0, le=10_000, unit="px")

    def maps(self, draw: Draw, height: int, width: int) -> Floats:
        maps = identity_maps(len(draw.rows))
        maps[:, 0, 2] = draw.uniform("down", -self.pixels, self.pixels)
        maps[:, 1, 2] = draw.uniform("across", -self.pixels, self.pixels)
        return maps


class Flip(Geometric):
    """Mirrors a picture with some probability; ``both`` decides for each direction by itself."""

    kind = "flip"
    about = "For things whose mirror image is just as likely; not for letters and digits."

    direction: Literal["horizontal", "vertical", "both"] = knob(
        "horizontal", help="Left and right, top and bottom, or each of them by itself."
    )
    probability: float = knob(0.5, help="How often a picture is mirrored.", ge=0, le=1, unit="fraction")

    def maps(self, draw: Draw, height: int, width: int) -> Floats:
        maps = identity_maps(len(draw.rows))
        axes = {"vertical": (0,), "horizontal": (1,), "both": (0, 1)}[self.direction]
        for axis in axes:
            mirrored = draw.uniform(f"axis {axis}", 0.0, 1.0) < self.probability
            maps[:, axis, axis] = np.where(mirrored, -1.0, 1.0)
        return maps


class Crop(Geometric):
    """Cuts a window at a random place and resizes it to the whole picture.

    Its shorter side is smaller by a number of pixels that is uniform in 0 to ``pixels``; it keeps the proportions and
    lies within the picture.
    """

    kind = "crop"
    about = "For things that are cut off or come closer; shows different parts of a picture."

    pixels: float = knob(
        4.0,
        help="By how many pixels the window's shorter side is smaller at most.",
        ge=0,
        le=10_000,
        unit="px",
    )

    def problem(self, shape: Shape) -> str:
        shorter = min(shape[0], shape[1])
        if self.pixels <= shorter - 1:
            return ""
        return f"cuts up to {self.pixels:g} pixels off {shape[0]}×{shape[1]}, which leaves nothing"

    def maps(self, draw: Draw, height: int, width: int) -> Floats:
        share = 1.0 - draw.uniform("cut", 0.0, self.pixels) / min(height, width)
        maps = identity_maps(len(share))
        for axis, (name, size) in enumerate((("down", height), ("across", width))):
            maps[:, axis, axis] = share
            maps[:, axis, 2] = draw.uniform(name, -0.5, 0.5) * (1.0 - share) * (size - 1)
        return maps
