"""What a run says of its kernels: that they are compiled, and what becomes of it where they cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.small_runs import table_recipe, write_table

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
