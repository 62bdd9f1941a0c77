"""Parts of kernels, which only kernels can call, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def from_python(part: Any) -> Callable[..., Any]:
    """What calls a part."""
    caller: Callable[..., Any] = numba.njit(lambda *arguments: part(*arguments))
    return caller
