"""Modules in place of CuPy's: what CuPy 14 has under a name that NumPy has too, and what a backend needs beside it."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.standin import arrays
from support.standin.arrays import NAMES, Numbers, call_function, call_ufunc, ndarray
from support.standin.device import Device, Event, OutOfMemoryError, Stream, size_of
from support.standin.kernels import add_kernels

from workbench.engine.backend import Backend

KERNELS: dict[str, Callable[..., None]] = {}
"""By name: what an ``ElementwiseKernel`` of the engine does, in NumPy; given its inputs and its output."""


def stand_in(monkeypatch: pytest.MonkeyPatch, kernels: bool = False, **fields: Any) -> tuple[Any, Device]:
    """The CuPy backend on a device that is none, and the device; until the test is over.

    Args:
        monkeypatch: puts the modules in CuPy's place.
        kernels: whether our CUDA kernels run too, compiled by g++; else array operations only.
        fields: of ``Device``.
    """
    device = install(monkeypatch, kernels, **fields)
    from workbench.engine.cupy_backend import CupyBackend

    backend = CupyBackend()
    device.forget()
    return backend, device


def install(monkeypatch: pytest.MonkeyPatch, kernels: bool = False, **fields: Any) -> Device:
    """Put the modules in CuPy's place."""
    device = Device(**fields)
    cupy = _cupy(device)
    monkeypatch.setattr("workbench.engine.cupy_backend.kernels_are_off", lambda: not kernels)
    special = ModuleType("cupyx.scipy.special")
    special.erf = partial(_erf, device)  # type: ignore[attr-defined]
    cupyx = ModuleType("cupyx")
    cupyx.empty_pinned = lambda shape, dtype=float: _undefined(shape, dtype)  # type: ignore[attr-defined]
    found = {
        "cupy": cupy, "cupyx": cupyx, "cupyx.scipy": ModuleType("cupyx.scipy"), "cupyx.scipy.special": special,
        "cupy.cuda": cupy.cuda, "cupy.cuda.device": cupy.cuda.device,
        "cupy_backends": ModuleType("cupy_backends"), "cupy_backends.cuda": ModuleType("cupy_backends.cuda"),
        "cupy_backends.cuda.libs": ModuleType("cupy_backends.cuda.libs"),
        "cupy_backends.cuda.libs.cublas": _cublas(device),
        "cupy_backends.cuda.api": ModuleType("cupy_backends.cuda.api"),
    }  # fmt: skip
    if kernels:
        found["cupy_backends.cuda.api.driver"] = add_kernels(cupy, device)
    for name, module in found.items():
        monkeypatch.setitem(__import__("sys").modules, name, module)
        parent, _, last = name.rpartition(".")
        if parent in found:
            setattr(found[parent], last, module)
    return device


def _cupy(device: Device) -> Any:
    cupy: Any = ModuleType("cupy")
    cupy.ndarray, cupy.newaxis, cupy.__version__ = ndarray, None, NAMES["cupy"]
    for name in NAMES["functions"]:
        setattr(cupy, name, partial(_function, device, name))
    for name in NAMES["ufuncs"]:
        setattr(cupy, name, partial(_ufunc, device, name))
    for name in ("empty", "zeros", "ones", "full"):
        setattr(cupy, name, partial(_created, device, name))
    cupy.empty_like = lambda a: _created(device, "empty", a.shape, a.dtype)
    cupy.arange = lambda *args, **kwargs: ndarray(device, np.arange(*args, **kwargs))
    cupy.asarray = cupy.array = partial(_asarray, device)
    cupy.asnumpy = lambda a, **_: a.get() if isinstance(a, ndarray) else np.asarray(a)
    cupy.matmul = partial(_matmul, device)
    cupy.lib = SimpleNamespace(stride_tricks=SimpleNamespace(as_strided=_as_strided))
    cupy.ElementwiseKernel = partial(_Kernel, device)
    pool = SimpleNamespace(
        free_bytes=lambda: 0, free_all_blocks=device.give_back, used_bytes=lambda: device.used,
        total_bytes=lambda: device.peak,
    )  # fmt: skip
    cupy.get_default_memory_pool = lambda: pool
    cupy.get_default_pinned_memory_pool = lambda: pool
    cupy.cuda = _cuda(device)
    return cupy


