"""What is allowed in a network and seldom meant: told before the training, which goes on."""

from __future__ import annotations

from workbench.engine.network import Network
from workbench.recipe.recipe import Recipe
from workbench.recipe.tasks import TASKS


def network_notices(recipe: Recipe, network: Network) -> tuple[str, ...]:
    """A sentence for each oddity of a network that fits its data."""
    found = (_nothing_learns(recipe, network), _bent_scores(recipe, network))
    return tuple(text for text in found if text)


def _nothing_learns(recipe: Recipe, network: Network) -> str:
    owners = [node for node in network.nodes if node.parameters]
    if not recipe.training.epochs or any(not node.layer.frozen for node in owners):
        return ""
    why = "every layer that has weights is frozen" if owners else "no layer has weights"
    return f"Nothing in this network learns: {why}."


def _bent_scores(recipe: Recipe, network: Network) -> str:
    last, loss = network.nodes[-1], recipe.training.loss
    function = getattr(last.layer, "function", "linear")
    if last.layer.kind != "activation" or function == "linear" or not TASKS[recipe.data.task].named:
        return ""
    return (
        f"{last.name} bends the network's last scores, and {loss.kind} makes probabilities of them by itself:"
        " without it the network learns better."
    )
