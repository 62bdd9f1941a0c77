"""Training in less than float32: on a stand-in for a GPU whose products round their factors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.emulated import needs_compiler
from support.layer_rig import assert_close
from support.networks import inputs_of, network_of
from support.small_runs import picture_recipe, table_recipe, train, write_pictures, write_table
from support.standin.module import install, nothing_leaves, on_host, stand_in

from workbench.engine.backend import Backend
from workbench.engine.parameters import Parameters
from workbench.engine.shards import ShardPool
from workbench.events import EpochDone, Event
from workbench.recipe.kinds import OptimizerSpec
from workbench.recipe.recipe import Recipe
from workbench.session.outcome import outcome
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training import scaling
from workbench.training.control import Control
from workbench.training.loop import Training
from workbench.training.stepper import Stepper

PRECISIONS = ("tf32", "bfloat16", "float16")
LAYERS: list[dict[str, Any]] = [
    {"kind": "conv2d", "filters": 6, "kernel": 3, "stride": 2},
    {"kind": "activation", "function": "tanh"},
    {"kind": "reshape", "shape": [9, 6]},
    {"kind": "self_attention", "heads": 2},
    {"kind": "lstm", "units": 7, "bidirectional": True},
    {"kind": "dense", "units": "classes"},
]

with_kernels = pytest.mark.parametrize(
    "kernels", [False, pytest.param(True, marks=needs_compiler)], ids=["arrays", "kernels"]
)


def trained(recipe: Recipe, folder: Path, control: Control | None = None) -> tuple[Training, list[Event]]:
    """Train on the stand-in, or go on with what stopped."""
    prepared = prepare(recipe, device="cuda", threads=1)
    opened = RunFolder.open(folder, write=True) if folder.exists() else RunFolder.create(folder, recipe)
    with opened as run:
        training, events = train(prepared, run, control, run.load("last") if run.checkpoints() else None)
        return training, list(events)


class Bench:
    """A stepper on made-up examples."""

    def __init__(self, backend: Backend, network: Any, precision: str, rows: int = 12, **fields: Any) -> None:
        self.recipe = Recipe.parse({"training": {"precision": precision, "optimizer": "adam", **fields}}).training
        self.parameters = Parameters(network, backend)
        self.parameters.initialize(5)
        self.stepper = Stepper(self.recipe, self.parameters, rows, ShardPool(1))
        self.backend, self.rows, self.number = backend, rows, 0
        numbers, plan = np.random.default_rng(8), self.stepper.plan
        plan.input[...] = backend.asarray(inputs_of(network, rows, numbers), np.float32)
        plan.targets[...] = backend.asarray(numbers.integers(0, network.outputs, rows))

    def gradient(self) -> dict[str, Any]:
        """Without an update, by parameter; of the loss itself."""
        plan = self.stepper.plan
        plan.run(self.rows)
        scale = on_host(self.backend, self.stepper.scaling.scale)[0] if self.stepper.scaling else 1.0
        whole = on_host(self.backend, plan.gradient).astype(np.float64) / scale
        return {slot.name: slot.view(whole) for slot in self.parameters.layout.trained_slots()}

    def step(self) -> None:
        self.number += 1
        self.stepper.step(self.rows, 0.01, self.number)

    def numbers(self) -> dict[str, Any]:
        return self.stepper.tensors()


@pytest.mark.parametrize(("precision", "tolerance"), [("tf32", 3e-3), ("bfloat16", 3e-2), ("float16", 3e-3)])
@with_kernels
def test_that_gradients_are_those_of_float32_but_for_rounding(
    precision: str, tolerance: float, kernels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, _ = stand_in(monkeypatch, kernels)
    network = network_of(LAYERS, (5, 6, 2), 4)
    found, expected = (Bench(where, network, precision).gradient() for where in (backend, Backend()))
    differs = False
    for name, values in expected.items():
        assert_close(found[name], values, tolerance, name)
        differs |= not np.allclose(found[name], values, rtol=1e-6, atol=1e-9)
    assert differs, "nothing was rounded"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_that_a_training_comes_out_as_in_float32(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    recipe = picture_recipe(write_pictures(tmp_path, 300), epochs=6)
    last = [
        [event for event in trained(one, tmp_path / name)[1] if isinstance(event, EpochDone)][-1]
        for name, one in (("lower", recipe.replace({"training.precision": precision})), ("full", recipe))
    ]
    assert last[0].train_loss == pytest.approx(last[1].train_loss, rel=0.15)
    assert abs(last[0].train_error - last[1].train_error) < 0.05
    assert last[0].train_loss != last[1].train_loss


def test_that_what_is_measured_is_measured_in_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    recipe = table_recipe(write_table(tmp_path), epochs=1, precision="bfloat16")
    training, _ = trained(recipe, tmp_path / "run")
    assert training.stepper.plan.backend.precision == "bfloat16"
    assert training.measure.plan.backend.precision == "float32"
    assert training.parameters.values.dtype == np.float32


# --- the loss scale --------------------------------------------------------------------------------------------------


def _faint() -> Any:
    """A network whose first layer's gradients are too small for float16."""
    layers = [{"kind": "dense", "units": 5, "name": name} for name in ("first", "second")]
    return network_of([*layers, {"kind": "dense", "units": "classes", "name": "last"}], (4,), 3)


