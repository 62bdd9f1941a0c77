"""NumPy, and machine code where it pays: the everyday backend on a CPU."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

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
            raise _lack(error) from None
        self._joined = joined

    def joined(self, calls: Iterable[Call], passing: Collection[Array] = ()) -> list[Call]:
        return self._joined(calls, passing)

    def prepare(self) -> Iterator[tuple[int, int]]:
        from workbench.engine.kernels.calls import NativeProgram
        from workbench.engine.kernels.native import pending, runner_on_disk

        waiting = pending()
        total = len(waiting) + 1
        if not runner_on_disk():
            yield 0, total
        try:
            # An empty program: what runs programs must be compiled too.
            NativeProgram([])()
        except Exception as error:  # As above.
            raise _lack(error) from None
        for number, function in enumerate(waiting, start=1):
            if function.prepare():
                yield number + 1, total


def _lack(error: Exception) -> DeviceError:
    mend = "Install it, or set WORKBENCH_KERNELS=off."
    return DeviceError(f"Numba cannot be used ({error})", where="compiled kernels", mend=mend)
