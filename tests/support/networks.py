"""Small networks for tests: around one layer, and generated graphs."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.cases import Case, whole_numbers

from workbench.engine.backend import Backend, Shape
from workbench.engine.layer import Loss
from workbench.engine.network import Network, build_network
from workbench.engine.parameters import Parameters
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.recipe.kinds import LayerSpec, LossSpec
from workbench.recipe.network import NetworkRecipe

Array = np.ndarray[Any, Any]


def network_of(layers: list[dict[str, Any]], input_shape: Shape, outputs: int = 3, **fields: Any) -> Network:
    """The network of layers as a recipe writes them."""
    return build_network(NetworkRecipe.model_validate({"layers": layers, **fields}), input_shape, outputs)


def network_around(kind: str, case: Case) -> Network:
    """Trained layers before the layer, so that its inputs get gradients, and a dense layer after it."""
    layers: list[dict[str, Any]] = []
    feeders = []
    for number, shape in enumerate(case.inputs):
        if case.layer(kind).looks_up:
            feeders.append("input")
            continue
        layers += _feeder(shape, f"feeder_{number}")
        feeders.append(f"feeder_{number}")
    layers.append({"kind": kind, **case.fields, "name": "layer", "inputs": feeders})
    if len(case.layer(kind).output_shape(case.inputs)) > 1:
        layers.append({"kind": "flatten", "name": "flat"})
    layers.append({"kind": "dense", "units": "classes", "name": "end"})
    return network_of(layers, case.inputs[0])


def _feeder(shape: Shape, name: str) -> list[dict[str, Any]]:
    """Trained layers that make an output of the input's shape of an input of that shape."""
    if len(shape) == 1:
        return [{"kind": "dense", "units": shape[0], "name": name, "inputs": ["input"]}]
    if len(shape) == 3:
        return [{"kind": "conv2d", "filters": shape[-1], "kernel": 1, "name": name, "inputs": ["input"]}]
    return [
        {"kind": "flatten", "name": f"{name}_flat", "inputs": ["input"]},
        {"kind": "dense", "units": prod(shape), "name": f"{name}_dense"},
        {"kind": "reshape", "shape": shape, "name": name},
    ]


def loss_of(kind: str = "cross_entropy", **fields: Any) -> Loss:
    """A loss by kind."""
    loss = LossSpec.kinds()[kind](**fields)
    assert isinstance(loss, Loss)
    return loss


def random_parameters(
    network: Network, dtype: Any = np.float32, seed: int = 1, backend: Backend | None = None
) -> Parameters:
    """Parameters of which none is 0 or 1, with positive running variances."""
    parameters = Parameters(network, backend or Backend(), dtype)
    parameters.initialize(seed)
    numbers = np.random.default_rng(seed)
    asarray = parameters.backend.asarray
    parameters.values += asarray(numbers.normal(scale=0.1, size=parameters.values.shape).astype(dtype))
    for slot in parameters.layout.states:
        view = slot.view(parameters.state)
        view += asarray(numbers.uniform(0.1, 0.5, view.shape).astype(dtype))
    return parameters


def inputs_of(network: Network, rows: int, numbers: np.random.Generator) -> Array:
    """Random inputs, whole numbers where a layer looks them up."""
    shape = (rows, *network.input_shape)
    layer = next((node.layer for node in network.nodes if node.layer.looks_up), None)
    return numbers.normal(size=shape) if layer is None else whole_numbers(layer, shape, numbers)


class Bench:
    """A plan with random inputs, targets and strengths."""

    def __init__(
        self,
        parameters: Parameters,
        rows: int,
        *,
        loss: str = "cross_entropy",
        training: bool = True,
        threads: int = 1,
        seed: int = 2,
        batch: int | None = None,
    ) -> None:
        self.parameters = parameters
        self.pool = ShardPool(threads)
        self.plan = Plan(parameters, loss_of(loss), batch or rows, training=training, pool=self.pool)
        self.fill(rows, seed)

    def fill(self, rows: int, seed: int) -> None:
        """Random rows of input, targets and strengths."""
        numbers, plan = np.random.default_rng(seed), self.plan
        asarray = plan.backend.asarray
        plan.input[:rows] = asarray(inputs_of(plan.network, rows, numbers), plan.input.dtype)
        if plan.targets.dtype == np.int64:
            classes = max(2, plan.network.outputs)
            plan.targets[:rows] = asarray(numbers.integers(0, classes, rows))
        else:
            plan.targets[:rows] = asarray(numbers.normal(size=plan.targets[:rows].shape), plan.targets.dtype)
        plan.strengths[:rows] = asarray(numbers.uniform(0.5, 2.0, rows), plan.strengths.dtype)

    def run(self, rows: int | None = None) -> tuple[Array, Array]:
        """Output and gradient, on the host."""
        count, to_host = rows or self.plan.batch, self.plan.backend.to_host
        self.plan.run(count)
        return np.array(to_host(self.plan.output[:count])), np.array(to_host(self.plan.gradient))

    def loss(self) -> float:
        """The weighted mean loss of the last run."""
        return float(self.plan.sums[0] / self.plan.strengths.sum())

    def close(self) -> None:
        """End the threads."""
        self.pool.close()


