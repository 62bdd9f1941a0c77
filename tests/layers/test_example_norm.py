"""Layer and group norm: each example by itself, over the axes that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from support.backends import on_both
from support.cases import Case
from support.layer_rig import LayerRig, assert_close
from support.networks import network_of, random_parameters

from workbench.engine.backend import Backend
from workbench.engine.layer import ShapeError

PICTURES = ((4, 3, 6),)
PLAIN = {"affine": False}


@pytest.mark.parametrize(
    ("kind", "fields", "shape"),
    [
        ("layer_norm", {}, (5, 4, 3, 1, 6)),
        ("layer_norm", {"axes": "all"}, (5, 1, 1, 1, 72)),
        ("group_norm", {"groups": 1}, (5, 1, 1, 1, 72)),
        ("group_norm", {"groups": 3}, (5, 12, 1, 3, 2)),
    ],
)
def test_that_what_is_normalized_together_has_mean_0_and_variance_1(
    kind: str, fields: dict[str, object], shape: tuple[int, ...]
) -> None:
    rig = LayerRig(kind, Case({**PLAIN, **fields}, PICTURES))
    rig.inputs[0] *= 30.0
    rig.inputs[0] += 7.0
    together = (1, 2, 4) if kind == "group_norm" else (4,)
    output = rig.forward().reshape(shape)
    assert abs(output.mean(axis=together)).max() < 1e-12
    assert_close(output.var(axis=together), np.ones_like(output.var(axis=together)), 1e-4)


def test_that_one_group_is_the_whole_example() -> None:
    group = LayerRig("group_norm", Case({**PLAIN, "groups": 1}, PICTURES))
    layer = LayerRig("layer_norm", Case({**PLAIN, "axes": "all"}, PICTURES))
    assert_close(group.forward(), layer.forward(), 1e-12)


@on_both
@pytest.mark.parametrize("kind", ["layer_norm", "group_norm"])
def test_that_a_far_off_mean_does_not_spoil_the_variance(kind: str, backend: Backend) -> None:
    fields = PLAIN | ({"groups": 2} if kind == "group_norm" else {"axes": "all"})
    rig = LayerRig(kind, Case(fields, ((16, 16, 8),)), dtype=np.float32, backend=backend)
    exact = LayerRig(kind, Case(fields, ((16, 16, 8),)))
    rig.inputs[0] += 10_000
    exact.inputs[0][...] = rig.inputs[0]
    assert_close(rig.forward(), exact.forward(), 2e-3)


@pytest.mark.parametrize(
    ("fields", "shapes"),
    [
        ({"kind": "layer_norm"}, {"n.weight": (6,), "n.bias": (6,)}),
        ({"kind": "layer_norm", "axes": "all"}, {"n.weight": (6, 4, 3), "n.bias": (6, 4, 3)}),
        ({"kind": "layer_norm", "bias": False}, {"n.weight": (6,)}),
        ({"kind": "layer_norm", "affine": False}, {}),
        ({"kind": "group_norm", "groups": 3}, {"n.weight": (6,), "n.bias": (6,)}),
        ({"kind": "group_norm", "groups": 3, "affine": False}, {}),
    ],
)
def test_that_scale_and_shift_have_torchs_shapes_and_do_not_decay(
    fields: dict[str, object], shapes: dict[str, tuple[int, ...]]
) -> None:
    layers = [{**fields, "name": "n"}, {"kind": "flatten"}, {"kind": "dense", "units": "classes", "name": "end"}]
    parameters = random_parameters(network_of(layers, PICTURES[0]))
    found = {name: tensor.shape for name, tensor in parameters.export().items() if name.startswith("n.")}
    assert found == shapes
    assert parameters.layout.decayed == 3 * 72


def test_that_groups_that_do_not_divide_the_channels_are_told_with_those_that_do() -> None:
    layer = Case({"groups": 8}, ()).layer("group_norm")
    with pytest.raises(ShapeError, match="cannot cut 12 channels into 8 groups; take 1, 2, 3, 4, 6, 12"):
        layer.output_shape([(5, 12)])


def test_that_normalizing_a_single_value_is_refused() -> None:
    with pytest.raises(ShapeError, match="groups of a single value"):
        Case({"groups": 4}, ()).layer("group_norm").output_shape([(4,)])
    with pytest.raises(ShapeError, match=r'a single value.*axes = "all" normalizes whole examples'):
        Case({}, ()).layer("layer_norm").output_shape([(28, 28, 1)])
    assert Case({"axes": "all"}, ()).layer("layer_norm").output_shape([(28, 28, 1)]) == (28, 28, 1)
