"""From a network recipe to nodes with shapes: widths multiplied, classes counted, every layer's fit checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, cast

from workbench.engine.backend import Shape
from workbench.engine.layer import Layer, Parameter, ShapeError
from workbench.errors import Problem, RecipeError
from workbench.recipe.network import INPUT, NetworkRecipe, fresh_name


@dataclass(frozen=True)
class Node:
    """A layer in its place.

    Attributes:
        layer: the layer, its units or filters counted out.
        index: its place in the recipe's list; None for a layer that the training recipe put in.
        inputs: the names of what it reads.
        input_shapes: their shapes, without the batch axis.
        shape: its output's shape.
        parameters, state: see ``Layer``.
        error: why it does not fit, empty where it does; the shapes are empty then.
    """

    layer: Layer
    index: int | None
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...] = ()
    shape: Shape = ()
    parameters: tuple[Parameter, ...] = ()
    state: tuple[Parameter, ...] = ()
    error: str = ""

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.layer.name

    def parameter_count(self) -> int:
        """How many numbers of it are trained."""
        return sum(prod(parameter.shape) for parameter in self.parameters)

    def multiply_adds(self) -> int:
        """Multiplications with addition for one example."""
        return self.layer.multiply_adds(self.input_shapes) if self.shape and not self.error else 0


@dataclass(frozen=True)
class Network:
    """Nodes in the order of computation; the last one's output is the network's.

    Attributes:
        input_shape: the shape of an example.
        nodes: the layers.
        outputs: how many outputs the loss needs.
    """

    input_shape: Shape
    nodes: tuple[Node, ...]
    outputs: int

    def parameter_count(self) -> int:
        """How many numbers are trained, frozen ones included."""
        return sum(node.parameter_count() for node in self.nodes)

    def multiply_adds(self) -> int:
        """Multiplications with addition for one example."""
        return sum(node.multiply_adds() for node in self.nodes)

    def node(self, name: str) -> Node:
        """The node of this name."""
        return next(node for node in self.nodes if node.name == name)

    def problems(self, *, but_the_end: bool = False) -> list[Problem]:
        """Why the network cannot be built, each at its layer.

        Args:
            but_the_end: leave out that its outputs are not as many as are needed.
        """
        wrong = [node for node in self.nodes if node.error]
        if but_the_end and wrong and wrong[-1] is self.nodes[-1] and wrong[-1].shape:
            wrong.pop()
        return [Problem(node.error, f"network.layers[{node.index}] ({node.name})") for node in wrong]


def inspect_network(recipe: NetworkRecipe, input_shape: Shape, outputs: int, dropout: float = 0.0) -> Network:
    """Work out all shapes; what does not fit is noted at the layer that causes it.

    Args:
        recipe: the layers.
        input_shape: the shape of an example: ``(features,)``, or ``(height, width, channels)``.
        outputs: how many outputs the loss needs; ``units = "classes"`` becomes this.
        dropout: the training recipe's dropout, which puts dropout layers in.
    """
    joined = _without_disabled(recipe)
    ends = _output_layers(joined)
    sized = [
        (index, _sized(layer, outputs, 1.0 if layer.name in ends else recipe.width), inputs)
        for index, layer, inputs in joined
    ]
    if dropout:
        sized = _with_dropout(sized, dropout)
    nodes = _shaped(sized, input_shape)
    return Network(input_shape, tuple(_end_checked(nodes, outputs)), outputs)


def build_network(recipe: NetworkRecipe, input_shape: Shape, outputs: int, dropout: float = 0.0) -> Network:
    """As ``inspect_network``, for a network that shall be trained.

    Raises:
        RecipeError: names every layer that does not fit.
    """
    network = inspect_network(recipe, input_shape, outputs, dropout)
    problems = network.problems() or no_layers(recipe)
    if problems:
        raise RecipeError.of(problems)
    return network


def no_layers(recipe: NetworkRecipe) -> list[Problem]:
    """The problem of a network without a layer that is enabled; none where it has one."""
    return (
        []
        if any(layer.enabled for layer in recipe.layers)
        else [Problem("the network has no layers", "network.layers")]
    )


_Placed = tuple[int | None, Layer, tuple[str, ...]]


def _without_disabled(recipe: NetworkRecipe) -> list[_Placed]:
    stands_for = {INPUT: INPUT}
    joined: list[_Placed] = []
    for index, layer in enumerate(recipe.layers):
        inputs = tuple(stands_for[name] for name in recipe.inputs_of(index))
        stands_for[layer.name] = layer.name if layer.enabled else inputs[0]
        if layer.enabled:
            joined.append((index, cast(Layer, layer), inputs))
    return joined


def _output_layers(joined: Sequence[_Placed]) -> set[str]:
    """The layers whose units the output consists of: found by walking back from the end to the first with a width."""
    by_name = {layer.name: (layer, inputs) for _, layer, inputs in joined}
    ends: set[str] = set()
    waiting = [joined[-1][1].name] if joined else []
    while waiting:
        name = waiting.pop()
        if name not in by_name:
            continue
        layer, inputs = by_name[name]
        if layer.width_field:
            ends.add(name)
        else:
            waiting.extend(inputs)
    return ends


def _sized(layer: Layer, outputs: int, width: float) -> Layer:
    if not layer.width_field:
        return layer
    size = getattr(layer, layer.width_field)
    step = int(getattr(layer, "groups", 1))
    wanted = outputs if size == "classes" else max(1, round(size / step * width)) * step
    wanted = size if width == 1.0 and size != "classes" else wanted
    return layer if wanted == size else layer.model_copy(update={layer.width_field: wanted})


def _with_dropout(placed: list[_Placed], rate: float) -> list[_Placed]:
    """Drop what enters each dense layer that has a layer with units or filters somewhere before it."""
    kind = cast(Any, Layer.kinds()["dropout"])
    names = {layer.name for _, layer, _ in placed}
    learned: set[str] = set()
    result: list[_Placed] = []
    for index, layer, inputs in placed:
        after_learned = any(name in learned for name in inputs)
        if after_learned or layer.width_field:
            learned.add(layer.name)
        if layer.kind == "dense" and after_learned:
            name = f"dropout_before_{layer.name}"[:64]
            name = fresh_name(name, names) if name in names else name
            names.add(name)
            result.append((None, kind(name=name, rate=rate), inputs))
            inputs = (name,)
        result.append((index, layer, inputs))
    return result


def _shaped(placed: Sequence[_Placed], input_shape: Shape) -> list[Node]:
    shapes: dict[str, Shape] = {INPUT: input_shape}
    nodes = []
    for index, layer, inputs in placed:
        node = _shape_one(layer, index, inputs, [shapes.get(name) for name in inputs])
        if node.shape:
            shapes[layer.name] = node.shape
        nodes.append(node)
    return nodes


def _shape_one(layer: Layer, index: int | None, inputs: tuple[str, ...], shapes: list[Shape | None]) -> Node:
    known = tuple(shape for shape in shapes if shape is not None)
    if len(known) < len(shapes):
        # The cause stands at an earlier layer; repeating it here would only hide it.
        return Node(layer, index, inputs)
    try:
        if not layer.least_inputs <= len(known) <= layer.most_inputs:
            raise ShapeError(_wrong_count(layer, len(known)))
        shape = layer.output_shape(known)
        if prod(shape) > 2**31:
            raise ShapeError(f"an output of {prod(shape):,} values for each example is too large")
        return Node(layer, index, inputs, known, shape, layer.parameters(known), layer.state(known))
    except ShapeError as error:
        return Node(layer, index, inputs, known, error=str(error))


def _wrong_count(layer: Layer, given: int) -> str:
    if layer.least_inputs == layer.most_inputs:
        return f"reads {layer.least_inputs} input, not {given}"
    return f"reads at least {layer.least_inputs} inputs, not {given}: name them in `inputs`"


def _end_checked(nodes: list[Node], outputs: int) -> Iterable[Node]:
    read = {name for node in nodes for name in node.inputs}
    for node in nodes[:-1]:
        unread = node.name not in read and not node.error
        yield _with_error(node, "nothing reads its output; remove it or name it in `inputs`") if unread else node
    for last in nodes[-1:]:
        fits = last.shape in ((outputs,), ())
        yield last if fits else _with_error(last, _wrong_end(nodes, outputs))


def _wrong_end(nodes: Sequence[Node], outputs: int) -> str:
    last = nodes[-1]
    if len(last.shape) == 1:
        given, needed = (
            f"{last.shape[0]} output{'s' * (last.shape[0] != 1)}",
            "1 is" if outputs == 1 else f"{outputs} are",
        )
        return f'the network ends with {given} where {needed} needed; units = "classes" fits any data'
    size, join = " × ".join(map(str, last.shape)), f"flatten or global_average_pool{len(last.shape) - 1}d"
    if last.layer.kind != "dense":
        return f"the network ends with {size} values; add {join} and a dense layer"
    first = next(node.name for node in nodes if node.layer.kind == "dense" and len(node.shape) == len(last.shape))
    each = "step" if len(last.shape) == 2 else "pixel"
    return f"the network ends with {size} values: dense reads each {each} by itself; put {join} before {first!r}"


def _with_error(node: Node, error: str) -> Node:
    return Node(node.layer, node.index, node.inputs, node.input_shapes, node.shape, node.parameters, node.state, error)
