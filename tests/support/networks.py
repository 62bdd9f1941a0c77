"""Small networks for tests: around one layer, and generated graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.cases import Case

from workbench.engine.backend import Backend, Shape
from workbench.engine.layer import Loss
from workbench.engine.network import Network, build_network
from workbench.engine.parameters import Parameters
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.recipe.kinds import LossSpec
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
        name = f"feeder_{number}"
        if len(shape) in (1, 3):
            feeders.append(name)
            layers.append(_feeder(shape, name))
        else:
            feeders.append("input")
    layers.append({"kind": kind, **case.fields, "name": "layer", "inputs": feeders})
    if len(case.layer(kind).output_shape(case.inputs)) > 1:
        layers.append({"kind": "flatten", "name": "flat"})
    layers.append({"kind": "dense", "units": "classes", "name": "end"})
    return network_of(layers, case.inputs[0])


def _feeder(shape: Shape, name: str) -> dict[str, Any]:
    if len(shape) == 1:
        return {"kind": "dense", "units": shape[0], "name": name, "inputs": ["input"]}
    return {"kind": "conv2d", "filters": shape[-1], "kernel": 1, "name": name, "inputs": ["input"]}


def loss_of(kind: str = "cross_entropy") -> Loss:
    """A loss by kind."""
    loss = LossSpec.kinds()[kind]()
    assert isinstance(loss, Loss)
    return loss


def random_parameters(
    network: Network, dtype: Any = np.float32, seed: int = 1, backend: Backend | None = None
) -> Parameters:
    """Parameters of which none is 0 or 1, with positive running variances."""
    parameters = Parameters(network, backend or Backend(), dtype)
    parameters.initialize(seed)
    numbers = np.random.default_rng(seed)
    parameters.values += numbers.normal(scale=0.1, size=parameters.values.shape).astype(dtype)
    for slot in parameters.layout.states:
        view = slot.view(parameters.state)
        view += numbers.uniform(0.1, 0.5, view.shape).astype(dtype)
    return parameters


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
        plan.input[:rows] = numbers.normal(size=plan.input[:rows].shape)
        if plan.targets.dtype == np.int64:
            classes = max(2, plan.network.outputs)
            plan.targets[:rows] = numbers.integers(0, classes, rows)
        else:
            plan.targets[:rows] = numbers.normal(size=plan.targets[:rows].shape)
        plan.strengths[:rows] = numbers.uniform(0.5, 2.0, rows)

    def run(self, rows: int | None = None) -> tuple[Array, Array]:
        """Output and gradient."""
        count = rows or self.plan.batch
        self.plan.run(count)
        return self.plan.output[:count].copy(), self.plan.gradient.copy()

    def loss(self) -> float:
        """The weighted mean loss of the last run."""
        return float(self.plan.sums[0] / self.plan.strengths.sum())

    def close(self) -> None:
        """End the threads."""
        self.pool.close()


VECTOR_KINDS = ("dense", "relu", "gelu", "silu", "batch_norm", "dropout")
POOLS = ("max_pool2d", "average_pool2d")
PICTURE_KINDS = ("conv2d", "strided", *POOLS, "elu", "batch_norm", "global_average_pool2d", "flatten")


@st.composite
def networks(draw: st.DrawFn, outputs: int = 3) -> Network:
    """A small graph on vectors or pictures, with branches, sums and concatenations."""
    sizes = st.integers(3, 7)
    pictures = draw(st.booleans())
    input_shape = (draw(sizes), draw(sizes), draw(st.integers(1, 3))) if pictures else (draw(sizes),)
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
    if len(shape) == 1:
        return _vector_layer(draw(st.sampled_from(VECTOR_KINDS)))
    fits = [kind for kind in PICTURE_KINDS if min(shape[:2]) >= 2 or kind not in POOLS]
    return _picture_layer(draw(st.sampled_from(fits)))


def _vector_layer(kind: str) -> dict[str, Any]:
    if kind == "dense":
        return {"kind": "dense", "units": 4}
    if kind in ("batch_norm", "dropout"):
        return {"kind": kind}
    return {"kind": "activation", "function": kind}


def _picture_layer(kind: str) -> dict[str, Any]:
    if kind == "conv2d":
        return {"kind": "conv2d", "filters": 3, "kernel": 3}
    if kind == "strided":
        return {"kind": "conv2d", "filters": 2, "kernel": 2, "stride": 2, "padding": "same", "bias": False}
    return {"kind": "activation", "function": kind} if kind == "elu" else {"kind": kind}


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
