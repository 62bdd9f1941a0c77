"""CUDA kernels bound to their arguments once, so that a step only launches them."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.source_files import Kernel, kernels

THREADS = 256
"""Of a block, where each handles some values by itself."""

_MOST_BLOCKS = 2048
"""Enough to fill any device; more values are taken in turns."""

Size = tuple[int, int, int]

_ELEMENTS = {
    "float*": np.float32,
    "double*": np.float64,
    "int*": np.int32,
    "long long*": np.int64,
    "unsigned long long*": np.uint64,
    "unsigned char*": np.uint8,
}
_FORMATS = {"int": "i", "float": "f", "unsigned long long": "Q"}
_SIZES = 24
"""Whole numbers of a ``Sizes`` argument."""

Launch = Callable[[Size, Size, int], None]
"""Starts a kernel, given blocks, threads of each, and the address of a table of its arguments' addresses."""


@dataclass(frozen=True)
class Strided:
    """An array as an argument of a kernel that is told its steps: it need not be contiguous."""

    array: Array


class Launcher(ABC):
    """What starts kernels on a device.

    Attributes:
        bound: the sources that what was bound so far stands in.
    """

    records = True
    """Whether launches in a row may be recorded as a graph; False once that has failed."""

    why_not = ""
    """Why launches are not recorded."""

    def __init__(self) -> None:
        self.bound: set[str] = set()

    def call(self, kernel: str, blocks: int | Sequence[int], threads: int | Sequence[int], *arguments: Any) -> CudaCall:
        """Bind a kernel.

        Args:
            kernel: its name.
            blocks, threads: of each block; one number or up to three.
            arguments: what it declares: arrays of this device (0 for none), numbers, and for ``Sizes`` a sequence.

        Raises:
            TypeError: the arguments are not those that the kernel declares.
        """
        return CudaCall(self, kernels()[kernel], _size(blocks), _size(threads), arguments)

    def over(self, count: int, kernel: str, *arguments: Any) -> CudaCall:
        """Bind a kernel that handles ``count`` values, each by itself."""
        return self.call(kernel, blocks_for(count), THREADS, *arguments)

    @abstractmethod
    def launch_of(self, kernel: Kernel) -> Launch:
        """What starts a kernel on the calling thread's current stream; compiles it where that is still to be done."""

    @abstractmethod
    def address(self, array: Array) -> int:
        """Where an array's first value lies on the device."""

    @abstractmethod
    def record(self, calls: Sequence[Launchable]) -> Call:
        """Record launches, which run for the first time at a later call of what is returned.

        Raises:
            Exception: whatever the device says.
        """

    def prepare(self) -> Iterator[tuple[int, int]]:
        """Compile what has been bound so far; see ``Backend.prepare``."""
        return iter(())


class CudaCall:
    """A kernel with its arguments, which lie in memory as a launch needs them.

    Attributes:
        kernel: what runs.
        arrays: those it was given, by the number of the argument.
    """

    def __init__(self, launcher: Launcher, kernel: Kernel, blocks: Size, threads: Size, arguments: Sequence[Any]):
        if len(arguments) != len(kernel.types):
            raise TypeError(f"{kernel.name} takes {len(kernel.types)} arguments, not {len(arguments)}")
        self.launcher, self.kernel, self.blocks, self.threads = launcher, kernel, blocks, threads
        launcher.bound.add(kernel.module)
        # The arrays behind the addresses must live as long as the call.
        given = enumerate(value.array if isinstance(value, Strided) else value for value in arguments)
        self.arrays = [(place, value) for place, value in given if hasattr(value, "dtype")]
        packed = [self._packed(*each) for each in zip(kernel.types, kernel.names, arguments, strict=True)]
        starts = np.cumsum([0, *(len(value) for value in packed)])
        self._values = np.frombuffer(b"".join(packed), np.uint8).copy()
        self._table = (self._values.ctypes.data + starts[:-1]).astype(np.uint64)
        self._where: int = self._table.ctypes.data
        self._launch: Launch | None = None

    def __call__(self) -> None:
        launch = self._launch or self.prepare()
        launch(self.blocks, self.threads, self._where)

    def prepare(self) -> Launch:
        """Compile its kernel."""
        self._launch = self.launcher.launch_of(self.kernel)
        return self._launch

    def write(self, first: int, words: bytes) -> None:
        """Change arguments from number ``first`` on, for the next launch; a recorded launch keeps its own."""
        start = int(self._table[first]) - self._values.ctypes.data
        self._values[start : start + len(words)] = np.frombuffer(words, np.uint8)

    def _packed(self, kind: str, name: str, value: Any) -> bytes:
        """An argument in whole 8-byte words, so that each is aligned."""
        what = f"{name} of {self.kernel.name}"
        if kind in _ELEMENTS:
            return struct.pack("Q", self._address(kind, what, value))
        if kind == "Sizes":
            numbers = [int(number) for number in value]
            return struct.pack(f"{_SIZES}i", *numbers, *[0] * (_SIZES - len(numbers)))
        if isinstance(value, float) != (kind == "float"):
            raise TypeError(f"{what} is {value!r}, which is no {kind}")
        try:
            return struct.pack(_FORMATS[kind], value).ljust(8, b"\0")
        except struct.error:
            raise TypeError(f"{what} is {value!r}, which is no {kind}") from None

    def _address(self, kind: str, what: str, value: Any) -> int:
        if isinstance(value, int) and value == 0:
            return 0
        array = value.array if isinstance(value, Strided) else value
        lies_right = isinstance(value, Strided) or (hasattr(array, "flags") and array.flags.c_contiguous)
        if getattr(array, "dtype", None) != _ELEMENTS[kind] or not lies_right:
            raise TypeError(f"{what} must be contiguous and {kind}, not {getattr(array, 'dtype', array)}")
        return self.launcher.address(array)


class LibraryCall:
    """Work that a library starts on the calling thread's current stream; a graph may hold it like a launch.

    Args:
        name: for a profile.
        run: starts it; must neither wait nor ask for memory.
        arrays: that must live as long as the call.

    Attributes:
        kernel: what runs.
    """

    def __init__(self, name: str, run: Call, arrays: Sequence[Array]) -> None:
        self.kernel = Kernel(name, "", (), ())
        self.arrays = list(enumerate(arrays))
        self._run = run

    def __call__(self) -> None:
        self._run()


Launchable = CudaCall | LibraryCall
"""What a graph may hold."""


def blocks_for(count: int, threads: int = THREADS) -> int:
    """Blocks for this many values; where there are very many, each thread handles several."""
    return max(1, min(_MOST_BLOCKS, -(-count // threads)))


def _size(numbers: int | Sequence[int]) -> Size:
    given = (numbers,) if isinstance(numbers, int) else tuple(numbers)
    x, y, z = (*given, 1, 1, 1)[:3]
    return x, y, z


class Words:
    """A few 64-bit words on the device that change from step to step; kernels, recorded ones too, read them there.

    Args:
        launcher: of the device.
        target: where they lie, uint64 or float64 ``(n,)``, at most sixteen of them.
    """

    def __init__(self, launcher: Launcher, target: Array) -> None:
        self.array = target
        self._call = launcher.call("write_words", 1, 1, target.view(np.uint64), len(target), *[0] * 16)
        self._format = "Q" if target.dtype == np.uint64 else "d"

    def set(self, *values: float) -> None:
        """Write all of them; what was started before still sees the old ones."""
        self._call.write(2, struct.pack(f"{len(values)}{self._format}", *values))
        self._call()
