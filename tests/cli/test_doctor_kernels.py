"""What `doctor` says of compiled kernels, BLAS and threads."""

from __future__ import annotations

import pytest
from support.command_line import CommandLine
from support.standin.module import install

from workbench.engine import report
from workbench.engine.kernels.native import Function


def test_that_doctor_tells_the_kernels_and_where_they_are_kept(workbench: CommandLine) -> None:
    found = workbench.well("doctor", "--json").json["kernels"]
    assert found["used"]
    assert found["vector"] in (4, 8, 16)
    assert found["known"] == len(Function.known)
    assert 0 <= found["compiled"] <= found["known"]
    assert found["folder"]
    assert found["numba"]
    out = workbench.well("doctor").out
    assert f"vectors of {found['vector']} float32" in out
    assert "WORKBENCH_KERNELS=off" in out


def test_that_doctor_says_that_kernels_are_switched_off(
    workbench: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_KERNELS", "off")
    report_of = workbench.well("doctor", "--json").json["kernels"]
    assert not report_of["used"]
    assert "switched off by WORKBENCH_KERNELS" in workbench.well("doctor").out


@pytest.mark.parametrize(
    ("setting", "told"), [("maybe", True), ("of", True), ("on", False), (" 1 ", False), ("", False)]
)
def test_that_doctor_says_that_a_setting_is_neither_on_nor_off(
    workbench: CommandLine, monkeypatch: pytest.MonkeyPatch, setting: str, told: bool
) -> None:
    monkeypatch.setenv("WORKBENCH_KERNELS", setting)
    found = workbench.well("doctor", "--json").json["kernels"]
    assert found["used"]
    assert (f"is {setting!r} now, neither on nor off" in found["text"]) == told


def test_that_a_device_is_named_once(workbench: CommandLine) -> None:
    assert "cuda: device cuda" not in workbench.well("doctor").out


@pytest.mark.parametrize(
    ("folder", "kept", "state"), [("/somewhere", True, "warm"), ("/somewhere", False, "cold"), (None, False, "none")]
)
def test_that_the_cache_is_warm_or_cold_or_not_to_be_had(
    folder: str | None, kept: bool, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Function, "folder", lambda self: folder)
    monkeypatch.setattr(Function, "on_disk", lambda self: kept)
    assert report.kernel_report().cache == state


def test_that_each_state_of_the_cache_has_words(workbench: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Function, "on_disk", lambda self: False)
    assert "the first run does it" in workbench.well("doctor").out
    monkeypatch.setattr(Function, "folder", lambda self: None)
    assert "each run compiles its own" in workbench.well("doctor").out


def test_that_blas_runs_on_one_thread_in_training(workbench: CommandLine) -> None:
    libraries = workbench.well("doctor", "--json").json["blas"]
    assert libraries
    assert {each["threads_in_training"] for each in libraries} == {1}


def test_that_doctor_says_why_it_uses_so_many_threads(workbench: CommandLine) -> None:
    out = workbench.well("doctor").out
    assert "the command line takes all cores" in out
    assert "at least 1,000,000 multiply-adds" in out


def test_that_doctor_tells_a_gpus_memory_and_versions(workbench: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, total=8_000_000_000)
    gpu = workbench.well("doctor", "--json").json["devices"][1]
    assert (gpu["name"], gpu["usable"], gpu["text"]) == ("cuda", True, "Stand-in")
    assert gpu["computes_with"] == "array operations only (WORKBENCH_KERNELS is off)"
    assert (gpu["memory_total"], gpu["cuda_of_driver"], gpu["cuda_runtime"]) == (8_000_000_000, "13.2", "13.0")
    assert gpu["memory_free"] <= gpu["memory_total"]
    assert gpu["precisions"] == ["float32", "tf32", "bfloat16", "float16"]
    out = workbench.well("doctor").out
    assert "computes with array operations only (WORKBENCH_KERNELS is off)" in out
    assert "memory: 8.0 GB of 8.0 GB free; compute capability 9.0" in out
    assert "CUDA 13.0, the driver knows CUDA 13.2; trains in float32, tf32, bfloat16, float16" in out
