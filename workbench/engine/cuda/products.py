"""Which products run as kernels of our own, and how they are cut up for a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from workbench.engine.backend import Array, Backend, Call
from workbench.engine.cuda.calls import Launcher
from workbench.engine.cuda.pointwise import shifted

Form = Literal["product", "left_turned_product", "right_turned_product"]
Buffers = Callable[..., Array]

MOST_WORK = 2**28
"""Multiply-adds up to which a product is left to our kernels, so that it can be recorded with its neighbors: the CUDA
library's are faster, but CuPy refuses to record them. A guess that no device has confirmed."""

BLOCKS = 264
"""Blocks that keep a large device busy: two for each of an H100's 132 multiprocessors."""

_LEAST_DEPTH = 64
"""Terms of a sum that are not worth being cut up."""


def is_ours(rows: int, columns: int, depth: int) -> bool:
    """Whether a product of these sizes runs as a kernel of our own."""
    return rows * columns * depth <= MOST_WORK


def cut(rows: int, columns: int, depth: int, times: int = 1) -> tuple[int, int, int, int]:
    """How a product is cut up: the side of a tile, how many tiles, parts of the depth, and terms of each part.

    Args:
        rows, columns, depth: of the product.
        times: how many of them there are.
    """
    tile = 64 if times * tiles(rows, columns, 64) >= BLOCKS else 32
    count = tiles(rows, columns, tile)
    parts = max(1, min(BLOCKS // (times * count), depth // _LEAST_DEPTH))
    # Whole slices of 16 terms.
    each = -(-depth // parts // 16) * 16
    return tile, count, -(-depth // each), each


def tiles(rows: int, columns: int, side: int) -> int:
    """Tiles of a side that a matrix is covered by."""
    return -(-rows // side) * -(-columns // side)


def threads(tile: int) -> int:
    """Of a block that works out a tile."""
    return tile * tile // 16


def product(
    backend: Backend, form: Form, left: Array, right: Array, out: Array, buffer: Buffers, bias: Array | None = None
) -> list[Call]:
    """``out = left right + bias``: by a kernel of ours, or by the device's library, which cannot be recorded.

    Args:
        backend: of a device.
        form: how the matrices lie: as they are, or one of them turned.
        left, right: matrices.
        out: ``(rows, columns)``.
        buffer: of the layer's site.
        bias: a value a column.
    """
    rows, columns = out.shape
    depth = left.shape[0] if form == "left_turned_product" else left.shape[1]
    parts = parts_of(backend, rows, columns, depth)
    target = out if parts == 1 else buffer(f"{form} parts", (parts, rows, columns), out.dtype)
    calls = product_parts(backend, form, left, right, target.reshape(parts, rows, columns))
    if parts > 1 or bias is not None:
        calls.append(shifted(launcher_of(backend), target, out, bias, parts))
    return calls


def parts_of(backend: Backend, rows: int, columns: int, depth: int) -> int:
    """How many parts a product comes in, to be added up by whoever reads it; one where the library makes it."""
    ours = backend.precision == "float32" and is_ours(rows, columns, depth)
    return cut(rows, columns, depth)[2] if ours else 1


def product_parts(backend: Backend, form: Form, left: Array, right: Array, out: Array) -> list[Call]:
    """As ``product``, in parts ``(parts, rows, columns)`` that are still to be added up; see ``parts_of``."""
    _, rows, columns = (int(size) for size in out.shape)
    depth = int(left.shape[0] if form == "left_turned_product" else left.shape[1])
    if backend.precision != "float32" or not is_ours(rows, columns, depth):
        return [_by_library(backend, form, left, right, out[0])]
    tile, count, parts, each = cut(rows, columns, depth)
    sizes = rows, columns, depth, each
    return [launcher_of(backend).call(f"{form}_{tile}", (count, parts), threads(tile), left, right, out, *sizes)]


def _by_library(backend: Backend, form: Form, left: Array, right: Array, out: Array) -> Call:
    a = left.T if form == "left_turned_product" else left
    b = right.T if form == "right_turned_product" else right
    return lambda: backend.matmul(a, b, out=out)


def launcher_of(backend: Backend) -> Launcher:
    """What starts kernels on a device's backend."""
    assert backend.cuda is not None, "these kernels are for a GPU"
    return backend.cuda
