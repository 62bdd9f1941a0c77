"""Starting kernels and recording graphs through CuPy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.calls import Launch, Launchable, Launcher, Size
from workbench.engine.cuda.source_files import OPTIONS, Kernel, text_of


class CupyLauncher(Launcher):
    """Compiles with NVRTC, once for a device: CuPy keeps what was compiled on disk. Launches by the driver's own call.

    Args:
        cupy: the module.
    """

    def __init__(self, cupy: Any) -> None:
        super().__init__()
        self._cupy = cupy
        self._modules: dict[str, Any] = {}

    def launch_of(self, kernel: Kernel) -> Launch:
        from cupy_backends.cuda.api import driver

        address = self._module(kernel.module).get_function(kernel.name).kernel.ptr
        start, current_stream = driver.launchKernel, self._cupy.cuda.get_current_stream

        def launch(blocks: Size, threads: Size, arguments: int) -> None:
            start(address, *blocks, *threads, 0, current_stream().ptr, arguments, 0)

        return launch

    def address(self, array: Array) -> int:
        return int(array.data.ptr)

    def record(self, calls: Sequence[Launchable]) -> Call:
        # A stream of its own: what others do on theirs meanwhile must not become part of the graph.
        stream = self._cupy.cuda.Stream(non_blocking=True)
        with stream:
            stream.begin_capture()
            try:
                for call in calls:
                    call()
            except BaseException:
                with suppress(Exception):
                    stream.end_capture()
                raise
            graph = stream.end_capture()
        replay: Call = graph.launch
        return replay

    def prepare(self) -> Iterator[tuple[int, int]]:
        waiting = sorted(self.bound - self._modules.keys())
        for number, module in enumerate(waiting, start=1):
            if self._compiled_anew(module):
                yield number, len(waiting)

    def _compiled_anew(self, module: str) -> bool:
        """Compile a module; whether it was not kept from an earlier time."""
        before = _kept()
        self._module(module)
        return _kept() != before

    def _module(self, name: str) -> Any:
        if name not in self._modules:
            module = self._cupy.RawModule(code=text_of(name), options=OPTIONS, backend="nvrtc")
            module.compile()
            self._modules[name] = module
        return self._modules[name]


def _kept() -> int:
    """How many compiled modules CuPy keeps on disk."""
    folder = os.environ.get("CUPY_CACHE_DIR") or os.path.expanduser("~/.cupy/kernel_cache")
    return len(os.listdir(folder)) if os.path.isdir(folder) else 0
