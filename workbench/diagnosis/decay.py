"""Where an optimizer's weight decay stands in the recipe."""

from __future__ import annotations

from workbench.recipe.kinds import OptimizerSpec


def decay_field(optimizer: OptimizerSpec) -> str:
    """The field of its decoupled weight decay; empty where it has none."""
    names = ("weight_decay", "decoupled_weight_decay")
    return next((name for name in names if name in type(optimizer).model_fields), "")
