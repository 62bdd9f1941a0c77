"""Which of a network's tensors other weights can fill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from support.cases import Case, all_cases
from support.exports import Exported
from support.networks import network_around, network_of, networks

from workbench.engine.backend import Shape
from workbench.engine.layer import Layer
from workbench.engine.network import Network
from workbench.errors import InputError, RecipeError
from workbench.export.onnx_graph import export_onnx
from workbench.export.weights import to_npz, to_safetensors
from workbench.recipe.training import StartFrom
from workbench.store.tensors import Tensors
from workbench.store.weight_files import read_weights
from workbench.training.transfer import transfer

LAYERS: list[dict[str, Any]] = [
    {"kind": "conv2d", "filters": 2, "name": "conv"},
    {"kind": "batch_norm", "name": "norm"},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes", "name": "out"},
]


def _network(outputs: int = 3) -> Network:
    return network_of(LAYERS, (4, 4, 1), outputs)


def _weights(network: Network) -> Tensors:
    return Exported(network).tensors


def test_that_all_is_taken_from_the_same_network() -> None:
    there = _weights(_network())
    found = transfer(_network(), there, StartFrom(path="x"))
    assert found.tensors.keys() == there.keys()
    assert found.layers == ("conv", "norm", "out")
    assert (found.differs, found.absent, found.unused, found.left_out) == ({}, (), (), 0)


def test_that_another_number_of_classes_leaves_the_end_random_and_says_both_shapes() -> None:
    found = transfer(_network(5), _weights(_network(3)), StartFrom(path="x"))
    assert found.differs == {"out.weight": ((5, 32), (3, 32)), "out.bias": ((5,), (3,))}
    assert set(found.tensors) == {f"conv.{p}" for p in ("weight", "bias")} | {
        f"norm.{p}" for p in ("weight", "bias", "running_mean", "running_var")
    }
    assert found.layers == ("conv", "norm")
    assert found.count == 8


def test_that_what_only_one_side_has_is_told() -> None:
    there = _weights(_network())
    del there["conv.bias"]
    there["extra.weight"] = np.ones(3, np.float32)
    found = transfer(_network(), there, StartFrom(path="x"))
    assert found.absent == ("conv.bias",)
    assert found.unused == ("extra.weight",)
    assert found.layers == ("norm", "out")


@pytest.mark.parametrize(("layers", "taken"), [(("conv",), {"conv"}), (("co*", "norm"), {"conv", "norm"})])
def test_that_layers_are_chosen_by_name_or_start(layers: tuple[str, ...], taken: set[str]) -> None:
    found = transfer(_network(), _weights(_network()), StartFrom(path="x", layers=layers))
    assert {name.partition(".")[0] for name in found.tensors} == taken
    assert found.left_out == 8 - len(found.tensors)
    assert found.unused == (), "what was left out has its place in the network"


def test_that_renamed_layers_are_found() -> None:
    there = {name.replace("conv.", "features.0."): array for name, array in _weights(_network()).items()}
    assert "conv" not in transfer(_network(), there, StartFrom(path="x")).layers
    found = transfer(_network(), there, StartFrom(path="x", rename={"conv": "features.0"}))
    assert found.layers == ("conv", "norm", "out")


def test_that_layers_that_do_not_exist_are_named_all_at_once() -> None:
    spec = StartFrom(path="x", layers=("convv", "zz*"), rename={"end": "fc"})
    with pytest.raises(RecipeError) as raised:
        transfer(_network(), _weights(_network()), spec)
    assert [problem.where.rpartition(".")[2] for problem in raised.value.problems] == ["layers", "layers", "rename"]
    assert "There are conv, norm, flat_1, out." in str(raised.value)


def test_that_nothing_in_common_is_an_error_that_names_both_sides() -> None:
    with pytest.raises(InputError) as raised:
        transfer(_network(), {"features.0\n.weight": np.ones((64, 3), np.float32)}, StartFrom(path="x"))
    text = str(raised.value)
    assert "no name is the same" in text
    assert "conv.weight 2×1×3×3" in text
    assert "features.0\\n.weight 64×3" in text
    assert "start_from.rename" in text
    with pytest.raises(InputError, match="the shapes differ"):
        transfer(_network(), {"out.weight": np.ones((64, 3), np.float32)}, StartFrom(path="x"))


def test_that_numbers_that_are_not_finite_are_refused_only_where_they_would_be_taken() -> None:
    there = _weights(_network())
    there["conv.weight"][0] = np.nan
    with pytest.raises(InputError, match=r"not finite: conv\.weight"):
        transfer(_network(), there, StartFrom(path="x"))
    assert transfer(_network(), there, StartFrom(path="x", layers=("out",))).layers == ("out",)


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".onnx"])
@settings(max_examples=12, deadline=None)
@given(network=networks())
def test_that_our_own_exports_of_any_format_fill_the_network_they_are_of(
    suffix: str, network: Network, tmp_path_factory: Any
) -> None:
    model = Exported(network)
    _assert_filled(model, suffix, tmp_path_factory.mktemp("w"))


def _has_numbers(layer: Layer, shapes: tuple[Shape, ...]) -> bool:
    return bool(layer.parameters(shapes) or layer.state(shapes))


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".onnx"])
@pytest.mark.parametrize(("kind", "case"), all_cases(_has_numbers))
def test_that_every_kind_of_layer_is_filled_from_our_exports(kind: str, case: Case, suffix: str, tmp_path: Any) -> None:
    _assert_filled(Exported(network_around(kind, case)), suffix, tmp_path)


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".onnx"])
def test_that_layers_that_exports_must_rename_are_found_again(suffix: str, tmp_path: Any) -> None:
    names = ("eval", "class", "_first", "logits", "normalize", "out")
    layers = [{"kind": "dense", "units": 3, "name": name} for name in names]
    _assert_filled(Exported(network_of(layers, (4,))), suffix, tmp_path)


def _assert_filled(model: Exported, suffix: str, folder: Any) -> None:
    parts = model.parts()
    data = {
        ".safetensors": lambda: to_safetensors(*parts, {"name": "x"}),
        ".npz": lambda: to_npz(*parts, {"name": "x"}),
        ".onnx": lambda: export_onnx(*parts, model.loss, {"name": "x"}),
    }[suffix]()
    path = folder / f"w{suffix}"
    path.write_bytes(data)
    found = transfer(model.network, read_weights(path).tensors, StartFrom(path="x"))
    assert (found.differs, found.absent) == ({}, ())
    for name, array in model.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], array, err_msg=name)
    if suffix != ".onnx":
        assert found.unused == ()


RECURRENT: list[dict[str, Any]] = [
    {"kind": "dense", "units": 3, "name": "each_step"},
    {"kind": "lstm", "units": 4, "bidirectional": True, "sequences": True, "name": "reads"},
    {"kind": "gru", "units": 2, "name": "ends"},
    {"kind": "dense", "units": "classes", "name": "out"},
]


def _in_onnx(network: Network, folder: Path) -> tuple[Exported, Tensors]:
    model, path = Exported(network), folder / "w.onnx"
    path.write_bytes(export_onnx(*model.parts(), model.loss, {}))
    return model, read_weights(path).tensors


def test_that_what_onnx_rearranges_is_neither_unused_nor_absent(tmp_path: Path) -> None:
    _, there = _in_onnx(network_of(RECURRENT, (5, 2)), tmp_path)
    assert {"reads.lstm.W", "reads.lstm.R", "reads.lstm.B"} <= set(there)
    found = transfer(network_of(RECURRENT, (5, 2)), there, StartFrom(path="x"))
    assert found.layers == ("each_step", "reads", "ends", "out")
    assert not [name for name in found.unused if name.rpartition(".")[2] in ("W", "R", "B", "weight", "bias")]


def test_that_rearranged_weights_are_found_under_another_name(tmp_path: Path) -> None:
    model, there = _in_onnx(network_of(RECURRENT, (5, 2)), tmp_path)
    layers = [*RECURRENT[:1], {**RECURRENT[1], "name": "mine"}, *RECURRENT[2:]]
    network = network_of(layers, (5, 2))
    assert "mine.weight_ih_l0" in transfer(network, there, StartFrom(path="x")).absent
    found = transfer(network, there, StartFrom(path="x", rename={"mine": "reads"}))
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_hh_l0_reverse"):
        np.testing.assert_array_equal(found.tensors[f"mine.{name}"], model.tensors[f"reads.{name}"])
    assert "mine" in found.layers


def test_that_rearranged_weights_of_another_size_are_told_with_both_shapes(tmp_path: Path) -> None:
    _, there = _in_onnx(network_of(RECURRENT, (5, 2)), tmp_path)
    wider = network_of([RECURRENT[0], {**RECURRENT[1], "units": 6}, *RECURRENT[2:]], (5, 2))
    found = transfer(wider, there, StartFrom(path="x"))
    assert found.differs["reads.weight_ih_l0"] == ((24, 3), (2, 16, 3))
    assert found.differs["ends.weight_ih_l0"] == ((6, 12), (1, 6, 8))
    assert {"ends.weight_hh_l0", "ends.bias_ih_l0", "each_step.weight"} <= set(found.tensors)
    assert not set(found.differs) & set(found.absent)
    assert "reads.lstm.W" not in found.unused


def test_that_a_dense_layer_on_steps_and_one_on_vectors_may_begin_with_each_others_weights(tmp_path: Path) -> None:
    steps = network_of([RECURRENT[0], {"kind": "flatten"}, RECURRENT[3]], (5, 2))
    vectors = network_of([RECURRENT[0], RECURRENT[3]], (2,))
    model, there = _in_onnx(vectors, tmp_path)
    found = transfer(steps, there, StartFrom(path="x"))
    np.testing.assert_array_equal(found.tensors["each_step.weight"], model.tensors["each_step.weight"])
    model, there = _in_onnx(steps, tmp_path)
    found = transfer(vectors, there, StartFrom(path="x"))
    np.testing.assert_array_equal(found.tensors["each_step.weight"], model.tensors["each_step.weight"])
