"""Nothing overflows, and nothing turns into NaN, at values far out."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from support.backends import on_both
from support.cases import Case, all_cases
from support.layer_rig import LayerRig

from workbench.engine.backend import Backend
from workbench.layers.activation import FunctionName

FAR = np.array([0.0, 1e-30, 1e-3, 1.0, 20.0, 100.0, 1e3, 1e4], np.float32)


@on_both
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", get_args(FunctionName))
def test_that_an_activation_stays_finite_far_out(function: str, dtype: type, backend: Backend) -> None:
    rig = LayerRig("activation", Case({"function": function}, ((16,),)), dtype=dtype, rows=1, backend=backend)
    rig.inputs[0][0] = np.concatenate([FAR, -FAR])
    with np.errstate(all="raise", under="ignore"):
        output = rig.forward()
        (slope,) = rig.backward(np.ones_like(output))
    assert np.isfinite(output).all()
    assert np.isfinite(slope).all()
    assert abs(slope).max() < (1.76 if function == "selu" else 1.2)


@pytest.mark.parametrize(
    ("function", "right", "left", "slopes"),
    [
        ("relu", 1e4, 0, (1, 0)),
        ("leaky_relu", 1e4, -100, (1, 0.01)),
        ("elu", 1e4, -1, (1, 0)),
        ("gelu", 1e4, 0, (1, 0)),
        ("silu", 1e4, 0, (1, 0)),
        ("tanh", 1, -1, (0, 0)),
        ("sigmoid", 1, 0, (0, 0)),
        ("softplus", 1e4, 0, (1, 0)),
        ("linear", 1e4, -1e4, (1, 1)),
        ("relu6", 6, 0, (0, 0)),
        ("selu", 10507.009873554805, -1.7580993408473766, (1.0507009873554805, 0)),
        ("mish", 1e4, 0, (1, 0)),
        ("hardswish", 1e4, 0, (1, 0)),
        ("gelu_tanh", 1e4, 0, (1, 0)),
    ],
)
def test_that_an_activation_reaches_its_limits(function: str, right: float, left: float, slopes) -> None:
    rig = LayerRig("activation", Case({"function": function}, ((2,),)), rows=1)
    rig.inputs[0][0] = [1e4, -1e4]
    assert rig.forward()[0] == pytest.approx([right, left], abs=1e-12)
    assert rig.backward(np.ones((1, 2)))[0][0] == pytest.approx(slopes, abs=1e-12)


def test_that_relu_has_the_slope_0_at_0() -> None:
    rig = LayerRig("activation", Case({"function": "relu"}, ((3,),)), rows=1)
    rig.inputs[0][0] = [0.0, -0.0, 1.0]
    rig.forward()
    assert rig.backward(np.ones((1, 3)))[0][0].tolist() == [0.0, 0.0, 1.0]


@on_both
@pytest.mark.parametrize(("kind", "case"), all_cases(lambda layer, shapes: not layer.looks_up))
def test_that_what_is_not_finite_stays_visible(kind: str, case: Case, backend: Backend) -> None:
    # Divergence is found by looking for it: a layer must not turn NaN into a number.
    rig = LayerRig(kind, case, dtype=np.float32, training=False, backend=backend)
    for x in rig.inputs:
        x[...] = np.nan
    with np.errstate(all="ignore"):
        output = rig.forward()
    # Windows that lie in the zeros around a picture alone see none of it.
    padded = "padding" in case.fields or "padding" in kind
    assert np.isnan(output).any() if padded else np.isnan(output).all()
