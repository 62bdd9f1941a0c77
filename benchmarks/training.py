"""Training steps of the engine against PyTorch on the CPU: the same network, data, batch size and threads.

    .venv/bin/pip install -e '.[oracles]' && .venv/bin/python benchmarks/training.py [--runs 5] [--threads 1 2]

PyTorch runs the module that the recipe's export writes (an LSTM as PyTorch's users write it, without turned axes),
with ``Adam(fused=True)``; of eager and ``torch.compile``, and for pictures of both memory layouts, the fastest counts.
Both sides gather shuffled float32 rows. Each figure is the median of several runs, each a process of its own, in turns.
``--plain`` adds the engine without compiled kernels.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
WARM_UP, MEASURED = 0.7, 2.0
"""Seconds."""


def _dense(*units: int) -> list[Any]:
    hidden = [layer for size in units for layer in ({"kind": "dense", "units": size}, "activation")]
    return [*hidden, {"kind": "dense", "units": "classes"}]


def _conv(filters: int) -> list[Any]:
    return [{"kind": "conv2d", "filters": filters, "kernel": 3, "padding": "same"}, "activation", "max_pool2d"]


def _block(name: str, before: str, filters: int, stride: int) -> list[Any]:
    """Two convolutions and a way around them (He et al., CVPR 2016)."""

    def conv(kernel: int, step: int, **fields: Any) -> dict[str, Any]:
        padding = kernel // 2
        return {"kind": "conv2d", "filters": filters, "kernel": kernel, "stride": step, "padding": padding,
                "bias": False, **fields}  # fmt: skip

    around = before
    layers = [conv(3, stride, inputs=[before]), "batch_norm", "activation", conv(3, 1)]
    layers.append({"kind": "batch_norm", "name": f"{name}_branch"})
    if stride > 1:
        around = f"{name}_around"
        layers += [conv(1, stride, inputs=[before]), {"kind": "batch_norm", "name": around}]
    return [*layers, {"kind": "add", "inputs": [f"{name}_branch", around]}, {"kind": "activation", "name": name}]


def _resnet() -> list[Any]:
    start = {"kind": "conv2d", "filters": 16, "kernel": 3, "padding": 1, "bias": False}
    layers = [start, "batch_norm", {"kind": "activation", "name": "start"}]
    layers += [*_block("one", "start", 16, 1), *_block("two", "one", 32, 2), *_block("three", "two", 64, 2)]
    return [*layers, "global_average_pool2d", {"kind": "dense", "units": "classes"}]


@dataclass(frozen=True)
class Case:
    """A network and what it is fed with."""

    layers: list[Any]
    shape: tuple[int, ...]
    classes: int
    batch: int
    examples: int


CASES = {
    "30-64-32-2, batch 32": Case(_dense(64, 32), (30,), 2, 32, 2_000),
    "784-256-128-10, batch 64": Case(_dense(256, 128), (784,), 10, 64, 6_000),
    "784-512-512-10, batch 256": Case(_dense(512, 512), (784,), 10, 256, 6_000),
    "CNN 28×28, conv32-conv64-dense128, batch 64": Case(
        [*_conv(32), *_conv(64), "flatten", *_dense(128)], (28, 28, 1), 10, 64, 3_000
    ),
    "ResNet 32×32×3, 16-32-64, batch 64": Case(_resnet(), (32, 32, 3), 10, 64, 1_500),
    "LSTM 128, 64 steps of 32, batch 64": Case(
        [{"kind": "lstm", "units": 128}, {"kind": "dense", "units": "classes"}], (64, 32), 10, 64, 1_500
    ),
}
SIDES = ("engine", "plain", "torch", "torch compiled", "torch channels_last", "torch channels_last compiled")


def data_of(case: Case) -> tuple[Any, Any]:
    """Inputs and targets."""
    random = np.random.default_rng(0)
    x = random.normal(size=(case.examples, *case.shape)).astype(np.float32)
    return x, random.integers(0, case.classes, case.examples)


def network_of(case: Case) -> tuple[Any, Any]:
    """The recipe, and its network."""
    from workbench.engine.network import build_network
    from workbench.recipe.recipe import Recipe

    recipe = Recipe.parse({"network": {"layers": case.layers}, "training": {"batch_size": case.batch}})
    return recipe, build_network(recipe.network, case.shape, case.classes)


def encoder_of(case: Case) -> Any:
    """Data that need no normalization."""
    from workbench.data.encoder import Encoder, Feature

    size, table = case.shape[-1], len(case.shape) == 1
    return Encoder(
        task="classification", target="y", classes=tuple(map(str, range(case.classes))),
        features=tuple(Feature(f"x{number}", "number") for number in range(size)) if table else (),
        input_shape=case.shape, shift=np.zeros(size, np.float32), scale=np.ones(size, np.float32),
        target_shift=0.0, target_scale=1.0, pixels="" if table else "float32",
    )  # fmt: skip


def engine_parts(case: Case, threads: int, kernels: bool) -> tuple[Any, Any]:
    """What takes our steps, and what fills its batches."""
    from types import SimpleNamespace

    from workbench.data.feeder import Feeder
    from workbench.engine.backend import Backend
    from workbench.engine.device import open_backend
    from workbench.engine.parameters import Parameters
    from workbench.engine.shards import ShardPool
    from workbench.training.stepper import Stepper

    recipe, network = network_of(case)
    x, y = data_of(case)
    backend = open_backend("cpu") if kernels else Backend()
    parameters = Parameters(network, backend)
    parameters.initialize(0)
    stepper = Stepper(recipe.training, parameters, case.batch, ShardPool(threads))
    dataset = SimpleNamespace(
        inputs=x, targets=y, strengths=np.ones(len(x), np.float32), sets={"train": np.arange(len(x))},
        encoder=encoder_of(case),
    )  # fmt: skip
    return stepper, Feeder(dataset, backend)


def engine_step(case: Case, threads: int, kernels: bool) -> Callable[[Any], None]:
    """A step of ours on given rows."""
    stepper, feeder = engine_parts(case, threads, kernels)
    rate, number = stepper.optimizer.learning_rate, 0

    def step(rows: Any) -> None:
        nonlocal number
        number += 1
        for count in feeder.passing(stepper.plan, rows):
            stepper.step(count, rate, number)

    return step


def torch_model(case: Case) -> Any:
    """The same network in PyTorch."""
    import torch

    from workbench.export.torch_source import torch_source

    if len(case.shape) == 2:
        return _torch_lstm(case)
    recipe, network = network_of(case)
    names: dict[str, Any] = {"__name__": "exported", "torch": torch}
    exec(torch_source(network, encoder_of(case), recipe.training.loss, "benchmark", ""), names)
    return names["Model"]()


def _torch_lstm(case: Case) -> Any:
    """Reads ``(batch, steps, features)`` as it lies: the export, which is channels-first, would turn axes first."""
    from torch import nn

    units = case.layers[0]["units"]

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(case.shape[1], units, batch_first=True)
            self.end = nn.Linear(units, case.classes)

        def forward(self, x: Any) -> Any:
            return self.end(self.lstm(x)[0][:, -1])

    return Model()


def torch_step(case: Case, threads: int, channels_last: bool, compiled: bool = False) -> Callable[[Any], None]:
    """A step of PyTorch's on given rows."""
    import torch

    torch.set_num_threads(threads)
    recipe, model = network_of(case)[0], torch_model(case).train()
    x, y = data_of(case)
    inputs, targets = torch.from_numpy(np.moveaxis(x, -1, 1).copy() if x.ndim > 3 else x), torch.from_numpy(y)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        inputs = inputs.to(memory_format=torch.channels_last)
    if compiled:
        model = torch.compile(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.training.optimizer.learning_rate, fused=True)

    def step(rows: Any) -> None:
        chosen = torch.from_numpy(rows)
        optimizer.zero_grad()
        loss: Any = torch.nn.functional.cross_entropy(model(inputs[chosen]), targets[chosen])
        loss.backward()
        optimizer.step()

    return step


