"""Pooling in array operations, one pass for each place in a window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.engine.backend import Array
from workbench.engine.layer import Calls, Site
from workbench.layers.windows import Axis, offset_view

Axes = tuple[Axis, Axis]


def max_pooling(site: Site, axes: Axes) -> Calls:
    """The largest value of each window; of several equal ones the first gets the gradient."""
    xp, x, y = site.xp, _pictures(site.inputs[0], axes), _windows(site.output, axes)
    # Nothing is below the padding; with none the input is read as it is.
    frame = _Frame(site, "frame", x, axes, -np.inf)
    views = list(_views(frame.array, axes))

    def forward() -> None:
        frame.copy(x)
        xp.copyto(y, views[0])
        for view in views[1:]:
            xp.maximum(y, view, out=y)

    if site.d_inputs[0] is None:
        return Calls(forward, lambda: None)
    dx, dy = _pictures(site.d_inputs[0], axes), _windows(site.d_output, axes)
    d_frame = _Frame(site, "d_frame", dx, axes, 0.0)
    d_views = list(_views(d_frame.array, axes))
    wins, open_ = site.like("wins", y, np.bool_), site.like("open", y, np.bool_)
    once, part = _covers_once(axes), site.like("part", y)

    def backward() -> None:
        open_[...] = True
        if not once:
            d_frame.array[...] = 0
        for view, d_view in zip(views, d_views, strict=True):
            xp.equal(view, y, out=wins)
            xp.logical_and(wins, open_, out=wins)
            xp.logical_xor(open_, wins, out=open_)
            if once:
                xp.multiply(dy, wins, out=d_view)
            else:
                xp.multiply(dy, wins, out=part)
                xp.add(d_view, part, out=d_view)
        d_frame.copy_back(dx)

    return Calls(forward, backward)


def average_pooling(site: Site, axes: Axes, counted: bool) -> Calls:
    """The mean of what each window holds of the input, and of zeros around it where padding is ``counted``."""
    xp, x, y = site.xp, _pictures(site.inputs[0], axes), _windows(site.output, axes)
    frame = _Frame(site, "frame", x, axes, 0.0)
    views = list(_views(frame.array, axes))
    share = site.backend.asarray(shares(axes, counted).astype(y.dtype))

    def forward() -> None:
        frame.copy(x)
        xp.copyto(y, views[0])
        for view in views[1:]:
            xp.add(y, view, out=y)
        xp.multiply(y, share, out=y)

    if site.d_inputs[0] is None:
        return Calls(forward, lambda: None)
    dx, dy = _pictures(site.d_inputs[0], axes), _windows(site.d_output, axes)
    d_frame = _Frame(site, "d_frame", dx, axes, 0.0)
    d_views = list(_views(d_frame.array, axes))

    def backward() -> None:
        xp.multiply(dy, share, out=dy)
        d_frame.array[...] = 0
        for d_view in d_views:
            xp.add(d_view, dy, out=d_view)
        d_frame.copy_back(dx)

    return Calls(forward, backward)


def global_average(site: Site) -> Calls:
    """The mean over all places, for each channel."""
    xp, x, y, dx, dy = site.xp, site.inputs[0], site.output, site.d_inputs[0], site.d_output
    x = x.reshape(len(x), -1, x.shape[-1])
    share = y.dtype.type(1.0 / x.shape[1])
    if dx is not None:
        dx = dx.reshape(x.shape)

    def forward() -> None:
        xp.sum(x, axis=1, out=y)
        xp.multiply(y, share, out=y)

    def backward() -> None:
        if dx is not None:
            xp.multiply(dy, share, out=dy)
            dx[...] = dy[:, None, :]

    return Calls(forward, backward)


def shares(axes: Axes, counted: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """1 / how many values each window holds, ``(rows, columns, 1)``: of the input, or with padding ``counted``."""
    counts = [np.full(axis.count, float(axis.window)) if counted else _held(axis) for axis in axes]
    return 1.0 / (counts[0][:, None, None] * counts[1][None, :, None])


def _held(axis: Axis) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    starts = np.arange(axis.count) * axis.stride - axis.before
    held = np.minimum(starts + axis.window, axis.size) - np.maximum(starts, 0)
    return held.astype(np.float64)


class _Frame:
    """The input, or its gradient, with padding around it; the array itself where there is none."""

    def __init__(self, site: Site, name: str, pictures: Array, axes: Axes, around: float) -> None:
        rows, columns = axes
        self._inner = None
        self.array = pictures
        if (rows.padded, columns.padded) != (rows.size, columns.size):
            shape = (len(pictures), rows.padded, columns.padded, pictures.shape[3])
            self.array = site.buffer(name, shape, pictures.dtype)
            self.array[...] = around
            inside = (slice(axis.before, axis.before + axis.size) for axis in axes)
            self._inner = self.array[(slice(None), *inside)]

    def copy(self, pictures: Array) -> None:
        """Put the input in."""
        if self._inner is not None:
            self._inner[...] = pictures

    def copy_back(self, pictures: Array) -> None:
        """Take the gradient out."""
        if self._inner is not None:
            pictures[...] = self._inner


def _pictures(array: Array, axes: Axes) -> Array:
    return array.reshape(-1, axes[0].size, axes[1].size, array.shape[-1])


def _windows(array: Array, axes: Axes) -> Array:
    return array.reshape(-1, axes[0].count, axes[1].count, array.shape[-1])


def _views(pictures: Array, axes: Axes) -> Iterator[Array]:
    rows, columns = axes
    for down in range(rows.window):
        for across in range(columns.window):
            yield offset_view(pictures, rows, columns, down, across)


def _covers_once(axes: Axes) -> bool:
    """Whether each input value stands in exactly one window."""
    return all(axis.stride == axis.window and axis.count * axis.window == axis.padded for axis in axes)
