"""How much of the machine's sgemm rate a step of a wide dense network reaches, both measured in one run, on one thread.

    .venv/bin/python benchmarks/sgemm_share.py

The rate is NumPy's for 2048×2048 matrices; the step is whole, with Adam, biases, ReLU, loss and gathering.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from training import CASES, engine_step, network_of

from workbench.engine.device import one_blas_thread

NAME = "784-512-512-10, batch 256"
ROUNDS, STEPS, SIDE = 12, 12, 2048


def seconds(work: Callable[[], Any]) -> float:
    """Of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure in turns and print the medians."""
    case, network = CASES[NAME], network_of(CASES[NAME])[1]
    weights = [prod(item.shape) for node in network.nodes for item in node.parameters if item.decays]
    # Forward, and backward by weights and by inputs; nobody needs the gradient by the network's own input.
    operations = 2 * case.batch * (3 * sum(weights) - weights[0])
    numbers = np.random.default_rng(0)
    a, b = (numbers.normal(size=(SIDE, SIDE)).astype(np.float32) for _ in range(2))
    out, rows = np.empty_like(a), np.arange(case.batch)
    with one_blas_thread():
        step = engine_step(case, 1, True)
        step(rows)
        products, steps = [], []
        for _ in range(ROUNDS):
            products.append(seconds(lambda: np.matmul(a, b, out=out)))
            # The first one finds the caches full of the matrices.
            steps += [seconds(lambda: step(rows)) for _ in range(STEPS)][1:]
    sgemm = 2 * SIDE**3 / statistics.median(products) / 1e9
    whole = operations / statistics.median(steps) / 1e9
    print(
        f"sgemm {sgemm:.0f} GFLOP/s; a step of {NAME} {statistics.median(steps) * 1e3:.2f} ms, {whole:.0f} GFLOP/s: ",
        end="",
    )
    print(f"{whole / sgemm:.0%}")


if __name__ == "__main__":
    main()
