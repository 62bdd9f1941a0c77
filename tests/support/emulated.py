"""A GPU that is none: the CUDA sources compiled by g++, run on NumPy arrays by the same launch objects."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from workbench.engine.backend import Array, Backend, Call
from workbench.engine.cuda.calls import CudaCall, Launch, Launcher, Size
from workbench.engine.cuda.graphs import joined
from workbench.engine.cuda.source_files import Kernel, kernels, modules, text_of

_SHIM = Path(__file__).parent / "cuda" / "shim.h"
_FOLDER = Path(__file__).parents[2] / ".kernels"
_FLAGS = ("-std=c++20", "-O1", "-ffp-contract=off", "-fPIC", "-shared", "-w")

needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None, reason="g++, which compiles the CUDA sources, is missing"
)

_GUARD = 64
"""Values on either side of an array that nobody may write to; NaN, so that reading them shows too."""


@cache
def library() -> Any:
    """All kernels as machine code of this CPU, kept by what they were compiled from."""
    text = _source()
    path = _FOLDER / f"cuda-{hashlib.sha256((text + ' '.join(_FLAGS)).encode()).hexdigest()[:16]}.so"
    if not path.exists():
        _compile(text, path)
    return ctypes.CDLL(str(path))


def _source() -> str:
    """Each module in a namespace of its own, as on a device; and a way in for each kernel."""
    parts = [_SHIM.read_text(encoding="utf-8")]
    parts += [f"namespace in_{module} {{\n{text_of(module)}\n}}" for module in modules()]
    for kernel in kernels().values():
        parts.append(
            f'extern "C" const char* emulate_{kernel.name}(void** arguments, const unsigned* shape)'
            f" {{ return emulator::launch(in_{kernel.module}::{kernel.name}, arguments, shape); }}"
        )
    return "\n".join(parts)


def _compile(text: str, path: Path) -> None:
    _FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        source, made = Path(folder, "kernels.cpp"), Path(folder, "kernels.so")
        source.write_text(text, encoding="utf-8")
        try:
            subprocess.run(["g++", *_FLAGS, "-o", str(made), str(source)], check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            raise AssertionError(f"g++ refuses the CUDA sources:\n{error.stderr[:4000]}") from None
        own = path.with_suffix(f".{os.getpid()}")
        shutil.copy(made, own)
        own.replace(path)


def assert_within_limits(blocks: Sequence[int], threads: Sequence[int]) -> None:
    """What every device can launch: many blocks in the first direction only, and at most 1024 threads of each."""
    for count, most in zip((*blocks, *threads), (2**31 - 1, 65_535, 65_535, 1024, 1024, 64), strict=True):
        assert 1 <= count <= most, f"blocks {tuple(blocks)} of {tuple(threads)} threads"
    assert prod(threads) <= 1024


class EmulatedLauncher(Launcher):
    """Runs kernels at once, each block's threads in a chosen order.

    Attributes:
        launches: how many kernels have run.
        records: whether launches may be recorded; replaying them is running them.
    """

    def __init__(self, order: int = 0) -> None:
        super().__init__()
        self.order, self.launches, self.recordings = order, 0, 0

    def launch_of(self, kernel: Kernel) -> Launch:
        run = getattr(library(), f"emulate_{kernel.name}")
        run.restype = ctypes.c_char_p

        def launch(blocks: Size, threads: Size, arguments: int) -> None:
            self.launches += 1
            assert_within_limits(blocks, threads)
            library().set_order(self.order)
            failure = run(ctypes.c_void_p(arguments), (ctypes.c_uint * 6)(*blocks, *threads))
            assert failure is None, f"{kernel.name}: {failure.decode()}"

        return launch

    def address(self, array: Array) -> int:
        return int(array.ctypes.data)

    def record(self, calls: Sequence[CudaCall]) -> Call:
        self.recordings += 1
        # As on a device: what the arguments are when it is recorded is what they stay.
        kept = [(call.prepare(), call.blocks, call.threads, call._values.copy(), call) for call in calls]

        def replay() -> None:
            for launch, blocks, threads, values, call in kept:
                table = call._table - np.uint64(call._values.ctypes.data) + np.uint64(values.ctypes.data)
                launch(blocks, threads, int(table.ctypes.data))

        return replay


class EmulatedBackend(Backend):
    """NumPy where a GPU's backend has CuPy, and the CUDA kernels emulated. Arrays stand between guards.

    Args:
        order: of the threads of a block, 0 to 2.
    """

    name, on_host = "cuda", False
    piece_bytes = 2**28

    def __init__(self, order: int = 0) -> None:
        self.cuda: EmulatedLauncher = EmulatedLauncher(order)  # type: ignore[assignment]
        self._guarded: list[Array] = []

    def asarray(self, array: Any, dtype: Any = None) -> Array:
        return np.array(array, dtype)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        size = prod(shape) * np.dtype(dtype).itemsize
        whole = np.full(2 * _GUARD + -(-size // 8), np.nan)
        self._guarded.append(whole)
        return whole[_GUARD : len(whole) - _GUARD].view(np.uint8)[:size].view(dtype).reshape(shape)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        array = self.empty(shape, dtype)
        array[...] = 0
        return array

    def joined(self, calls: Iterable[Call], passing: Collection[Array] = ()) -> list[Call]:
        return joined(self.cuda, calls)

    def free_bytes(self) -> int | None:
        return 2**40

    def assert_guards(self) -> None:
        """Nothing was written beside an array."""
        for whole in self._guarded:
            assert np.isnan(whole[:_GUARD]).all(), "written before an array"
            assert np.isnan(whole[len(whole) - _GUARD :]).all(), "written behind an array"
