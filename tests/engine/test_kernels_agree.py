"""Compiled kernels against NumPy over generated shapes, most of them no multiple of a vector."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.agreement import assert_agrees_with_plain
from support.backends import COMPILED, PLAIN
from support.cases import Case
from support.layer_rig import LayerRig
from support.networks import Bench, networks, random_parameters
from support.parts import from_python

from workbench.engine.backend import Backend
from workbench.engine.kernels import lanes, products, sums, turning
from workbench.engine.kernels.calls import NativeCall
from workbench.engine.kernels.machine import machine
from workbench.engine.kernels.native import kernel, longs
from workbench.engine.kernels.products import DEPTH
from workbench.engine.kernels.tile import TILE
from workbench.engine.network import Network
from workbench.layers.activation import FunctionName

Array = np.ndarray[Any, Any]

product, column_sums, turn = (from_python(each) for each in (products.product, sums.column_sums, turning.turn))
WIDTH, ROWS = machine().width, machine().rows
GUARD = np.float32(-77)
"""What stands beside a result, and must still stand there afterwards."""

many = settings(max_examples=60, deadline=None)
few = settings(max_examples=25, deadline=None)
gaps = st.integers(0, 5)
"""Elements between one row and the next."""


def _around(border: int, most: int) -> st.SearchStrategy[int]:
    """Counts, often at or beside a multiple of a border."""
    near = st.builds(lambda times, off: max(1, times * border + off), st.integers(0, 3), st.integers(-1, 1))
    return st.integers(1, most) | near


columns_of = _around(WIDTH, 5 * WIDTH)
rows_of = _around(ROWS, 6 * ROWS)


def _random(shape: tuple[int, ...], seed: int) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _at(array: Array) -> int:
    return int(array.ctypes.data)


def _assert_sums_equal(found: Array, expected: Array, sizes: Array) -> None:
    """Off by a share of what the sums would be without signs: they may happen to be near 0."""
    assert (abs(found - expected) <= 1e-6 * sizes).all()


@many
@given(
    rows=rows_of, columns=columns_of, depth=st.integers(1, 40) | _around(DEPTH, 3 * DEPTH), turned=st.booleans(),
    start=st.sampled_from(["nothing", "bias", "itself"]), gap=st.tuples(gaps, gaps, gaps),
)  # fmt: skip
def test_that_a_product_of_any_size_is_numpys(
    rows: int, columns: int, depth: int, turned: bool, start: str, gap: tuple[int, int, int]
) -> None:
    left = _random((depth, rows + gap[0]) if turned else (rows, depth + gap[0]), 1)
    right, bias = _random((depth, columns + gap[1]), 2), _random((columns,), 3)
    result = np.full((rows + 1, columns + gap[2]), GUARD)
    begin: Array | float = {"nothing": 0.0, "bias": bias, "itself": _random((rows, columns), 4)}[start]
    if start == "itself":
        result[:rows, :columns] = begin
    at, step = {"nothing": (0, 0), "bias": (_at(bias), 0), "itself": (_at(result), result.shape[1])}[start]
    steps = (1, left.shape[1]) if turned else (left.shape[1], 1)
    product(
        TILE.address, _at(left), *steps, _at(right), right.shape[1], _at(result), result.shape[1], rows, columns,
        depth, at, step,
    )  # fmt: skip
    matrix = (left.T if turned else left)[:rows, :depth].astype(np.float64)
    sizes = abs(matrix) @ abs(right[:, :columns]) + abs(begin)
    _assert_sums_equal(result[:rows, :columns], matrix @ right[:, :columns] + begin, sizes)
    assert (result[rows] == GUARD).all()
    assert (result[:, columns:] == GUARD).all()


@many
@given(rows=rows_of, columns=columns_of, gap=gaps)
def test_that_sums_of_columns_are_numpys(rows: int, columns: int, gap: int) -> None:
    source, sums = _random((rows, columns + gap), 1), np.full(columns + 1, GUARD)
    column_sums(_at(source), columns + gap, rows, columns, _at(sums))
    exact = source[:, :columns].astype(np.float64)
    _assert_sums_equal(sums[:-1], exact.sum(axis=0), abs(exact).sum(axis=0))
    assert sums[-1] == GUARD


@many
@given(rows=columns_of, columns=columns_of, gap=st.tuples(gaps, gaps))
def test_that_a_turned_matrix_is_the_transposed_one(rows: int, columns: int, gap: tuple[int, int]) -> None:
    source, target = _random((rows, columns + gap[0]), 1), np.full((columns + 1, rows + gap[1]), GUARD)
    turn(_at(source), rows, columns, columns + gap[0], _at(target), rows + gap[1])
    assert np.array_equal(target[:columns, :rows], source[:, :columns].T)
    assert (target[columns] == GUARD).all()
    assert (target[:, rows:] == GUARD).all()


@kernel
def _less_products(arguments: int, first: int, last: int) -> None:
    """``a - b c`` in vectors."""
    a, b, c, out = longs(arguments, 4)
    for i in range(first, last, WIDTH):
        at, left = 4 * i, last - i
        product = lanes.times(lanes.load(b + at, left), lanes.load(c + at, left))
        lanes.store(lanes.minus(lanes.load(a + at, left), product), out + at, left)


def test_that_operations_on_vectors_are_rounded_one_by_one() -> None:
    # Else a ReLU that backward passes work out anew might stand elsewhere than the one that went forward.
    a, b, c = (_random((1001,), seed) for seed in range(3))
    found = np.full(1002, GUARD)
    NativeCall(_less_products, len(a), a, b, c, found)()
    assert np.array_equal(found[:-1], a - b * c)
    assert found[-1] == GUARD


def _assert_agree(kind: str, fields: dict[str, Any], shape: tuple[int, ...], rows: int = 3, exactly: bool = False):
    """A layer's output and gradients, compiled and not."""
    assert_agrees_with_plain(COMPILED, kind, fields, shape, rows, exactly)


