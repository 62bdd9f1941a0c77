"""What memory a training needs, told beforehand, against the buffers of its plans and against what a process takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from support.backends import COMPILED, PLAIN, on_both
from support.emulated import needs_compiler
from support.networks import loss_of, network_of
from support.standin.module import install

from workbench.engine import plan as plan_module
from workbench.engine.backend import Backend
from workbench.engine.compiled_backend import CompiledBackend
from workbench.engine.layer import Loss
from workbench.engine.network import Network
from workbench.engine.parameters import Parameters
from workbench.engine.plan import Plan
from workbench.engine.resident import MemoryMeter
from workbench.engine.shards import ShardPool
from workbench.events import RunEnded, RunStarted
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import TrainingRecipe
from workbench.session.experiment import run_experiment
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control
from workbench.training.memory import device_need_before, need_before, need_of, size_text
from workbench.training.stepper import Stepper

ROOT = Path(__file__).parents[2]
CONV, NORM, RELU = {"kind": "conv2d", "filters": 16, "padding": "same"}, {"kind": "batch_norm"}, {"kind": "activation"}
END = [{"kind": "flatten"}, {"kind": "dense", "units": "classes"}]
NETWORKS: dict[str, list[dict[str, Any]]] = {
    "mlp": [{"kind": "flatten"}, {"kind": "dense", "units": 200}, RELU, {"kind": "dense", "units": "classes"}],
    "cnn": [CONV, RELU, {"kind": "max_pool2d"}, CONV, RELU, *END],
    "norm": [CONV, NORM, RELU, CONV, NORM, RELU, *END],
}
BATCH, MEASURED, EXAMPLES = 48, 256, 1000
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def _network(key: str) -> Network:
    return network_of(NETWORKS[key], (16, 16, 3), 5)


def _training(**fields: Any) -> TrainingRecipe:
    return Recipe.parse({"training": fields}).training


def _before(recipe: TrainingRecipe, network: Network, backend: Backend, threads: int) -> Any:
    return need_before(recipe, network, backend, threads, BATCH, MEASURED, EXAMPLES)


@on_both
@pytest.mark.parametrize("key", sorted(NETWORKS))
@pytest.mark.parametrize("threads", [1, 3])
def test_that_the_need_is_told_before_anything_runs(key: str, threads: int, backend: Backend) -> None:
    network, recipe = _network(key), _training(optimizer="adam", ema={"decay": 0.9})
    told = _before(recipe, network, backend, threads)
    pool = ShardPool(threads)
    parameters = Parameters(network, backend)
    parameters.initialize(1)
    stepper = Stepper(recipe, parameters, BATCH, pool)
    measuring = Plan(parameters, cast(Loss, recipe.loss), MEASURED, training=False, pool=pool)
    for rows in (BATCH, BATCH - 5, 7):
        stepper.step(rows, 0.01, 1)
        measuring.run(rows)
    then = need_of(stepper, measuring, EXAMPLES)
    pool.close()
    # Where an array lies decides whether its first rows take a huge page: two of them either way.
    assert told.total == pytest.approx(then.total, rel=0.1, abs=2**22)
    assert told.weights == 4 * (parameters.values.size + parameters.state.size + 3 * parameters.layout.trained)


@pytest.mark.parametrize(
    ("fields", "vectors", "saved"),
    [
        ({"optimizer": "sgd"}, 0, 0),
        ({"optimizer": "adam"}, 2, 2),
        ({"optimizer": "adam", "ema": {}}, 3, 3),
        # What is gathered is 0 between epochs, and in no checkpoint there.
        ({"optimizer": "sgd", "accumulate": 4}, 1, 0),
    ],
)
def test_that_all_that_is_kept_of_the_weights_counts(fields: dict[str, Any], vectors: int, saved: int) -> None:
    network = _network("mlp")
    need = _before(_training(**fields), network, PLAIN, 1)
    assert need.weights == 4 * network.parameter_count() * (1 + vectors)
    assert need.saving == 2 * 4 * network.parameter_count() * (1 + saved)
    assert need.to_json()["total"] == need.total


@pytest.mark.parametrize(
    ("loss", "target"), [("cross_entropy", 8), ("sigmoid_cross_entropy", 5 * 4), ("mean_squared_error", 5 * 4)]
)
def test_that_an_examples_target_strength_and_place_count_once(loss: str, target: int) -> None:
    need = _before(_training(loss=loss), _network("mlp"), PLAIN, 1)
    assert need.examples == EXAMPLES * (target + 4 + 2 * 8)


def test_that_what_passes_between_kernels_of_a_group_counts_only_for_the_rows_that_are_used() -> None:
    pool = ShardPool(1)
    sizes = []
    for batch in (512, 1024):
        plan = Plan(Parameters(_network("cnn"), COMPILED), loss_of(), batch, training=False, pool=pool)
        sizes.append(plan.memory() - plan.input.nbytes - plan.output.nbytes)
    pool.close()
    values = 512 * 16 * 16 * 16 * 4
    # Twice the batch takes more for what stands between groups only; a first convolution's output is not that.
    assert sizes[1] - sizes[0] < values


def test_that_gradients_that_threads_work_out_together_are_held_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)
    network, sizes = _network("mlp"), []
    for threads in (1, 2):
        pool = ShardPool(threads)
        sizes.append(Plan(Parameters(network, COMPILED), loss_of(), BATCH, training=True, pool=pool).memory())
        pool.close()
    assert sizes[1] - sizes[0] < network.parameter_count()


@pytest.mark.parametrize("count", [2**20, 2**20 + 1, 5_000_011])
def test_that_large_arrays_begin_with_a_large_page(count: int) -> None:
    # Else it would be chance how many pages their first rows take, which is all that is used of some.
    backend = CompiledBackend()
    for make in (backend.empty, backend.zeros):
        array = make((count,), np.float32)
        assert array.ctypes.data % 2**21 == 0
        assert (array.shape, array.dtype, array.flags.c_contiguous) == ((count,), np.float32, True)
    assert not array.any()


def test_that_a_network_beyond_all_memory_is_only_estimated() -> None:
    network = network_of([{"kind": "dense", "units": 100_000}] * 3 + [{"kind": "dense", "units": "classes"}], (100,))
    assert _before(_training(), network, PLAIN, 1).total > 80_000_000_000


@pytest.mark.parametrize(
    ("count", "text"), [(870, "870 B"), (1_000, "1 kB"), (999_600, "1 MB"), (210e6, "210 MB"), (1.26e9, "1.3 GB")]
)
def test_that_sizes_are_told_in_round_numbers(count: float, text: str) -> None:
    assert size_text(count) == text


@on_linux
def test_that_the_meter_sees_memory_that_is_written_to_and_its_peak() -> None:
    meter, size = MemoryMeter(), 64_000_000
    meter.start()
    untouched = np.zeros(size, np.uint8)
    kept = np.ones(size, np.uint8)
    meter.pause_kept()
    between = np.ones(size, np.uint8)
    meter.start()
    np.ones(size, np.uint8)
    meter.stop()
    assert meter.grown() == pytest.approx(2 * size, rel=0.1)
    del untouched, kept, between


_LARGE = {
    "mlp": [{"kind": "flatten"}, {"kind": "dense", "units": 2048}, RELU, {"kind": "dense", "units": "classes"}],
    "cnn": [{**CONV, "filters": 32}, NORM, RELU, {**CONV, "filters": 32}, RELU, {"kind": "max_pool2d"}, *END],
}


@on_linux
@pytest.mark.parametrize(
    ("key", "fields", "kernels", "threads"),
    [
        ("mlp", {"optimizer": "adam"}, "on", 2),
        ("cnn", {"optimizer": "adam"}, "on", 2),
        ("mlp", {"optimizer": "sgd"}, "off", 1),
        ("mlp", {"optimizer": "sgd"}, "on", 2),
        ("mlp", {"optimizer": "momentum"}, "off", 2),
        ("cnn", {"optimizer": "sgd"}, "off", 2),
        ("mlp", {"optimizer": "sgd", "ema": {}, "accumulate": 3, "clip_norm": 1.0}, "on", 1),
    ],
)
def test_that_a_process_then_takes_as_much_as_was_told(
    key: str, fields: dict[str, Any], kernels: str, threads: int, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    pictures = random.integers(0, 255, (500, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "pictures.npz", x=pictures, y=random.integers(0, 5, 500))
    recipe = Recipe.parse(
        {
            "data": {"sources": [{"path": str(tmp_path / "pictures.npz")}]},
            "network": {"layers": _LARGE[key]},
            "training": {"epochs": 1, "batch_size": 128, **fields},
        }
    )
    (tmp_path / "recipe.toml").write_text(recipe.toml())
    command = ["-m", "workbench", "train", tmp_path / "recipe.toml", "--run", tmp_path / "run", "--json"]
    more = ["--device", "cpu", "--threads", str(threads)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WORKBENCH_KERNELS": kernels}
    done = subprocess.run(
        [sys.executable, *command, *more], env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert " MB beside the data" in done.stderr
    found = json.loads(done.stdout)["memory"]
    assert found["used"] > 60_000_000
    assert found["estimated"]["total"] == pytest.approx(found["used"], rel=0.1)


_DEVICE_NETWORKS = {
    **NETWORKS,
    "lstm": [{"kind": "reshape", "shape": [16, 48]}, {"kind": "lstm", "units": 64}, *END],
    "attention": [{"kind": "reshape", "shape": [16, 48]}, {"kind": "self_attention", "heads": 4}, *END],
}


@needs_compiler
@pytest.mark.parametrize("room", [True, False], ids=["resident", "staged"])
@pytest.mark.parametrize("fields", [{"optimizer": "sgd"}, {"optimizer": "adam", "precision": "float16"}])
@pytest.mark.parametrize("key", sorted(_DEVICE_NETWORKS))
def test_that_a_device_then_holds_as_much_as_was_told(
    key: str, fields: dict[str, Any], room: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = install(monkeypatch, kernels=True)
    random = np.random.default_rng(0)
    pictures = random.integers(0, 255, (600, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "pictures.npz", x=pictures, y=random.integers(0, 5, 600))
    data = {"sources": [{"path": str(tmp_path / "pictures.npz")}]}
    training = {"epochs": 1, "batch_size": 64, **fields}
    recipe = Recipe.parse({"data": data, "network": {"layers": _DEVICE_NETWORKS[key]}, "training": training})
    prepared = prepare(recipe, device="cuda", threads=1)
    if not room:
        monkeypatch.setattr(prepared.backend, "free_bytes", lambda: 0)
    with RunFolder.create(tmp_path / "run", recipe) as folder:
        events = list(run_experiment(prepared, folder, "run", Control()))
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    told, used = ended.summary["memory"]["estimated"], ended.summary["memory"]["used"]
    # Single examples, which are timed in the end, have buffers of their own.
    assert 0.99 * device.peak < used <= device.peak
    assert told["total"] == pytest.approx(used, rel=0.1)
    assert told["data"] == (pictures.nbytes + 256 * 768 if room else 2 * 256 * 768)
    started = next(event for event in events if isinstance(event, RunStarted))
    assert started.memory == pytest.approx(used, rel=0.1)
    assert started.memory_of == "device"
    before = device_need_before(recipe.training, prepared.network, 64, 256, 600, told["data"])
    assert before.total == started.memory


def test_that_no_memory_is_written_to_when_a_devices_need_is_told() -> None:
    network = network_of([{"kind": "dense", "units": 20_000}, {"kind": "dense", "units": "classes"}], (20_000,))
    meter = MemoryMeter()
    meter.start()
    need = device_need_before(_training(optimizer="adam"), network, 64, 256, 1000, 7)
    meter.stop()
    assert need.total > 6_000_000_000
    assert (need.data, need.saving) == (7, 0)
    grown = meter.grown()
    assert grown is None or grown < 200_000_000
