"""The stand-in for a GPU refuses what CuPy refuses, counts what a GPU has to wait for, and sees races."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from support.standin.device import OutOfMemoryError, RaceError
from support.standin.list_names import names
from support.standin.module import install, stand_in

from workbench.engine.backend import Backend


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> Any:
    install(monkeypatch)
    import cupy

    return cupy


def test_that_arrays_of_the_host_do_not_mix_with_those_of_the_device(cupy: Any) -> None:
    x, host = cupy.ones(3, np.float32), np.ones(3, np.float32)
    for mistake in (
        lambda: x + host,
        lambda: cupy.add(x, host),
        lambda: x.__setitem__(slice(None), host),
        lambda: cupy.add(x, x, out=host),
        lambda: np.asarray(x),
        lambda: cupy.stack([x, host]),
    ):
        with pytest.raises(TypeError):
            mistake()
    assert (x + np.float32(1)).get().tolist() == [2, 2, 2]


def test_that_only_what_cupy_has_can_be_called(cupy: Any) -> None:
    x = cupy.arange(4, dtype=np.float32)
    with pytest.raises(TypeError, match="mode"):
        cupy.take(x, cupy.arange(2), mode="clip")
    with pytest.raises(TypeError, match="where"):
        cupy.add(x, x, where=x > 0)
    assert not hasattr(cupy, "errstate")


def test_that_fetches_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, device = stand_in(monkeypatch)
    x = backend.asarray(np.arange(4.0))
    assert device.counts.uploads == 1
    x[1] += x.sum()
    assert device.counts.synchronizations == 0
    assert float(x[1]) == 7
    assert bool(x.sum() > 0)
    assert x[x > 1].shape == (3,)
    assert (device.counts.downloads, device.counts.synchronizations) == (2, 3)


def test_that_memory_is_counted_and_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, device = stand_in(monkeypatch, total=1000)
    x = backend.zeros((100,), np.float64)
    view = x[3:]
    del x
    assert (device.used, backend.free_bytes()) == (800, 200)
    with pytest.raises(OutOfMemoryError):
        backend.zeros((26,), np.float64)
    del view
    assert (device.used, device.peak) == (0, 800)
    device.fails_at = 2
    backend.zeros((1,), np.float64)
    with pytest.raises(OutOfMemoryError, match="planted"):
        backend.zeros((1,), np.float64)


def test_that_copies_on_another_stream_must_be_waited_for(cupy: Any) -> None:
    stream, event, x, host = cupy.cuda.Stream(non_blocking=True), cupy.cuda.Event(), cupy.zeros(2), np.ones(2)
    main = cupy.cuda.get_current_stream()
    event.record(main)
    stream.wait_event(event)
    x.set(host, stream=stream)
    with pytest.raises(RaceError, match="still copies"):
        x.sum()
    event.record(stream)
    main.wait_event(event)
    assert float(x.sum()) == 2
    with pytest.raises(RaceError, match="overwrites"):
        x.set(host, stream=stream)
    event.record(main)
    stream.wait_event(event)
    x.set(host, stream=stream)


@pytest.mark.parametrize("where", ["host", "device"])
def test_that_a_stager_brings_batches_of_any_size(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Backend() if where == "host" else stand_in(monkeypatch)[0]
    stager, numbers = backend.stager((3,), np.float32), np.random.default_rng(0)
    for rows in (4, 2, 4, 9, 1):
        values = numbers.normal(size=(rows, 3)).astype(np.float32)
        brought = stager.bring(rows, lambda buffer, values=values: np.copyto(buffer, values))
        np.testing.assert_array_equal(backend.to_host(brought * np.float32(2)), 2 * values)


@pytest.mark.gpu
def test_that_the_stand_in_has_the_names_of_the_cupy_that_is_installed() -> None:
    from support.standin.arrays import NAMES

    assert json.loads(json.dumps(names())) == NAMES
