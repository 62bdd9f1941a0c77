"""A GPU that is only imagined: plans bind their kernels and buffers as for a real one, and nothing is ever run."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engine.backend import CUDA_PIECE_BYTES, Array, Backend, Call, Precision
from workbench.engine.cuda.calls import Launch, Launchable, Launcher
from workbench.engine.cuda.source_files import Kernel


class ImaginedBackend(Backend):
    """Memory laid out as on a GPU, asked for and never written to: for telling beforehand what a training needs."""

    name, on_host, piece_bytes = "cuda", False, CUDA_PIECE_BYTES

    def __init__(self, precision: Precision = "float32") -> None:
        self.precision = precision
        self.cuda = _Launcher()

    def in_precision(self, precision: Precision) -> Backend:
        return self if precision == self.precision else ImaginedBackend(precision)


class _Launcher(Launcher):
    def launch_of(self, kernel: Kernel) -> Launch:
        raise NotImplementedError(f"{kernel.name} was bound for its buffers only")

    def address(self, array: Array) -> int:
        return int(array.ctypes.data)

    def record(self, calls: Sequence[Launchable]) -> Call:
        raise NotImplementedError("there is nothing to be recorded")