def _cuda(device: Device) -> Any:
    cuda: Any = ModuleType("cupy.cuda")
    cuda.runtime = SimpleNamespace(
        getDeviceCount=lambda: 1, memGetInfo=lambda: (device.total - device.used, device.total),
        getDeviceProperties=lambda _: {"name": b"Stand-in", "major": 9, "minor": 0},
        driverGetVersion=lambda: 13020, runtimeGetVersion=lambda: 13000,
    )  # fmt: skip
    cuda.Device = partial(_Handle, device)
    cuda.Stream = lambda non_blocking=False, **_: Stream(device)
    cuda.Event = lambda block=False, disable_timing=False: Event(device)
    cuda.get_current_stream = lambda: device.main
    cuda.memory = SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
    cuda.device = ModuleType("cupy.cuda.device")
    cuda.device.get_cublas_handle = lambda: 1
    return cuda


class _Handle:
    """As ``cupy.cuda.Device``."""

    def __init__(self, device: Device, number: int = 0) -> None:
        self._device, self.id = device, number
        self.mem_info = device.total, device.total

    def __enter__(self) -> _Handle:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def synchronize(self) -> None:
        self._device.wait()


def _function(device: Device, name: str, *args: Any, **kwargs: Any) -> Any:
    return call_function(device, name, args, kwargs)


def _ufunc(device: Device, name: str, *args: Any, **kwargs: Any) -> Any:
    return call_ufunc(device, name, args, kwargs)


def _undefined(shape: Any, dtype: Any) -> Numbers:
    """Memory with garbage in it: nothing may rely on zeros."""
    made = np.empty(shape, dtype)
    made.view(np.uint8).fill(0xA5) if made.ndim else made.fill(7)
    return made


def _created(device: Device, name: str, shape: Any, *args: Any, **kwargs: Any) -> ndarray:
    arrays.check(name, NAMES["functions"][name], 1 + len(args), kwargs)
    if name == "empty":
        return ndarray(device, _undefined(shape, *args, **kwargs))
    return ndarray(device, getattr(np, name)(shape, *args, **kwargs))


def _asarray(device: Device, a: Any, dtype: Any = None, order: Any = None, **more: Any) -> ndarray:
    if isinstance(a, ndarray):
        return a if dtype is None or a.dtype == dtype else a.astype(dtype)
    made = np.array(a, dtype, order="C")
    device.counts.uploads += 1
    device.counts.uploaded += size_of(made)
    return ndarray(device, made)


def _matmul(device: Device, *args: Any, **kwargs: Any) -> Any:
    # CuPy's checks the types of its arguments before all else, scalars included.
    if not all(isinstance(arg, ndarray) for arg in args):
        raise TypeError(f"Unsupported types {[type(arg) for arg in args]}")
    return call_function(device, "matmul", args, kwargs)


def _as_strided(x: ndarray, shape: Any = None, strides: Any = None) -> ndarray:
    return arrays.view(x, np.lib.stride_tricks.as_strided(x._array, shape, strides))


def _erf(device: Device, x: ndarray, out: ndarray) -> None:
    from scipy.special import erf

    erf(arrays.inner(device, x), out=arrays.inner(device, out))


class _Kernel:
    def __init__(self, device: Device, inputs: str, outputs: str, operation: str, name: str) -> None:
        self._device, self._function = device, KERNELS[name]

    def __call__(self, *given: Any) -> Any:
        self._device.now += 1
        self._device.counts.calls += 1
        self._function(*arrays.inner(self._device, given))
        return given[-1]


# --- cuBLAS ----------------------------------------------------------------------------------------------------------

_TYPES = {0: np.dtype(np.float32), 2: np.dtype(np.float16), 14: np.dtype(np.uint16)}
_FAST_TF32 = 77


def _cublas(device: Device) -> Any:
    cublas: Any = ModuleType("cupy_backends.cuda.libs.cublas")
    cublas.CUBLAS_OP_N, cublas.CUBLAS_OP_T, cublas.CUBLAS_GEMM_DEFAULT = 0, 1, -1
    cublas.CUBLAS_COMPUTE_32F, cublas.CUBLAS_COMPUTE_32F_FAST_TF32 = 68, _FAST_TF32
    cublas.gemmEx = partial(_gemm, device)
    cublas.gemmStridedBatchedEx = partial(_gemm_batched, device)
    return cublas


