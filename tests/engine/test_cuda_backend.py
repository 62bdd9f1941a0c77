"""The CuPy backend with kernels of its own: what it says of them, and how it goes on where a device refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.emulated import needs_compiler
from support.networks import Bench, network_of, random_parameters
from support.standin.kernels import Machine
from support.standin.module import stand_in

from workbench.engine.cuda.calls import CudaCall
from workbench.engine.device import devices

pytestmark = needs_compiler

LAYERS = [{"kind": "dense", "units": 5}, "activation", {"kind": "dense", "units": "classes"}]


def _run(backend: Any) -> list[np.ndarray[Any, Any]]:
    bench = Bench(random_parameters(network_of(LAYERS, (4,)), backend=backend), 6)
    return [*bench.run(), *bench.run(), *bench.run()]


def _words(backend: Any) -> str:
    return str(backend.facts()["computes_with"])


def _refuse(*_: Any, **__: Any) -> Any:
    raise RuntimeError("CUDA_ERROR_SOMETHING: no\nmore")


def test_that_a_device_says_that_it_records(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, device = stand_in(monkeypatch, kernels=True)
    assert _words(backend) == "kernels of our own, recorded as CUDA graphs"
    assert devices()[1].facts == backend.facts()
    recordings = device.kernels.recordings
    for found, expected in zip(_run(backend), _run(None), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert device.kernels.recordings == recordings + 1


def test_that_a_device_that_refuses_to_record_launches_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.standin.kernels._Capturing.begin_capture", _refuse)
    backend, device = stand_in(monkeypatch, kernels=True)
    words = "kernels of our own, launched one by one: they cannot be recorded here (CUDA_ERROR_SOMETHING: no)"
    assert _words(backend) == words
    launches = device.kernels.launches
    for found, expected in zip(_run(backend), _run(None), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert device.kernels.launches > launches
    assert backend.refusal() == (
        "Steps are launched kernel by kernel, as the GPU refuses to record them as a CUDA graph: CUDA_ERROR_SOMETHING: "
        "no. Results are the same, but small networks train more slowly."
    )


def test_that_a_device_whose_compiler_fails_computes_with_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "module", _refuse)
    backend, device = stand_in(monkeypatch, kernels=True)
    assert backend.cuda is None
    assert _words(backend) == "array operations only: kernels of our own fail here (CUDA_ERROR_SOMETHING: no)"
    assert backend.refusal().startswith(
        "The GPU computes with array operations, as kernels of our own fail there: CUDA"
    )
    _run(backend)
    assert device.kernels.launches == 0


def test_that_the_switch_leaves_a_gpu_to_array_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, _ = stand_in(monkeypatch)
    assert backend.cuda is None
    assert backend.refusal() == ""
    assert _words(backend) == "array operations only (WORKBENCH_KERNELS is off)"


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_that_products_in_less_than_float32_are_the_librarys(precision: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from support.networks import loss_of

    from workbench.engine.plan import Plan
    from workbench.engine.shards import ShardPool

    backend, _ = stand_in(monkeypatch, kernels=True)
    parameters = random_parameters(network_of(LAYERS, (4,)), backend=backend)
    computing = backend.in_precision(precision)
    assert computing.precision == precision
    plan = Plan(parameters, loss_of(), 6, training=True, pool=ShardPool(1), backend=computing)
    (task,) = plan._ran.tasks
    names = {call.kernel.name for each in task.calls for call in getattr(each, "calls", [each]) if _is_launch(call)}
    assert "pointwise_forward" in names
    assert not any("product" in name for name in names)


def _is_launch(call: Any) -> bool:
    return isinstance(call, CudaCall)


def test_that_preparing_compiles_what_is_bound_once(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, _ = stand_in(monkeypatch, kernels=True)
    bench = Bench(random_parameters(network_of(LAYERS, (4,)), backend=backend), 6)
    # What CuPy had kept from an earlier time is no news.
    counts = iter(range(100))
    monkeypatch.setattr("workbench.engine.cuda.cupy_launcher._kept", lambda: next(counts))
    bound = backend.cuda.bound - backend.cuda._modules.keys()
    assert {"products", "losses"} <= bound
    assert list(backend.prepare()) == [(number, len(bound)) for number in range(1, len(bound) + 1)]
    assert list(backend.prepare()) == []
    bench.run()
