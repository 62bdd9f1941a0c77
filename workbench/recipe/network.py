"""The network section: layers with names, joined into a directed graph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import SerializeAsAny, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from workbench.recipe.fields import Frozen, knob
from workbench.recipe.kinds import LayerSpec

INPUT = "input"
"""The name under which layers read the network's input."""

Misjoint = tuple[tuple[str | int, ...], str]
"""Where in the network section a name or an input is wrong, and why."""


class NetworkRecipe(Frozen):
    """Layers in order. A layer reads the one before it unless its ``inputs`` say otherwise."""

    layers: tuple[SerializeAsAny[LayerSpec], ...] = knob((), help="The layers; a layer reads only layers before it.")
    width: float = knob(
        1.0,
        help="Multiplies the units and filters of every layer but the output: the size of the network in one knob.",
        gt=0,
        le=64,
        log=True,
    )

    @model_validator(mode="after")
    def _name_and_join(self) -> NetworkRecipe:
        layers = _named(self.layers)
        problems = wrong_joints(layers)
        if problems:
            raise ValidationError.from_exception_data("network", [_details(*problem) for problem in problems])
        if layers != self.layers:
            # The model is frozen for everyone else; here it is still being made.
            object.__setattr__(self, "__dict__", {**self.__dict__, "layers": layers})
        return self

    def inputs_of(self, index: int) -> tuple[str, ...]:
        """The names of what layer ``index`` reads, with the default written out."""
        if self.layers[index].inputs:
            return self.layers[index].inputs
        return (self.layers[index - 1].name,) if index else (INPUT,)


def fresh_name(stem: str, taken: set[str]) -> str:
    """``stem_1``, or the first of ``stem_2``, ``stem_3``... that is not taken."""
    number = 1
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def _named(layers: tuple[LayerSpec, ...]) -> tuple[LayerSpec, ...]:
    taken = {layer.name for layer in layers if layer.name}
    named = []
    for layer in layers:
        if not layer.name:
            layer = layer.model_copy(update={"name": fresh_name(layer.name_stem(), taken)})
            taken.add(layer.name)
        named.append(layer)
    return tuple(named)


def _details(where: tuple[str | int, ...], text: str) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("joint", "{text}", {"text": text}), loc=where, input=None)


def wrong_joints(layers: tuple[LayerSpec, ...]) -> list[Misjoint]:
    """What is wrong with the names and inputs of layers that have names."""
    return [*_wrong_names(layers), *_wrong_inputs(layers)]


def wrong_joints_of_tree(tree: Any) -> list[Misjoint]:
    """The same for layers as a file has them, also where other fields of them are wrong.

    Pydantic looks at the joints only once every field of every layer is right; a reader wants to hear of all at once.
    """
    listed = tree if isinstance(tree, list | tuple) else []
    return wrong_joints(_named(tuple(_loosely(layer) for layer in listed)))


def _loosely(tree: Any) -> LayerSpec:
    try:
        return LayerSpec.model_validate(tree)
    except ValidationError:
        entry = tree if isinstance(tree, dict) else {}
        kind = LayerSpec.kinds().get(str(entry.get("kind")), LayerSpec)
        name, inputs = entry.get("name", ""), entry.get("inputs", ())
        read = tuple(each for each in inputs if isinstance(each, str)) if isinstance(inputs, list | tuple) else ()
        return kind.model_construct(name=name if isinstance(name, str) else "", inputs=read)


def _wrong_names(layers: tuple[LayerSpec, ...]) -> Iterator[Misjoint]:
    seen: set[str] = set()
    for index, layer in enumerate(layers):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", layer.name):
            text = f"{layer.name!r} is no layer name: letters, digits and _, not starting with a digit"
        elif layer.name == INPUT:
            text = "'input' is the name of the network's input"
        elif layer.name in seen:
            text = f"two layers are called {layer.name!r}"
        else:
            seen.add(layer.name)
            continue
        yield ("layers", index, "name"), text


def _wrong_inputs(layers: tuple[LayerSpec, ...]) -> Iterator[Misjoint]:
    before, all_names = {INPUT}, {layer.name for layer in layers}
    for index, layer in enumerate(layers):
        for name in layer.inputs:
            if name in before:
                continue
            text = f"reads {name!r}, which comes later" if name in all_names else f"reads {name!r}, which is no layer"
            yield ("layers", index, "inputs"), f"{layer.name} {text}"
        before.add(layer.name)
