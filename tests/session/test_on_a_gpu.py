"""What the stand-in for a GPU is trusted with elsewhere, on a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cases import Case, all_cases
from support.layer_rig import assert_close
from support.networks import Bench, network_around, random_parameters
from support.small_runs import picture_recipe, table_recipe, write_pictures, write_table
from support.standin.module import on_host, rounded

from workbench.data.feeder import Feeder
from workbench.engine.device import KERNELS_SWITCH, devices, open_backend
from workbench.engine.parameters import Parameters
from workbench.engine.shards import ShardPool
from workbench.events import EpochDone, Event, RunEnded, RunStarted
from workbench.recipe.recipe import Recipe
from workbench.session.experiment import run_experiment
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control
from workbench.training.stepper import Stepper

pytestmark = pytest.mark.gpu


@pytest.fixture
def backend() -> Iterator[Any]:
    """The GPU, its memory given back afterwards."""
    opened = open_backend("cuda")
    opened.release()
    yield opened
    opened.release()


def run(recipe: Recipe, folder: Path, device: str = "cuda", **changed: Any) -> list[Event]:
    """A run from start to end; ``changed`` replaces methods of the backend."""
    prepared = prepare(recipe, device=device, threads=1)
    assert prepared.backend.on_host == (device == "cpu")
    for name, method in changed.items():
        setattr(prepared.backend, name, method)
    with RunFolder.create(folder, recipe) as opened:
        return list(run_experiment(prepared, opened, "run", Control()))


def epochs_of(events: list[Event]) -> list[EpochDone]:
    return [event for event in events if isinstance(event, EpochDone)]


def weights_of(folder: Path) -> dict[str, np.ndarray[Any, Any]]:
    with RunFolder.open(folder) as opened:
        return opened.load("last").tensors


@pytest.mark.parametrize(("kind", "case"), all_cases())
def test_that_a_layer_computes_on_a_gpu_what_it_does_on_the_host(kind: str, case: Case, backend: Any) -> None:
    network = network_around(kind, case)
    found, expected = (Bench(random_parameters(network, backend=where), 6) for where in (backend, None))
    for rows in (6, 4):
        for here, there in zip(found.run(rows), expected.run(rows), strict=True):
            assert_close(here, there, 1e-4)


@pytest.mark.parametrize("precision", ["float32", "tf32"])
@pytest.mark.parametrize(("kind", "case"), all_cases(lambda layer, _: layer.kind in ("conv1d", "conv2d")))
def test_that_cudnn_computes_a_convolution_as_the_host_does(
    kind: str, case: Case, precision: Any, backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend.cudnn is None:
        pytest.skip(backend.facts()["convolutions"])
    monkeypatch.setattr("workbench.engine.cuda.choices.Choices.get", lambda self, key: "cudnn")
    network, lower = network_around(kind, case), backend.in_precision(precision)
    found, expected = (Bench(random_parameters(network, backend=where), 6) for where in (lower, None))
    for rows in (6, 4, 6, 4, 6):
        for here, there in zip(found.run(rows), expected.run(rows), strict=True):
            assert_close(here, there, 1e-4 if precision == "float32" else 1e-2)


def test_that_two_epochs_are_those_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KERNELS_SWITCH, "off")
    recipe = table_recipe(write_table(tmp_path), epochs=2, optimizer={"kind": "momentum", "learning_rate": 0.05})
    found, expected = (epochs_of(run(recipe, tmp_path / device, device)) for device in ("cuda", "cpu"))
    for here, there in zip(found, expected, strict=True):
        assert here.train_loss == pytest.approx(there.train_loss, rel=1e-4)
        assert here.dev_loss == pytest.approx(there.dev_loss, rel=1e-4)
    for name, values in weights_of(tmp_path / "cpu").items():
        assert_close(weights_of(tmp_path / "cuda")[name], values, 1e-3, name)


def test_that_pictures_come_out_as_on_the_host(tmp_path: Path) -> None:
    recipe = picture_recipe(write_pictures(tmp_path, 400), epochs=2)
    found, expected = (epochs_of(run(recipe, tmp_path / device, device)) for device in ("cuda", "cpu"))
    for here, there in zip(found, expected, strict=True):
        # A bias before a batch norm moves by nothing but rounding, so that weights drift apart.
        assert here.train_loss == pytest.approx(there.train_loss, rel=0.02)


def test_that_data_without_room_are_brought_to_the_same_end(tmp_path: Path) -> None:
    recipe = picture_recipe(write_pictures(tmp_path, 400), epochs=2)
    resident = epochs_of(run(recipe, tmp_path / "resident"))
    staged = epochs_of(run(recipe, tmp_path / "staged", free_bytes=lambda: 0))
    for here, there in zip(staged, resident, strict=True):
        assert here.train_loss == pytest.approx(there.train_loss, rel=1e-5)
        assert here.running_loss == there.running_loss or here.running_loss == pytest.approx(
            there.running_loss, rel=1e-5
        )


# CuPy sees most, not all, of what waits, which is why it gives the function up.
@pytest.mark.filterwarnings("ignore:cupyx.allow_synchronize")
@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16", "float16"])
@pytest.mark.parametrize("room", [True, False], ids=["resident", "staged"])
def test_that_the_host_never_waits_within_an_epoch(precision: Any, room: bool, tmp_path: Path, backend: Any) -> None:
    import cupyx

    recipe = picture_recipe(write_pictures(tmp_path, 400), precision=precision, optimizer="adam")
    prepared = prepare(recipe, device="cuda", threads=1)
    prepared.backend.free_bytes = lambda: 2**40 if room else 0  # type: ignore[method-assign]
    parameters = Parameters(prepared.network, prepared.backend)
    parameters.initialize(1)
    stepper = Stepper(recipe.training, parameters, 16, ShardPool(1))
    feeder = Feeder(prepared.dataset, prepared.backend)
    assert feeder.supply.resident == room
    rows = prepared.dataset.sets["train"]
    for epoch in range(2):
        # The first pass compiles and allocates.
        with cupyx.allow_synchronize(epoch == 0 or not room):
            for number, count in enumerate(feeder.passing(stepper.plan, rows)):
                stepper.step(count, 1e-3, 1 + number)
    assert stepper.finite()


SHAPES = [(65, 33, 17), (1, 40, 6), (40, 1, 5), (64, 128, 1), (2, 3, 14, 15, 16), (512, 256, 128)]


@pytest.mark.parametrize("precision", ["tf32", "bfloat16", "float16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_that_factors_are_rounded_and_sums_are_not(precision: Any, shape: tuple[int, ...], backend: Any) -> None:
    numbers, lower = np.random.default_rng(6), backend.in_precision(precision)
    if lower.precision != precision:
        pytest.skip(f"{backend.describe()} has no {precision}")
    *stack, rows, inner, columns = shape
    a, b = (numbers.normal(size=size).astype(np.float32) for size in ((*stack, rows, inner), (*stack, inner, columns)))
    turned = np.ascontiguousarray(b.swapaxes(-1, -2))
    factors = [_rounded(x, precision) for x in (a, b)]
    expected = factors[0] @ factors[1]
    # The tensor cores sum up a little less precisely than float32, and TF32 may cut off where it should round.
    tolerance = (2e-3 if precision == "tf32" else 2e-5) * np.abs(expected).max()
    for right in (backend.asarray(b), backend.asarray(turned).swapaxes(-1, -2)):
        np.testing.assert_allclose(on_host(backend, lower.matmul(backend.asarray(a), right)), expected, atol=tolerance)
    wide = backend.xp.zeros((*expected.shape[:-1], 2 * columns), np.float32)
    lower.matmul(backend.asarray(a), backend.asarray(b), out=wide[..., :columns])
    np.testing.assert_allclose(on_host(backend, wide[..., :columns]), expected, atol=tolerance)
    assert not on_host(backend, wide[..., columns:]).any()


def _rounded(values: Any, precision: str) -> Any:
    if precision == "float16":
        return values.astype(np.float16).astype(np.float64)
    return rounded(values, {"tf32": 10, "bfloat16": 7}[precision]).astype(np.float64)


@pytest.mark.parametrize("precision", ["tf32", "bfloat16", "float16"])
def test_that_a_training_comes_out_as_in_float32(precision: str, tmp_path: Path) -> None:
    recipe = picture_recipe(write_pictures(tmp_path, 400), epochs=6)
    lower = epochs_of(run(recipe.replace({"training.precision": precision}), tmp_path / "lower"))[-1]
    full = epochs_of(run(recipe, tmp_path / "full"))[-1]
    assert lower.train_loss == pytest.approx(full.train_loss, rel=0.15)
    assert abs(lower.train_error - full.train_error) < 0.05


def test_that_running_out_of_memory_proposes_half_the_batch(tmp_path: Path, backend: Any) -> None:
    import cupy

    layers = [{"kind": "dense", "units": 4096}, "activation", {"kind": "dense", "units": "classes"}]
    recipe = table_recipe(write_table(tmp_path, 4000), batch_size=2400).replace({"network.layers": layers})
    pool = cupy.get_default_memory_pool()
    pool.set_limit(size=100_000_000)
    try:
        ended = run(recipe, tmp_path / "run")[-1]
    finally:
        pool.set_limit(size=0)
    assert isinstance(ended, RunEnded)
    assert (ended.reason, ended.patch) == ("failed", {"training.batch_size": 1200})
    assert "Memory ran out on the GPU" in ended.message
    # The device goes on.
    assert isinstance(run(table_recipe(write_table(tmp_path)), tmp_path / "next")[-1], RunEnded)


def test_that_the_memory_that_was_told_is_what_is_used(tmp_path: Path, backend: Any) -> None:
    layers = ["flatten", {"kind": "dense", "units": 2048}, "activation", {"kind": "dense", "units": "classes"}]
    recipe = picture_recipe(write_pictures(tmp_path, 4000), batch_size=1024).replace({"network.layers": layers})
    events = run(recipe, tmp_path / "run")
    started = next(event for event in events if isinstance(event, RunStarted))
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert started.memory_of == "device"
    assert ended.summary["memory"]["used"] == pytest.approx(ended.summary["memory"]["estimated"]["total"], rel=0.15)


def test_that_doctor_knows_the_gpu() -> None:
    gpu = devices()[1]
    assert gpu.usable
    assert 0 < gpu.facts["memory_free"] <= gpu.facts["memory_total"]
    assert gpu.facts["precisions"][0] == "float32"
    assert float(gpu.facts["cuda_of_driver"]) >= 12
