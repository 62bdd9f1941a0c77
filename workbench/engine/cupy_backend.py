"""CuPy on a CUDA device; this, ``cuda/cupy_launcher.py`` and the modules ``cupy_*`` are all that imports CuPy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from copy import copy
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from workbench.engine.backend import CUDA_PIECE_BYTES, Array, Backend, Call, Precision, Shape
from workbench.engine.cuda.cudnn import Cudnn, open_cudnn
from workbench.engine.cuda.cupy_launcher import CupyLauncher
from workbench.engine.cuda.graphs import joined, try_out
from workbench.engine.staging import Stager
from workbench.engine.switch import KERNELS_SWITCH, kernels_are_off
from workbench.errors import DeviceError

if TYPE_CHECKING:
    from workbench.engine.cupy_products import Products

_UPLOAD = 2**26
"""Bytes of a large array that are uploaded at a time."""

_CUDA_ERRORS = frozenset(
    {"CUDARuntimeError", "CUDADriverError", "CUBLASError", "NVRTCError", "CompileException", "CUDNNError"}
)
_NO_MEMORY = ("cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY", "ALLOC_FAILED")

_FAILS = "The GPU computes with array operations, as kernels of our own fail there: "
_UNRECORDED = "Steps are launched kernel by kernel, as the GPU refuses to record them as a CUDA graph: "
_SLOWER = ". Results are the same, but small networks train more slowly."

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
    piece_bytes = CUDA_PIECE_BYTES
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
                self.cuda, self._why_not = _own_kernels(cupy)
            # Of all precisions of the device.
            self._convolving: list[tuple[Cudnn | None, str]] = []
        except DeviceError:
            raise
        except Exception as error:
            raise DeviceError(
                f"no usable GPU ({_first_line(error)})", where="device cuda", mend="Use --device cpu."
            ) from None

    def asarray(self, array: Any, dtype: Any = None) -> Array:
        with self._device:
            return self._cupy.asarray(array, dtype)

    def upload(self, array: np.ndarray[Any, Any]) -> Array:
        """In pieces: at once, CuPy would first make a copy of all of it in pinned memory."""
        with self._device:
            there = self._cupy.empty(array.shape, array.dtype)
            step = max(1, _UPLOAD // max(1, array[:1].nbytes))
            for start in range(0, len(array), step):
                there[start : start + step].set(np.ascontiguousarray(array[start : start + step]))
            return there

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        return np.asarray(self._cupy.asnumpy(array))

    def synchronize(self) -> None:
        self._device.synchronize()

    def current(self) -> AbstractContextManager[object]:
        device: AbstractContextManager[object] = self._device
        return device

    def in_precision(self, precision: Precision) -> CupyBackend:
        if precision == self.precision or not self._multiplies_in(precision):
            return self
        from workbench.engine.cupy_products import Products

        other = copy(self)
        other.precision = precision
        with self._device:
            other._products = None if precision == "float32" else Products(self._cupy, precision)
        return other

    def _multiplies_in(self, precision: Precision) -> bool:
        """TF32 and bfloat16 came with compute capability 8 (Ampere)."""
        major = self._cupy.cuda.runtime.getDeviceProperties(self._device.id)["major"]
        return precision not in ("tf32", "bfloat16") or int(major) >= 8

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        if self._products is None or a.dtype != np.float32:
            return super().matmul(a, b, out=out)
        return self._products.matmul(a, b, out=out)

    @property
    def cudnn(self) -> Cudnn | None:
        return self._convolutions()[0]

    def _convolutions(self) -> tuple[Cudnn | None, str]:
        """cuDNN, and in words what convolutions are computed with; found out when it is first asked for."""
        if self.cuda is None:
            return None, "array operations"
        if not self._convolving:
            with self._device:
                self._convolving.append(open_cudnn(self._cupy, self.describe()))
        return self._convolving[0]

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

    def joined(self, calls: Iterable[Call], passing: Collection[Array] = ()) -> list[Call]:
        return joined(self.cuda, calls) if self.cuda else list(calls)

    def prepare(self) -> Iterator[tuple[int, int]]:
        with self._device:
            yield from self.cuda.prepare() if self.cuda else ()

    def free_bytes(self) -> int | None:
        with self._device:
            free, _ = self._cupy.cuda.runtime.memGetInfo()
            return int(free) + int(self._cupy.get_default_memory_pool().free_bytes())

    def release(self) -> None:
        with self._device:
            self._cupy.get_default_memory_pool().free_all_blocks()
            self._cupy.get_default_pinned_memory_pool().free_all_blocks()

    def is_out_of_memory(self, error: BaseException) -> bool:
        known = isinstance(error, self._cupy.cuda.memory.OutOfMemoryError)
        # CUDA itself, for memory that CuPy's pool does not hand out, and its libraries.
        told = type(error).__name__ in _CUDA_ERRORS and any(word in str(error) for word in _NO_MEMORY)
        return super().is_out_of_memory(error) or known or told

    def failure_text(self, error: BaseException) -> str:
        return _first_line(error) if type(error).__name__ in _CUDA_ERRORS else ""

    def refusal(self) -> str:
        if self.cuda is None:
            return f"{_FAILS}{self._why_not}{_SLOWER}" if self._why_not else ""
        return f"{_UNRECORDED}{self.cuda.why_not}{_SLOWER}" if self.cuda.why_not else ""

    def peak_bytes(self) -> int | None:
        with self._device:
            # The pool gives nothing back unless it is asked to.
            return int(self._cupy.get_default_memory_pool().total_bytes())

    def facts(self) -> dict[str, Any]:
        runtime = self._cupy.cuda.runtime
        with self._device:
            free, total = runtime.memGetInfo()
        found = runtime.getDeviceProperties(self._device.id)
        return {
            "memory_total": int(total),
            "memory_free": int(free),
            "compute_capability": f"{found['major']}.{found['minor']}",
            "cuda_of_driver": _version(runtime.driverGetVersion()),
            "cuda_runtime": _version(runtime.runtimeGetVersion()),
            "cupy": str(self._cupy.__version__),
            "computes_with": self._computes_with(),
            "convolutions": self._convolutions()[1],
            "precisions": [each for each in get_args(Precision) if self._multiplies_in(each)],
        }

    def _computes_with(self) -> str:
        if self.cuda is None:
            fails = f": kernels of our own fail here ({self._why_not})"
            return f"array operations only{fails if self._why_not else f' ({KERNELS_SWITCH} is off)'}"
        if self.cuda.records:
            return "kernels of our own, recorded as CUDA graphs"
        return f"kernels of our own, launched one by one: they cannot be recorded here ({self.cuda.why_not})"

    def describe(self) -> str:
        name = self._cupy.cuda.runtime.getDeviceProperties(self._device.id)["name"]
        return name.decode() if isinstance(name, bytes) else str(name)


def _own_kernels(cupy: Any) -> tuple[CupyLauncher | None, str]:
    """What launches kernels of our own; None where that fails, and why, or where it is switched off."""
    if kernels_are_off():
        return None, ""
    launcher = CupyLauncher(cupy)
    try:
        try_out(launcher, cupy)
    except Exception as error:  # A compiler that is missing or too old fails in many ways; arrays go on without it.
        return None, _first_line(error)
    return launcher, ""


def _version(number: int) -> str:
    """CUDA's own: 13020 is 13.2."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