sides = st.integers(1, 9)
pictures = st.tuples(sides, sides)
kernels = st.tuples(st.integers(1, 4), st.integers(1, 4))
strides = st.tuples(st.integers(1, 3), st.integers(1, 3))
paddings = st.sampled_from(["same", "valid"]) | st.tuples(st.integers(0, 3), st.integers(0, 3))
channels = st.integers(1, 5) | _around(WIDTH, 2 * WIDTH + 1)


@many
@given(
    size=pictures, groups=st.integers(1, 3), depth=st.integers(1, 6), share=_around(WIDTH, 2 * WIDTH + 1),
    kernel=kernels, stride=strides, dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)), padding=paddings,
    bias=st.booleans(),
)  # fmt: skip
def test_that_convolutions_of_any_shape_agree(size, groups, depth, share, bias, **fields) -> None:
    fields |= {"filters": groups * share, "groups": groups, "bias": bias}
    _assert_agree("conv2d", fields, (*size, groups * depth))


@many
@given(
    size=pictures, channels=channels, multiplier=st.integers(1, 3), kernel=kernels, stride=strides,
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)), padding=paddings, bias=st.booleans(),
)  # fmt: skip
def test_that_depthwise_convolutions_of_any_shape_agree(size, channels, **fields) -> None:
    _assert_agree("depthwise_conv2d", fields, (*size, channels))


@many
@given(
    kind=st.sampled_from(["max_pool2d", "average_pool2d"]), size=pictures, channels=channels, window=kernels,
    stride=strides, padding=st.sampled_from(["same", "valid"]),
)  # fmt: skip
def test_that_pooling_of_any_shape_agrees(kind, size, channels, **fields) -> None:
    _assert_agree(kind, fields, (*size, channels))


@many
@given(size=pictures, channels=channels, rows=st.integers(2, 5))
def test_that_batch_norms_of_any_shape_agree(size, channels, rows) -> None:
    # A large epsilon keeps channels of few values from being blown up to their rounding.
    _assert_agree("batch_norm", {"epsilon": 0.1}, (*size, channels), rows)


