"""Convolutions by cuDNN on a stand-in for it: the same numbers, the quicker way, and ours where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cases import Case, all_cases
from support.emulated import needs_compiler
from support.layer_rig import assert_close
from support.networks import Bench, network_around, network_of, random_parameters
from support.standin.cudnn import Library, install_cudnn
from support.standin.module import stand_in

from workbench.engine.cuda.graphs import Recorded
from workbench.engine.folders import user_cache
from workbench.engine.network import Network
from workbench.layers.conv import Conv1d, Conv2d

pytestmark = needs_compiler

LAYERS: list[dict[str, Any]] = [
    {"kind": "conv2d", "filters": 6, "kernel": 3, "padding": "same"},
    {"kind": "activation", "function": "relu"},
    {"kind": "conv2d", "filters": 4, "kernel": 2, "stride": 2, "bias": False},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes"},
]
convolutions = pytest.mark.parametrize(("kind", "case"), all_cases(lambda layer, _: isinstance(layer, Conv1d | Conv2d)))


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Library]:
    """The stand-in with cuDNN, which wins each trial."""
    backend, device = stand_in(monkeypatch, kernels=True)
    return backend, install_cudnn(monkeypatch, device.kernels)


def _plain(network: Network, rows: int, training: bool = True) -> Bench:
    return Bench(random_parameters(network), rows, training=training)


def _agree(found: Bench, expected: Bench, rows: int, tolerance: float = 1e-5) -> None:
    for here, there in zip(found.run(rows), expected.run(rows), strict=True):
        assert_close(here, there, tolerance)


def _kernels(bench: Bench) -> set[str]:
    (task,) = bench.plan._ran.tasks
    return {
        call.kernel.name for each in task.calls for call in getattr(each, "calls", [each]) if hasattr(call, "kernel")
    }


@convolutions
@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
def test_that_a_convolution_by_cudnn_is_the_one_of_arrays(
    kind: str, case: Case, training: bool, device: tuple[Any, Library]
) -> None:
    backend, library = device
    network = network_around(kind, case)
    found = Bench(random_parameters(network, backend=backend), 6, training=training)
    expected = _plain(network, 6, training)
    for rows in (6, 4, 6, 4, 6):
        _agree(found, expected, rows)
    assert {"cudnn_forward"} | ({"cudnn_weight_gradient"} if training else set()) <= _kernels(found)
    assert "forward" in library.executed


def test_that_a_step_with_cudnn_is_one_recorded_graph(device: tuple[Any, Library]) -> None:
    backend, library = device
    network = network_of(LAYERS, (6, 6, 2))
    bench = Bench(random_parameters(network, backend=backend), 5)
    (task,) = bench.plan._ran.tasks
    (recorded,) = task.calls
    assert isinstance(recorded, Recorded)
    for _ in range(3):
        library.executed.clear()
        _agree(bench, _plain(network, 5), 5)
        assert library.executed == ["forward", "forward", "weight_gradient", "input_gradient", "weight_gradient"]
    assert recorded.recorded


def test_that_the_quicker_way_is_kept_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(LAYERS, (6, 6, 2))
    for quick in (False, True):
        # What the first found stands, whatever a later trial would: a run goes on as it began.
        backend, device = stand_in(monkeypatch, kernels=True)
        library = install_cudnn(monkeypatch, device.kernels, quick=quick)
        bench = Bench(random_parameters(network, backend=backend), 5)
        assert not any("cudnn" in name for name in _kernels(bench))
        assert bool(library.built) != quick
        _agree(bench, _plain(network, 5), 5)


@pytest.mark.parametrize("trouble", ["refuses", "spoils", "is not recorded", "finds no memory"])
def test_that_what_fails_in_a_trial_is_left_to_our_kernels(
    trouble: str, device: tuple[Any, Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, library = device

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CUDNN_STATUS_EXECUTION_FAILED")

    if trouble == "refuses":
        library.refuses = "weight_gradient"
    elif trouble == "spoils":
        library.spoils = True
    elif trouble == "is not recorded":
        monkeypatch.setattr(type(backend.cuda), "record", fail)
    else:
        monkeypatch.setattr("workbench.layers.conv_cudnn._copy", fail)
    network = network_of(LAYERS, (6, 6, 2))
    parameters = random_parameters(network, backend=backend)
    bench = Bench(parameters, 5)
    assert backend.cuda.records
    assert not any("cudnn" in name for name in _kernels(bench))
    kept = (user_cache() / "convolutions.json").exists()
    # Two layers of which one may do without; wrong numbers are found out once and for all.
    assert kept == (trouble == "spoils")
    if trouble != "is not recorded":
        for _ in range(3):
            _agree(bench, _plain(network, 5), 5)


@pytest.mark.parametrize(("precision", "used"), [("tf32", True), ("bfloat16", False), ("float16", False)])
def test_that_cudnn_rounds_to_tf32_only_where_it_may(
    precision: Any, used: bool, device: tuple[Any, Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    from support.networks import loss_of

    from workbench.engine.plan import Plan
    from workbench.engine.shards import ShardPool

    backend, _ = device
    parameters = random_parameters(network_of(LAYERS, (6, 6, 2)), backend=backend)
    lower = backend.in_precision(precision)
    Plan(parameters, loss_of(), 5, training=True, pool=ShardPool(1), backend=lower)
    graphs = backend.cudnn._graphs
    assert bool(graphs) == used
    assert all(rounds and graph._graph.rounds for (_, _, rounds), graph in graphs.items())
    Plan(parameters, loss_of(), 5, training=True, pool=ShardPool(1))
    assert {graph._graph.rounds for graph in backend.cudnn._graphs.values()} == ({True, False} if used else {False})


def test_that_a_device_says_what_computes_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, device = stand_in(monkeypatch, kernels=True)
    monkeypatch.setitem(__import__("sys").modules, "cudnn", None)
    how = "pip install nvidia-cudnn-frontend nvidia-cudnn-cu13"
    missing = f"kernels of our own; cuDNN, which may be quicker, is not installed ({how})"
    assert backend.facts()["convolutions"] == missing
    backend, device = stand_in(monkeypatch, kernels=True)
    install_cudnn(monkeypatch, device.kernels)
    used = "kernels of our own, or cuDNN 9.28.1 where it was quicker in a trial on the device"
    assert backend.facts()["convolutions"] == used
    assert backend.in_precision("tf32").cudnn is backend.cudnn
    backend, device = stand_in(monkeypatch, kernels=True)
    install_cudnn(monkeypatch, device.kernels)

    def fail() -> None:
        raise RuntimeError("CUDNN_STATUS_NOT_INITIALIZED\nmore")

    monkeypatch.setattr("cudnn.create_handle", fail)
    unusable = "kernels of our own; cuDNN cannot be used here (CUDNN_STATUS_NOT_INITIALIZED)"
    assert backend.facts()["convolutions"] == unusable
    backend, _ = stand_in(monkeypatch)
    assert backend.facts()["convolutions"] == "array operations"


def test_that_choices_outlast_the_program_and_a_broken_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.engine.cuda.choices import Choices

    monkeypatch.setattr("workbench.engine.cuda.choices.user_cache", lambda: tmp_path / "cache")
    choices = Choices("c.json")
    choices.put("b", "own", keep=False)
    choices.put("a", "own")
    assert (choices.get("a"), choices.get("b")) == ("own", "own")
    assert (Choices("c.json").get("a"), Choices("c.json").get("b")) == ("own", None)
    (tmp_path / "cache" / "c.json").write_text("[")
    assert Choices("c.json").get("a") is None
    monkeypatch.setattr("workbench.engine.cuda.choices.user_cache", lambda: tmp_path / "cache" / "c.json")
    unwritable = Choices("d.json")
    unwritable.put("a", "cudnn")
    assert unwritable.get("a") == "cudnn"


def test_that_a_profile_names_what_cudnn_runs(device: tuple[Any, Library]) -> None:
    from workbench.engine.plan import Plan
    from workbench.engine.profile import RecordingPool

    backend, _ = device
    network = network_of(LAYERS, (6, 6, 2))
    bench = Bench(random_parameters(network, backend=backend), 5)
    pool = RecordingPool(1, backend)
    plan = Plan(bench.parameters, bench.plan._loss, 5, training=True, pool=pool)
    for _ in range(4):
        pool.begin_step()
        plan.run(5)
    found = {(each.owner.layer, each.kernel): each.multiply_adds for each in pool.timings(network, 5)}
    assert found["conv_1", "cudnn_forward"] == found["conv_1", "cudnn_weight_gradient"] == 5 * 6 * 6 * 9 * 2 * 6
    assert np.isfinite(list(found.values())).all()