NORMS = ("batch_norm", "layer_norm", "group_norm")
VECTOR_KINDS = ("dense", "relu", "gelu", "silu", *NORMS, "dropout", "reshape")
SEQUENCE_KINDS = (
    *("dense", "tanh", "softplus", *NORMS, "dropout", "reshape", "flatten"),
    *("upsampling1d", "zero_padding1d"),
)
RECURRENT_KINDS = ("lstm", "gru", "self_attention")
POOLS = ("max_pool2d", "average_pool2d")
PICTURE_KINDS = (
    *("conv2d", "dense", "strided", "depthwise_conv2d", *POOLS, "elu", "relu", *NORMS, "global_average_pool2d"),
    *("flatten", "reshape", "upsampling2d", "zero_padding2d"),
)
# A large epsilon keeps values that nearly agree from being blown up until only their rounding is left.
FIELDS: dict[str, dict[str, Any]] = {
    "depthwise_conv2d": {"multiplier": 2, "kernel": 2},
    "group_norm": {"groups": 1, "epsilon": 0.1},
    "layer_norm": {"axes": "all", "epsilon": 0.1},
    "upsampling1d": {"mode": "linear"},
    "upsampling2d": {"mode": "bilinear"},
    "zero_padding1d": {"padding": (2, 0)},
    "zero_padding2d": {"padding": (0, 1, 1, 0)},
}


@st.composite
def networks(draw: st.DrawFn, outputs: int = 3) -> Network:
    """A small graph on vectors, sequences or pictures, with branches, sums and concatenations."""
    sizes, channels = st.integers(3, 7), st.integers(1, 3)
    input_shape = draw(st.tuples(sizes) | st.tuples(sizes, channels) | st.tuples(sizes, sizes, channels))
    layers: list[dict[str, Any]] = []
    shapes: dict[str, Shape] = {"input": input_shape}
    for number in range(draw(st.integers(1, 7))):
        source = draw(st.sampled_from(sorted(shapes)))
        layer = _drawn_layer(draw, shapes, source)
        name = f"l{number}"
        inspected = Case({key: value for key, value in layer.items() if key not in ("kind", "inputs")}, ())
        inputs = layer.setdefault("inputs", [source])
        shapes[name] = inspected.layer(layer["kind"]).output_shape([shapes[read] for read in inputs])
        layers.append({**layer, "name": name})
    return network_of([*layers, *_closed(layers, shapes)], input_shape, outputs)


def _drawn_layer(draw: st.DrawFn, shapes: dict[str, Shape], source: str) -> dict[str, Any]:
    shape = shapes[source]
    alike = [name for name in sorted(shapes) if shapes[name] == shape]
    if draw(st.integers(0, 3)) == 0:
        kind = draw(st.sampled_from(("add", "concatenate")))
        return {"kind": kind, "inputs": draw(st.lists(st.sampled_from(alike), min_size=2, max_size=3))}
    kinds = {1: VECTOR_KINDS, 2: SEQUENCE_KINDS + RECURRENT_KINDS, 3: PICTURE_KINDS}[len(shape)]
    kind = draw(st.sampled_from([kind for kind in kinds if _suits(kind, shape)]))
    return _picture_layer(kind, shape) if len(shape) == 3 else _plain_layer(kind, shape)


def _suits(kind: str, shape: Shape) -> bool:
    if kind in POOLS:
        return min(shape[:2]) >= 2
    if kind.startswith("upsampling"):
        return prod(shape) < 200
    return prod(shape) > 1 or kind not in NORMS


def _plain_layer(kind: str, shape: Shape) -> dict[str, Any]:
    if kind == "dense":
        return {"kind": "dense", "units": 4}
    if kind == "reshape":
        # A vector becomes a sequence, and a sequence one of other steps.
        return {"kind": "reshape", "shape": [-1, 2] if prod(shape) % 2 == 0 else [shape[-1], -1]}
    if kind in ("lstm", "gru"):
        return {"kind": kind, "units": 3, "sequences": kind == "gru", "bidirectional": True}
    if kind == "self_attention":
        return {"kind": kind, "heads": shape[-1], "causal": shape[0] % 2 == 0}
    return _other_layer(kind)


def _picture_layer(kind: str, shape: Shape) -> dict[str, Any]:
    if kind == "conv2d":
        return {"kind": "conv2d", "filters": 3, "kernel": 3}
    if kind == "strided":
        return {"kind": "conv2d", "filters": 2, "kernel": 2, "stride": 2, "padding": "same", "bias": False}
    if kind == "dense":
        return {"kind": "dense", "units": 2}
    if kind == "reshape":
        # Rows become steps.
        return {"kind": "reshape", "shape": [shape[0], -1]}
    return _other_layer(kind)


def _other_layer(kind: str) -> dict[str, Any]:
    if kind in LayerSpec.kinds():
        return {"kind": kind, **FIELDS.get(kind, {})}
    return {"kind": "activation", "function": kind}


def _closed(layers: list[dict[str, Any]], shapes: dict[str, Shape]) -> list[dict[str, Any]]:
    """What joins all loose ends and gives the outputs."""
    read = {name for layer in layers for name in layer["inputs"]}
    loose = [layer["name"] for layer in layers if layer["name"] not in read]
    end: list[dict[str, Any]] = [
        {"kind": "flatten", "name": f"flat_{name}", "inputs": [name]} for name in loose if len(shapes[name]) > 1
    ]
    ends = [f"flat_{name}" if len(shapes[name]) > 1 else name for name in loose]
    if len(ends) > 1:
        end.append({"kind": "concatenate", "name": "ends", "inputs": ends})
        ends = ["ends"]
    return [*end, {"kind": "dense", "units": "classes", "name": "out", "inputs": ends}]