def _gemm(device: Device, handle: int, ta: int, tb: int, m: int, n: int, k: int, alpha: int, a: int, a_type: int,
          lda: int, b: int, b_type: int, ldb: int, beta: int, c: int, c_type: int, ldc: int, compute: int,
          algorithm: int) -> None:  # fmt: skip
    """Column by column, as BLAS has it: ``C = op(A) op(B)``, ``(m, n)``, summed up in float32."""
    assert c_type == 0
    assert a_type == b_type
    device.now += 1
    device.counts.calls += 1
    assert lda >= max(1, k if ta else m)
    assert ldb >= max(1, n if tb else k)
    assert ldc >= max(1, m)
    left = _values(_matrix(a, a_type, *((k, m) if ta else (m, k)), lda), a_type, compute)
    right = _values(_matrix(b, b_type, *((n, k) if tb else (k, n)), ldb), b_type, compute)
    found = (left.T if ta else left) @ (right.T if tb else right)
    scale, keep = (ctypes.c_float.from_address(one).value for one in (alpha, beta))
    assert keep == 0
    _matrix(c, c_type, m, n, ldc)[...] = scale * found


def _gemm_batched(device: Device, handle: int, ta: int, tb: int, m: int, n: int, k: int, alpha: int, a: int,
                  a_type: int, lda: int, a_step: int, b: int, b_type: int, ldb: int, b_step: int, beta: int, c: int,
                  c_type: int, ldc: int, c_step: int, count: int, compute: int, algorithm: int) -> None:  # fmt: skip
    for number in range(count):
        places = [start + number * step * _TYPES[kind].itemsize
                  for start, step, kind in ((a, a_step, a_type), (b, b_step, b_type), (c, c_step, c_type))]  # fmt: skip
        _gemm(device, handle, ta, tb, m, n, k, alpha, places[0], a_type, lda, places[1], b_type, ldb, beta, places[2],
              c_type, ldc, compute, algorithm)  # fmt: skip


def _matrix(address: int, kind: int, rows: int, columns: int, step: int) -> Numbers:
    dtype = _TYPES[kind]
    count = step * (columns - 1) + rows
    flat = np.frombuffer((ctypes.c_char * (count * dtype.itemsize)).from_address(address), dtype)
    return np.lib.stride_tricks.as_strided(flat, (rows, columns), (dtype.itemsize, step * dtype.itemsize))


def _values(matrix: Numbers, kind: int, compute: int) -> Numbers:
    if kind == 14:
        return (matrix.astype(np.uint32) << 16).view(np.float32)
    if kind == 0 and compute == _FAST_TF32:
        return rounded(matrix, 10)
    return matrix.astype(np.float32)


def rounded(values: Numbers, bits: int) -> Numbers:
    """Float32 with so many bits of mantissa: 10 are TF32's, 7 bfloat16's."""
    drop = 23 - bits
    number = np.ascontiguousarray(values, np.float32).view(np.uint32)
    half = np.uint32((1 << (drop - 1)) - 1) + ((number >> np.uint32(drop)) & np.uint32(1))
    cut = (number + half) & np.uint32(0xFFFFFFFF & ~((1 << drop) - 1))
    return np.where(np.isfinite(values), cut.view(np.float32), values).astype(np.float32)


def _to_bfloat16(x: Numbers, out: Numbers) -> None:
    out[...] = rounded(x, 7).view(np.uint32) >> np.uint32(16)


KERNELS["workbench_bfloat16"] = _to_bfloat16


@contextlib.contextmanager
def nothing_leaves(device: Device) -> Iterator[None]:
    """Fails where the host waits for the device meanwhile."""
    before = device.counts.synchronizations
    yield
    assert device.counts.synchronizations == before, "the host waited for the device"


def on_host(backend: Backend, array: Any) -> Numbers:
    """A copy for comparing."""
    return np.array(backend.to_host(array))
