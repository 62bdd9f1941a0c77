"""What the CPU computes with and why: compiled kernels or plain NumPy, which BLAS, how many threads."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_info

from workbench.engine.device import compiled_backend, one_blas_thread
from workbench.engine.switch import KERNELS_SWITCH, unknown_setting
from workbench.errors import DeviceError


@dataclass(frozen=True)
class KernelReport:
    """Whether compiled kernels are used on the CPU.

    Attributes:
        used: whether they are.
        text: with what, or why not and how to change it.
        vector: float32 values in a vector register; 0 where they are not used.
        tile_rows: rows of a product's tile whose sums the registers hold.
        compiled, known: how many are kept on disk for this processor, and how many there are.
        folder: where they are kept; None where no folder can be written to.
    """

    used: bool
    text: str
    vector: int = 0
    tile_rows: int = 0
    compiled: int = 0
    known: int = 0
    folder: str | None = None

    @property
    def cache(self) -> str:
        """``warm``: kernels are kept on disk; ``cold``: the first run compiles them; ``none``: each run does."""
        if not self.used or self.folder is None:
            return "none"
        return "warm" if self.compiled else "cold"


def kernel_report() -> KernelReport:
    """Look at the compiled kernels, without compiling any."""
    try:
        compiled_backend()
    except DeviceError as error:
        return KernelReport(False, f"plain NumPy; {error}")
    from workbench.engine.kernels.machine import machine
    from workbench.engine.kernels.native import Function

    _import_kernels()
    known, found = list(Function.known), machine()
    folder = known[0].folder()
    kept = sum(function.on_disk() for function in known) if folder else 0
    text = (
        f"compiled kernels; vectors of {found.width} float32, tiles of {found.rows} rows. "
        f"{KERNELS_SWITCH}=off leaves it to plain NumPy, for comparison."
    )
    if setting := unknown_setting():
        text += f" {KERNELS_SWITCH} is {setting!r} now, neither on nor off, and changes nothing."
    return KernelReport(True, text, found.width, found.rows, kept, len(known), folder)


def _import_kernels() -> None:
    """Kernels are known once their modules are imported."""
    package = importlib.import_module("workbench.engine.kernels")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def blas_report() -> list[dict[str, Any]]:
    """The libraries for products of arrays, each with its threads outside of training and within it."""
    importlib.import_module("scipy.linalg")
    outside = _blas()
    with one_blas_thread():
        inside = _blas()
    return [
        {"library": name, "version": number, "threads": threads, "threads_in_training": inside[path][2]}
        for path, (name, number, threads) in outside.items()
    ]


def _blas() -> dict[str, tuple[str, str, int]]:
    found = (pool for pool in threadpool_info() if pool["user_api"] == "blas")
    return {pool["filepath"]: (pool["internal_api"], pool["version"] or "", pool["num_threads"]) for pool in found}
