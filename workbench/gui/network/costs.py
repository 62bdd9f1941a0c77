"""What a network costs, from its shapes alone."""

from __future__ import annotations

from math import prod

from workbench.engine.network import Network
from workbench.recipe.recipe import Recipe

_FLOAT = 4
"""Bytes of a float32."""


def training_memory(network: Network, recipe: Recipe) -> int:
    """Bytes that training needs, about: parameters with gradient and what is kept of them, and a batch's values.

    All outputs of a batch are kept for the backward pass; of their gradients only the two largest are alive at once.
    Each layer's working memory comes on top; it is small beside these.
    """
    training = recipe.training
    vectors = len(getattr(training.optimizer, "vectors", ()))
    vectors += (training.ema is not None) + (training.accumulate > 1)
    parameters = network.parameter_count() * (2 + vectors)
    sizes = [prod(node.shape) for node in network.nodes if node.shape]
    values = prod(network.input_shape) + sum(sizes) + sum(sorted(sizes)[-2:])
    return _FLOAT * (parameters + values * training.batch_size)
