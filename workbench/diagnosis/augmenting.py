"""Adding an augmentation to a recipe."""

from __future__ import annotations

from typing import Any

from workbench.data.augment.pipeline import sort_of
from workbench.diagnosis.context import Context
from workbench.recipe.kinds import AugmentSpec


def applies(kind: str, context: Context) -> bool:
    """Whether there is an augmentation of this kind and it can act on the examples."""
    known: Any = AugmentSpec.kinds().get(kind)
    if known is None or _sort(context) not in known.applies_to:
        return False
    return context.run.input_shape is None or not known().problem(context.run.input_shape)


def _sort(context: Context) -> str:
    if context.run.input_shape is not None:
        return sort_of(context.run.input_shape)
    return "pictures" if context.is_pictures else "table"


def appended(context: Context, kind: str) -> list[dict[str, Any]]:
    """The recipe's augmentations and one more of a kind, with its usual strength."""
    assert context.recipe is not None
    now: list[dict[str, Any]] = context.recipe.tree()["data"]["augment"]
    return [*now, AugmentSpec.kinds()[kind]().model_dump(mode="json")]
