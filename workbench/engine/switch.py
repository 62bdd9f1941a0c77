"""The switch that leaves all computing to array operations, for comparison and where a compiler is broken."""

from __future__ import annotations

import os

KERNELS_SWITCH = "WORKBENCH_KERNELS"
"""The environment variable that, set to ``off``, leaves the CPU to plain NumPy and a GPU to plain CuPy."""


_OFF, _ON = ("off", "0", "no", "false"), ("", "on", "1", "yes", "true")


def kernels_are_off() -> bool:
    """Whether the environment variable says so."""
    return _setting().lower() in _OFF


def unknown_setting() -> str:
    """What the environment variable says where that is neither on nor off, which leaves kernels on."""
    return "" if _setting().lower() in (*_OFF, *_ON) else _setting()


def _setting() -> str:
    return os.environ.get(KERNELS_SWITCH, "").strip()
