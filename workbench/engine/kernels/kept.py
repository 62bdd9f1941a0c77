"""Where compiled kernels are kept for the next start: a folder for each state of their sources.

To see whether a kernel on disk is still right, Numba looks at the file that it stands in, and at that file's date. What
the kernel calls stands in other files, and a package's files may all bear one date: after an update it would run old
machine code. So the folder is named after the content of all files of this package.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numba

from workbench.engine.folders import user_cache


def fingerprint() -> str:
    """A short hash of the sources that kernels are made of."""
    digest = hashlib.sha256(numba.__version__.encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def home() -> Path:
    """The folder of all states: ``NUMBA_CACHE_DIR`` where it is set, else in the user's cache."""
    named = os.environ.get("NUMBA_CACHE_DIR", "")
    return Path(named) if named else user_cache() / "kernels"


def keep_by_content() -> None:
    """Have Numba keep what it compiles from now on in the folder of the present sources."""
    config: Any = numba.config
    config.CACHE_DIR = str(home() / fingerprint())
