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
    """Windows along one axis: ``window`` values of the input's ``size``, every ``stride``, with zeros around.

    With a dilation the values of a window stand that far apart.
    """

    size: int
    window: int
    stride: int
    before: int
    after: int
    dilation: int = 1

    @property
    def reach(self) -> int:
        """From the first value of a window to one past its last."""
        return (self.window - 1) * self.dilation + 1

    @property
    def count(self) -> int:
        """How many windows fit."""
        return (self.padded - self.reach) // self.stride + 1

    @property
    def padded(self) -> int:
        """The size with the zeros."""
        return self.size + self.before + self.after


ALONE = Axis(1, 1, 1, 0, 0)
"""The axis that a sequence lacks beside a picture: one value, one window."""


def axes_of(
    kind: str,
    shape: Shape,
    window: int | tuple[int, int],
    stride: int | tuple[int, int],
    padding: Any,
    dilation: int | tuple[int, int] = 1,
) -> tuple[Axis, Axis]:
    """The windows over a picture ``(height, width, channels)``.

    ``same`` gives ``ceil(size / stride)`` windows, the odd zero at the end (TensorFlow's and ONNX's SAME_UPPER;
    PyTorch's ``padding="same"`` where the stride is 1).

    Raises:
        ShapeError: the input is no picture, or the window does not fit in it.
    """
    if len(shape) != 3:
        raise ShapeError(f"reads a picture (height × width × channels), not {' × '.join(map(str, shape))}")
    margins = (padding, padding) if isinstance(padding, str) else pair(padding)
    sides = zip(shape, pair(window), pair(stride), margins, pair(dilation), strict=False)
    rows, columns = (_axis(*side) for side in sides)
    if rows.padded < rows.reach or columns.padded < columns.reach:
        raise ShapeError(f"{kind} {shown(window)} does not fit {shape[0]}×{shape[1]}")
    return rows, columns


def axis_of(kind: str, shape: Shape, window: int, stride: int, padding: Any, dilation: int = 1) -> Axis:
    """The windows over a sequence ``(steps, features)``; ``causal`` puts all zeros before it.

    Raises:
        ShapeError: the input is no sequence, or the window does not fit in it.
    """
    if len(shape) != 2:
        raise ShapeError(f"reads a sequence (steps × features), not {' × '.join(map(str, shape))}")
    axis = _axis(shape[0], window, stride, padding, dilation)
    if axis.padded < axis.reach:
        raise ShapeError(f"{kind} {window} does not fit {shape[0]} steps")
    return axis


def _axis(size: int, window: int, stride: int, padding: Any, dilation: int) -> Axis:
    reach = (window - 1) * dilation + 1
    if padding == "causal":
        return Axis(size, window, stride, reach - 1, 0, dilation)
    if padding == "same":
        total = max((-(-size // stride) - 1) * stride + reach - size, 0)
        return Axis(size, window, stride, total // 2, total - total // 2, dilation)
    margin = 0 if padding == "valid" else padding
    return Axis(size, window, stride, margin, margin, dilation)


def windows(xp: Any, padded: Array, rows: Axis, columns: Axis) -> Array:
    """A view ``(n, windows down, windows across, window height, window width, channels)`` of padded pictures."""
    n, down, across, channel = padded.strides
    shape = (padded.shape[0], rows.count, columns.count, rows.window, columns.window, padded.shape[3])
    strides = (
        n, down * rows.stride, across * columns.stride, down * rows.dilation, across * columns.dilation, channel
    )  # fmt: skip
    return xp.lib.stride_tricks.as_strided(padded, shape, strides)


def offset_view(pictures: Array, rows: Axis, columns: Axis, down: int, across: int) -> Array:
    """What stands at one place of every window: ``(n, windows down, windows across, channels)``."""
    return pictures[
        :,
        down : down + rows.stride * (rows.count - 1) + 1 : rows.stride,
        across : across + columns.stride * (columns.count - 1) + 1 : columns.stride,
    ]
