"""Run in a process of its own: compares a small network's gradient, compiled for other vectors, with NumPy's.

Arguments: float32 values in a vector, rows of a tile, 1 where multiplying and adding are one instruction.
"""

from __future__ import annotations

import sys

from workbench.engine.kernels import machine


def compare() -> None:
    """Raise where they differ."""
    from support.backends import COMPILED
    from support.layer_rig import assert_close
    from support.networks import Bench, network_of, random_parameters

    from workbench.engine.kernels.products import ROWS, WIDTH

    assert (machine.machine().width, machine.machine().rows) == (WIDTH, ROWS)
    layers = [
        {"kind": "conv2d", "filters": 19, "kernel": 3},
        {"kind": "batch_norm"},
        {"kind": "activation", "function": "gelu"},
        {"kind": "max_pool2d"},
        {"kind": "depthwise_conv2d", "multiplier": 2, "kernel": 3, "stride": 2},
        {"kind": "flatten"},
        {"kind": "dense", "units": 37},
        {"kind": "batch_norm"},
        {"kind": "activation", "function": "relu"},
        {"kind": "activation", "function": "tanh"},
        {"kind": "dense", "units": "classes"},
    ]
    network = network_of(layers, (11, 9, 2), 5)
    results = [Bench(random_parameters(network, backend=backend), 7).run() for backend in (None, COMPILED)]
    for expected, found in zip(*results, strict=True):
        assert_close(found, expected, 1e-5)


if __name__ == "__main__":
    width, rows, fused = (int(text) for text in sys.argv[1:])
    given = machine.Machine(width, rows, bool(fused))
    # Before any kernel is imported: they are made for the machine that they find then.
    machine.machine = lambda: given  # type: ignore[assignment]
    compare()
