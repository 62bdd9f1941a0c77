"""Finding one's way in a recipe's network: hidden layers, and what follows a layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.recipe.kinds import LayerSpec
from workbench.recipe.recipe import Recipe

_PASSING = {"norm", "regularization", "shape"}
"""Roles of layers that stand between a layer and its activation without being one."""

_WITH_WEIGHTS = {"weights", "norm"}


def enabled_layers(recipe: Recipe) -> tuple[LayerSpec, ...]:
    """The layers that are not switched off."""
    return tuple(layer for layer in recipe.network.layers if layer.enabled)


def weight_layers(recipe: Recipe) -> tuple[LayerSpec, ...]:
    """The layers with units or filters; the last one is the output."""
    return tuple(layer for layer in enabled_layers(recipe) if layer.width_field)


def learns(recipe: Recipe) -> bool:
    """Whether a layer with weights, norms among them, is not frozen."""
    return any(not layer.frozen for layer in enabled_layers(recipe) if getattr(layer, "role", "") in _WITH_WEIGHTS)


def hidden_layers(recipe: Recipe) -> tuple[LayerSpec, ...]:
    """The layers whose number of units or filters ``network.width`` multiplies."""
    return weight_layers(recipe)[:-1]


def function_after(recipe: Recipe, name: str) -> str:
    """The activation function that a layer's output goes through first, or the kind of a layer that is one; empty where
    it goes through none."""
    layers = recipe.network.layers
    for index, layer in enumerate(layers):
        if name not in recipe.network.inputs_of(index):
            continue
        if getattr(layer, "role", "") == "activation" and layer.enabled:
            return str(getattr(layer, "function", layer.kind))
        if getattr(layer, "role", "") in _PASSING or not layer.enabled:
            return function_after(recipe, layer.name)
    return ""


def inner_activations(recipe: Recipe) -> Iterator[Any]:
    """The activation layers that are not the network's output."""
    for layer in enabled_layers(recipe)[:-1]:
        if layer.kind == "activation":
            yield layer
