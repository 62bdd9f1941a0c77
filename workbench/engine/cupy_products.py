"""Matrix products on a GPU in less than float32, summed up in float32 (cuBLAS ``gemmEx``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Precision

_FLOAT32, _FLOAT16, _BFLOAT16 = 0, 2, 14
"""cuBLAS's numbers for types (``cudaDataType``)."""

_TO_BFLOAT16 = """
    unsigned int bits = __float_as_uint(x);
    y = x != x ? 0x7fc0 : (unsigned short)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
"""
"""Rounds to the nearest, halves to even; what is no number stays none. No header of CUDA is needed for it."""


@dataclass(frozen=True)
class _Matrix:
    """A matrix, or several of one layout, as cuBLAS reads it.

    Attributes:
        array: what holds it.
        turned: whether its columns lie together, not its rows.
        step: values from one row (column) to the next.
        depth: how many columns it has.
    """

    array: Array
    turned: bool
    step: int
    depth: int


class Products:
    """Products of float32 arrays whose operands are rounded first.

    They are rounded into memory that is kept and used again: a product has read it before the next one's operands are
    written, as both are done on one stream. What was outgrown stays, as a recorded graph may still use it.
    """

    def __init__(self, cupy: Any, precision: Precision) -> None:
        from cupy_backends.cuda.libs import cublas

        self._cupy, self._cublas = cupy, cublas
        self._type, self._compute = _FLOAT32, cublas.CUBLAS_COMPUTE_32F
        self._dtype: Any = np.float32
        self._round: Callable[[Array, Array], Any] | None = None
        if precision == "tf32":
            self._compute = cublas.CUBLAS_COMPUTE_32F_FAST_TF32
        elif precision == "float16":
            self._type, self._dtype, self._round = _FLOAT16, np.float16, _to_float16
        else:
            self._type, self._dtype = _BFLOAT16, np.uint16
            self._round = cupy.ElementwiseKernel("float32 x", "uint16 y", _TO_BFLOAT16, "workbench_bfloat16")
        self._pages: list[list[Array]] = [[], []]
        # Read by cuBLAS when a product is started, so they must stay.
        self._one, self._zero = np.ones(1, np.float32), np.zeros(1, np.float32)

    def memory(self) -> int:
        """Bytes held for rounded operands."""
        return sum(int(page.nbytes) for pages in self._pages for page in pages)

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """As ``Backend.matmul``, for two matrices or two stacks of as many."""
        shape = (*a.shape[:-1], b.shape[-1])
        if out is None:
            out = self._cupy.empty(shape, np.float32)
        if not prod(shape) or not a.shape[-1]:
            out[...] = 0
            return out
        if _rows_lie_together(out):
            self._multiply(self._operand(a, 0), self._operand(b, 1), out)
        else:
            dense = self._cupy.empty(shape, np.float32)
            self._multiply(self._operand(a, 0), self._operand(b, 1), dense)
            out[...] = dense
        return out

    def _operand(self, x: Array, which: int) -> _Matrix:
        if x.ndim == 2 and (matrix := _as_it_lies(x)):
            return matrix if self._round is None else self._rounded(matrix, which)
        # A stack, or a view that BLAS cannot read: copied so that all rows lie together.
        page = self._page(x.shape, which)
        self._write(x, page)
        return _Matrix(page, False, int(x.shape[-1]), int(x.shape[-1]))

    def _rounded(self, matrix: _Matrix, which: int) -> _Matrix:
        source = matrix.array.T if matrix.turned else matrix.array
        page = self._page(source.shape, which)
        self._write(source, page)
        return _Matrix(page, matrix.turned, int(source.shape[1]), matrix.depth)

    def _write(self, source: Array, page: Array) -> None:
        if self._round is None:
            page[...] = source
        else:
            self._round(source, page)

    def _page(self, shape: tuple[int, ...], which: int) -> Array:
        size, pages = prod(shape), self._pages[which]
        if not pages or pages[-1].size < size:
            pages.append(self._cupy.empty(size, self._dtype))
        return pages[-1][:size].reshape(shape)

    def _multiply(self, a: _Matrix, b: _Matrix, out: Array) -> None:
        """cuBLAS thinks in columns: what it takes for the factors' transposes, it multiplies the other way around."""
        from cupy.cuda import device

        cublas, handle = self._cublas, device.get_cublas_handle()
        rows, columns = out.shape[-2:]
        inner = a.depth
        ways = [cublas.CUBLAS_OP_T if one.turned else cublas.CUBLAS_OP_N for one in (b, a)]
        one, zero = self._one.ctypes.data, self._zero.ctypes.data
        places = [matrix.array.data.ptr for matrix in (b, a)]
        step = max(_step(out), int(columns))
        if out.ndim == 2:
            cublas.gemmEx(
                handle, *ways, columns, rows, inner, one, places[0], self._type, b.step, places[1], self._type, a.step,
                zero, out.data.ptr, _FLOAT32, step, self._compute, cublas.CUBLAS_GEMM_DEFAULT,
            )  # fmt: skip
            return
        count = prod(out.shape[:-2])
        cublas.gemmStridedBatchedEx(
            handle, *ways, columns, rows, inner, one, places[0], self._type, b.step, inner * columns, places[1],
            self._type, a.step, rows * inner, zero, out.data.ptr, _FLOAT32, step, rows * columns, count, self._compute,
            cublas.CUBLAS_GEMM_DEFAULT,
        )  # fmt: skip


def _to_float16(source: Array, page: Array) -> None:
    page[...] = source


def _as_it_lies(x: Array) -> _Matrix | None:
    """A matrix whose rows or columns lie together; None where neither do."""
    rows, columns = x.shape
    down, across = (stride // x.itemsize for stride in x.strides)
    if (across == 1 or columns == 1) and (down >= columns or rows == 1):
        return _Matrix(x, False, max(int(down), int(columns)), int(columns))
    if (down == 1 or rows == 1) and (across >= rows or columns == 1):
        return _Matrix(x, True, max(int(across), int(rows)), int(columns))
    return None


def _rows_lie_together(out: Array) -> bool:
    """Whether a product can be written there as it is."""
    if out.ndim > 2:
        return bool(out.flags.c_contiguous)
    matrix = _as_it_lies(out)
    return matrix is not None and not matrix.turned


def _step(out: Array) -> int:
    return int(out.strides[-2]) // int(out.itemsize)
