"""Products on a GPU in lower precision, through cuBLAS's own conventions: a stand-in reads its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.standin.module import on_host, rounded, stand_in

Array = np.ndarray[Any, Any]
NUMBERS = np.random.default_rng(6)
BITS = {"tf32": 10, "bfloat16": 7}


def lowered(values: Array, precision: str) -> Array:
    """What is multiplied, in float64."""
    if precision == "float16":
        return values.astype(np.float16).astype(np.float64)
    return rounded(values, BITS[precision]).astype(np.float64)


def _whole(x: Any) -> Any:
    return x


def _turned(x: Any) -> Any:
    return x.swapaxes(-1, -2).copy().swapaxes(-1, -2)


def _columns(x: Any) -> Any:
    """Some columns of a wider array."""
    backend_of = type(x)
    wide = x.repeat(2, axis=-1)
    wide[..., : x.shape[-1]] = x
    assert isinstance(wide, backend_of)
    return wide[..., : x.shape[-1]]


def _every_other(x: Any) -> Any:
    return x.repeat(2, axis=-1)[..., ::2]


@pytest.mark.parametrize("precision", ["tf32", "bfloat16", "float16"])
@pytest.mark.parametrize("shape", [(5, 7, 3), (1, 4, 6), (4, 1, 5), (6, 3, 1), (1, 1, 1), (2, 3, 4, 5, 6)])
@pytest.mark.parametrize("lie", [_whole, _turned, _columns, _every_other])
def test_that_factors_are_rounded_and_sums_are_not(
    precision: Any, shape: tuple[int, ...], lie: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = stand_in(monkeypatch)[0].in_precision(precision)
    *stack, rows, inner, columns = shape
    a, b = (NUMBERS.normal(size=size).astype(np.float32) for size in ((*stack, rows, inner), (*stack, inner, columns)))
    expected = lowered(a, precision) @ lowered(b, precision)
    tolerance = 1e-6 * np.abs(expected).max()
    here = [lie(backend.asarray(x)) for x in (a, b)]
    np.testing.assert_allclose(on_host(backend, backend.matmul(*here)), expected, atol=tolerance)
    out = lie(backend.xp.zeros(expected.shape, np.float32))
    assert backend.matmul(*here, out=out) is out
    np.testing.assert_allclose(on_host(backend, out), expected, atol=tolerance)


def test_that_float64_and_an_empty_product_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = stand_in(monkeypatch)[0].in_precision("float16")
    a = NUMBERS.normal(size=(3, 3))
    found = on_host(backend, backend.matmul(backend.asarray(a), backend.asarray(a)))
    np.testing.assert_allclose(found, a @ a, rtol=1e-12)
    nothing = backend.zeros((2, 0), np.float32)
    assert on_host(backend, backend.matmul(nothing, nothing.T)).tolist() == [[0, 0], [0, 0]]


def test_that_the_same_device_multiplies_in_several_precisions(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, _ = stand_in(monkeypatch)
    other = backend.in_precision("tf32")
    assert (backend.precision, other.precision) == ("float32", "tf32")
    assert backend.in_precision("float32") is backend
    x = backend.asarray(np.array([[1 + 2.0**-12]], np.float32))
    assert on_host(backend, backend.matmul(x, x))[0, 0] > 1
    assert on_host(backend, other.matmul(x, x))[0, 0] == 1


def test_that_memory_for_rounded_factors_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = stand_in(monkeypatch)[0].in_precision("bfloat16")
    for size in (8, 4, 8):
        backend.matmul(backend.zeros((size, 5), np.float32), backend.zeros((5, size), np.float32))
    assert backend.scratch_bytes() == 2 * (8 * 5) * 2