@few
@given(size=pictures, channels=channels, axes=st.sampled_from(["features", "all"]), affine=st.booleans())
def test_that_layer_norms_of_any_shape_agree(size, channels, **fields) -> None:
    _assert_agree("layer_norm", {"epsilon": 0.1, **fields}, (*size, channels))


@few
@given(size=pictures, share=st.integers(1, 2 * WIDTH + 1), groups=st.integers(1, 3), affine=st.booleans())
def test_that_group_norms_of_any_shape_agree(size, share, groups, affine) -> None:
    _assert_agree("group_norm", {"epsilon": 0.1, "groups": groups, "affine": affine}, (*size, share * groups))


@few
@given(
    size=pictures, channels=channels, factor=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    mode=st.sampled_from(["nearest", "bilinear"]),
)  # fmt: skip
def test_that_upsampling_of_any_shape_agrees(size, channels, **fields) -> None:
    _assert_agree("upsampling2d", fields, (*size, channels))


@few
@given(count=st.integers(1, 40), vocabulary=st.integers(1, 30), dimension=st.integers(1, 2 * WIDTH + 1))
def test_that_embeddings_of_any_shape_agree(count, **fields) -> None:
    _assert_agree("embedding", fields, (count,))


@few
@given(size=st.tuples(sides, channels) | st.tuples(columns_of), rate=st.floats(0.01, 0.99), rows=st.integers(1, 9))
def test_that_dropout_drops_the_very_same_values(size, rate, rows) -> None:
    _assert_agree("dropout", {"rate": rate}, size, rows, exactly=True)


def _ran(network: Network, rows: int, dtype: Any, backend: Backend, training: bool, threads: int = 1) -> list[Array]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workbench.engine.plan._LEAST_SHARD_WORK", 1)
        # A few rows at a time, whose passing arrays then stay in the cache.
        patch.setattr("workbench.engine.kernels.calls._CACHE_BYTES", 3_000)
        bench = Bench(random_parameters(network, dtype, backend=backend), rows, training=training, threads=threads)
    try:
        return [*bench.run(), bench.parameters.state, bench.plan.sums]
    finally:
        bench.close()


@few
@given(network=networks(), rows=st.integers(4, 9), training=st.booleans(), threads=st.integers(1, 3))
def test_that_generated_networks_agree(network: Network, rows: int, training: bool, threads: int) -> None:
    exact = _ran(network, rows, np.float64, PLAIN, training)
    plain = _ran(network, rows, np.float32, PLAIN, training)
    compiled = _ran(network, rows, np.float32, COMPILED, training, threads)
    for ours, theirs, expected in zip(compiled, plain, exact, strict=True):
        if expected.size:
            # Deep networks blow rounding up: what it does to plain arrays is the yardstick.
            rounding = abs(theirs - expected).max()
            assert abs(ours - expected).max() <= 10 * rounding + 1e-5 * max(1e-3, abs(expected).max())


@pytest.mark.parametrize("function", get_args(FunctionName))
def test_that_activations_agree_far_out_and_at_no_number(function: str) -> None:
    case, far = Case({"function": function}, ((48,),)), np.linspace(-200, 200, 48)
    found = []
    for backend in (PLAIN, COMPILED):
        rig = LayerRig("activation", case, dtype=np.float32, rows=3, backend=backend)
        rig.inputs[0][...] = [far, far / 50, np.where(np.arange(48) % 3, np.nan, 1.0)]
        with np.errstate(all="ignore"):
            found.append((rig.forward(), rig.backward(np.ones_like(rig.output))[0]))
    for ours, theirs in zip(found[1], found[0], strict=True):
        np.testing.assert_allclose(ours[:2], theirs[:2], rtol=1e-5, atol=2e-6)
    assert np.array_equal(np.isnan(found[1][0]), np.isnan(found[0][0]))
