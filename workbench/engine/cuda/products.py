"""Which products run as kernels of our own, and how they are cut up for a device."""

from __future__ import annotations

from collections.abc import Callable

from workbench.engine.backend import Array, Backend, Call
from workbench.engine.cuda.calls import Launcher, Strided
from workbench.engine.cuda.pointwise import shifted

Buffers = Callable[..., Array]

MOST_WORK = 2**28
"""Multiply-adds up to which a product is left to our kernels, so that it can be recorded with its neighbors: the CUDA
library's are faster, but CuPy refuses to record them. A guess that no device has confirmed."""

BLOCKS = 264
"""Blocks that keep a large device busy: two for each of an H100's 132 multiprocessors."""

_LEAST_DEPTH = 64
"""Terms of a sum that are not worth being cut up."""


def is_ours(rows: int, columns: int, depth: int, times: int = 1) -> bool:
    """Whether a product of these sizes, or so many of them at once, run as a kernel of our own."""
    return rows * columns * depth * times <= MOST_WORK


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
    backend: Backend, left: Array, right: Array, out: Array, buffer: Buffers, bias: Array | None = None
) -> list[Call]:
    """``out = left right + bias``: by a kernel of ours, or by the device's library, which cannot be recorded.

    Args:
        backend: of a device.
        left, right: matrices, as they are or turned (``array.T``).
        out: ``(rows, columns)``.
        buffer: of the layer's site.
        bias: a value a column.
    """
    rows, columns = out.shape
    parts = parts_of(backend, rows, columns, left.shape[1])
    target = out if parts == 1 else buffer("product parts", (parts, rows, columns), out.dtype)
    calls = product_parts(backend, left, right, target.reshape(parts, rows, columns))
    if parts > 1 or bias is not None:
        calls.append(shifted(launcher_of(backend), target, out, bias, parts))
    return calls


def parts_of(backend: Backend, rows: int, columns: int, depth: int) -> int:
    """How many parts a product comes in, to be added up by whoever reads it; one where the library makes it."""
    ours = backend.precision == "float32" and is_ours(rows, columns, depth)
    return cut(rows, columns, depth)[2] if ours else 1


def product_parts(backend: Backend, left: Array, right: Array, out: Array) -> list[Call]:
    """As ``product``, in parts ``(parts, rows, columns)`` that are still to be added up; see ``parts_of``."""
    _, rows, columns = (int(size) for size in out.shape)
    depth = int(left.shape[1])
    if backend.precision != "float32" or not is_ours(rows, columns, depth):
        return [lambda: backend.matmul(left, right, out=out[0])]
    tile, count, parts, each = cut(rows, columns, depth)
    return [_launch(backend, tile, (count, parts), each, left, right, out[0])]


def head_products(backend: Backend, left: Array, right: Array, out: Array) -> Call:
    """A product for each head of each example.

    Args:
        backend: of a device.
        left, right: views ``(examples, heads, m, k)`` and ``(examples, heads, k, n)``.
        out: a view ``(examples, heads, m, n)``.
    """
    examples, heads, rows, columns = out.shape
    depth, times = left.shape[3], examples * heads
    if backend.precision != "float32" or not is_ours(rows, columns, depth, times):
        return lambda: backend.matmul(left, right, out=out)
    tile, count, _, _ = cut(rows, columns, depth, times)
    return _launch(backend, tile, (count * times, 1), depth, left, right, out)


def _launch(
    backend: Backend, tile: int, blocks: tuple[int, int], each: int, left: Array, right: Array, out: Array
) -> Call:
    """Numbers in the order of ``Request`` in ``products.cu``."""
    assert out.shape[-1] == 1 or out.strides[-1] == out.itemsize, "a row's sums do not lie side by side"
    steps, (rows, columns) = [_steps(array) for array in (left, right, out)], out.shape[-2:]
    left_deep, right_deep = _lies(left, -1, -2), _lies(right, -2, -1)
    sizes = (
        rows, columns, left.shape[-1], each, out.shape[1] if out.ndim == 4 else 1, int(left_deep),
        steps[0][-2 if left_deep else -1], *steps[0][:2], int(right_deep), steps[1][-1 if right_deep else -2],
        *steps[1][:2], steps[2][-2], *steps[2][:2],
    )  # fmt: skip
    arrays = Strided(left), Strided(right), Strided(out)
    return launcher_of(backend).call(f"product_{tile}", blocks, threads(tile), *arrays, sizes)


def _steps(array: Array) -> list[int]:
    """Values from one to the next along each of four axes: examples, heads, rows, columns."""
    steps = [int(step) // int(array.itemsize) for step in array.strides]
    return [0] * (4 - len(steps)) + steps


def _lies(array: Array, along: int, across: int) -> bool:
    """Whether neighbors along an axis lie side by side; else those across it do."""
    if array.shape[along] == 1 or array.strides[along] == array.itemsize:
        return True
    assert array.shape[across] == 1 or array.strides[across] == array.itemsize, "neither rows nor columns lie together"
    return False


def launcher_of(backend: Backend) -> Launcher:
    """What starts kernels on a device's backend."""
    assert backend.cuda is not None, "these kernels are for a GPU"
    return backend.cuda
