"""A device that runs out of memory or breaks ends a run with words and a proposal, never with a traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.small_runs import picture_recipe, table_recipe, write_pictures, write_table
from support.standin.device import Device
from support.standin.module import install

from workbench.__main__ import main
from workbench.data import supply
from workbench.events import EpochDone, Event, RunEnded, event_of_json
from workbench.recipe.recipe import Recipe
from workbench.session.curves import RunCurves
from workbench.session.experiment import run_experiment
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control
from workbench.training.measure import Measure
from workbench.training.stepper import Stepper


def run(recipe: Recipe, folder: Path) -> list[Event]:
    """A run from start to end on the stand-in."""
    prepared = prepare(recipe, device="cuda", threads=1)
    with RunFolder.create(folder, recipe) as opened:
        return list(run_experiment(prepared, opened, "run", Control()))


@contextmanager
def failing(
    monkeypatch: pytest.MonkeyPatch, kind: Any, name: str, call: int, plant: Callable[[], object]
) -> Iterator[None]:
    """At a call of a method something is planted."""
    real, calls = getattr(kind, name), []

    def replaced(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        if len(calls) == call:
            plant()
        return real(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(kind, name, replaced)
        yield


def _refuses(device: Device) -> Callable[[], None]:
    def plant() -> None:
        device.fails_at = 1

    return plant


STAGES: dict[str, tuple[Any, str, int]] = {
    "at the start": (Stepper, "__init__", 1),
    "in the first step": (Stepper, "step", 1),
    "in a later step": (Stepper, "step", 12),
    "while measuring": (Measure, "__call__", 4),
    "at the end": (Measure, "outputs", 2),
}


@pytest.mark.parametrize("stage", STAGES)
def test_that_running_out_of_memory_proposes_half_the_batch(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = install(monkeypatch)
    with failing(monkeypatch, *STAGES[stage], _refuses(device)):
        events = run(picture_recipe(write_pictures(tmp_path), epochs=3), tmp_path / "run")
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert (ended.reason, ended.patch) == ("failed", {"training.batch_size": 8})
    assert ended.message == (
        "Memory ran out on the GPU (Stand-in). The finished epochs are saved. Try training.batch_size = 8."
    )
    assert ended.epochs == max((event.epoch for event in events if isinstance(event, EpochDone)), default=0)
    assert event_of_json(ended.to_json()) == ended
    # The log has it too, for a window that is opened later.
    with RunFolder.open(tmp_path / "run") as folder:
        curves = RunCurves()
        for event in folder.events():
            curves.take(event)
    assert curves.ended is not None
    assert curves.ended.patch == ended.patch


def test_that_whichever_allocation_fails_the_run_ends_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = install(monkeypatch)
    recipe = picture_recipe(write_pictures(tmp_path, 40), epochs=1)
    reasons = []
    for number in (1, 2, 3, 5, 9, 17, 33, 65, 129, 257, 513, 1025, 2049):
        prepared = prepare(recipe, device="cuda", threads=1)
        device.fails_at = number
        with RunFolder.create(tmp_path / f"run {number}", recipe) as opened:
            *_, ended = run_experiment(prepared, opened, "run", Control())
        device.fails_at = None
        assert isinstance(ended, RunEnded)
        assert ended.patch or ended.reason == "finished"
        reasons.append(ended.reason)
    assert reasons.count("failed") >= 8


def test_that_data_for_which_there_is_no_room_are_brought_batch_by_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = install(monkeypatch)
    with failing(monkeypatch, supply.Supply, "_uploaded", 1, _refuses(device)):
        events = run(picture_recipe(write_pictures(tmp_path), epochs=1), tmp_path / "run")
    assert isinstance(events[-1], RunEnded)
    assert events[-1].reason == "finished"


def test_that_a_batch_that_the_training_set_limits_is_halved_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = install(monkeypatch)
    for size, patch in ((4096, {"training.batch_size": 72}), (1, {})):
        with failing(monkeypatch, Stepper, "step", 1, _refuses(device)):
            events = run(table_recipe(write_table(tmp_path), batch_size=size), tmp_path / f"run {size}")
        assert isinstance(events[-1], RunEnded)
        assert events[-1].patch == patch
    assert "single example" in events[-1].message


class CUDARuntimeError(RuntimeError):
    """Named as CuPy's."""


def _raises(text: str) -> Callable[[], None]:
    def plant() -> None:
        raise CUDARuntimeError(text)

    return plant


def test_that_a_broken_device_says_so_and_keeps_what_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    text = "cudaErrorIllegalAddress: an illegal memory access was encountered"
    with failing(monkeypatch, Stepper, "step", 7, _raises(text)):
        events = run(table_recipe(write_table(tmp_path)), tmp_path / "run")
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.message == (
        f"The GPU (Stand-in) failed: {text}. The finished epochs are saved. Resume the run to go on; where it happens"
        " again, --device cpu trains without the GPU."
    )
    assert (ended.reason, ended.patch) == ("failed", {})


def test_that_memory_that_cuda_itself_lacks_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    with failing(monkeypatch, Stepper, "step", 2, _raises("cudaErrorMemoryAllocation: out of memory")):
        events = run(table_recipe(write_table(tmp_path)), tmp_path / "run")
    assert isinstance(events[-1], RunEnded)
    assert events[-1].patch == {"training.batch_size": 16}


def test_that_other_mistakes_are_not_taken_for_the_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)

    def plant() -> None:
        raise ValueError("a bug")

    with failing(monkeypatch, Stepper, "step", 2, plant), pytest.raises(ValueError, match="a bug"):
        run(table_recipe(write_table(tmp_path)), tmp_path / "run")


def test_that_the_command_line_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    device = install(monkeypatch)
    (tmp_path / "recipe.toml").write_text(table_recipe(write_table(tmp_path)).toml())
    with failing(monkeypatch, Stepper, "step", 9, _refuses(device)):
        code = main(["train", str(tmp_path / "recipe.toml"), "--run", str(tmp_path / "run"), "--device", "cuda"])
    assert code == 1
    assert "Train it anew with --set training.batch_size=16\n" in capsys.readouterr().err
