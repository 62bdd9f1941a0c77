"""Whether a window can be opened here, and what to say where it cannot."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

INSTEAD = (
    "Train from the command line: workbench new DATA --target COLUMN -o recipe.toml"
    " && workbench train recipe.toml --run DIR"
)


def why_no_window() -> str:
    """Why no window can be opened, a clause; empty where one can, as far as can be told without loading Qt."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in named):
        return "no display found"
    if find_spec("PySide6") is None:
        return "PySide6 is not installed"
    return ""


def refusal(reason: str) -> str:
    """One line that says why there is no window and how to train without."""
    return f"workbench: {reason}. {INSTEAD}"
