"""Kernels: compiled before the first step, kept for the next start, and done without where that cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.backends import COMPILED
from support.networks import loss_of, network_of, random_parameters

from workbench.engine.backend import Backend
from workbench.engine.compiled_backend import CompiledBackend
from workbench.engine.device import compiled_backend, open_backend
from workbench.engine.kernels import native
from workbench.engine.kernels.calls import NativeCall
from workbench.engine.kernels.native import Function, pending
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.errors import DeviceError

ROOT = Path(__file__).parents[2]

_TRAIN = """
import json
from workbench.engine.device import open_backend
from workbench.engine.kernels.native import Function
from workbench.engine.kernels.calls import NativeCall
from workbench.engine.kernels.losses import strength_scale
import numpy as np
backend = open_backend("cpu")
strengths, scale = np.full(4, 2, np.float32), np.zeros(1, np.float32)
call = NativeCall(strength_scale, 4, strengths, scale)
before = backend.ready()
yielded = list(backend.prepare())
call()
print(json.dumps({"yielded": yielded, "ready": [before, backend.ready()], "scale": float(scale[0]),
                  "folder": strength_scale.folder(), "on_disk": strength_scale.on_disk()}))
"""


def _in_a_process(**environment: str) -> Any:
    """What a fresh process with a cache of its own says of one kernel."""
    full = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run([sys.executable, "-c", _TRAIN], env=full, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_that_kernels_are_compiled_once_and_kept(tmp_path: Path) -> None:
    first = _in_a_process(NUMBA_CACHE_DIR=str(tmp_path))
    assert first["yielded"] == [[0, 2], [2, 2]]
    assert first["ready"] == [False, True]
    assert first["on_disk"]
    assert Path(first["folder"]).is_relative_to(tmp_path)
    again = _in_a_process(NUMBA_CACHE_DIR=str(tmp_path))
    assert again["yielded"] == []
    assert again["ready"] == [True, True]
    assert first["scale"] == again["scale"] == 0.125


def test_that_kernels_work_where_no_folder_can_keep_them(tmp_path: Path) -> None:
    # Only the folder that is named may be used, and there is a file in its place.
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / "file" / "within")
    found = _in_a_process(NUMBA_CACHE_LOCATOR_CLASSES="UserProvidedCacheLocator", NUMBA_CACHE_DIR=folder)
    assert (found["folder"], found["on_disk"], found["scale"]) == (None, False, 0.125)
    assert found["yielded"] == [[0, 2], [2, 2]]


def test_that_binding_a_network_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Function) -> bool:
        raise AssertionError(f"{self.name} was compiled")

    monkeypatch.setattr(Function, "prepare", refuse)
    layers = [{"kind": "conv2d", "filters": 2}, "flatten", {"kind": "dense", "units": "classes"}]
    network = network_of([{"kind": each} if isinstance(each, str) else each for each in layers], (5, 5, 1))
    pool = ShardPool(1)
    Plan(random_parameters(network, backend=COMPILED), loss_of(), 4, training=True, pool=pool)
    pool.close()


def _broken(arguments: int, first: int, last: int) -> None:
    return arguments.nonsense  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def broken_kernel(monkeypatch: pytest.MonkeyPatch) -> Function:
    """A kernel that no compiler takes."""
    monkeypatch.setattr(Function, "known", list(Function.known))
    return native.kernel(_broken)


def test_that_a_kernel_that_cannot_be_compiled_is_named(broken_kernel: Function) -> None:
    with pytest.raises(DeviceError, match=r"compiled kernels: _broken cannot be compiled.*WORKBENCH_KERNELS=off"):
        broken_kernel.prepare()


def test_that_only_bound_kernels_are_compiled_beforehand(broken_kernel: Function) -> None:
    list(COMPILED.prepare())
    NativeCall(broken_kernel, 1)
    assert pending() == [broken_kernel]
    with pytest.raises(DeviceError, match="_broken"):
        list(COMPILED.prepare())


@pytest.mark.parametrize("word", ["off", "OFF", "0"])
def test_that_kernels_can_be_switched_off(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_KERNELS", word)
    assert type(open_backend("cpu")) is Backend
    with pytest.raises(DeviceError, match="switched off by WORKBENCH_KERNELS"):
        compiled_backend()


def test_that_kernels_are_used_unless_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_KERNELS", raising=False)
    assert isinstance(open_backend("cpu"), CompiledBackend)
    assert list(Backend().prepare()) == []
