"""All numbers of a network in two flat vectors: what is trained, and what is kept beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Backend
from workbench.engine.layer import Parameter
from workbench.engine.network import Network, Node
from workbench.errors import InputError

Tensors = dict[str, np.ndarray[Any, Any]]
"""Arrays on the host by name: ``dense_1.weight``."""


@dataclass(frozen=True)
class Slot:
    """Where a parameter lies in its flat vector."""

    layer: str
    parameter: Parameter
    start: int

    @property
    def name(self) -> str:
        """``dense_1.weight``."""
        return f"{self.layer}.{self.parameter.name}"

    @property
    def stop(self) -> int:
        """One past its last element."""
        return self.start + prod(self.parameter.shape)

    @property
    def outer_shape(self) -> tuple[int, ...]:
        """Its shape in the ecosystem's layout, as ``Parameters.export`` gives it."""
        shape, axes = self.parameter.shape, self.parameter.axes
        return tuple(shape[axis] for axis in axes) if axes else shape

    def view(self, vector: Array) -> Array:
        """Its part of a flat vector, in its shape."""
        return vector[self.start : self.stop].reshape(self.parameter.shape)


class Layout:
    """The order of a network's parameters.

    Trained weights come first, then trained biases and norm scales, then what is frozen: L2 and weight decay act on
    ``[:decayed]``, gradients and optimizer state have ``[:trained]`` only.
    """

    def __init__(self, network: Network) -> None:
        owned = [(node, parameter) for node in network.nodes for parameter in node.parameters]
        decayed = [pair for pair in owned if pair[1].decays and not pair[0].layer.frozen]
        other = [pair for pair in owned if not pair[1].decays and not pair[0].layer.frozen]
        frozen = [pair for pair in owned if pair[0].layer.frozen]
        self.decayed = _size(decayed)
        self.trained = self.decayed + _size(other)
        self.slots = tuple(_placed([*decayed, *other, *frozen]))
        self.states = tuple(_placed([(node, item) for node in network.nodes for item in node.state]))
        self.total = _size(owned)
        self.state_total = sum(prod(slot.parameter.shape) for slot in self.states)
        # For exports and reports: in the order of the layers, as a reader expects.
        order = {slot.name: slot for slot in (*self.slots, *self.states)}
        self.in_order = tuple(
            order[f"{node.name}.{item.name}"] for node in network.nodes for item in (*node.parameters, *node.state)
        )

    def trained_slots(self) -> tuple[Slot, ...]:
        """The slots that gradients exist for."""
        return tuple(slot for slot in self.slots if slot.start < self.trained)


class Parameters:
    """The numbers themselves, on a backend.

    Attributes:
        values: flat vector ``(layout.total,)``.
        state: flat vector ``(layout.state_total,)``: running statistics.
    """

    def __init__(self, network: Network, backend: Backend, dtype: Any = np.float32) -> None:
        self.network, self.backend, self.dtype = network, backend, np.dtype(dtype)
        self.layout = Layout(network)
        with backend.current():
            self.values = backend.zeros((self.layout.total,), dtype)
            self.state = backend.zeros((self.layout.state_total,), dtype)

    def initialize(self, seed: int) -> None:
        """Fill in first values. Each parameter's depend on the seed and its own name only."""
        for slot in self.layout.slots:
            self._write(self.values, slot, _first_values(slot, seed))
        for slot in self.layout.states:
            self._write(self.state, slot, _first_values(slot, seed))

    def views(self, vector: Array, layer: str) -> dict[str, Array]:
        """A layer's parts of a flat vector laid out like ``values`` (or its trained start), by parameter name."""
        slots = (slot for slot in self.layout.slots if slot.layer == layer and slot.stop <= vector.shape[0])
        return {slot.parameter.name: slot.view(vector) for slot in slots}

    def state_views(self, layer: str) -> dict[str, Array]:
        """A layer's running statistics by name."""
        return {slot.parameter.name: slot.view(self.state) for slot in self.layout.states if slot.layer == layer}

    def export(self) -> Tensors:
        """Copies on the host in the ecosystem's layout: ``(units, inputs)``, ``(filters, channels, height, width)``."""
        # Each vector as a whole: from a device that is one transfer, not one for each layer.
        values, state = (self.backend.to_host(vector) for vector in (self.values, self.state))
        held = set(self.layout.states)
        return {slot.name: _outer(slot, state if slot in held else values) for slot in self.layout.in_order}

    def load(self, tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Take over values in the ecosystem's layout.

        Raises:
            InputError: a tensor is missing or has another shape.
        """
        for slot in self.layout.in_order:
            if slot.name not in tensors:
                raise InputError(f"the weights hold no {slot.name}")
            given = tensors[slot.name]
            axes = slot.parameter.axes
            expected = slot.outer_shape
            if tuple(given.shape) != expected:
                raise InputError(f"{slot.name} has the shape {tuple(given.shape)}, the network needs {expected}")
            vector = self.state if slot in self.layout.states else self.values
            self._write(vector, slot, given.transpose(np.argsort(axes)) if axes else given)

    def _write(self, vector: Array, slot: Slot, values: np.ndarray[Any, Any]) -> None:
        with self.backend.current():
            slot.view(vector)[...] = self.backend.asarray(values.astype(self.dtype))


def _outer(slot: Slot, vector: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A copy of a parameter in the ecosystem's layout, of a vector on the host."""
    view, axes = slot.view(vector), slot.parameter.axes
    return np.array(view.transpose(axes) if axes else view, order="C")


def _first_values(slot: Slot, seed: int) -> np.ndarray[Any, Any]:
    parameter = slot.parameter
    key = (seed, "initial", slot.layer, parameter.name)
    return parameter.initializer.fill(parameter.shape, parameter.fan_in, parameter.fan_out, *key)


def _size(pairs: list[tuple[Node, Parameter]]) -> int:
    return sum(prod(parameter.shape) for _, parameter in pairs)


def _placed(pairs: list[tuple[Node, Parameter]]) -> Iterator[Slot]:
    start = 0
    for node, parameter in pairs:
        yield Slot(node.name, parameter, start)
        start += prod(parameter.shape)
