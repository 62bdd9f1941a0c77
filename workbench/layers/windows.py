"""Sliding windows over pictures: where they lie, and copies of them as matrix rows (im2col)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from workbench.engine.backend import Array, Shape
from workbench.engine.layer import ShapeError

Size = Annotated[int, Field(ge=1, le=1024)]
Pair = Size | tuple[Size, Size]
"""A height and a width; one number stands for both."""

Margin = Annotated[int, Field(ge=0, le=1024)]
Padding = Literal["same", "valid"] | Margin | tuple[Margin, Margin]


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width of a ``Pair``."""
    return (value, value) if isinstance(value, int) else value


def shown(value: int | tuple[int, int]) -> str:
    """``3×3``."""
    height, width = pair(value)
    return f"{height}×{width}"


@dataclass(frozen=True)
class Axis:
    """Windows along one axis: of the input's ``size``, ``window`` long, every ``stride``, with zeros around."""

    size: int
    window: int
    stride: int
    before: int
    after: int

    @property
    def count(self) -> int:
        """How many windows fit."""
        return (self.size + self.before + self.after - self.window) // self.stride + 1

    @property
    def padded(self) -> int:
        """The size with the zeros."""
        return self.size + self.before + self.after


def axes_of(
    kind: str, shape: Shape, window: int | tuple[int, int], stride: int | tuple[int, int], padding: Any
) -> tuple[Axis, Axis]:
    """The windows over a picture ``(height, width, channels)``.

    ``same`` gives ``ceil(size / stride)`` windows, the odd zero at the end (TensorFlow's and ONNX's SAME_UPPER;
    PyTorch's ``padding="same"`` where the stride is 1).

    Raises:
        ShapeError: the input is no picture, or the window does not fit in it.
    """
    if len(shape) != 3:
        raise ShapeError(f"reads a picture (height × width × channels), not {' × '.join(map(str, shape))}")
    found = []
    for size, length, step, margin in zip(shape, pair(window), pair(stride), _margins(padding), strict=False):
        if margin is None:
            total = max((-(-size // step) - 1) * step + length - size, 0)
            axis = Axis(size, length, step, total // 2, total - total // 2)
        else:
            axis = Axis(size, length, step, margin, margin)
        if axis.padded < length:
            raise ShapeError(f"{kind} {shown(window)} does not fit {shape[0]}×{shape[1]}")
        found.append(axis)
    return found[0], found[1]


def _margins(padding: Any) -> tuple[int | None, int | None]:
    if padding == "same":
        return None, None
    if padding == "valid":
        return 0, 0
    return pair(padding)


def windows(xp: Any, padded: Array, rows: Axis, columns: Axis) -> Array:
    """A view ``(n, windows down, windows across, window height, window width, channels)`` of padded pictures."""
    n, down, across, channel = padded.strides
    shape = (padded.shape[0], rows.count, columns.count, rows.window, columns.window, padded.shape[3])
    strides = (n, down * rows.stride, across * columns.stride, down, across, channel)
    return xp.lib.stride_tricks.as_strided(padded, shape, strides)


def offset_view(pictures: Array, rows: Axis, columns: Axis, down: int, across: int) -> Array:
    """What stands at one place of every window: ``(n, windows down, windows across, channels)``."""
    return pictures[
        :,
        down : down + rows.stride * (rows.count - 1) + 1 : rows.stride,
        across : across + columns.stride * (columns.count - 1) + 1 : columns.stride,
    ]
