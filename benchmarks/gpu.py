"""Training steps of the engine against PyTorch on a GPU: the same networks, data and batch sizes as in training.py.

    .venv/bin/pip install -e '.[gpu-cuda13]' torch
    .venv/bin/python benchmarks/gpu.py [--runs 5] [--only CNN] [--tf32]
    .venv/bin/python benchmarks/gpu.py --products

Both sides keep the data on the device and gather shuffled float32 rows there. PyTorch runs the module that the recipe's
export writes with ``Adam(fused=True)``: eagerly, compiled, and with the whole step recorded as a CUDA graph; pictures
in the faster of two memory layouts. The engine runs as it is, without recording, and with CuPy's array operations only.
In float32 neither side may round products to TF32; with ``--tf32`` both may. Each figure is the median of several runs,
each a process of its own, in turns. ``--products`` compares our products with the library's, which says which of them
should be left to it. Without a GPU nothing is measured, and that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from training import CASES, Case, data_of, encoder_of, network_of, torch_model

ROOT = Path(__file__).resolve().parent.parent
WARM_UP, MEASURED = 1.0, 2.0
"""Seconds."""

ENGINES = ("engine", "engine, launch by launch", "engine, arrays only")
TORCH = ("torch eager", "torch compiled", "torch graph")
PRODUCTS = ((32, 64, 30), (64, 256, 784), (256, 512, 784), (256, 512, 512), (1024, 1024, 1024), (4096, 1024, 1024))
"""Rows, columns and depth."""


class EnginePass:
    """Passes over the data in steps of ours."""

    def __init__(self, case: Case, tf32: bool) -> None:
        from workbench.data.feeder import Feeder
        from workbench.engine.device import open_backend
        from workbench.engine.parameters import Parameters
        from workbench.engine.shards import ShardPool
        from workbench.training.stepper import Stepper

        recipe, network = network_of(case)
        training = recipe.training.model_copy(update={"precision": "tf32"}) if tf32 else recipe.training
        x, y = data_of(case)
        self.case, self.backend = case, open_backend("cuda")
        parameters = Parameters(network, self.backend)
        parameters.initialize(0)
        self.stepper = Stepper(training, parameters, case.batch, ShardPool(1))
        dataset = SimpleNamespace(
            inputs=x, targets=y, strengths=np.ones(len(x), np.float32), sets={"train": np.arange(len(x))},
            encoder=encoder_of(case),
        )  # fmt: skip
        self.feeder, self.rate, self.number = Feeder(dataset, self.backend), training.optimizer.learning_rate, 0

    def run(self, order: Any) -> int:
        """A pass over full batches; how many they were."""
        batches = len(order) // self.case.batch
        for rows in self.feeder.passing(self.stepper.plan, order[: batches * self.case.batch]):
            self.number += 1
            self.stepper.step(rows, self.rate, self.number)
        return batches

    def wait(self) -> None:
        """Until all is done."""
        self.backend.synchronize()


class TorchPass:
    """Passes over the data in steps of PyTorch's."""

    def __init__(self, case: Case, side: str, tf32: bool, device: str = "cuda") -> None:
        import torch

        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        self.case, self.device = case, device
        recipe, model = network_of(case)[0], torch_model(case).train().to(device)
        x, y = data_of(case)
        self.inputs = torch.from_numpy(np.moveaxis(x, -1, 1).copy() if x.ndim > 3 else x).to(device)
        self.targets = torch.from_numpy(y).to(device)
        if "channels_last" in side:
            model = model.to(memory_format=torch.channels_last)
            self.inputs = self.inputs.to(memory_format=torch.channels_last)
        graph = "graph" in side
        self.model = torch.compile(model) if "compiled" in side else model
        self.optimizer = torch.optim.Adam(
            model.parameters(), lr=recipe.training.optimizer.learning_rate, fused=True, capturable=graph
        )
        self.chosen = torch.zeros(case.batch, dtype=torch.int64, device=device)
        self._step = self._recorded() if graph else self._plain

    def _plain(self) -> None:
        import torch

        self.optimizer.zero_grad()
        loss: Any = torch.nn.functional.cross_entropy(self.model(self.inputs[self.chosen]), self.targets[self.chosen])
        loss.backward()
        self.optimizer.step()

    def _recorded(self) -> Callable[[], None]:
        import torch

        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._plain()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._plain()
        return graph.replay

    def run(self, order: Any) -> int:
        """A pass over full batches; how many they were."""
        import torch

        places = torch.from_numpy(order).to(self.device)
        batches = len(order) // self.case.batch
        for number in range(batches):
            self.chosen.copy_(places[number * self.case.batch : (number + 1) * self.case.batch])
            self._step()
        return batches

    def wait(self) -> None:
        """Until all is done."""
        import torch

        torch.cuda.synchronize()


