"""A trained model as an ONNX graph: normalization, layers and prediction, with readable names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.data.encoder import Encoder
from workbench.engine.backend import Shape
from workbench.engine.layer import Loss, OnnxNode
from workbench.engine.network import Network
from workbench.errors import InputError
from workbench.export.weights import checked_tensors, facts_of, per_channel
from workbench.recipe.network import INPUT
from workbench.recipe.tasks import TASKS
from workbench.store.names import LOGITS, NORMALIZE, PREDICTION, PROBABILITIES, graph_names, node_names

OPSET, IR_VERSION = 17, 10
_BATCH = "batch"
_READS = {
    1: "batch × features, as they are; normalized inside",
    2: "batch × features × steps, as they are; normalized inside",
    3: "batch × channels × height × width, pixels as they are; normalized inside",
}
"""What the input is, by the number of an example's axes; it stands in the file."""
_LOGITS, _NUMBER = "before they become probabilities", "in the target's own unit"
_LARGEST = 2**31 - 2**20
"""Protocol buffers hold less than 2 GiB; the margin is for everything that is no weight."""


def export_onnx(
    network: Network,
    tensors: Mapping[str, np.ndarray[Any, Any]],
    encoder: Encoder,
    loss: Loss,
    metadata: Mapping[str, str],
) -> bytes:
    """An ONNX model (opset 17, IR 10); equal models give equal bytes.

    Its input ``input`` is float32 with a free batch axis: the feature matrix before normalization, sequences
    ``(N, F, T)`` likewise, or pictures NCHW with pixel values as stored. Its outputs are ``logits`` and
    ``probabilities``, or for regression ``prediction`` in the target's unit. The file says so of each.

    Args:
        network: the layers.
        tensors: their numbers, ``<layer>.<parameter>``.
        encoder: how its input is normalized, and the names of classes and features.
        loss: what says how logits become probabilities.
        metadata: more texts to keep, such as the recipe's fingerprint.

    Raises:
        InputError: a tensor is missing or has another shape, or the model is too large for one file.
    """
    numbers = checked_tensors(network, tensors)
    if sum(array.nbytes for array in numbers.values()) > _LARGEST:
        raise InputError("the model is too large for one ONNX file (2 GiB)", mend="Export it as safetensors.")
    graph, end = _Graph(numbers), _end_name(encoder)
    _write_layers(graph, network, _write_normalization(graph, encoder), end)
    if TASKS[encoder.task].named:
        graph.extend(PROBABILITIES, PROBABILITIES, loss.onnx_prediction(), [end], PROBABILITIES)
        outputs = [(LOGITS, network.outputs, _LOGITS), (PROBABILITIES, len(encoder.classes), _chances(encoder))]
    else:
        _write_unit(graph, encoder)
        outputs = [(PREDICTION, network.outputs, _NUMBER)]
    return graph.model(network.input_shape, outputs, facts_of(encoder, metadata))


def _chances(encoder: Encoder) -> str:
    return "of the labels, each by itself" if encoder.task == "multilabel" else "of the classes"


def channels_first(shape: Shape) -> Shape:
    """The shape of an example as ONNX and PyTorch have it: ``(C, H, W)``, ``(F, T)`` or ``(F,)``."""
    return (shape[-1], *shape[:-1])


