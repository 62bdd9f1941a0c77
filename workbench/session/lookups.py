"""What a network needs that looks whole numbers up: the numbers as they are, and nothing to learn before them."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.engine.network import Network, Node
from workbench.errors import Problem
from workbench.recipe.recipe import Recipe


def lookup_problems(recipe: Recipe, network: Network) -> list[Problem]:
    """Why layers that look numbers up (embeddings) would not get the data's own; none where there are no such layers.

    Args:
        recipe: says how the data are normalized.
        network: its network, also one that does not fit yet.
    """
    problems = []
    direct: list[str] = []
    for node in network.nodes:
        if not node.layer.looks_up:
            continue
        learning = [each.name for each in _before(network, node) if each.parameters]
        if learning:
            what = f"looks whole numbers up, so that {_listed(learning)} before it cannot learn"
            mend = 'Let it read the network\'s input: inputs = ["input"].'
            problems.append(Problem(what, f"network.layers[{node.index}] ({node.name})", mend))
        else:
            direct.append(node.name)
    return [*problems, *(_of_data(recipe, direct) if direct else ())]


def _of_data(recipe: Recipe, names: list[str]) -> Iterator[Problem]:
    verb = "look" if len(names) > 1 else "looks"
    if recipe.data.normalize != "none":
        what = f'{_listed(names)} {verb} whole numbers up, and "{recipe.data.normalize}" makes other numbers of them'
        yield Problem(what, "data.normalize", 'Use normalize = "none".')
    if any(strength not in (0, 1) for strength in recipe.data.weights.attributes.values()):
        what = f"{_listed(names)} {verb} whole numbers up, and strengths make other numbers of them"
        yield Problem(what, "data.weights.attributes", "Use strengths of 1, or 0 to leave a column out.")


def _before(network: Network, node: Node) -> list[Node]:
    """All that a node reads, directly or through others."""
    names, found = set(node.inputs), []
    for other in reversed(network.nodes[: network.nodes.index(node)]):
        if other.name in names:
            names.update(other.inputs)
            found.append(other)
    return found[::-1]


def _listed(names: list[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{names[0]}, {names[1]} and {len(names) - 2} more"
