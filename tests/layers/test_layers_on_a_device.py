"""Every layer on a stand-in for a GPU, which refuses what CuPy refuses: the same numbers, and nothing waits for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import Case, all_cases
from support.emulated import needs_compiler
from support.layer_rig import assert_close
from support.networks import Bench, network_around, random_parameters
from support.standin.module import nothing_leaves, stand_in

Array = np.ndarray[Any, Any]


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize(("kind", "case"), all_cases())
@pytest.mark.parametrize("kernels", [False, pytest.param(True, marks=needs_compiler)], ids=["arrays", "kernels"])
def test_that_a_layer_computes_on_a_device_what_it_does_on_the_host(
    kind: str, case: Case, training: bool, kernels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, device = stand_in(monkeypatch, kernels)
    network = network_around(kind, case)
    found, expected = (
        Bench(random_parameters(network, backend=where), 6, training=training) for where in (backend, None)
    )
    for rows in (6, 4, 6, 4, 6):
        with nothing_leaves(device):
            found.plan.run(rows)
        expected.plan.run(rows)
        for here, there in zip(_numbers(found), _numbers(expected), strict=True):
            assert_close(here, there, 1e-5)


def _numbers(bench: Bench) -> list[Array]:
    plan, to_host = bench.plan, bench.plan.backend.to_host
    return [np.array(to_host(array)) for array in (plan.output, plan.gradient, plan.sums, bench.parameters.state)]
