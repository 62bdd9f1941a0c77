"""``doctor``: what this installation can do, what it lacks, and how to get it."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from workbench.cli.console import put, put_json
from workbench.cli.main import add_verb
from workbench.engine.device import cores, devices
from workbench.engine.plan import least_shard_work
from workbench.engine.report import blas_report, kernel_report
from workbench.training.memory import size_text

_NEEDED = {
    "numpy": "arrays",
    "scipy": "the error function and quantiles",
    "threadpoolctl": "one BLAS thread for each of our own",
    "numba": "compiled kernels, without which training is slower",
    "pydantic": "recipes",
    "tomli-w": "writing recipes",
    "pandas": "tables",
    "pillow": "pictures",
    "onnx": "export to ONNX",
    "onnxruntime": "the check of exported ONNX models",
    "jinja2": "reports",
    "typst": "reports as PDF",
    "PySide6-Essentials": "the window",
    "pyqtgraph": "curves in the window",
}
_OPTIONAL = {"cupy-cuda13x": "training on a CUDA 13 GPU", "cupy-cuda12x": "training on a CUDA 12 GPU"}
"""One of these is enough; they must not be installed together."""


_THREADS = (
    "the command line takes all cores, --threads takes fewer; the window leaves one to itself. A batch is cut into as "
    "many pieces as there are threads, as far as each has at least {:,} multiply-adds."
)


def add_doctor(parsers: Any) -> None:
    """Add the verb ``doctor``."""
    parser = add_verb(
        parsers, "doctor", _doctor, "workbench doctor --json", "Say what this installation can do and what it lacks."
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _doctor(options: argparse.Namespace) -> int:
    report = examine()
    if options.json:
        put_json(report)
        return 0
    put(f"Workbench {report['versions'].get('workbench', '?')} on Python {report['versions']['python']}")
    for device in report["devices"]:
        text = device["text"].removeprefix(f"device {device['name']}: ")
        put(f"  {'✓' if device['usable'] else '–'} {device['name']}: {text}")
        if "memory_total" in device:
            _put_gpu(device)
    _put_kernels(report["kernels"])
    for blas in report["blas"]:
        within = f"{blas['threads']} threads, in training {blas['threads_in_training']}"
        put(f"    BLAS {blas['library']} {blas['version']}: {within}")
    put(f"  compute threads: {report['threads']['command_line']} (in the window {report['threads']['window']})")
    put(f"    {report['threads']['why']}")
    put(f"  {'✓' if report['display'] else '–'} window: {report['display_text']}")
    put(f"  {'✓' if report['spawns'] else '–'} compute process: {'starts' if report['spawns'] else 'does not start'}")
    for lack in report["missing"]:
        state = "is not installed; optional" if lack["optional"] else "is missing"
        put(f"  – {lack['package']} {state} ({lack['for']}): {lack['get']}")
    if all(lack["optional"] for lack in report["missing"]):
        put("  nothing that is needed is missing")
    return 0


def _put_gpu(device: dict[str, Any]) -> None:
    sizes = size_text(device["memory_free"]), size_text(device["memory_total"])
    put(f"    memory: {sizes[0]} of {sizes[1]} free; compute capability {device['compute_capability']}")
    put(f"    computes with {device['computes_with']}")
    put(f"    convolutions: {device['convolutions']}")
    versions = f"CUDA {device['cuda_runtime']}, the driver knows CUDA {device['cuda_of_driver']}"
    put(f"    CuPy {device['cupy']}, {versions}; trains in {', '.join(device['precisions'])}")


def _put_kernels(kernels: dict[str, Any]) -> None:
    put(f"    computes with {kernels['text']}")
    if not kernels["used"]:
        return
    states = {
        "warm": f"{kernels['compiled']} of {kernels['known']} are compiled, in {kernels['folder']}",
        "cold": f"none is compiled yet: the first run does it, some seconds; they are kept in {kernels['folder']}",
        "none": "no folder can be written to that would keep them: each run compiles its own, some seconds",
    }
    put(f"    numba {kernels['numba']}: {states[kernels['cache']]}")


def examine() -> dict[str, Any]:
    """Backends, devices, threads, versions, and what is missing and how to get it."""
    from workbench.cli.window import why_no_window

    found = {name: _version(name) for name in (*_NEEDED, *_OPTIONAL)}
    optional = {} if any(found[name] for name in _OPTIONAL) else _OPTIONAL
    missing = [
        {"package": name, "for": purpose, "get": f"pip install {name}", "optional": name in _OPTIONAL}
        for name, purpose in {**_NEEDED, **optional}.items()
        if found[name] is None
    ]
    reports = devices()
    why_not, kernels = why_no_window(), kernel_report()
    return {
        "backends": ["numpy", *(["cupy"] if reports[1].usable else [])],
        "devices": [
            {"name": report.name, "usable": report.usable, "text": report.text, **report.facts} for report in reports
        ],
        "kernels": {**asdict(kernels), "cache": kernels.cache, "numba": found["numba"]},
        "blas": blas_report(),
        "threads": {
            "cores": cores(),
            "command_line": cores(),
            "window": max(1, cores() - 1),
            "blas": 1,
            "why": _THREADS.format(least_shard_work()),
        },
        "versions": {
            "workbench": _version("workbench"),
            "python": sys.version.split()[0],
            **{name: number for name, number in found.items() if number},
        },
        "spawns": _spawns(),
        "display": not why_not,
        "display_text": why_not or os.environ.get("QT_QPA_PLATFORM") or os.environ.get("DISPLAY") or "available",
        "missing": missing,
    }


def _nothing() -> None:
    """What the trial process does."""


def _spawns() -> bool:
    """Whether a compute process can be started, as the window does for each run."""
    process = multiprocessing.get_context("spawn").Process(target=_nothing, daemon=True)
    process.start()
    process.join(30)
    return process.exitcode == 0


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
