"""Penalties, clipping and the limit on units' weights as machine code."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.recipe.training import TrainingRecipe


class CompiledRegularization:
    """Does what ``Regularization`` does, in float32 on a CPU.

    Args:
        recipe: what to do.
        weights: those that the penalties act on, flat; their gradients come first in the gradient.
        limited: weights, each with the axis that counts its units.
    """

    def __init__(self, recipe: TrainingRecipe, weights: Array, limited: Sequence[tuple[Array, int]]) -> None:
        self._recipe, self._weights = recipe, weights
        self._gradient: Array = None
        self._change: Call | None = None
        self._limits = _joined([_limiting(view, axis, recipe.max_norm or 0.0) for view, axis in limited])

    def change(self, gradient: Array) -> None:
        """Add the penalties' gradients and clip, in place."""
        if gradient is not self._gradient:
            self._gradient, self._change = gradient, _joined(self._changing(gradient))
        if self._change:
            self._change()

    def limit(self) -> None:
        """Scale units' weights that are too long down."""
        if self._limits:
            self._limits()

    def _changing(self, gradient: Array) -> list[Call]:
        from workbench.engine.kernels import updates as kernels
        from workbench.engine.kernels.calls import NativeCall

        recipe, calls = self._recipe, list[Call]()
        if (recipe.l1 or recipe.l2) and len(self._weights):
            numbers = np.array([recipe.l2, recipe.l1])
            slopes = gradient[: len(self._weights)]
            calls.append(NativeCall(kernels.add_penalties, len(slopes), 1, self._weights, slopes, numbers, row_bytes=8))
        if recipe.clip_value is not None:
            limit = np.array([recipe.clip_value])
            calls.append(NativeCall(kernels.clip_values, len(gradient), 1, gradient, limit, row_bytes=4))
        if recipe.clip_norm is not None:
            calls.append(NativeCall(kernels.clip_length, len(gradient), 1, gradient, np.array([recipe.clip_norm])))
        return calls


def _limiting(weights: Array, axis: int, limit: float) -> Call:
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.updates import limit_lengths

    units, shape = weights.shape[axis], weights.shape
    rooms = np.empty(units), np.empty(units, np.float32)
    return NativeCall(limit_lengths, 1, weights, *rooms, prod(shape[:axis]), units, prod(shape[axis + 1 :]), limit)


def _joined(calls: list[Call]) -> Call | None:
    from workbench.engine.kernels.calls import joined

    return joined(calls)[0] if calls else None
