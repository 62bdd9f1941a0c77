"""Where arrays live and what computes on them.

``Backend`` is NumPy on the CPU and right everywhere; ``CupyBackend`` (in ``cupy_backend.py``) overrides what differs
on a GPU. A backend is passed in, never kept in a global. Code above the engine reaches array functions through
``backend.xp``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.engine.staging import Stager

if TYPE_CHECKING:
    from workbench.engine.cuda.calls import Launcher

Array = Any
"""An array of the backend: ``numpy.ndarray`` or ``cupy.ndarray``."""

Shape = tuple[int, ...]

Precision = Literal["float32", "tf32", "bfloat16", "float16"]
"""What operands of products are rounded to; sums, and everything else, are in float32."""

CUDA_PIECE_BYTES = 2**28
"""``Backend.piece_bytes`` of a GPU, which has no cache that a piece should stay in."""

Call = Callable[[], None]
"""One thing to do in a step, on arrays that were bound before."""


class Backend:
    """NumPy on the CPU."""

    name = "cpu"
    on_host = True
    compiled = False
    """Whether kernels of ``workbench.engine.kernels`` may be bound to its arrays, which then are NumPy's."""

    cuda: Launcher | None = None
    """What starts kernels of ``workbench.engine.cuda`` on its arrays; None where there are none."""

    cudnn: Any = None
    """NVIDIA's library of convolutions (``workbench.engine.cuda.cudnn``); None where there is none."""

    block = 32_768
    """Elements that an update of a long vector handles at a time, so that its temporaries stay in the cache."""

    piece_bytes = 2**20
    """Bytes of working memory for a piece of a batch (window copies of a convolution)."""

    xp: Any = np

    precision: Precision = "float32"
    """In which ``matmul`` multiplies."""

    def asarray(self, array: Any, dtype: Any = None) -> Array:
        """The array on this backend, copied only where it must be."""
        return np.asarray(array, dtype)

    def upload(self, array: np.ndarray[Any, Any]) -> Array:
        """A large array on this backend, which need not be in the host's memory as a whole."""
        return self.asarray(array)

    def empty(self, shape: Shape, dtype: Any) -> Array:
        """An array for the long run, its contents undefined."""
        return self.xp.empty(shape, dtype)

    def zeros(self, shape: Shape, dtype: Any) -> Array:
        """An array of zeros for the long run."""
        return self.xp.zeros(shape, dtype)

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        """The array as NumPy."""
        return np.asarray(array)

    def synchronize(self) -> None:
        """Wait until everything that was started is done."""

    def current(self) -> AbstractContextManager[object]:
        """A context in which this backend's device is the current one of the calling thread."""
        return nullcontext()

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """The product of a layer's values or weights, in the precision that the backend was asked to multiply in.

        Args:
            a, b: ``(..., m, k)`` and ``(..., k, n)``.
            out: ``(..., m, n)``; a new array where None.
        """
        return self.xp.matmul(a, b, out=out)

    def in_precision(self, precision: Precision) -> Backend:
        """The same device, multiplying in another precision where it can: a CPU multiplies in float32 anyway."""
        return self

    def scratch_bytes(self) -> int:
        """Memory that it keeps for products."""
        return 0

    def stager(self, shape: Shape, dtype: Any) -> Stager:
        """What brings batches here that are gathered on the host.

        Args:
            shape: of an example.
            dtype: of its values.
        """
        return Stager(shape, dtype)

    def erf(self, x: Array, out: Array) -> None:
        """The error function, element by element."""
        from scipy.special import erf

        erf(x, out=out)

    def blocks(self, length: int) -> Iterator[slice]:
        """Cut a vector of this length into slices for an element-wise update."""
        for start in range(0, length, self.block):
            yield slice(start, min(start + self.block, length))

    def joined(self, calls: Iterable[Call], passing: Collection[Array] = ()) -> list[Call]:
        """The same calls in fewer pieces, where a backend can run several at once.

        Args:
            calls: in order.
            passing: arrays that only these calls touch, none of which a Python call touches; need not be filled.
        """
        return list(calls)

    def ready(self) -> bool:
        """Whether all that has been bound could be computed at once, without anything to compile first."""
        return True

    def prepare(self) -> Iterator[tuple[int, int]]:
        """Compile what the calls bound so far need, rather than when they are first run.

        Yields:
            How many are ready, and of how many, after each one that was not kept on disk from an earlier time.

        Raises:
            DeviceError: one cannot be compiled.
        """
        return iter(())

    def free_bytes(self) -> int | None:
        """Memory that can still be had, in bytes; None where it is not known."""
        return None

    def release(self) -> None:
        """Give memory that is no longer used back to the system."""

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether an exception means that memory ran out."""
        return isinstance(error, MemoryError)

    def failure_text(self, error: BaseException) -> str:
        """What a device itself says where it failed, in a line; empty for any other error."""
        return ""

    def refusal(self) -> str:
        """What a device has refused so far without which it computes more slowly, in a sentence; empty for nothing."""
        return ""

    def peak_bytes(self) -> int | None:
        """The most memory of a device that was held since ``release``; None where it is the host's."""
        return None

    def facts(self) -> dict[str, Any]:
        """Figures and versions of a device, for a report; none of the host."""
        return {}

    def describe(self) -> str:
        """The device in words."""
        return "CPU"
