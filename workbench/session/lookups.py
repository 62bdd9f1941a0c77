"""What a layer needs that looks whole numbers up: the data's numbers as they are, and nothing to learn before it."""

from __future__ import annotations

from dataclasses import replace

from workbench.engine.network import Network, Node
from workbench.recipe.recipe import Recipe


def lookups_checked(recipe: Recipe, network: Network) -> Network:
    """The network, with the mistake noted at each layer that would look up something else than the data's numbers.

    Args:
        recipe: says how the data are normalized.
        network: its network, also one that does not fit yet.
    """
    return replace(network, nodes=tuple(_checked(recipe, network, node) for node in network.nodes))


def _checked(recipe: Recipe, network: Network, node: Node) -> Node:
    if node.error or not node.layer.looks_up:
        return node
    learning = [other.name for other in _before(network, node) if other.parameters]
    error = _cannot_learn(learning) if learning else _changed_by_data(recipe)
    return replace(node, error=error) if error else node


def _cannot_learn(names: list[str]) -> str:
    shown = " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more layers"
    return f"looks whole numbers up, so {shown} before it cannot learn; let it read the network's input"


def _changed_by_data(recipe: Recipe) -> str:
    data = recipe.data
    if data.normalize != "none":
        named, mend = f'data.normalize = "{data.normalize}"', 'set it to "none"'
    elif changed := [name for name, strength in data.weights.attributes.items() if strength not in (0, 1)]:
        named, mend = f"data.weights.attributes, {changed[0]!r},", "set it to 1"
    else:
        return ""
    return f"looks whole numbers up, and {named} makes other numbers of them; {mend}"


def _before(network: Network, node: Node) -> list[Node]:
    """All that a node reads, directly or through others."""
    names, found = set(node.inputs), []
    for other in reversed(network.nodes[: network.nodes.index(node)]):
        if other.name in names:
            names.update(other.inputs)
            found.append(other)
    return found[::-1]
