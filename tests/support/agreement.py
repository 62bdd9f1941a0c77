"""What kernels compute against plain NumPy, for layers of generated sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume
from support.backends import PLAIN
from support.cases import Case
from support.layer_rig import LayerRig, assert_close

from workbench.engine.backend import Backend
from workbench.engine.layer import ShapeError


def assert_agrees_with_plain(
    backend: Backend, kind: str, fields: dict[str, Any], shape: tuple[int, ...], rows: int, exactly: bool
) -> None:
    """A layer's output, gradients and state on a backend are those of plain NumPy; sizes that do not fit are left."""
    case = Case(fields, (shape,))
    try:
        case.layer(kind).output_shape([shape])
    except ShapeError:
        assume(False)
    plain, ours = (LayerRig(kind, case, dtype=np.float32, rows=rows, backend=each) for each in (PLAIN, backend))
    direction = np.random.default_rng(5).normal(size=plain.output.shape).astype(np.float32)
    found, expected = ours.forward(), plain.forward()
    pairs = [("output", found, expected)]
    pairs.append(("input gradient", ours.backward(direction)[0], plain.backward(direction)[0]))
    pairs.append(("parameters", ours.gradient, plain.gradient))
    pairs.append(("state", ours.parameters.state, plain.parameters.state))
    for what, one, other in pairs:
        if exactly:
            assert np.array_equal(one, other), what
        else:
            assert_close(one, other, 1e-5, what)
