"""The switch that leaves all computing to array operations, for comparison and where a compiler is broken."""

from __future__ import annotations

import os

KERNELS_SWITCH = "WORKBENCH_KERNELS"
"""The environment variable that, set to ``off``, leaves the CPU to plain NumPy and a GPU to plain CuPy."""


def kernels_are_off() -> bool:
    """Whether the environment variable says so."""
    return os.environ.get(KERNELS_SWITCH, "").strip().lower() in ("off", "0", "no", "false")
