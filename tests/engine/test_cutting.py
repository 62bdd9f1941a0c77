"""One example cut up for several threads: the same answers, whatever the timing, and each thread its piece."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.backends import COMPILED
from support.layer_rig import assert_close
from support.networks import Bench, network_of, networks, random_parameters

from workbench.engine import plan as plan_module
from workbench.engine.kernels import dense as dense_kernels
from workbench.engine.kernels.calls import stretches
from workbench.engine.network import Network

LAYERS: list[Any] = [
    {"kind": "conv2d", "filters": 5, "kernel": 3, "padding": "same", "stride": 2},
    "activation",
    {"kind": "max_pool2d", "window": 3, "stride": 1},
    {"kind": "conv2d", "filters": 16, "kernel": [2, 3], "dilation": [2, 1]},
    {"kind": "max_pool2d"},
    "flatten",
    {"kind": "dense", "units": 20},
    {"kind": "dense", "units": "classes"},
]


@pytest.fixture(autouse=True)
def _always_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)
    monkeypatch.setattr(dense_kernels, "LEAST_CUT", 1)


def _answers(network: Network, threads: int, runs: int = 1) -> list[Any]:
    bench = Bench(random_parameters(network, backend=COMPILED), 1, training=False, threads=threads)
    found = []
    for _ in range(runs):
        bench.plan.run(1)
        found.append(bench.plan.output.copy())
    bench.close()
    return found


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_that_pieces_of_one_example_make_the_same_answer_every_time(threads: int) -> None:
    network = network_of(LAYERS, (17, 15, 3))
    (whole,), cut = _answers(network, 1), _answers(network, threads, runs=20)
    assert_close(cut[0], whole, 1e-5)
    assert all(np.array_equal(cut[0], again) for again in cut)


@given(network=networks(), threads=st.integers(2, 4))
@settings(deadline=None)
def test_that_any_network_answers_one_example_as_on_one_thread(network: Network, threads: int) -> None:
    (whole,), (cut,) = _answers(network, 1), _answers(network, threads)
    np.testing.assert_allclose(cut, whole, rtol=1e-4, atol=1e-5)


def test_that_each_thread_has_its_pieces_and_one_the_rest() -> None:
    bench = Bench(random_parameters(network_of(LAYERS, (17, 15, 3)), backend=COMPILED), 1, training=False, threads=2)
    first, second = (
        [call.kernel.name for call in task.calls[0].calls]  # type: ignore[attr-defined]
        for task in bench.plan._ran.tasks
    )
    of_each = ["conv_forward", "max_pool_forward", "conv_forward", "max_pool_forward", "dense_forward", "dense_forward"]
    assert [name for name in second if name != "wait_for_all"] == of_each
    assert {"channels_first", "softmax_cross_entropy", *of_each} <= set(first)
    assert first.count("wait_for_all") == second.count("wait_for_all")
    bench.close()


def test_that_a_batch_is_not_cut_up_so_nor_a_network_in_training() -> None:
    parameters = random_parameters(network_of(LAYERS, (17, 15, 3)), backend=COMPILED)
    for rows, training in ((2, False), (1, True)):
        bench = Bench(parameters, rows, training=training, threads=2)
        bench.plan.run(rows)
        names = [call.kernel.name for task in bench.plan._ran.tasks for call in task.calls[0].calls]  # type: ignore
        assert names.count("softmax_cross_entropy") == rows
        bench.close()


@given(count=st.integers(1, 100), pieces=st.integers(1, 9), least=st.integers(1, 30))
def test_that_stretches_cover_all_once(count: int, pieces: int, least: int) -> None:
    found = stretches(count, pieces, least)
    assert [i for begin, end in found for i in range(begin, end)] == list(range(count))
    assert len(found) <= pieces
    assert len(found) == 1 or min(end - begin for begin, end in found) >= least
