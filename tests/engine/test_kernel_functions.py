"""The exponential and its relatives in float32, against float64, over all that float32 holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from scipy import special

from workbench.engine.kernels import functions
from workbench.engine.kernels.native import FAST_MATH

TINY = np.finfo(np.float32).tiny
"""The least normal number: below it digits may be lost."""

FUNCTIONS: dict[str, tuple[Callable[[Any], Any], float]] = {
    # What it is in float64, and how many units of the last place it may be off.
    "exponential": (np.exp, 2),
    "logistic": (special.expit, 4),
    "hyperbolic_tangent": (np.tanh, 4),
    "error_function": (special.erf, 4),
    "softplus": (lambda x: np.logaddexp(x, 0), 4),
}
every_function = pytest.mark.parametrize("name", sorted(FUNCTIONS))


def _values(name: str, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What the function gives, in a loop of vector instructions as in a kernel."""
    function = getattr(functions, name)

    @numba.njit(error_model="numpy", fastmath=FAST_MATH)
    def loop(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    y = np.full_like(x, 7)
    loop(x, y)
    return y


def _whole_range() -> np.ndarray[Any, Any]:
    """Every 9,973rd float32 number that is finite, of both signs, and many between -100 and 100."""
    patterns = np.arange(0, 0x7F800000, 9_973, dtype=np.uint32)
    some = np.concatenate([patterns.view(np.float32), np.linspace(0, 100, 200_001, dtype=np.float32)])
    return np.concatenate([some, -some])


@every_function
def test_that_a_function_is_right_to_some_units_of_the_last_place_over_all_numbers(name: str) -> None:
    exact, allowed = FUNCTIONS[name]
    x = _whole_range()
    found = _values(name, x)
    with np.errstate(all="ignore"):
        expected = exact(x.astype(np.float64))
        rounded = expected.astype(np.float32)
    # At the end of the range either infinity or the largest number will do.
    within = np.isfinite(rounded) & (abs(expected) < np.float64(np.finfo(np.float32).max) * (1 - 1e-6))
    unit = np.spacing(np.maximum(abs(rounded[within]), TINY)).astype(np.float64)
    off = abs(found[within] - expected[within]) - 2 * TINY * (abs(expected[within]) < 2 * TINY)
    worst = int(np.argmax(off / unit))
    assert off[worst] <= allowed * unit[worst], f"{off[worst] / unit[worst]:.2f} units at {x[within][worst]!r}"
    assert (found[~np.isfinite(rounded)] == rounded[~np.isfinite(rounded)]).all()


@every_function
def test_that_a_function_keeps_what_is_not_finite(name: str) -> None:
    exact, _ = FUNCTIONS[name]
    # Eight of each, so that whole vectors are worked on.
    x = np.repeat(np.array([np.inf, -np.inf, np.nan, 0.0, -0.0], np.float32), 8)
    with np.errstate(all="ignore"):
        expected = exact(x.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_max_ulp(_values(name, x), expected, 1)


def test_that_numbers_without_all_digits_go_through_what_is_straight_at_0() -> None:
    x = np.array([1e-45, -1e-45, 3e-39, -1e-38, 2e-38], np.float32)
    for name, slope in (("hyperbolic_tangent", 1.0), ("error_function", 2 / np.sqrt(np.pi))):
        found = _values(name, np.repeat(x, 8))[::8]
        assert abs(found - x.astype(np.float64) * slope).max() <= 2e-45
