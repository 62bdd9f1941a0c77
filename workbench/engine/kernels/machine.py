"""What the processor offers: how wide its vectors are and how many of them it holds at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Machine:
    """A processor as the kernels see it.

    Attributes:
        width: float32 values in a vector register.
        rows: the most rows of a tile (see ``tile.py``) whose sums still fit into the registers.
        fused: whether it multiplies and adds in one instruction.
    """

    width: int
    rows: int
    fused: bool = True


@cache
def machine() -> Machine:
    """The processor that this process runs on."""
    import llvmlite.binding as llvm

    features: dict[str, bool] = llvm.get_host_cpu_features()
    return _of_features(features)


def _of_features(features: Any) -> Machine:
    # A tile of r rows and two vectors needs 2 r registers for its sums, two for the right side and one for the left.
    if features.get("avx512f"):
        return Machine(16, 14)
    if features.get("avx2") and features.get("fma"):
        return Machine(8, 6)
    # 128-bit vectors: ARM has 32 registers of them, old x86 processors 16.
    return Machine(4, 12) if features.get("neon") else Machine(4, 6, fused=False)
