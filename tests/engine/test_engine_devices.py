"""Choosing where to compute, and the words where that cannot be."""

from __future__ import annotations

import sys

import pytest

from workbench.engine.backend import Backend
from workbench.engine.device import cores, devices, one_blas_thread, open_backend
from workbench.errors import DeviceError


@pytest.fixture
def no_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    # What `import cupy` meets where it is not installed.
    monkeypatch.setitem(sys.modules, "cupy", None)


def test_that_the_cpu_can_always_be_chosen() -> None:
    backend = open_backend("cpu")
    assert (backend.name, backend.on_host, backend.describe()) == ("cpu", True, "CPU")


def test_that_auto_falls_back_to_the_cpu(no_cupy: None) -> None:
    assert open_backend("auto").name == "cpu"


def test_that_a_missing_gpu_library_says_how_to_get_it(no_cupy: None) -> None:
    with pytest.raises(DeviceError, match=r"CuPy is not installed.*pip install.*--device cpu") as caught:
        open_backend("cuda")
    assert caught.value.exit_code == 2


def test_that_an_unknown_device_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"'tpu' is no device\. Use auto, cpu or cuda"):
        open_backend("tpu")


def test_that_devices_are_listed_with_what_they_lack(no_cupy: None) -> None:
    cpu, gpu = devices()
    assert cpu.usable
    assert cpu.text == f"CPU, {cores()} cores"
    assert not gpu.usable
    assert "CuPy is not installed" in gpu.text


def test_that_blas_runs_on_one_thread_inside() -> None:
    from threadpoolctl import threadpool_info

    with one_blas_thread():
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} <= {1}


@pytest.mark.parametrize("length", [0, 1, Backend.block, Backend.block + 1, 3 * Backend.block])
def test_that_blocks_cover_a_vector_once(length: int) -> None:
    covered = [index for part in Backend().blocks(length) for index in range(length)[part]]
    assert covered == list(range(length))


def test_that_running_out_of_memory_is_told_apart() -> None:
    assert Backend().is_out_of_memory(MemoryError())
    assert not Backend().is_out_of_memory(ValueError())
