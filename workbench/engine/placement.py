"""Where a plan's outputs and gradients lie, and which layers do their neighbors' work.

Memory is shared wherever that changes nothing: a layer writes over what nobody reads any more, a gradient that is
another's lies in its place. What never leaves the cache is computed on soonest.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, prod

import numpy as np

from workbench.engine.arena import Arena
from workbench.engine.backend import Array, Backend, Call
from workbench.engine.network import Network, Node
from workbench.recipe.network import INPUT


@dataclass(frozen=True)
class Setting:
    """What decides where things lie.

    Attributes:
        backend: where they are computed.
        compiled: whether kernels compute them, which take turns over a few rows of the batch.
        learned: the nodes that have a backward pass; none in inference.
        training: whether there is one.
        keeps_all: whether no layer may write over what it reads, nor do another's work.
    """

    backend: Backend
    compiled: bool
    learned: frozenset[str]
    training: bool
    keeps_all: bool


class Placement:
    """Places for one shard.

    Args:
        network: what is computed.
        setting: in which way.
        arena: hands out memory.
        given: the network's input.
        result: its output.

    Attributes:
        taken_over: the layers whose work the next one does, each with that one.
        absorbed: the layers whose work the one before does, each with that one.
        outputs: each node's output, ``(rows, *shape)``, and under ``input`` what the network reads.
        gradients: by (reader, number of its input) what the reader's backward pass writes; (node, -1) is the gradient
            of the node's own output. Empty in inference.
        additions: by reader what is to be added up after its backward pass, where several read one output.
        adding: the readers that do so themselves.
    """

    def __init__(self, network: Network, setting: Setting, arena: Arena, given: Array, result: Array) -> None:
        self.nodes, self.setting, self.arena = network.nodes, setting, arena
        self._order = {node.name: number for number, node in enumerate(self.nodes)}
        self.taken_over = self._taken_over()
        self.absorbed = self._absorbed()
        self.adding: set[str] = set()
        self.gradients: dict[tuple[str, int], Array] = {}
        self.additions: dict[str, list[Call]] = {}
        self.outputs = self._outputs(given, result)
        if setting.training:
            self._place_gradients()

    def does_nothing(self, node: Node) -> bool:
        """Whether a neighbor does the node's work."""
        return node.name in self.taken_over or node.name in self.absorbed

    def _taken_over(self) -> dict[str, str]:
        # What the network reads is everybody's: it is not handed on.
        pairs = ((node, reader) for node, reader in self._alone_together() if INPUT not in node.inputs)
        return {node.name: reader.name for node, reader in pairs if reader.layer.takes_over(node.layer)}

    def _absorbed(self) -> dict[str, str]:
        last, taken = self.nodes[-1], self.taken_over
        pairs = ((node, after) for node, after in self._alone_together() if after is not last)
        return {a.name: node.name for node, a in pairs if a.name not in taken and node.layer.absorbs(a.layer)}

    def _alone_together(self) -> Iterator[tuple[Node, Node]]:
        """Nodes with another that reads them and nothing else, and that alone; where one may do the work of both."""
        if not self.setting.compiled or self.setting.keeps_all:
            return
        for node, reader in itertools.product(self.nodes, self.nodes):
            if reader.inputs == (node.name,) and self._readers(node.name) == 1:
                yield node, reader

    def _readers(self, name: str) -> int:
        return sum(other.inputs.count(name) for other in self.nodes)

    def _outputs(self, given: Array, result: Array) -> dict[str, Array]:
        """In inference a buffer is used again once nobody reads it any more."""
        outputs, last_reader = {INPUT: given}, {name: node.name for node in self.nodes for name in node.inputs}
        for node in self.nodes[:-1]:
            below = node.inputs[0] if self.does_nothing(node) else self._overwritten(node)
            outputs[node.name] = outputs[below] if below else self.arena.take(node.shape)
            # Kernels take turns over a few rows: what one has read another must not yet write to.
            if not self.setting.training and not self.setting.backend.compiled:
                for name in set(node.inputs) - {INPUT}:
                    if last_reader[name] == node.name and outputs[name] is not outputs[node.name]:
                        self.arena.give(outputs[name])
        outputs[self.nodes[-1].name] = result
        return outputs

    def _overwritten(self, node: Node) -> str:
        """The node whose output this one may write over; empty where it may not."""
        if self.setting.keeps_all:
            return ""
        source = next((other for other in self.nodes if node.inputs == (other.name,)), None)
        free = source is not None and source.layer.output_is_free and source.shape == node.shape
        return node.inputs[0] if free and self._readers(node.inputs[0]) == 1 and node.layer.overwrites() else ""

    def _place_gradients(self) -> None:
        self.gradients[self.nodes[-1].name, -1] = self.arena.take(self.nodes[-1].shape)
        for node in reversed(self.nodes):
            if node.name not in self.setting.learned:
                continue
            spare = self._place_those_by_inputs(node)
            for place in (*spare, self.gradients[node.name, -1]) if not self.setting.backend.compiled else ():
                self.arena.give(place)

    def _place_those_by_inputs(self, node: Node) -> list[Array]:
        """Returns: the places that are free once they have been added to others."""
        places, spare, own = self.gradients, list[Array](), self._own_place(node)
        for number, name in enumerate(node.inputs):
            if name not in self.setting.learned:
                continue
            first = (name, -1) not in places
            if not first and number == 0 and node.layer.adds_gradient and self.setting.compiled:
                places[node.name, number] = places[name, -1]
                self.adding.add(node.name)
                continue
            if own is None and first and self._shares(node):
                own = places[node.name, -1]
            place, own = self.arena.take(node.input_shapes[number]) if own is None else own, None
            places[node.name, number] = place
            if first:
                places[name, -1] = place
                continue
            spare.append(place)
            addition = _adding(self.setting.backend, places[name, -1], place)
            self.additions.setdefault(node.name, []).append(addition)
        return spare

    def _own_place(self, node: Node) -> Array | None:
        """Where the gradient by the node's first input may lie: with the one by its output where they are the same."""
        return self.gradients[node.name, -1] if self._passes(node) or self.does_nothing(node) else None

    def _passes(self, node: Node) -> bool:
        return node.layer.passes_gradient and self.setting.compiled

    def _shares(self, node: Node) -> bool:
        """Whether both inputs of a sum may have their gradients in one place, where that of the sum lies."""
        pair = set(node.inputs)
        if not self._passes(node) or not len(pair) == len(node.inputs) == 2 or not pair <= self.setting.learned:
            return False
        one, other = node.inputs
        return self._is_read_before(one, other, node) or self._is_read_before(other, one, node)

    def _is_read_before(self, name: str, other: str, total: Node) -> bool:
        """Whether a node's backward pass reads the shared gradient, and leaves it so, before anyone changes it.

        Those who may: the backward pass of the sum's other input, and of the others that read it, which add to it.
        """
        layer = self.nodes[self._order[name]].layer
        if not layer.keeps_gradient or self._readers(name) > 1:
            return False
        change = (node.name for node in self.nodes if node is not total and other in (node.name, *node.inputs))
        return all(self._order[each] < self._order[name] for each in change)


def _adding(backend: Backend, whole: Array, part: Array) -> Call:
    if backend.compiled and whole.dtype == np.float32:
        from workbench.engine.kernels.calls import NativeCall
        from workbench.engine.kernels.shaping import add_values

        size = prod(whole.shape[1:])
        return NativeCall(add_values, len(whole), whole, part, whole, size, -inf, row_bytes=3 * size * whole.itemsize)
    if backend.cuda and whole.dtype == np.float32:
        return backend.cuda.over(prod(whole.shape), "add_values", whole, part, whole, prod(whole.shape))
    return lambda: backend.xp.add(whole, part, out=whole)
