"""Kernels on disk: found again by the next process, and never after a change of anything they are made of."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SHOW = """
from pathlib import Path
import numba
from workbench.engine.kernels.updates import sgd_update
before = {file: file.stat().st_mtime_ns for file in Path(numba.config.CACHE_DIR).rglob("*.nbc")}
sgd_update.address
after = {file: file.stat().st_mtime_ns for file in Path(numba.config.CACHE_DIR).rglob("*.nbc")}
print(numba.config.CACHE_DIR, len(before), before == after)
"""


def _in_a_process(source: Path, kept: Path) -> tuple[str, bool, bool]:
    """The folder, whether anything was in it, and whether it was enough."""
    environment = {**os.environ, "PYTHONPATH": str(source), "NUMBA_CACHE_DIR": str(kept)}
    command = [sys.executable, "-c", SHOW]
    done = subprocess.run(command, env=environment, cwd=source, capture_output=True, text=True, check=True)
    folder, count, enough = done.stdout.rsplit(maxsplit=2)
    return folder, int(count) > 0, enough == "True"


def test_that_kernels_are_kept_by_the_content_of_all_their_sources(tmp_path: Path) -> None:
    source, kept = tmp_path / "source", tmp_path / "kept"
    shutil.copytree(ROOT / "workbench", source / "workbench", ignore=shutil.ignore_patterns("__pycache__", "gui"))
    first, *found = _in_a_process(source, kept)
    assert found == [False, False]
    assert _in_a_process(source, kept) == (first, True, True)
    part = source / "workbench" / "engine" / "kernels" / "native.py"
    dates = part.stat()
    part.write_text(part.read_text() + "\n# Another comment.\n")
    os.utime(part, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    changed, *found = _in_a_process(source, kept)
    assert changed != first
    assert found == [False, False]
