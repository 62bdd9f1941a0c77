"""NumPy, and machine code where it pays: the everyday backend on a CPU."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from workbench.engine.backend import Array, Backend, Call
from workbench.errors import DeviceError


class CompiledBackend(Backend):
    """As ``Backend``, and what computes in float32 may bind compiled kernels (``workbench.engine.kernels``).

    Raises:
        DeviceError: Numba, which compiles them, cannot be used here.
    """

    compiled = True

    def __init__(self) -> None:
        try:
            from workbench.engine.kernels.calls import joined
        except Exception as error:  # A broken compiler fails in many ways; plain NumPy goes on without it.
            raise DeviceError(f"Numba cannot be used ({error})", where="compiled kernels", mend="Install it.") from None
        self._joined = joined

    def joined(self, calls: Iterable[Call], passing: Collection[Array] = ()) -> list[Call]:
        return self._joined(calls, passing)
