"""The user's cache folder, as each system has it."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_cache() -> Path:
    """What lies in it can be made again, and may be deleted at any time."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        named = os.environ.get("XDG_CACHE_HOME", "")
        # A relative path there is to be ignored (XDG base directory specification).
        base = Path(named) if os.path.isabs(named) else home / ".cache"
    return base / "workbench"