def rate_of(side: str, name: str, tf32: bool) -> float:
    """Examples a second."""
    case = CASES[name]
    passes = TorchPass(case, side, tf32) if side.startswith("torch") else EnginePass(case, tf32)
    if side == ENGINES[1]:
        passes.backend.cuda.records = False  # type: ignore[union-attr]
    random = np.random.default_rng(1)
    passes.run(random.permutation(case.examples))  # whatever compiles does it here
    _passes(passes, random, WARM_UP)
    batches, took = _passes(passes, random, MEASURED)
    return batches * case.batch / took


def _passes(passes: Any, random: Any, seconds: float) -> tuple[int, float]:
    passes.wait()
    started, batches = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        batches += passes.run(random.permutation(passes.case.examples))
        # Nobody runs ahead of the device for longer than a pass.
        passes.wait()
    return batches, time.perf_counter() - started


def in_own_process(side: str, name: str, tf32: bool) -> float | str:
    """``rate_of`` in a fresh process; where it fails, why."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if side == ENGINES[2]:
        environment["WORKBENCH_KERNELS"] = "off"
    command = [sys.executable, __file__, "--one", json.dumps([side, name, tf32])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return float(done.stdout) if done.returncode == 0 else (done.stderr.strip().splitlines() or ["failed"])[-1]


def sides_of(case: Case, eager: bool) -> Iterator[str]:
    """What is measured for a network."""
    yield from ENGINES
    for side in TORCH:
        if "compiled" in side and eager:
            continue
        yield side
        if len(case.shape) == 3:
            yield f"{side} channels_last"


def measure(options: argparse.Namespace) -> None:
    """Print a row for each network, and what failed."""
    print("| network | engine, examples/s | launch by launch | arrays only | torch eager | compiled | graph |", end="")
    print(" to eager | to the best |", "|---|---|---|---|---|---|---|---|---|", sep="\n")
    for name in (name for name in CASES if options.only in name):
        sides = list(sides_of(CASES[name], options.eager))
        found: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(options.runs):
            for side in sides:
                rate = in_own_process(side, name, options.tf32)
                if isinstance(rate, str):
                    print(f"{name}, {side}: {rate}", file=sys.stderr)
                else:
                    found[side].append(rate)
        print(_row(name, {side: statistics.median(rates) for side, rates in found.items() if rates}), flush=True)


def _row(name: str, rates: dict[str, float]) -> str:
    columns = [rates.get(side) for side in ENGINES]
    columns += [max((rates[side] for side in rates if side.startswith(kind)), default=None) for kind in TORCH]
    ours, eager, best = columns[0], columns[3], max((rate for rate in columns[3:] if rate), default=None)
    shown = [f"{rate:,.0f}" if rate else "–" for rate in columns]
    ratios = [f"{ours / other:.2f}" if ours and other else "–" for other in (eager, best)]
    return f"| {' | '.join([name, *shown, *ratios])} |"


def products() -> None:
    """Print what our products take beside the library's."""
    from workbench.engine.cuda import products as ours
    from workbench.engine.device import open_backend

    backend = open_backend("cuda")
    print("| rows × columns × depth | ours, µs | library, µs |", "|---|---|---|", sep="\n")
    for rows, columns, depth in PRODUCTS:
        random = np.random.default_rng(0)
        left, right = (backend.asarray(random.normal(size=s).astype("f4")) for s in ((rows, depth), (depth, columns)))
        out, times = backend.zeros((rows, columns), np.float32), []
        for most in (2**62, 0):
            ours.MOST_WORK = most
            calls = ours.product(backend, left, right, out, lambda _, s, t: backend.zeros(s, t))
            times.append(_time(backend, calls))
        print(f"| {rows} × {columns} × {depth} | {times[0]:.1f} | {times[1]:.1f} |")


def _time(backend: Any, calls: list[Callable[[], None]], count: int = 200) -> float:
    """Microseconds of a run in a long queue, so that launching is not what is measured where it is faster."""
    for _ in range(2):
        started = time.perf_counter()
        for _ in range(count):
            for call in calls:
                call()
        backend.synchronize()
    return (time.perf_counter() - started) / count * 1e6


def main() -> None:
    """Measure all in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="runs of each")
    parser.add_argument("--only", default="", help="only networks whose name contains this")
    parser.add_argument("--eager", action="store_true", help="leave torch.compile out (it takes minutes to compile)")
    parser.add_argument("--tf32", action="store_true", help="products in TF32 on both sides")
    parser.add_argument("--products", action="store_true", help="our products beside the library's")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(rate_of(*json.loads(options.one)))
        return
    from workbench.engine.device import devices

    gpu = devices()[1]
    if not gpu.usable:
        sys.exit(f"Nothing is measured, there is no GPU to use here: {gpu.text}")
    print(f"{gpu.text}, {gpu.facts['computes_with']}; convolutions by {gpu.facts['convolutions']}\n")
    if options.products:
        products()
    else:
        measure(options)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
