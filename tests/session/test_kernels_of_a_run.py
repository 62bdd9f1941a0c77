"""What a run says of its kernels: that they are compiled, and what becomes of it where they cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.emulated import needs_compiler
from support.small_runs import table_recipe, write_table
from support.standin.module import install

from workbench.engine.backend import Backend
from workbench.engine.compiled_backend import CompiledBackend
from workbench.errors import DeviceError
from workbench.events import COMPILING, Event, Notice, Progress, RunEnded, RunStarted
from workbench.session.experiment import run_experiment
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control


def _events(folder: Path, *, profile: bool = False) -> list[Event]:
    recipe = table_recipe(write_table(folder), epochs=2)
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(folder / "run", recipe) as run:
        return list(run_experiment(prepared, run, "run", Control(), profile=profile))


def _stages(events: list[Event]) -> list[str]:
    return [event.stage for event in events if isinstance(event, Progress)]


def test_that_compiling_is_told_before_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CompiledBackend, "prepare", lambda self: iter([(0, 2), (2, 2)]))
    events = _events(tmp_path)
    kinds = [type(event) for event in events]
    assert _stages(events)[:2] == [COMPILING, COMPILING]
    assert kinds.index(Progress) < kinds.index(RunStarted)


def test_that_nothing_is_said_where_all_kernels_are_there(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    _events(tmp_path / "first")
    assert COMPILING not in _stages(_events(tmp_path / "second"))


def test_that_a_run_goes_on_without_kernels_where_one_cannot_be_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Backend) -> Iterator[tuple[int, int]]:
        raise DeviceError("adam_update cannot be compiled (LLVM is too old)", where="compiled kernels")

    monkeypatch.setattr(CompiledBackend, "prepare", fail)
    events = _events(tmp_path)
    (notice,) = (event.text for event in events if isinstance(event, Notice))
    assert "adam_update cannot be compiled (LLVM is too old)" in notice
    assert "Training with plain NumPy instead" in notice
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert (ended.reason, ended.epochs) == ("finished", 2)


def test_that_a_profile_changes_nothing_in_the_run(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    profiled, plain = (_events(tmp_path / name, profile=name == "with")[-1] for name in ("with", "without"))
    assert isinstance(profiled, RunEnded)
    assert isinstance(plain, RunEnded)
    assert profiled.summary["errors"] == plain.summary["errors"]
    assert "profile" not in plain.summary
    weights = [(tmp_path / name / "run" / "predictions.safetensors").read_bytes() for name in ("with", "without")]
    assert weights[0] == weights[1]


def _on_a_device(folder: Path, control: Control | None = None) -> list[Event]:
    """A run on the stand-in for a GPU, or what is left of it."""
    recipe = table_recipe(write_table(folder), epochs=2)
    prepared, there = prepare(recipe, device="cuda", threads=1), (folder / "run").exists()
    opened = RunFolder.open(folder / "run", write=True) if there else RunFolder.create(folder / "run", recipe)
    with opened as run:
        return list(run_experiment(prepared, run, "run", control or Control(), resume=there))


def _refuse_captures_after(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.standin.kernels import _Capturing

    real, calls = _Capturing.end_capture, []

    def end_capture(self: _Capturing) -> Any:
        calls.append(1)
        recorded = real(self)
        if len(calls) > most:
            raise RuntimeError("CUDA_ERROR_STREAM_CAPTURE_INVALIDATED: operation failed\nat graph.cpp")
        return recorded

    monkeypatch.setattr(_Capturing, "end_capture", end_capture)


@needs_compiler
@pytest.mark.parametrize("most", [0, 1], ids=["from the start", "in a step"])
def test_that_a_run_says_once_that_its_steps_cannot_be_recorded(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, kernels=True)
    _refuse_captures_after(most, monkeypatch)
    control = Control()
    control.stop()
    first = _on_a_device(tmp_path, control if most == 0 else None)
    rest = _on_a_device(tmp_path) if most == 0 else []
    (notice,) = (event.text for event in (*first, *rest) if isinstance(event, Notice))
    assert notice == (
        "Steps are launched kernel by kernel, as the GPU refuses to record them as a CUDA graph: "
        "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED: operation failed. Results are the same, but small networks train more "
        "slowly."
    )
    ended = (*first, *rest)[-1]
    assert isinstance(ended, RunEnded)
    assert (ended.reason, ended.epochs) == ("finished", 2)
    with RunFolder.open(tmp_path / "run") as folder:
        assert [event.text for event in folder.events() if isinstance(event, Notice)] == [notice]


@needs_compiler
def test_that_a_run_says_that_a_gpus_kernels_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.standin.kernels import Machine

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("NVRTC_ERROR_INVALID_OPTION (5)")

    monkeypatch.setattr(Machine, "module", fail)
    install(monkeypatch, kernels=True)
    (notice,) = (event.text for event in _on_a_device(tmp_path) if isinstance(event, Notice))
    assert notice.startswith("The GPU computes with array operations, as kernels of our own fail there: NVRTC_ERROR")


@needs_compiler
def test_that_the_command_line_passes_on_what_a_gpu_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from workbench.__main__ import main

    install(monkeypatch, kernels=True)
    _refuse_captures_after(1, monkeypatch)
    recipe = table_recipe(write_table(tmp_path), epochs=1)
    (tmp_path / "recipe.toml").write_text(recipe.toml())
    assert main(["train", str(tmp_path / "recipe.toml"), "--run", str(tmp_path / "run"), "--device", "cuda"]) == 0
    assert capsys.readouterr().err.count("note: Steps are launched kernel by kernel") == 1


def test_that_a_gpu_that_refuses_nothing_is_not_spoken_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    assert not [event for event in _on_a_device(tmp_path) if isinstance(event, Notice)]
