"""The CPU backends that float32 tests run on: plain NumPy, and the compiled kernels."""

from __future__ import annotations

import pytest

from workbench.engine.backend import Backend
from workbench.engine.compiled_backend import CompiledBackend

PLAIN, COMPILED = Backend(), CompiledBackend()

on_both = pytest.mark.parametrize("backend", [PLAIN, COMPILED], ids=["plain", "compiled"])
