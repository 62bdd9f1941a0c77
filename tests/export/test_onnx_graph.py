"""ONNX models compute what the engine computes, say what they are, and are the same bytes each time."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from support.cases import Case, all_cases
from support.exports import Exported, classifying_losses, encoder_of, losses_of
from support.layer_rig import assert_close
from support.networks import network_around, network_of, networks

from workbench.engine.layer import Layer
from workbench.engine.network import Network
from workbench.errors import InputError
from workbench.export import onnx_graph
from workbench.export.onnx_check import check_onnx
from workbench.export.onnx_graph import export_onnx
from workbench.export.onnx_ports import ports_of
from workbench.recipe.kinds import LayerSpec

FACTS = {"fingerprint": "0123abcd", "name": "a test"}
CNN = [
    {"kind": "conv2d", "filters": 3, "name": "conv"},
    {"kind": "batch_norm", "name": "norm"},
    {"kind": "activation", "function": "gelu", "name": "act"},
    {"kind": "flatten", "name": "flat"},
    {"kind": "dense", "units": "classes", "name": "end"},
]


def _bytes(model: Exported) -> bytes:
    return export_onnx(*model.parts(), model.loss, FACTS)


def _parsed(model: Exported) -> Any:
    import onnx

    return onnx.load_model_from_string(_bytes(model))


def _assert_equal(model: Exported) -> None:
    report = check_onnx(_bytes(model), model.first, model.expected())
    assert report.passed, report.problem
    assert report.engine.startswith("onnxruntime ")


@pytest.mark.parametrize(("kind", "case"), all_cases())
def test_that_every_layer_computes_the_same_in_onnxruntime(kind: str, case: Case) -> None:
    _assert_equal(Exported(network_around(kind, case)))


@settings(deadline=None, max_examples=40)
@given(network=networks())
def test_that_generated_networks_compute_the_same_in_onnxruntime(network: Network) -> None:
    _assert_equal(Exported(network))


@pytest.mark.parametrize("shape", [(4,), (5, 3), (5, 4, 2)])
@pytest.mark.parametrize(("loss", "outputs", "classes"), classifying_losses())
def test_that_probabilities_come_out_for_every_loss(
    loss: str, outputs: int, classes: tuple[str, ...], shape: tuple[int, ...]
) -> None:
    layers = [{"kind": "flatten"}, {"kind": "dense", "units": "classes"}]
    model = Exported(network_of(layers, shape, outputs), encoder_of(shape, classes=classes), loss=loss)
    assert model.expected()["probabilities"].shape == (5, len(classes))
    _assert_equal(model)


@pytest.mark.parametrize("loss", losses_of("regression"))
@pytest.mark.parametrize("target", [(0.0, 1.0), (120.5, 1.0), (0.0, 30.0), (-120.5, 30.0)])
def test_that_predictions_come_out_in_the_targets_unit(loss: str, target: tuple[float, float]) -> None:
    network = network_of([{"kind": "dense", "units": 1}], (4,), 1)
    model = Exported(network, encoder_of((4,), target=target), loss=loss)
    assert [output.name for output in _parsed(model).graph.output] == ["prediction"]
    _assert_equal(model)


def test_that_the_batch_is_free() -> None:
    model = Exported(network_of(CNN, (5, 4, 2)), rows=9)
    for rows in (1, 2, 9):
        expected = {name: values[:rows] for name, values in model.expected().items()}
        assert check_onnx(_bytes(model), model.first[:rows], expected).passed


def test_that_input_and_outputs_are_those_of_the_contract() -> None:
    from onnx import TensorProto, helper

    graph = _parsed(Exported(network_of(CNN, (5, 4, 2)))).graph
    (read,) = graph.input
    assert (read.name, read.type.tensor_type.elem_type) == ("input", TensorProto.FLOAT)
    assert [d.dim_param or d.dim_value for d in read.type.tensor_type.shape.dim] == ["batch", 2, 5, 4]
    assert {
        output.name: helper.tensor_dtype_to_string(output.type.tensor_type.elem_type) for output in graph.output
    } == {
        "logits": "TensorProto.FLOAT",
        "probabilities": "TensorProto.FLOAT",
    }


def test_that_a_sequence_is_read_features_first() -> None:
    layers = [{"kind": "batch_norm"}, {"kind": "flatten"}, {"kind": "dense", "units": "classes"}]
    model = Exported(network_of(layers, (7, 2)))
    (read,) = _parsed(model).graph.input
    assert [d.dim_param or d.dim_value for d in read.type.tensor_type.shape.dim] == ["batch", 2, 7]
    _assert_equal(model)


@pytest.mark.parametrize(
    ("shape", "to", "ops"),
    [
        ((12,), [4, 3], ["Reshape", "Transpose"]),
        ((12,), [12, 1], ["Reshape"]),
        ((12,), [1, 12], ["Reshape"]),
        ((4, 3), [12], ["Transpose", "Reshape"]),
        ((4, 3), [6, 2], ["Transpose", "Reshape", "Transpose"]),
        ((4, 1), [2, 2], ["Reshape", "Transpose"]),
        ((4, 4, 1), [16, 1], ["Reshape"]),
    ],
)
def test_that_a_reshape_is_turned_only_where_that_changes_anything(
    shape: tuple[int, ...], to: list[int], ops: list[str]
) -> None:
    layer = LayerSpec.model_validate({"kind": "reshape", "shape": to})
    assert isinstance(layer, Layer)
    assert [node.op for node in layer.onnx([shape])] == ops


def test_that_versions_are_those_of_the_contract() -> None:
    parsed = _parsed(Exported(network_of(CNN, (5, 4, 2))))
    assert parsed.ir_version == 10
    assert [(item.domain, item.version) for item in parsed.opset_import] == [("", 17)]
    assert parsed.producer_name == "workbench"


def test_that_names_are_those_of_the_layers() -> None:
    graph = _parsed(Exported(network_of(CNN, (5, 4, 2)))).graph
    names = [node.name for node in graph.node]
    assert names == [
        "input.centered", "input.normalized", "conv", "norm", "act.mul", "act.erf", "act.add", "act.mul_2", "act",
        "flat", "end", "probabilities",
    ]  # fmt: skip
    by_name = {node.name: node for node in graph.node}
    assert list(by_name["conv"].input) == ["input.normalized", "conv.weight", "conv.bias"]
    assert list(by_name["end"].output) == ["logits"]
    assert {"conv.weight", "norm.running_var", "end.bias", "normalize.shift"} <= {i.name for i in graph.initializer}
    assert len({i.name for i in graph.initializer}) == len(graph.initializer)


def test_that_the_model_says_what_it_was_made_of() -> None:
    encoder = encoder_of((2,), classes=("tak", "nie\n\u202e", '"'))
    model = Exported(network_of([{"kind": "dense", "units": "classes"}], (2,)), encoder)
    facts = {item.key: item.value for item in _parsed(model).metadata_props}
    assert json.loads(facts.pop("classes")) == ["tak", "nie\n\u202e", '"']
    assert json.loads(facts.pop("features")) == ["column 0", "column 1"]
    assert facts == {**FACTS, "task": "classification"}


def test_that_normalization_that_does_nothing_is_left_out() -> None:
    shape = (5, 4, 2)
    model = Exported(network_of(CNN, shape), encoder_of(shape, classes=("a", "b", "c"), identity=True))
    graph = _parsed(model).graph
    assert graph.node[0].name == "conv"
    assert not any(item.name.startswith("normalize") for item in graph.initializer)
    _assert_equal(model)


def test_that_equal_models_give_equal_bytes() -> None:
    one, other = (Exported(network_of(CNN, (5, 4, 2))) for _ in range(2))
    assert _bytes(one) == _bytes(other)
    turned = export_onnx(*one.parts(), one.loss, dict(reversed(FACTS.items())))
    assert turned == _bytes(one)


@pytest.mark.parametrize("name", ["logits", "probabilities", "prediction", "normalize", "output", "layer_logits"])
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("target", [None, (3.0, 2.0)])
def test_that_a_layer_may_be_called_like_an_output(name: str, place: int, target: tuple[float, float] | None) -> None:
    layers: list[dict[str, Any]] = [
        {"kind": "dense", "units": 3, "name": "first"},
        {"kind": "activation", "function": "silu", "name": "second"},
        {"kind": "activation", "function": "gelu", "name": "third"},
    ]
    layers[1 + place]["name"] = name
    layers[0]["name"] = "layer_probabilities"
    encoder = encoder_of((4,), classes=() if target else ("a", "b", "c"), target=target or (0.0, 1.0))
    _assert_equal(Exported(network_of(layers, (4,)), encoder))


def test_that_missing_weights_are_named() -> None:
    model = Exported(network_of(CNN, (5, 4, 2)))
    del model.tensors["end.bias"]
    with pytest.raises(InputError, match=r"the weights hold no end\.bias"):
        _bytes(model)


def test_that_a_model_too_large_for_one_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_graph, "_LARGEST", 100)
    with pytest.raises(InputError, match="too large for one ONNX file"):
        _bytes(Exported(network_of(CNN, (5, 4, 2))))


def test_that_shapes_between_layers_are_those_of_the_engine() -> None:
    import onnx

    model = Exported(network_of(CNN, (5, 4, 2)))
    inferred = onnx.shape_inference.infer_shapes(_parsed(model), strict_mode=True, data_prop=True)
    shapes = {
        item.name: tuple(d.dim_value for d in item.type.tensor_type.shape.dim[1:]) for item in inferred.graph.value_info
    }
    for node in model.network.nodes[:-1]:
        assert shapes[node.name] == onnx_graph.channels_first(node.shape)


def test_that_the_workbenchs_own_numbers_are_finite_here() -> None:
    # What the comparisons above rest on.
    model = Exported(network_of(CNN, (5, 4, 2)))
    assert np.isfinite(model.logits).all()
    assert np.ptp(model.logits) > 0.1
    assert_close(model.expected()["probabilities"].sum(axis=1), np.ones(5), 1e-6)


@settings(deadline=None, max_examples=20)
@given(network=networks())
def test_that_a_file_tells_what_it_reads_and_gives(network: Network) -> None:
    import onnxruntime

    model = Exported(network)
    data = _bytes(model)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    for way, ports in (("input", session.get_inputs()), ("output", session.get_outputs())):
        told = [one for one in ports_of(data) if one.way == way]
        assert [(one.name, list(one.shape)) for one in told] == [(port.name, port.shape) for port in ports]
        assert {one.type for one in told} == {"float32"}
        assert all(one.about for one in told)
    (read,) = (one for one in ports_of(data) if one.way == "input")
    assert read.about.partition(",")[0].count("×") == len(read.shape) - 1, "an axis, a word"
