"""Edits of a network's list of layers, as functions of layers. No Qt; the document judges the result.

A layer without ``inputs`` reads the one before it. The edits keep the chain: what read a removed layer reads what that
one had read, and what is put in stands between its neighbors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from workbench.recipe.kinds import LayerSpec
from workbench.recipe.network import INPUT, fresh_name

Layers = tuple[LayerSpec, ...]
STANDS_FOR = "@"
"""Begins a name by which new layers know each other until they get their own."""


def insert(layers: Layers, at: int, new: Sequence[LayerSpec]) -> Layers:
    """Put layers in before place ``at``; nameless ones get a name.

    The next layer reads the last new one, also where it had named the one before the place.
    """
    if not new:
        return layers
    named = named_apart(new, {layer.name for layer in layers})
    before = _name_before(layers, at)
    after = [
        _with_inputs(layer, [named[-1].name if name == before else name for name in layer.inputs])
        if number == 0
        else layer
        for number, layer in enumerate(layers[at:])
    ]
    return (*layers[:at], *named, *after)


def remove(layers: Layers, places: Iterable[int]) -> Layers:
    """Take layers out; whoever read one reads what it had read."""
    for place in sorted(set(places), reverse=True):
        layers = _without(layers, place)
    return layers


def duplicate(layers: Layers, place: int) -> Layers:
    """Put a copy after a layer, with a name of its own."""
    layer = layers[place]
    inputs = layer.inputs if _merges(layer) else ()
    return insert(layers, place + 1, [layer.model_copy(update={"name": "", "inputs": inputs})])


def move(layers: Layers, start: int, to: int) -> Layers:
    """Take a layer out and put it in again so that it ends up in place ``to``.

    Layers that named it from afar still do where it comes before them.
    """
    if start == to:
        return layers
    moved = layers[start]
    readers = {layer.name for layer in layers[start + 2 :] if moved.name in layer.inputs}
    names_before = {layer.name: layer.inputs for layer in layers}
    rest = _without(layers, start)
    keeps = _merges(moved) or (moved.inputs and moved.inputs != (_name_before(layers, start),))
    result = insert(rest, to, [moved if keeps else moved.model_copy(update={"inputs": ()})])
    return tuple(
        _with_inputs(layer, names_before[layer.name]) if layer.name in readers and place > to else layer
        for place, layer in enumerate(result)
    )


def rename(layers: Layers, place: int, name: str) -> Layers:
    """Give a layer another name, also where others name it."""
    old = layers[place].name
    renamed = [
        layer.model_copy(update={"inputs": tuple(name if other == old else other for other in layer.inputs)})
        for layer in layers
    ]
    renamed[place] = renamed[place].model_copy(update={"name": name})
    return tuple(renamed)


def change(layers: Layers, place: int, **fields: Any) -> Layers:
    """Give a layer other values."""
    return tuple(layer.model_copy(update=fields) if number == place else layer for number, layer in enumerate(layers))


def inputs_of(layers: Layers, place: int) -> tuple[str, ...]:
    """The names of what a layer reads, the default written out."""
    return layers[place].inputs or (_name_before(layers, place),)


def named_apart(new: Sequence[LayerSpec], taken: set[str]) -> Layers:
    """The layers, each with a name that is not taken; what they call each other follows."""
    taken, result = set(taken), []
    other: dict[str, str] = {}
    for layer in new:
        name = layer.name
        if not name or name in taken or name.startswith(STANDS_FOR):
            name = fresh_name(layer.name_stem(), taken)
            other[layer.name] = name
        taken.add(name)
        inputs = tuple(other.get(one, one) if one else one for one in layer.inputs)
        result.append(layer.model_copy(update={"name": name, "inputs": inputs}))
    return tuple(result)


def _without(layers: Layers, place: int) -> Layers:
    gone, read = layers[place].name, inputs_of(layers, place)
    result = list(layers[:place])
    for number, layer in enumerate(layers[place + 1 :]):
        inputs = layer.inputs
        if not inputs and number == 0:
            # It read the removed layer without saying so.
            inputs = (gone,)
        instead = read if _merges(layer) else read[:1]
        found = [one for name in inputs for one in (instead if name == gone else (name,))]
        unique = list(dict.fromkeys(found)) if gone in inputs else found
        default = _name_before((*result,), len(result))
        result.append(_with_inputs(layer, () if unique == [default] and not layer.inputs else unique))
    return tuple(result)


def _with_inputs(layer: LayerSpec, inputs: Sequence[str]) -> LayerSpec:
    return layer if tuple(inputs) == layer.inputs else layer.model_copy(update={"inputs": tuple(inputs)})


def _name_before(layers: Layers, place: int) -> str:
    return layers[place - 1].name if place else INPUT


def _merges(layer: LayerSpec) -> bool:
    return getattr(layer, "most_inputs", 1) > 1
