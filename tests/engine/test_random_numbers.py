"""Counter-based random numbers: distributions, and independence of everything but key and index."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.engine.random import bits, key_of, normal, permutation, uniform, uniform_of

DRAWS = 40_000
keys = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        ((0,), 0x0397AB29740681D9),
        ((7, "dropout", "drop_1", 3), 0xFF7484B53BF4CA68),
        ((2**32 - 1, "initial", "conv_1", "weight"), 0x99ACC08EEC26C8BB),
    ],
)
def test_that_a_key_is_the_same_in_every_process_and_version(parts: tuple[int | str, ...], key: int) -> None:
    # Written down once: a change would make every resumed run and every recorded seed mean something else.
    assert key_of(*parts) == key


def test_that_the_generator_is_splitmix64() -> None:
    # The first outputs for seed 0 that the generator's authors give.
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert bits(np, 0, np.arange(3, dtype=np.uint64)).tolist() == expected


def test_that_a_number_and_its_text_give_different_keys() -> None:
    made = [key_of(1), key_of("1"), key_of(1, 0), key_of(0, 1), key_of("a", "b"), key_of("b", "a"), key_of("ab")]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_that_uniform_numbers_are_uniform(dtype: type) -> None:
    draws = uniform(np, key_of(3, "test"), 0, DRAWS, dtype)
    assert draws.dtype == dtype
    assert draws.min() >= 0
    assert draws.max() < 1
    assert stats.kstest(draws, "uniform").pvalue > 1e-3
    counts, _ = np.histogram(draws, 100, (0, 1))
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_that_neighbors_in_a_stream_are_independent(dtype: type) -> None:
    draws = uniform(np, key_of(4, "test"), 0, DRAWS, dtype)
    for lag in (1, 2, 3):
        assert abs(np.corrcoef(draws[:-lag], draws[lag:])[0, 1]) < 4 / np.sqrt(DRAWS)


def test_that_streams_of_neighboring_keys_are_independent() -> None:
    streams = np.array([uniform(np, key_of(seed, "test"), 0, 2000) for seed in range(12)])
    others = np.corrcoef(streams) - np.eye(12)
    assert abs(others).max() < 5 / np.sqrt(2000)


def test_that_normal_numbers_are_normal() -> None:
    draws = normal(np, key_of(5, "test"), 0, DRAWS)
    assert stats.kstest(draws, "norm").pvalue > 1e-3
    assert np.isfinite(draws).all()


@given(key=keys, start=st.integers(0, 2**40), count=st.integers(0, 50), before=st.integers(0, 20))
def test_that_a_part_of_a_stream_equals_the_slice_of_the_whole(key: int, start: int, count: int, before: int) -> None:
    pairs = 2 * before  # float32 streams are read in pairs
    whole = 2 * start
    for draw in (
        lambda first, size: uniform(np, key, first, size),
        lambda first, size: uniform(np, key, first, size, np.float64),
        lambda first, size: normal(np, key, first, size),
    ):
        assert np.array_equal(draw(whole + pairs, count), draw(whole, pairs + count)[pairs:])


@given(key=keys, numbers=st.lists(st.integers(0, 2**40), min_size=1, max_size=20))
def test_that_an_example_draws_the_same_in_any_batch(key: int, numbers: list[int]) -> None:
    together = uniform_of(np, key, np.array(numbers))
    alone = [uniform_of(np, key, np.array([number]))[0] for number in numbers]
    assert together.tolist() == alone


@given(key=keys, count=st.integers(0, 300))
def test_that_a_permutation_holds_every_number_once(key: int, count: int) -> None:
    order = permutation(np, key, count)
    assert order.dtype == np.int64
    assert np.array_equal(np.sort(order), np.arange(count))


def test_that_permutations_favor_no_place() -> None:
    orders = np.array([permutation(np, key_of(seed, "order"), 6) for seed in range(3000)])
    counts = np.array([np.bincount(orders[:, place], minlength=6) for place in range(6)])
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_that_another_epoch_gives_another_order() -> None:
    one, two = (permutation(np, key_of(0, "shuffle", epoch), 1000) for epoch in (0, 1))
    assert (one == two).mean() < 0.02
