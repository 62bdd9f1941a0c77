"""Borders made of the values inside: reflected, repeated, or taken from the other end.

What stands where is a number for each place along an axis: that of the place it repeats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, Literal

import numpy as np

from workbench.engine.backend import Array, Shape
from workbench.engine.cuda.calls import Launcher
from workbench.engine.layer import Calls, Chain, ShapeError, Site

Mode = Literal["zeros", "reflect", "replicate", "circular"]
Sides = tuple[tuple[int, int], ...]
"""For each axis of the picture or sequence: places before and after."""
_NUMBERS = {"reflect": 0, "replicate": 1, "circular": 2}
"""As ``shaping.cu`` counts them."""


def check_border(mode: Mode, shape: Shape, sides: Sides) -> None:
    """See whether an input is large enough.

    Raises:
        ShapeError: it has not as many values as are to be repeated.
    """
    most = {"reflect": lambda size: size - 1, "circular": lambda size: size}.get(mode)
    for size, ends in zip(shape, sides, strict=False):
        if most and max(ends) > most(size):
            raise ShapeError(
                f"cannot put {max(ends)} in mode {mode} at an end of {size}: at most {most(size)}; take replicate or"
                " zeros, or less"
            )


def sources(mode: Mode, size: int, ends: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each place of a longer axis, the one that it repeats, ``(before + size + after,)``."""
    places = np.arange(-ends[0], size + ends[1])
    if mode == "reflect":
        return size - 1 - abs(size - 1 - abs(places))
    return places % size if mode == "circular" else np.clip(places, 0, size - 1)


def bordered(site: Site, mode: Mode, sides: Sides) -> Calls:
    """The calls of a layer that puts such a border around its input."""
    shape = tuple(site.inputs[0].shape[1:])
    if len(sides) == 1:
        shape, sides = (1, *shape), ((0, 0), *sides)
    if site.cuda:
        return _on_cuda(site, site.cuda, mode, shape, sides)
    maps = [sources(mode, size, ends) for size, ends in zip(shape, sides, strict=False)]
    return _compiled(site, shape, maps) if site.compiled else _as_arrays(site, shape, sides, maps)


def _as_arrays(site: Site, shape: Shape, sides: Sides, maps: Sequence[Array]) -> Calls:
    xp, height, channels = site.xp, shape[0], shape[2]
    rows, columns = (len(each) for each in maps)
    x, y = site.inputs[0].reshape(-1, *shape), site.output.reshape(-1, rows, columns, channels)
    dx, dy, top, left = site.d_inputs[0], site.d_output, sides[0][0], sides[1][0]
    lines = y[:, top : top + height].swapaxes(1, 2)

    def forward() -> None:
        xp.copyto(lines[:, left : left + shape[1]], x.swapaxes(1, 2))
        # First the columns, and then whole rows, corners and all.
        for whole, places, ends in ((lines, maps[1], sides[1]), (y, maps[0], sides[0])):
            for place, source in _repeating(places, ends):
                xp.copyto(whole[:, place], whole[:, ends[0] + source])

    if dx is None:
        return Calls(forward, Chain())
    d_inner, d_outer = dx.reshape(x.shape), dy.reshape(y.shape)
    part = site.buffer("part", (len(x), height, columns, channels), dx.dtype)

    def backward() -> None:
        _add_up(xp, d_outer, part, maps[0], sides[0])
        _add_up(xp, part.swapaxes(1, 2), d_inner.swapaxes(1, 2), maps[1], sides[1])

    return Calls(forward, backward)


def _repeating(places: Array, ends: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The places of a border, each with the one inside that it repeats."""
    for place in (*range(ends[0]), *range(len(places) - ends[1], len(places))):
        yield place, int(places[place])


def _add_up(xp: Any, longer: Array, shorter: Array, places: Array, ends: tuple[int, int]) -> None:
    """Along the second axis: the gradient of each place and of all that repeat it."""
    xp.copyto(shorter, longer[:, ends[0] : len(places) - ends[1]])
    for place, source in _repeating(places, ends):
        target = shorter[:, source]
        xp.add(target, longer[:, place], out=target)


def _compiled(site: Site, shape: Shape, maps: Sequence[Array]) -> Calls:
    from workbench.engine.kernels import resizing as kernels
    from workbench.engine.kernels.calls import NativeCall

    x, y, dx = site.inputs[0], site.output, site.d_inputs[0]
    down, across = (np.ascontiguousarray(each, np.int64) for each in maps)
    sizes, moved = (*shape, len(down), len(across)), x.itemsize * (prod(x.shape[1:]) + prod(y.shape[1:]))
    forward = NativeCall(kernels.border_forward, site.rows, x, y, down, across, *sizes, row_bytes=moved)
    if dx is None:
        return Calls(forward, Chain())
    arrays = site.d_output, dx, down, across
    return Calls(forward, NativeCall(kernels.border_backward, site.rows, *arrays, *sizes, row_bytes=moved))


def _on_cuda(site: Site, launcher: Launcher, mode: Mode, shape: Shape, sides: Sides) -> Calls:
    x, y, dx = site.inputs[0], site.output, site.d_inputs[0]
    height, width, channels = shape
    (top, bottom), (left, right) = sides
    sizes = height, width, channels, top + height + bottom, left + width + right, top, left, _NUMBERS[mode]
    forward = launcher.over(prod(y.shape), "border_pictures", x, y, sizes, prod(y.shape))
    if dx is None:
        return Calls(forward, Chain())
    back = launcher.over(prod(dx.shape), "border_pictures_back", site.d_output, dx, sizes, prod(dx.shape))
    return Calls(forward, back)
