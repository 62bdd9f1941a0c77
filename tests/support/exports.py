"""A model with everything an export reads, and what it should compute."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from support.networks import Bench, inputs_of, loss_of, random_parameters

from workbench.data.encoder import Encoder, Feature
from workbench.engine.backend import Shape
from workbench.engine.layer import ShapeError
from workbench.engine.network import Network
from workbench.recipe.kinds import LossSpec
from workbench.recipe.tasks import TASKS

Array = np.ndarray[Any, Any]
LOSSES = {task: facts.loss for task, facts in TASKS.items()}


def classifying_losses() -> list[tuple[str, int, tuple[str, ...]]]:
    """Every loss for classes or labels, with outputs and names for an example; those for two classes have two."""
    found: list[tuple[str, int, tuple[str, ...]]] = []
    for kind in (*losses_of("classification"), *losses_of("multilabel")):
        for classes in (("a", "b", "c"), ("no", "yes")):
            with suppress(ShapeError):
                found.append((kind, loss_of(kind).outputs(len(classes)), classes))
    return found


def losses_of(task: str) -> list[str]:
    """The losses of a task."""
    return [kind for kind in LossSpec.kinds() if loss_of(kind).task == task]


def encoder_of(
    shape: Shape, *, classes: tuple[str, ...] = (), identity: bool = False, target: tuple[float, float] = (0.0, 1.0)
) -> Encoder:
    """An encoder for inputs of a shape; a regression without classes."""
    numbers, size = np.random.default_rng(9), shape[-1]
    shift = numbers.normal(loc=2.0, size=size).astype(np.float32)
    scale = numbers.uniform(0.3, 3.0, size).astype(np.float32)
    table, pictures = len(shape) == 1, len(shape) == 3
    return Encoder(
        task="classification" if classes else "regression",
        target="y",
        classes=classes,
        features=tuple(Feature(f"column {number}", "number") for number in range(size)) if table else (),
        input_shape=shape,
        shift=np.zeros(size, np.float32) if identity else shift,
        scale=np.ones(size, np.float32) if identity else scale,
        target_shift=target[0],
        target_scale=target[1],
        pixels="uint8" if pictures else "",
    )


class Exported:
    """A network with random numbers and an encoder, and what the engine computes for some raw inputs."""

    def __init__(self, network: Network, encoder: Encoder | None = None, *, loss: str = "", rows: int = 5) -> None:
        self.network = network
        looks_up = any(node.layer.looks_up for node in network.nodes)
        classes = ("a", "b", "c")[: max(2, network.outputs)]
        self.encoder = encoder or encoder_of(network.input_shape, classes=classes, identity=looks_up)
        kind = loss or LOSSES[self.encoder.task]
        self.loss = loss_of(kind)
        self.encoder = replace(self.encoder, task=self.loss.task)
        self.parameters = random_parameters(network)
        self.tensors = self.parameters.export()
        bench = Bench(self.parameters, rows, loss=kind, training=False)
        numbers = np.random.default_rng(6)
        drawn = inputs_of(network, rows, numbers)
        self.inputs = (drawn if looks_up else 1.0 + 2.0 * drawn).astype(np.float32)
        bench.plan.input[...] = (self.inputs - self.encoder.shift) * self.encoder.scale
        self.logits, _ = bench.run()

    @property
    def first(self) -> Array:
        """The inputs channels-first, as exports read them."""
        return np.ascontiguousarray(np.moveaxis(self.inputs, -1, 1)) if self.inputs.ndim > 2 else self.inputs

    def expected(self) -> dict[str, Array]:
        """The outputs of an export by name."""
        if self.encoder.task == "regression":
            return {"prediction": self.logits * self.encoder.target_scale + self.encoder.target_shift}
        return {"logits": self.logits, "probabilities": self.loss.predict(np, self.logits)}

    def parts(self) -> tuple[Any, ...]:
        """What the writers of weights read, in their order."""
        return self.network, self.tensors, self.encoder


def module_of(source: str) -> dict[str, Any]:
    """What exported source defines."""
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "model.py", "exec"), names)
    return names
