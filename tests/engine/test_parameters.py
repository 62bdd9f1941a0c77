"""The flat vectors: order, views, and the way out into the ecosystem's layout and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from support.networks import network_of, networks, random_parameters

from workbench.engine.backend import Backend
from workbench.engine.network import Network
from workbench.engine.parameters import Parameters
from workbench.errors import InputError

LAYERS = [
    {"kind": "conv2d", "name": "conv", "filters": 2, "kernel": [3, 2]},
    {"kind": "batch_norm", "name": "norm"},
    {"kind": "flatten"},
    {"kind": "dense", "name": "frozen", "units": 4, "frozen": True},
    {"kind": "dense", "name": "end", "units": "classes"},
]


def _network() -> Network:
    return network_of(LAYERS, (4, 5, 3))


def test_that_decayed_weights_come_first_and_frozen_layers_last() -> None:
    layout = Parameters(_network(), Backend()).layout
    assert [slot.name for slot in layout.slots] == [
        "conv.weight", "end.weight", "conv.bias", "norm.weight", "norm.bias", "end.bias",
        "frozen.weight", "frozen.bias",
    ]  # fmt: skip
    sizes = {slot.name: slot.stop - slot.start for slot in layout.slots}
    assert layout.decayed == sizes["conv.weight"] + sizes["end.weight"]
    assert layout.trained == layout.total - sizes["frozen.weight"] - sizes["frozen.bias"]
    assert {slot.layer for slot in layout.trained_slots()} == {"conv", "norm", "end"}
    assert [slot.name for slot in layout.states] == ["norm.running_mean", "norm.running_var"]


def test_that_exports_stand_in_the_order_of_the_layers() -> None:
    assert list(Parameters(_network(), Backend()).export()) == [
        "conv.weight", "conv.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
        "frozen.weight", "frozen.bias", "end.weight", "end.bias",
    ]  # fmt: skip


def test_that_exports_have_the_layout_of_the_ecosystem() -> None:
    parameters = random_parameters(_network())
    tensors = parameters.export()
    assert tensors["conv.weight"].shape == (2, 3, 3, 2)  # filters, channels, height, width
    inner = parameters.views(parameters.values, "conv")["weight"]
    assert tensors["conv.weight"][1, 2, 0, 1] == inner[0, 1, 2, 1]
    assert tensors["end.weight"].shape == (3, 4)
    assert all(array.flags.c_contiguous for array in tensors.values())


def test_that_exports_are_copies() -> None:
    parameters = random_parameters(_network())
    tensors = parameters.export()
    before = parameters.values.copy()
    for array in tensors.values():
        array[...] = 0
    assert np.array_equal(parameters.values, before)


@settings(deadline=None, max_examples=25)
@given(network=networks())
def test_that_loading_an_export_gives_the_same_vectors(network: Network) -> None:
    source = random_parameters(network)
    other = Parameters(network, Backend())
    other.load(source.export())
    assert np.array_equal(other.values, source.values)
    assert np.array_equal(other.state, source.state)


def test_that_views_share_the_flat_vector() -> None:
    parameters = random_parameters(_network())
    parameters.views(parameters.values, "end")["bias"][...] = 5
    assert (parameters.export()["end.bias"] == 5).all()


def test_that_gradients_have_views_for_trained_layers_only() -> None:
    parameters = random_parameters(_network())
    gradient = np.zeros(parameters.layout.trained, np.float32)
    assert sorted(parameters.views(gradient, "conv")) == ["bias", "weight"]
    assert parameters.views(gradient, "frozen") == {}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"end.bias": None}, "the weights hold no end.bias"),
        ({"end.bias": np.zeros(4)}, r"end.bias has the shape \(4,\), the network needs \(3,\)"),
        (
            {"conv.weight": np.zeros((2, 3, 2, 3))},
            r"conv.weight has the shape \(2, 3, 2, 3\), the network needs \(2, 3, 3, 2\)",
        ),
    ],
)
def test_that_weights_that_do_not_fit_are_refused(change: dict[str, np.ndarray | None], text: str) -> None:
    parameters = random_parameters(_network())
    tensors = {name: array for name, array in {**parameters.export(), **change}.items() if array is not None}
    with pytest.raises(InputError, match=text):
        parameters.load(tensors)
