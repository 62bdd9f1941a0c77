"""The backends that float32 tests run on: plain NumPy, the compiled kernels, and a GPU, a real and an emulated one."""

from __future__ import annotations

import pytest
from support.emulated import EmulatedBackend, needs_compiler

from workbench.engine.backend import Backend
from workbench.engine.compiled_backend import CompiledBackend

PLAIN, COMPILED = Backend(), CompiledBackend()

on_both = pytest.mark.parametrize("backend", [PLAIN, COMPILED], ids=["plain", "compiled"])

on_device = pytest.mark.parametrize(
    "device", [pytest.param("emulated", marks=needs_compiler), pytest.param("gpu", marks=pytest.mark.gpu)]
)
"""For tests of the CUDA kernels: ``device_backend(device)`` is what computes."""


def device_backend(device: str, order: int = 0) -> Backend:
    """A GPU, or one that is emulated with the threads of a block in some order."""
    if device == "emulated":
        return EmulatedBackend(order)
    from workbench.engine.cupy_backend import CupyBackend

    return CupyBackend()