@with_kernels
def test_that_small_gradients_survive_by_the_scale(kernels: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    backend, _ = stand_in(monkeypatch, kernels)
    gradients = []
    for where, start in ((backend, 2.0**16), (backend, 1.0), (Backend(), 1.0)):
        monkeypatch.setattr(scaling, "_START", start)
        bench = Bench(where, _faint(), "float16")
        # float16 holds these, but not what comes back through both.
        for slot in bench.parameters.layout.slots:
            if slot.name in ("second.weight", "last.weight"):
                slot.view(bench.parameters.values)[...] *= np.float32(5e-4)
        gradients.append(bench.gradient()["first.weight"])
    scaled, bare, expected = gradients
    assert np.abs(expected).max() > 1e-12
    assert_close(scaled, expected, 0.01)
    assert (bare == 0).any()
    assert np.abs(bare - expected).max() > 0.1 * np.abs(expected).max()


@with_kernels
def test_that_an_update_that_overflows_is_left_out_and_the_scale_halved(
    kernels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, device = stand_in(monkeypatch, kernels)
    monkeypatch.setattr(scaling, "_START", 2.0**24)
    network, fields = network_of(LAYERS, (5, 6, 2), 4), {"l2": 0.01, "clip_norm": 1.0, "max_norm": 0.5}
    bench = Bench(backend, network, "float16", ema={"decay": 0.9}, **fields)
    before, halved = bench.numbers(), 0
    while True:
        with nothing_leaves(device):
            bench.step()
        after = bench.numbers()
        if after["optimizer.loss_scale"][2] == halved:
            break
        halved += 1
        assert after["optimizer.loss_scale"].tolist() == [2.0 ** (24 - halved), 0, halved]
        for name, array in before.items():
            if name != "optimizer.loss_scale" and name != "optimizer.raw_weights":
                np.testing.assert_array_equal(after[name], array, err_msg=name)
    assert 2 <= halved < 16
    assert bench.stepper.scaling is not None
    assert bench.stepper.scaling.left_out() == halved
    assert all(np.isfinite(array).all() for array in after.values())
    assert any((after[name] != before[name]).any() for name in before if name.endswith("weight"))


@with_kernels
@pytest.mark.parametrize("kind", sorted(OptimizerSpec.kinds()))
def test_that_updates_left_out_do_not_count_in_the_optimizer(
    kind: str, kernels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, _ = stand_in(monkeypatch, kernels)
    network, numbers = network_of(LAYERS, (5, 6, 2), 4), []
    monkeypatch.setattr(scaling, "_START", 2.0**24)
    bench = Bench(backend, network, "float16", optimizer=kind)
    left_out = 0
    while True:
        bench.step()
        assert bench.stepper.scaling is not None
        if bench.stepper.scaling.left_out() == left_out:
            break
        left_out += 1
    assert left_out >= 2
    for _ in range(4):
        bench.step()
    numbers.append(bench.numbers())
    # From where the scale then was, nothing overflows: the same five updates, with no others before.
    monkeypatch.setattr(scaling, "_START", 2.0 ** (24 - left_out))
    other = Bench(backend, network, "float16", optimizer=kind)
    for _ in range(5):
        other.step()
    assert other.stepper.scaling is not None
    assert other.stepper.scaling.left_out() == 0
    for name, array in other.numbers().items():
        if name != "optimizer.loss_scale":
            np.testing.assert_array_equal(numbers[0][name], array, err_msg=name)


@needs_compiler
@pytest.mark.parametrize("kind", ["adam", "adamw", "nadam"])
@pytest.mark.parametrize("left_out", [0, 3])
def test_that_a_device_corrects_by_the_number_of_updates_as_the_host_does(
    kind: str, left_out: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, _ = stand_in(monkeypatch, kernels=True)
    for update in (1 + left_out, 2 + left_out, 40, 5000):
        for more in ({}, {"epsilon_inside_root": True}, {"beta1": 0.0}):
            if kind == "nadam" and "epsilon_inside_root" in more:
                continue
            optimizer: Any = Recipe.parse({"training": {"optimizer": {"kind": kind, **more}}}).training.optimizer
            given = backend.asarray(np.array([update, *optimizer.counting_numbers(0.01)]))
            numbers, there = backend.zeros((7,), np.float64), backend.asarray(np.array([left_out], np.float32))
            threads = optimizer.counting_threads
            backend.cuda.call(optimizer.counting_kernel, 1, threads, given, there, numbers)()
            expected = optimizer.kernel_numbers(0.01, update - left_out)
            np.testing.assert_allclose(on_host(backend, numbers), expected, rtol=1e-12)


@with_kernels
def test_that_the_scale_grows_after_many_good_steps(kernels: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    backend, _ = stand_in(monkeypatch, kernels)
    monkeypatch.setattr(scaling, "_START", 4.0)
    monkeypatch.setattr(scaling, "_PATIENCE", 3)
    bench = Bench(backend, _faint(), "float16")
    seen = []
    for _ in range(7):
        bench.step()
        seen.append(bench.numbers()["optimizer.loss_scale"].tolist())
    assert seen == [[4, 1, 0], [4, 2, 0], [8, 0, 0], [8, 1, 0], [8, 2, 0], [16, 0, 0], [16, 1, 0]]


@pytest.mark.parametrize("fields", [{}, {"accumulate": 2, "ema": {"decay": 0.9}}], ids=["plain", "gathering"])
@with_kernels
def test_that_a_resume_goes_on_with_the_scale_to_the_bit(
    fields: dict[str, Any], kernels: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, kernels)
    monkeypatch.setattr(scaling, "_START", 2.0**30)
    monkeypatch.setattr(scaling, "_PATIENCE", 5)
    recipe = table_recipe(write_table(tmp_path), epochs=3, precision="float16", **fields)
    whole, _ = trained(recipe, tmp_path / "whole")
    numbers = whole.stepper.tensors()
    assert numbers["optimizer.loss_scale"][2] > 2
    control = Control()
    prepared = prepare(recipe, device="cuda", threads=1)
    with RunFolder.create(tmp_path / "parts", recipe) as run:
        _, events = train(prepared, run, control)
        for event in events:
            if isinstance(event, EpochDone) and event.epoch == 1:
                control.stop()
    parts, _ = trained(recipe, tmp_path / "parts")
    for name, array in numbers.items():
        np.testing.assert_array_equal(parts.stepper.tensors()[name], array, err_msg=name)


def test_that_the_summary_says_what_was_computed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    monkeypatch.setattr(scaling, "_START", 2.0**30)
    recipe = table_recipe(write_table(tmp_path), epochs=2, precision="float16")
    prepared = prepare(recipe, device="cuda", threads=1)
    with RunFolder.create(tmp_path / "run", recipe) as run:
        training, events = train(prepared, run)
        list(events)
        summary = outcome(training, prepared, "run").summary
    assert summary["precision"] == "float16"
    assert summary["updates_left_out"] > 0


@pytest.mark.parametrize("precision", PRECISIONS)
def test_that_a_cpu_computes_in_float32_and_says_so_once(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = table_recipe(write_table(tmp_path), precision=precision)
    prepared = prepare(recipe, device="cpu", threads=1)
    said = [text for text in prepared.notices if "precision" in text]
    assert said == [f"training.precision = {precision} is for GPUs: training computes in float32."]
    install(monkeypatch)
    assert not [text for text in prepare(recipe, device="cuda", threads=1).notices if "precision" in text]


def test_that_an_old_gpu_says_what_it_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    import cupy

    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceProperties", lambda _: {"name": b"Old", "major": 7})
    recipe = table_recipe(write_table(tmp_path), precision="bfloat16")
    told = prepare(recipe, device="cuda", threads=1).notices
    assert "training.precision = bfloat16 is more than Old can: training computes in float32." in told


@pytest.mark.oracle
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_that_gradients_are_as_near_as_pytorchs_autocast(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from torch import nn

    backend, _ = stand_in(monkeypatch)
    layers = [{"kind": "dense", "units": 32}, {"kind": "activation", "function": "tanh"}, {"kind": "dense", "units": 4}]
    network = network_of(layers, (16,), 4)
    bench, exact = (Bench(where, network, precision, rows=64) for where in (backend, Backend()))
    model = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 4))
    weights = exact.parameters.export()
    with torch.no_grad():
        for layer, name in ((model[0], "dense_1"), (model[2], "dense_2")):
            layer.weight.copy_(torch.tensor(weights[f"{name}.weight"]))
            layer.bias.copy_(torch.tensor(weights[f"{name}.bias"]))
    plan = exact.stepper.plan
    with torch.autocast("cpu", dtype=getattr(torch, precision)):
        logits = model(torch.tensor(plan.input))
    loss = nn.functional.cross_entropy(logits.float(), torch.tensor(plan.targets)) * 2.0**10
    loss.backward()
    found, expected = bench.gradient(), exact.gradient()
    for layer, name in ((model[0], "dense_1"), (model[2], "dense_2")):
        values = expected[f"{name}.weight"]
        theirs = layer.weight.grad.numpy().astype(np.float64).T / 2.0**10
        ours = np.abs(found[f"{name}.weight"] - values).max()
        assert ours < 2 * np.abs(theirs - values).max() + 1e-7
