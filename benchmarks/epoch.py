"""What an epoch of ``workbench train`` costs over its bare steps, and the memory it takes beside PyTorch.

    .venv/bin/python benchmarks/epoch.py [--data /usr/share/datasets/fashion-mnist] [--threads 2] [--epochs 4]

On Fashion-MNIST (Debian's ``dataset-fashion-mnist``) with the recipe that ``workbench new`` proposes. Whole: from one
epoch's record to the next, with evaluation, log and checkpoint. Bare: filling batches and taking steps, nothing else.
PyTorch trains the exported module on the same pictures, kept as 8-bit values. Each side is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


def whole(recipe: Path, epochs: int, threads: int) -> tuple[float, float]:
    """Seconds of an epoch of the product, and the process's peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "workbench", "train", str(recipe), "--run", f"{folder}/run", "--events", "json",
            "--threads", str(threads), "--set", f"training.epochs={epochs}",
        ]  # fmt: skip
        lines, peak = _run(command)
    events = [json.loads(line) for line in lines if line.startswith("{")]
    times = [event["time"] for event in events if event["event"] == "EpochDone"]
    return statistics.median(np.diff(times)), peak


def _run(command: list[str]) -> tuple[list[str], float]:
    """A child's output lines, and its peak memory in MB."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    lines = child.stdout.read().splitlines()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    return lines, usage.ru_maxrss / 1024


def bare(path: Path, epochs: int, threads: int) -> float:
    """Seconds of an epoch's steps, on data in memory."""
    from workbench.data.feeder import Feeder
    from workbench.engine.device import one_blas_thread
    from workbench.engine.parameters import Parameters
    from workbench.engine.shards import ShardPool
    from workbench.recipe.recipe import Recipe
    from workbench.session.prepare import prepare
    from workbench.training.stepper import Stepper

    recipe = Recipe.load(path)
    prepared = prepare(recipe, device="cpu", threads=threads)
    training, rows = recipe.training, prepared.dataset.sets["train"]
    with one_blas_thread():
        parameters = Parameters(prepared.network, prepared.backend)
        parameters.initialize(0)
        stepper = Stepper(training, parameters, training.batch_size, ShardPool(threads))
        feeder = Feeder(prepared.dataset, prepared.backend, recipe.data.augment)
        times, number = [], 0
        for epoch in range(epochs):
            order = np.random.default_rng(epoch).permutation(rows)
            started = time.perf_counter()
            for count in feeder.passing(stepper.plan, order, epoch):
                number += 1
                stepper.step(count, training.optimizer.learning_rate, number)
            times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def torch_epoch(path: Path, epochs: int, threads: int) -> float:
    """Seconds of an epoch's steps in PyTorch."""
    import torch

    from workbench.export.torch_source import torch_source
    from workbench.recipe.recipe import Recipe
    from workbench.session.prepare import prepare

    torch.set_num_threads(threads)
    recipe = Recipe.load(path)
    prepared = prepare(recipe, device="cpu", threads=threads)
    names: dict[str, Any] = {"__name__": "exported"}
    exec(torch_source(prepared.network, prepared.dataset.encoder, recipe.training.loss, "benchmark", ""), names)
    model = names["Model"]().train().to(memory_format=torch.channels_last)
    pictures = torch.from_numpy(np.moveaxis(np.array(prepared.dataset.inputs), -1, 1).copy())
    targets, rows = torch.from_numpy(prepared.dataset.targets), prepared.dataset.sets["train"]
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.training.optimizer.learning_rate, fused=True)
    times = []
    for epoch in range(epochs):
        order, started = torch.from_numpy(np.random.default_rng(epoch).permutation(rows)), time.perf_counter()
        for chosen in order.split(recipe.training.batch_size):
            optimizer.zero_grad()
            batch = pictures[chosen].float().contiguous(memory_format=torch.channels_last)
            torch.nn.functional.cross_entropy(model(batch), targets[chosen]).backward()
            optimizer.step()
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=4, help="of each side; the first one does not count")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        side, recipe = options.one
        seconds = {"bare": bare, "torch": torch_epoch}[side](Path(recipe), options.epochs, options.threads)
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder) / "fashion.toml"
        subprocess.run(
            [sys.executable, "-m", "workbench", "new", str(options.data), "-o", str(recipe)],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True,
        )  # fmt: skip
        again = [sys.executable, __file__, "--epochs", str(options.epochs), "--threads", str(options.threads), "--one"]
        whole_seconds, ours = whole(recipe, options.epochs, options.threads)
        sides = {
            side: [float(x) for x in _run([*again, side, str(recipe)])[0][-1].split()] for side in ("bare", "torch")
        }
    print(f"an epoch of the product {whole_seconds:.1f} s, of its bare steps {sides['bare'][0]:.1f} s: ", end="")
    print(f"{whole_seconds / sides['bare'][0]:.3f} x; PyTorch's steps {sides['torch'][0]:.1f} s")
    print(f"peak memory {ours:.0f} MB, PyTorch's {sides['torch'][1]:.0f} MB: {ours / sides['torch'][1]:.2f} x")


if __name__ == "__main__":
    main()
