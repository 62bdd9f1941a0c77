"""Answers of a trained CNN against onnxruntime, which reads our own export of it.

    .venv/bin/python benchmarks/inference.py [--runs 5] [--threads 1 2]

Both sides are given raw pixel values in memory and give probabilities. Medians of runs in turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from training import CASES, encoder_of, network_of

from workbench.engine.device import one_blas_thread, open_backend
from workbench.engine.parameters import Parameters
from workbench.engine.shards import ShardPool
from workbench.export.onnx_graph import export_onnx
from workbench.training.measure import Measure

NAME = next(name for name in CASES if name.startswith("CNN"))
SECONDS = 1.0


def engine_side(parameters: Parameters, x: Any, loss: Any, threads: int) -> Callable[[], Any]:
    """What answers a whole batch."""
    case, rows = CASES[NAME], np.arange(len(x))
    dataset: Any = SimpleNamespace(
        inputs=x, targets=np.zeros(len(x), np.int64), strengths=np.ones(len(x), np.float32), sets={},
        encoder=encoder_of(case),
    )  # fmt: skip
    measure = Measure(dataset, parameters, loss, ShardPool(threads), len(x))
    return lambda: measure.outputs(rows)


def onnx_side(model: bytes, x: Any, threads: int) -> Callable[[], Any]:
    """The same in onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    pictures = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    return lambda: session.run(None, {"input": pictures})[1]


def rate(answer: Callable[[], Any], batch: int) -> float:
    """Examples a second."""
    started, count = time.perf_counter(), 0
    while (took := time.perf_counter() - started) < SECONDS:
        answer()
        count += 1
    return count * batch / took


def main() -> None:
    """Measure in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs of each")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="compute threads of both sides")
    options = parser.parse_args()
    case = CASES[NAME]
    recipe, network = network_of(case)
    parameters = Parameters(network, open_backend("cpu"))
    parameters.initialize(0)
    model = export_onnx(network, parameters.export(), encoder_of(case), recipe.training.loss, {})
    print("| batch | threads | engine, examples/s | onnxruntime, examples/s | ratio |\n|---|---|---|---|---|")
    for batch in (1, 256):
        x = np.random.default_rng(0).normal(size=(batch, *case.shape)).astype(np.float32)
        for threads in options.threads:
            with one_blas_thread():
                sides = [engine_side(parameters, x, recipe.training.loss, threads), onnx_side(model, x, threads)]
                assert np.abs(sides[0]() - sides[1]()).max() < 1e-5
                found = [[rate(side, batch) for side in sides] for _ in range(options.runs)]
            ours, theirs = (statistics.median(each) for each in zip(*found, strict=True))
            print(f"| {batch} | {threads} | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.2f} |", flush=True)


if __name__ == "__main__":
    main()
