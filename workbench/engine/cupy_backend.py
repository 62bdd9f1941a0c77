"""CuPy on a CUDA device: the only module that imports CuPy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.engine.backend import Array, Backend, Precision, Shape
from workbench.engine.staging import Stager
from workbench.errors import DeviceError

if TYPE_CHECKING:
    from workbench.engine.cupy_products import Products

_INSTALL = (
    'Install it with `pip install "cupy-cuda13x[ctk]"` (or cupy-cuda12x for a CUDA 12 driver), or use --device cpu.'
)


class CupyBackend(Backend):
    """One CUDA device through CuPy.

    Raises:
        DeviceError: CuPy or a usable device is missing; says which and what to do.
    """

    name = "cuda"
    on_host = False
    piece_bytes = 2**28
    _products: Products | None = None

    def __init__(self, index: int = 0) -> None:
        try:
            import cupy
        except ImportError as error:
            raise DeviceError(f"CuPy is not installed ({error})", where="device cuda", mend=_INSTALL) from None
        self._cupy = cupy
        self.xp = cupy
        try:
            count = cupy.cuda.runtime.getDeviceCount()
            if index >= count:
                raise DeviceError(
                    f"there is no GPU number {index}, only {count}", where="device cuda", mend="Use --device cpu."
                )
            self._device = cupy.cuda.Device(index)
            with self._device:
                # The smallest real computation: finds a driver that is too old or a missing compiler now, not mid-run.
                float(cupy.ones(1, dtype=np.float32).sum())
        except DeviceError:
            raise
        except Exception as error:
            raise DeviceError(
                f"no usable GPU ({_first_line(error)})", where="device cuda", mend="Use --device cpu."
            ) from None

    def asarray(self, array: Any, dtype: Any = None) -> Array:
        with self._device:
            return self._cupy.asarray(array, dtype)

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        return np.asarray(self._cupy.asnumpy(array))

    def synchronize(self) -> None:
        self._device.synchronize()

    def current(self) -> AbstractContextManager[object]:
        device: AbstractContextManager[object] = self._device
        return device

    def in_precision(self, precision: Precision) -> CupyBackend:
        if precision == self.precision:
            return self
        from workbench.engine.cupy_products import Products

        other = copy(self)
        other.precision = precision
        with self._device:
            other._products = None if precision == "float32" else Products(self._cupy, precision)
        return other

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        if self._products is None or a.dtype != np.float32:
            return super().matmul(a, b, out=out)
        return self._products.matmul(a, b, out=out)

    def scratch_bytes(self) -> int:
        return self._products.memory() if self._products else 0

    def stager(self, shape: Shape, dtype: Any) -> Stager:
        from workbench.engine.cupy_staging import PinnedStager

        with self._device:
            return PinnedStager(self._cupy, shape, dtype)

    def erf(self, x: Array, out: Array) -> None:
        from cupyx.scipy.special import erf

        erf(x, out=out)

    def blocks(self, length: int) -> Iterator[slice]:
        # One launch over the whole vector: a GPU has no use for cache-sized pieces.
        yield slice(0, length)

    def free_bytes(self) -> int | None:
        with self._device:
            free, _ = self._cupy.cuda.runtime.memGetInfo()
            return int(free) + int(self._cupy.get_default_memory_pool().free_bytes())

    def release(self) -> None:
        with self._device:
            self._cupy.get_default_memory_pool().free_all_blocks()
            self._cupy.get_default_pinned_memory_pool().free_all_blocks()

    def is_out_of_memory(self, error: BaseException) -> bool:
        return super().is_out_of_memory(error) or isinstance(error, self._cupy.cuda.memory.OutOfMemoryError)

    def describe(self) -> str:
        name = self._cupy.cuda.runtime.getDeviceProperties(self._device.id)["name"]
        return name.decode() if isinstance(name, bytes) else str(name)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
