"""Kernels are made for the processor's vectors; here for those that other processors have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.engine.kernels.machine import Machine, machine

TESTS = Path(__file__).parents[1]


MACHINES = {"sse": Machine(4, 6, fused=False), "avx2": Machine(8, 6), "avx512": Machine(16, 14)}
others = [pytest.param(other, id=name) for name, other in MACHINES.items() if other != machine()]


@pytest.mark.parametrize("other", others)
def test_that_kernels_for_other_vectors_compute_the_same(other: Machine, tmp_path: Path) -> None:
    # A cache of its own: Numba knows kernels by their source, which says nothing of the vectors.
    paths = {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    done = subprocess.run(
        [
            sys.executable,
            TESTS / "support" / "narrow_vectors.py",
            str(other.width),
            str(other.rows),
            str(int(other.fused)),
        ],
        env={**os.environ, **paths},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
