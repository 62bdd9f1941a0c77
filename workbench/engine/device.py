"""Choosing where to compute, and how many threads to use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from threadpoolctl import threadpool_limits

from workbench.engine.backend import Backend
from workbench.engine.switch import KERNELS_SWITCH, kernels_are_off
from workbench.errors import DeviceError

DeviceName = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class DeviceReport:
    """What a device is, or why it cannot be used.

    Attributes:
        name: ``cpu`` or ``cuda``.
        usable: whether it can be chosen.
        text: the device in words, or what is missing and how to get it.
        facts: its figures and versions, see ``Backend.facts``.
    """

    name: str
    usable: bool
    text: str
    facts: dict[str, Any] = field(default_factory=dict)


def open_backend(device: str) -> Backend:
    """The backend for ``auto``, ``cpu`` or ``cuda``; ``auto`` takes the GPU where there is a usable one.

    Raises:
        DeviceError: the GPU was asked for and cannot be used, or the name is none of the three.
    """
    if device == "cpu":
        return _cpu()
    if device not in ("auto", "cuda"):
        raise DeviceError(f"{device!r} is no device", where="device", mend="Use auto, cpu or cuda.")
    from workbench.engine.cupy_backend import CupyBackend

    try:
        return CupyBackend()
    except DeviceError:
        if device == "cuda":
            raise
        return _cpu()


def _cpu() -> Backend:
    """With compiled kernels where they can be had."""
    try:
        return compiled_backend()
    except DeviceError:
        return Backend()


def compiled_backend() -> Backend:
    """The CPU with compiled kernels.

    Raises:
        DeviceError: they are switched off by the environment variable ``WORKBENCH_KERNELS``, or cannot be had.
    """
    from workbench.engine.compiled_backend import CompiledBackend

    if kernels_are_off():
        raise DeviceError(
            f"switched off by {KERNELS_SWITCH}", where="compiled kernels", mend=f"Unset {KERNELS_SWITCH}."
        )
    return CompiledBackend()


def devices() -> tuple[DeviceReport, ...]:
    """The CPU and the GPU, each with what it is or what it lacks."""
    cpu = DeviceReport("cpu", True, f"CPU, {cores()} cores")
    try:
        gpu = open_backend("cuda")
        return cpu, DeviceReport("cuda", True, gpu.describe(), gpu.facts())
    except DeviceError as error:
        return cpu, DeviceReport("cuda", False, str(error))


def cores() -> int:
    """The cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run with one BLAS thread: the shards of a batch are the threads (see ``shards.py``)."""
    with threadpool_limits(limits=1):
        yield
