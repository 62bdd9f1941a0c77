"""CUDA kernels bound to arrays, fused, and recorded as graphs; what a graph may keep and what it must not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.emulated import EmulatedBackend, EmulatedLauncher, needs_compiler
from support.networks import Bench, network_of, random_parameters

from workbench.engine.backend import Call
from workbench.engine.cuda.calls import CudaCall, Words, blocks_for
from workbench.engine.cuda.graphs import Recorded, joined
from workbench.engine.cuda.pointwise import (
    Dropping,
    bent,
    bent_back,
    column_sums,
    dropped,
    dropped_back,
    fused,
    shifted,
)
from workbench.engine.cuda.products import BLOCKS, cut, head_products, is_ours
from workbench.engine.cuda.source_files import kernels, modules, text_of

pytestmark = needs_compiler

LAYERS = [
    {"kind": "dense", "units": 6},
    {"kind": "activation", "function": "gelu"},
    {"kind": "dropout", "rate": 0.4},
    {"kind": "dense", "units": "classes"},
]


def _floats(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


@pytest.fixture
def launcher() -> EmulatedLauncher:
    return EmulatedLauncher()


def _bench(layers: list[dict[str, Any]] = LAYERS, rows: int = 5, **fields: Any) -> Bench:
    return Bench(random_parameters(network_of(layers, (4,)), backend=EmulatedBackend()), rows, **fields)


def _calls(bench: Bench) -> list[Call]:
    (task,) = bench.plan._ran.tasks
    return task.calls


def test_that_every_source_has_kernels_and_every_kernel_a_name_of_its_own() -> None:
    found = kernels()
    assert {kernel.module for kernel in found.values()} == set(modules())
    declared = sum(text_of(module).count('extern "C" __global__') for module in modules())
    assert len(found) == declared


def test_that_a_kernel_is_bound_to_what_it_declares_only(launcher: EmulatedLauncher) -> None:
    x, y = _floats(4), _floats(4)
    with pytest.raises(TypeError, match="copy_values takes 3 arguments, not 2"):
        launcher.over(4, "copy_values", x, y)
    with pytest.raises(TypeError, match=r"y of copy_values must be contiguous and float\*, not float64"):
        launcher.over(4, "copy_values", x, y.astype(np.float64), 4)
    with pytest.raises(TypeError, match="x of copy_values must be contiguous"):
        launcher.over(4, "copy_values", _floats(8)[::2], y, 4)
    with pytest.raises(TypeError, match=r"count of copy_values is 4.0, which is no int"):
        launcher.over(4, "copy_values", x, y, 4.0)
    with pytest.raises(TypeError, match="count of copy_values is 4294967296, which is no int"):
        launcher.over(4, "copy_values", x, y, 2**32)
    with pytest.raises(TypeError, match="share of mean_over_places is 1, which is no float"):
        launcher.call("mean_over_places", 1, (32, 8), x, y, 1, 4, 1)


@pytest.mark.parametrize("count", [0, 1, 256, 257, 10**9])
def test_that_blocks_cover_all_values_or_each_thread_takes_several(count: int) -> None:
    assert 1 <= blocks_for(count) <= 2048
    assert blocks_for(count) * 256 >= min(count, 2048 * 256)


@pytest.mark.parametrize("rows", [1, 64, 784, 50_000])
@pytest.mark.parametrize("columns", [1, 10, 256])
@pytest.mark.parametrize("depth", [1, 100, 784, 50_000])
def test_that_the_parts_of_a_product_cover_its_depth_once(rows: int, columns: int, depth: int) -> None:
    tile, count, parts, each = cut(rows, columns, depth)
    assert (parts - 1) * each < depth <= parts * each
    assert parts == 1 or count * parts <= BLOCKS
    assert (count - 1) * tile * tile < rows * columns + (rows + columns) * tile
    assert each % 16 == 0


def test_that_large_products_are_left_to_the_library() -> None:
    assert is_ours(64, 256, 784)
    assert not is_ours(4096, 4096, 4096)


def test_that_bias_activation_and_dropout_are_one_launch_each_way(launcher: EmulatedLauncher) -> None:
    x, y, z, w, bias = _floats(6, 5), *(np.full((6, 5), np.nan, np.float32) for _ in range(3)), _floats(5)
    words = Words(launcher, np.zeros(1, np.uint64))
    words.set(12345)
    dropping = Dropping(words.array, 5, 0, 0.5, 2.0)
    single = [shifted(launcher, x, y, bias), bent(launcher, "tanh", 0.0, y, z), dropped(launcher, dropping, z, w)]
    (together,) = fused(single)
    for call in single:
        call()
    expected = [array.copy() for array in (y, z, w)]
    for array in (y, z, w):
        array[...] = np.nan
    together()
    assert all(np.array_equal(found, wanted) for found, wanted in zip((y, z, w), expected, strict=True))
    assert (w == 0).any()
    assert together.origin is single[0]

    dw, (dz, dy), d_bias = _floats(6, 5), np.full((2, 6, 5), np.nan, np.float32), np.zeros(5, np.float32)
    back = [dropped_back(launcher, dropping, dw, dz), bent_back(launcher, "tanh", 0.0, z, dz, dy)]
    back += column_sums(launcher, dy, d_bias, None)
    (together,) = fused(back)
    for call in back:
        call()
    expected = [dy.copy(), d_bias.copy()]
    dy[...], d_bias[...] = np.nan, np.nan
    together()
    assert all(np.array_equal(found, wanted) for found, wanted in zip((dy, d_bias), expected, strict=True))


def test_that_an_activation_over_its_input_leaves_no_trace_of_it(launcher: EmulatedLauncher) -> None:
    x, bias = _floats(6, 5), _floats(5)
    (together,) = fused([shifted(launcher, x, x, bias), bent(launcher, "relu", 0.0, x, x)])
    expected = np.maximum(x + bias, 0)
    together()
    assert np.array_equal(x, expected)


def test_that_what_does_not_follow_from_each_other_stays_apart(launcher: EmulatedLauncher) -> None:
    x, y, z, w = (_floats(6, 5) for _ in range(4))
    first = bent(launcher, "relu", 0.0, x, y)
    for other in (
        bent(launcher, "relu", 0.0, y, z),  # the same stage again
        dropped(launcher, Dropping(np.zeros(1, np.uint64), 5, 0, 0.5, 2.0), w, z),  # reads something else
        shifted(launcher, y, z, _floats(5)),  # an earlier stage
        bent_back(launcher, "relu", 0.0, y, y, z),  # the other way
        launcher.over(30, "copy_values", y, z, 30),
    ):
        assert fused([first, other]) == [first, other]


def test_that_launches_in_a_row_are_recorded_the_second_time() -> None:
    bench = _bench()
    start, recorded = _calls(bench)
    assert not isinstance(start, CudaCall)
    assert isinstance(recorded, Recorded)
    launcher = bench.plan.backend.cuda
    first = bench.run()
    assert not recorded.recorded
    second = bench.run()
    assert recorded.recorded
    assert launcher.recordings == 1
    third = bench.run()
    assert launcher.recordings == 1
    for ours, again, still in zip(first, second, third, strict=True):
        assert np.array_equal(ours, again)
        assert np.array_equal(ours, still)


def test_that_a_recorded_step_draws_new_numbers_at_each_step() -> None:
    bench, plain = _bench(), Bench(random_parameters(network_of(LAYERS, (4,))), 5)
    gradients = []
    for step in range(5):
        bench.plan.clock.step = plain.plan.clock.step = step
        gradients.append(bench.run()[1])
        np.testing.assert_allclose(gradients[-1], plain.run()[1], rtol=1e-4, atol=1e-6)
    assert len({gradient.tobytes() for gradient in gradients}) == 5


def test_that_each_number_of_rows_is_recorded_by_itself() -> None:
    bench = _bench(rows=6)
    for rows in (6, 6, 4, 4, 6, 4):
        bench.run(rows)
    assert bench.plan.backend.cuda.recordings == 2


def test_that_what_python_does_stands_between_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.engine.cuda.products.MOST_WORK", 0)
    before = [{"kind": "reshape", "shape": [2, 2]}, {"kind": "conv1d", "filters": 2}, {"kind": "flatten"}]
    layers = [*before, {"kind": "dense", "units": "classes"}]
    ours = [isinstance(call, (Recorded, CudaCall)) for call in _calls(_bench(layers))]
    # What comes before the library's product; it; bias, loss and bias gradient; two more products; what comes before.
    assert ours == [True, False, True, False, False, True]


def test_that_products_of_strided_matrices_are_those_of_arrays(launcher: EmulatedLauncher) -> None:
    backend, wide = EmulatedBackend(), _floats(3, 5, 4, 6)
    views = [wide.transpose(0, 2, 1, 3)[..., :3], wide.transpose(0, 2, 1, 3)[..., 3:]]
    out = np.full((3, 5, 4, 5), np.nan, np.float32).transpose(0, 2, 1, 3)
    head_products(backend, views[0], views[1].swapaxes(2, 3), out)()
    np.testing.assert_allclose(out, views[0] @ views[1].swapaxes(2, 3), rtol=1e-5, atol=1e-6)
    with pytest.raises(AssertionError, match="neither rows nor columns lie together"):
        head_products(backend, wide[..., ::2], wide[:, :, :3], np.zeros((3, 5, 4, 6), np.float32))


def test_that_a_device_that_refuses_to_record_goes_on_launch_by_launch(launcher: EmulatedLauncher) -> None:
    x, y, z = _floats(4), np.zeros(4, np.float32), np.zeros(4, np.float32)

    def refuse(calls: Any) -> Call:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    launcher.record = refuse  # type: ignore[method-assign]
    (call,) = joined(launcher, [launcher.over(4, "copy_values", x, y, 4), launcher.over(4, "add_values", y, y, z, 4)])
    for _ in range(3):
        z[...] = 0
        call()
        assert np.array_equal(z, x + x)
    assert not launcher.records
    assert launcher.why_not == "operation not permitted when stream is capturing"
    (other,) = joined(launcher, [launcher.over(4, "copy_values", x, y, 4), launcher.over(4, "add_values", y, y, z, 4)])
    launcher.record = None  # type: ignore[method-assign, assignment]
    other()
    other()


def test_that_a_failing_launch_names_its_kernel(launcher: EmulatedLauncher) -> None:
    x = _floats(64)
    # A block of a size for which the kernel's barriers cannot open.
    call = launcher.call("loss_sums", 1, 48, _floats(6, 2), np.zeros(2), 6)
    with pytest.raises(AssertionError, match="loss_sums: not all threads of block 0, 0, 0 reach a barrier"):
        call()
    launcher.over(64, "copy_values", x, x, 64)()


def test_that_a_profile_times_each_launch_of_a_recorded_step() -> None:
    from workbench.engine.network import Network
    from workbench.engine.plan import Plan
    from workbench.engine.profile import RecordingPool

    bench = _bench()
    network: Network = bench.plan.network
    pool = RecordingPool(1, bench.plan.backend)
    plan = Plan(bench.parameters, bench.plan._loss, 5, training=True, pool=pool)
    for _ in range(4):
        pool.begin_step()
        plan.run(5)
    found = {(timing.owner.layer, timing.owner.duty, timing.kernel) for timing in pool.timings(network, 5)}
    # Bias, activation and dropout are one launch, which counts for the first of them.
    assert {
        ("dense_1", "forward", "product_32"),
        ("dense_1", "forward", "pointwise_forward"),
        ("drop_1", "start", ""),
        ("", "loss", "softmax_cross_entropy"),
        ("drop_1", "backward", "pointwise_backward_sums"),
    } <= found