class _Graph:
    """Nodes and initializers as they are written, each initializer once."""

    def __init__(self, numbers: Mapping[str, np.ndarray[Any, Any]]) -> None:
        self._numbers = numbers
        self._nodes: list[Any] = []
        self._initializers: dict[str, Any] = {}

    def constant(self, name: str, values: Any) -> str:
        """Keep an array under a name, which is returned: whole numbers in 64 bits, all others in float32."""
        from onnx import numpy_helper

        dtype = "<i8" if np.asarray(values).dtype.kind in "iu" else "<f4"
        self._initializers[name] = numpy_helper.from_array(np.asarray(values, dtype, order="C"), name)
        return name

    def node(
        self, op: str, inputs: Sequence[str], output: str, name: str, attributes: Mapping[str, Any], outputs: int = 1
    ) -> list[str]:
        """Append a node; returns its outputs, of which the first has the name that is given."""
        from onnx import helper

        names = [output, *(f"{output}.{number}" for number in range(1, outputs))]
        self._nodes.append(helper.make_node(op, list(inputs), names, name=name, **attributes))
        return names

    def extend(self, layer: str, label: str, nodes: Sequence[OnnxNode], reads: Sequence[str], output: str) -> None:
        """Append what a layer (or a loss) says of itself.

        Args:
            layer: its name, under which its parameters are found and kept.
            label: what its nodes, and the tensors between them, are called after.
            nodes: its nodes.
            reads: the tensors that stand for its inputs.
            output: the tensor that the last node fills.
        """
        made: list[list[str]] = []
        for node, name in zip(nodes, node_names(label, nodes), strict=True):
            inputs = [self._source(text, layer, name, node, reads, made) for text in node.inputs]
            target = output if len(made) == len(nodes) - 1 else name
            made.append(self.node(node.op, inputs, target, name, node.attributes, node.outputs))

    def _source(
        self, text: str, layer: str, name: str, node: OnnxNode, reads: Sequence[str], made: Sequence[Sequence[str]]
    ) -> str:
        if not text or text.isdigit():
            return reads[int(text)] if text else ""
        if text.startswith("-"):
            before, _, output = text.partition(":")
            return made[int(before)][int(output or 0)]
        if text in node.constants:
            return self.constant(f"{name}.{text}", node.constants[text])
        if text in node.derived:
            return self.constant(f"{name}.{text}", node.derived[text](self._parameters_of(layer)))
        return self.constant(f"{layer}.{text}", self._numbers[f"{layer}.{text}"])

    def _parameters_of(self, layer: str) -> dict[str, Any]:
        start = f"{layer}."
        return {name.removeprefix(start): array for name, array in self._numbers.items() if name.startswith(start)}

    def model(self, input_shape: Shape, outputs: Sequence[tuple[str, int, str]], facts: Mapping[str, str]) -> bytes:
        """The finished model's bytes; each output with its name, size and meaning."""
        from onnx import TensorProto, helper

        sizes: list[str | int | None] = [_BATCH, *channels_first(input_shape)]
        about = _READS[len(input_shape)]
        reads = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, sizes, about)
        gives = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [_BATCH, size], meaning)
            for name, size, meaning in outputs
        ]
        graph = helper.make_graph(self._nodes, "network", [reads], gives, list(self._initializers.values()))
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="workbench")
        helper.set_model_props(model, dict(facts))
        return bytes(model.SerializeToString(deterministic=True))


def _write_normalization(graph: _Graph, encoder: Encoder) -> str:
    """``(input - shift) * scale``, each where it changes anything; returns the normalized tensor."""
    read = INPUT
    # No layer is called input: no other tensor has such a name.
    steps = (
        ("Sub", "shift", encoder.shift, 0, f"{INPUT}.centered"),
        ("Mul", "scale", encoder.scale, 1, f"{INPUT}.normalized"),
    )
    for op, field, values, idle, name in steps:
        if np.any(values != idle):
            constant = graph.constant(f"{NORMALIZE}.{field}", per_channel(values, encoder))
            (read,) = graph.node(op, [read, constant], name, name, {})
    return read


def _end_name(encoder: Encoder) -> str:
    if TASKS[encoder.task].named:
        return LOGITS
    return PREDICTION if _unit_is_kept(encoder) else f"{PREDICTION}.normalized"


def _unit_is_kept(encoder: Encoder) -> bool:
    return encoder.target_scale == 1 and encoder.target_shift == 0


def _write_layers(graph: _Graph, network: Network, start: str, end: str) -> None:
    """All layers; each one's tensor has its name, the last one's is ``end``."""
    labels = graph_names(network)
    tensor = {INPUT: start}
    for node in network.nodes:
        output = end if node is network.nodes[-1] else labels[node.name]
        reads = [tensor[name] for name in node.inputs]
        graph.extend(node.name, labels[node.name], node.layer.onnx(node.input_shapes), reads, output)
        tensor[node.name] = output


def _write_unit(graph: _Graph, encoder: Encoder) -> None:
    """From what was trained on back to the target's unit: ``y * target_scale + target_shift``."""
    if _unit_is_kept(encoder):
        return
    scale = graph.constant(f"{PREDICTION}.scale", encoder.target_scale)
    shift = graph.constant(f"{PREDICTION}.shift", encoder.target_shift)
    scaled = f"{PREDICTION}.scaled"
    graph.node("Mul", [_end_name(encoder), scale], scaled, scaled, {})
    graph.node("Add", [scaled, shift], PREDICTION, PREDICTION, {})
