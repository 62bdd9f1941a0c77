"""The parametric ReLU: how it starts, and what its weights are counted as."""

from __future__ import annotations

import numpy as np
import pytest
from support.cases import Case
from support.layer_rig import LayerRig, assert_close
from support.networks import network_of

from workbench.engine.backend import Backend
from workbench.engine.parameters import Parameters

PICTURES = (4, 3, 5)


@pytest.mark.parametrize(("fields", "weights"), [({}, 1), ({"per_channel": True}, 5)])
def test_that_it_starts_as_a_leaky_relu_of_a_quarter(fields: dict[str, bool], weights: int) -> None:
    network = network_of([{"kind": "prelu", "name": "bent", **fields}, {"kind": "flatten"}], PICTURES, 60)
    parameters = Parameters(network, Backend())
    parameters.initialize(0)
    assert parameters.export()["bent.weight"].tolist() == [0.25] * weights


@pytest.mark.parametrize("fields", [{}, {"per_channel": True}])
def test_that_only_values_below_0_are_scaled(fields: dict[str, bool]) -> None:
    rig = LayerRig("prelu", Case(fields, (PICTURES,)))
    x, weight = rig.inputs[0], rig.parameters.export()["layer.weight"]
    assert_close(rig.forward(), np.where(x > 0, x, weight * x), 1e-12)


def test_that_decay_leaves_its_weights_alone() -> None:
    layers = [{"kind": "prelu", "per_channel": True}, {"kind": "flatten"}]
    assert Parameters(network_of(layers, PICTURES, 60), Backend()).layout.decayed == 0