def rate_of(side: str, case: Case, threads: int) -> float:
    """Examples a second."""
    from workbench.engine.device import one_blas_thread

    if side.startswith("torch"):
        return _measure(torch_step(case, threads, "channels_last" in side, "compiled" in side), case)
    with one_blas_thread():
        return _measure(engine_step(case, threads, side == "engine"), case)


def _measure(step: Callable[[Any], None], case: Case) -> float:
    order = np.random.default_rng(1).permutation(case.examples)
    batches = [order[first : first + case.batch] for first in range(0, case.examples - case.batch + 1, case.batch)]
    step(batches[0])  # whatever compiles does it here
    _steps(step, batches, WARM_UP)
    count, took = _steps(step, batches, MEASURED)
    return count * case.batch / took


def _steps(step: Callable[[Any], None], batches: list[Any], seconds: float) -> tuple[int, float]:
    started, count = time.perf_counter(), 0
    while (took := time.perf_counter() - started) < seconds:
        step(batches[count % len(batches)])
        count += 1
    return count, took


def in_own_process(side: str, name: str, threads: int) -> float:
    """``rate_of`` in a fresh process, so that neither library's thread settings reach the other."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, __file__, "--one", json.dumps([side, name, threads])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return float(done.stdout)


def main() -> None:
    """Measure all in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs of each")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="compute threads of both sides")
    parser.add_argument("--only", default="", help="only networks whose name contains this")
    parser.add_argument("--plain", action="store_true", help="also the engine without compiled kernels")
    parser.add_argument("--eager", action="store_true", help="leave torch.compile out (it takes minutes to compile)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        side, name, threads = json.loads(options.one)
        print(rate_of(side, CASES[name], threads))
        return
    head = "| network | threads | engine, examples/s | plain NumPy | PyTorch, examples/s | by | ratio |"
    print(head, "|---|---|---|---|---|---|---|", sep="\n")
    for name in (name for name in CASES if options.only in name):
        for threads in options.threads:
            _row(name, threads, _sides(CASES[name], options), options.runs)


def _sides(case: Case, options: argparse.Namespace) -> list[str]:
    pictures = len(case.shape) == 3
    left_out = (("plain", not options.plain), ("channels_last", not pictures), ("compiled", options.eager))
    return [side for side in SIDES if not any(word in side and out for word, out in left_out)]


def _row(name: str, threads: int, sides: list[str], runs: int) -> None:
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(runs):
        for side in sides:
            rates[side].append(in_own_process(side, name, threads))
    found = {side: statistics.median(each) for side, each in rates.items()}
    ours, plain = found["engine"], found.get("plain")
    best = max((side for side in sides if side.startswith("torch")), key=lambda side: found[side])
    by = best.removeprefix("torch").strip() or "eager"
    shown = f"{plain:,.0f}" if plain else "–"
    print(
        f"| {name} | {threads} | {ours:,.0f} | {shown} | {found[best]:,.0f} | {by} | {ours / found[best]:.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
