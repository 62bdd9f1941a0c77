"""Parameters that our ONNX files hold in an operator's arrangement, such as a recurrent layer's gates, put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from workbench.engine.layer import OnnxNode
from workbench.engine.network import Network, Node
from workbench.engine.parameters import Layout, Slot
from workbench.store.names import graph_names, node_names
from workbench.store.tensors import Tensors


@dataclass
class Rearranged:
    """What was put back.

    Attributes:
        tensors: parameters in the ecosystem's layout, by the names that they would have there.
        sources: the names of the arrays that they were made of.
        misfits: by the network's name for a tensor, the array that holds it in another size.
    """

    tensors: Tensors = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)
    misfits: dict[str, str] = field(default_factory=dict)


def put_back(network: Network, there: Tensors, rename: Mapping[str, str]) -> Rearranged:
    """Look for the arrays that an export derives from parameters, and undo it.

    Args:
        network: what is to be filled.
        there: float32 arrays by the names they have there.
        rename: what layers are called there, where they have other names.
    """
    found, labels = Rearranged(), graph_names(network)
    slots = Layout(network).in_order
    for node in network.nodes:
        own = [slot for slot in slots if slot.layer == node.name]
        for label in (rename[node.name],) if node.name in rename else (labels[node.name], node.name):
            if _put_back(node, own, label, rename.get(node.name, node.name), there, found):
                break
    return found


def _put_back(node: Node, slots: Sequence[Slot], label: str, name: str, there: Tensors, found: Rearranged) -> bool:
    """One layer under one label; whether there was any of it."""
    starts = np.cumsum([0, *(prod(slot.outer_shape) for slot in slots)]).tolist()
    values, known = np.zeros(starts[-1], np.float32), np.zeros(starts[-1], bool)
    any_there = False
    for source, places in _derived(node, slots, starts, label):
        array = there.get(source)
        if array is None:
            continue
        any_there = True
        held = [slot for slot, start in zip(slots, starts, strict=False) if start in places]
        if array.shape == places.shape:
            values[places], known[places] = array, True
            found.sources.add(source)
        else:
            found.misfits |= {slot.name: source for slot in held}
    for slot, start, stop in zip(slots, starts, starts[1:], strict=False):
        if known[start:stop].all() and stop > start:
            found.tensors[f"{name}.{slot.parameter.name}"] = values[start:stop].reshape(slot.outer_shape)
    return any_there


def _derived(
    node: Node, slots: Sequence[Slot], starts: Sequence[int], label: str
) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """The arrays that are derived from a layer's parameters: a name, and where in the parameters each value stands.

    What an export derives is a rearrangement. Given the places of all values instead of the values, it tells them.
    """
    places = {
        slot.parameter.name: np.arange(start, start + prod(slot.outer_shape)).reshape(slot.outer_shape)
        for slot, start in zip(slots, starts, strict=False)
    }
    nodes = node.layer.onnx(node.input_shapes)
    for each, name in zip(nodes, node_names(label, nodes), strict=True):
        for text in each.inputs:
            if text in each.derived:
                arranged = np.asarray(each.derived[text](places))
                yield f"{name}.{text}", arranged.T if _is_turned(each, text, arranged) else arranged


def _is_turned(node: OnnxNode, text: str, array: np.ndarray[Any, Any]) -> bool:
    """Whether reading the file turns it: see ``read_initializers``."""
    return node.op == "MatMul" and array.ndim == 2 and node.inputs[1] == text
