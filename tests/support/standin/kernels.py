"""What CuPy has for kernels and graphs, on the stand-in for a GPU: its kernels are those that g++ compiled."""

from __future__ import annotations

import ctypes
import re
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from support.emulated import assert_within_limits, library
from support.standin.device import Device, Stream

from workbench.engine.cuda.source_files import kernels

_RUN = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p)
_SIZES = {"Sizes": 96}
"""Bytes of an argument, where that is not 8."""


def add_kernels(cupy: Any, device: Device) -> ModuleType:
    """Give a module in CuPy's place kernels and graphs; the module in place of ``cupy_backends.cuda.api.driver``."""
    machine = Machine(device)
    cupy.RawModule = machine.module
    cupy.cuda.Stream = lambda non_blocking=False, **_: _Capturing(machine)
    cupy.cuda.get_current_stream = lambda: machine.current
    driver = ModuleType("cupy_backends.cuda.api.driver")
    driver.launchKernel = machine.launch  # type: ignore[attr-defined]
    return driver


class Machine:
    """Launches, and what they have come to.

    Attributes:
        recordings, replays, launches: how many there were; a recording is no launch, a replay launches all it has.
    """

    def __init__(self, device: Device) -> None:
        self.main = device.main
        self.main.ptr = 0  # type: ignore[attr-defined]
        self.device, self.current = device, self.main
        self.capturing: _Capturing | None = None
        self.names: dict[int, str] = {}
        device.kernels = self  # type: ignore[attr-defined]
        self.recordings = self.replays = self.launches = 0

    def module(self, code: str, options: tuple[str, ...], backend: str) -> Any:
        assert (options, backend) == (("-std=c++17",), "nvrtc")
        return SimpleNamespace(compile=lambda: None, get_function=lambda name: self._function(code, name))

    def _function(self, code: str, name: str) -> Any:
        assert re.search(rf"\b{name}\(", code), "a module has the kernels of its source only"
        address = ctypes.cast(getattr(library(), f"emulate_{name}"), ctypes.c_void_p).value or 0
        self.names[address] = name
        return SimpleNamespace(kernel=SimpleNamespace(ptr=address))

    def launch(self, function: int, *given: int) -> None:
        """As ``launchKernel``: blocks, threads, bytes of shared memory, stream, arguments, extra."""
        *shape, shared, stream, arguments, extra = given
        assert (len(shape), shared, extra) == (6, 0, 0)
        assert stream == self.current.ptr  # type: ignore[attr-defined]
        if self.capturing:
            assert stream == self.capturing.ptr
            self.capturing.kept.append((function, shape, self._copied(function, arguments)))
        else:
            self.run(function, shape, arguments)

    def run(self, function: int, shape: list[int], arguments: int) -> None:
        """Run a kernel."""
        self.launches += 1
        self.device.now += 1
        assert_within_limits(shape[:3], shape[3:])
        sizes = (ctypes.c_uint * 6)(*shape)
        failure = _RUN(function)(arguments, ctypes.addressof(sizes))
        assert failure is None, f"{self.names[function]}: {failure.decode()}"

    def _copied(self, function: int, arguments: int) -> tuple[Any, Any]:
        """The arguments as they are now: a recorded launch keeps those."""
        types = kernels()[self.names[function]].types
        places = (ctypes.c_uint64 * len(types)).from_address(arguments)
        values = [ctypes.string_at(place, _SIZES.get(kind, 8)) for place, kind in zip(places, types, strict=True)]
        kept = [ctypes.create_string_buffer(value, len(value)) for value in values]
        return np.array([ctypes.addressof(value) for value in kept], np.uint64), kept


class _Capturing(Stream):
    """A stream that launches can be recorded on."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.device)
        self._machine, self.ptr = machine, id(self)
        self.kept: list[Any] = []

    def __enter__(self) -> _Capturing:
        self._before, self._machine.current = self._machine.current, self
        return self

    def __exit__(self, *_: object) -> None:
        self._machine.current = self._before

    def begin_capture(self, mode: int | None = None) -> None:
        assert self._machine.capturing is None
        self._machine.capturing = self

    def end_capture(self) -> Any:
        assert self._machine.capturing is self
        self._machine.capturing = None
        self._machine.recordings += 1
        kept = list(self.kept)

        def launch(stream: Any = None) -> None:
            self._machine.replays += 1
            for each in kept:
                if callable(each):
                    each()
                    continue
                function, shape, (table, _) = each
                self._machine.run(function, shape, int(table.ctypes.data))

        return SimpleNamespace(launch=launch)
