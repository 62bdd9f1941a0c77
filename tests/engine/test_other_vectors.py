"""Kernels are made for the processor's vectors; here for those that other processors have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.engine.kernels.machine import Machine, _of_features, machine

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


@pytest.mark.parametrize(
    ("features", "name"),
    [("sse2 avx", "sse"), ("sse2 avx avx2 fma", "avx2"), ("avx avx2", "sse"), ("avx2 fma avx512f", "avx512")],
)
def test_that_a_processor_is_known_by_what_it_offers(features: str, name: str) -> None:
    assert _of_features(dict.fromkeys(features.split(), True)) == MACHINES[name]


def test_that_arm_has_more_registers_than_old_x86_processors() -> None:
    assert _of_features({"neon": True}) == Machine(4, 12)
