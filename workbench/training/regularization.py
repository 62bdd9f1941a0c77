"""What keeps weights and gradients small: penalties, clipping, and a limit on each unit's weights."""

from __future__ import annotations

import numpy as np

from workbench.engine.backend import Array
from workbench.engine.parameters import Parameters, Slot
from workbench.recipe.training import TrainingRecipe
from workbench.training.compiled_regularization import CompiledRegularization


class Regularization:
    """Acts on the gradient before the optimizer's update, and on the weights after it.

    Penalties and the limit act on weights only, not on biases or norm scales; clipping on the whole gradient. Frozen
    layers are in none of it.
    """

    def __init__(self, recipe: TrainingRecipe, parameters: Parameters) -> None:
        self.recipe, self.backend, self._number = recipe, parameters.backend, parameters.dtype.type
        layout = parameters.layout
        self._weights = parameters.values[: layout.decayed]
        limited = [slot for slot in layout.slots if slot.stop <= layout.decayed] if recipe.max_norm is not None else []
        self._limited = [(slot.view(parameters.values), _axes_of_a_unit(slot)) for slot in limited]
        self._compiled: CompiledRegularization | None = None
        if parameters.backend.compiled and parameters.dtype == np.float32:
            counted = [(slot.view(parameters.values), axis_of_units(slot)) for slot in limited]
            self._compiled = CompiledRegularization(recipe, self._weights, counted)
        self._squares: Array = None

    def change(self, gradient: Array) -> None:
        """Add the penalties' gradients and clip, in place; first by value, then by norm, so that both hold."""
        if self._compiled:
            self._compiled.change(gradient)
            return
        recipe, xp, number = self.recipe, self.backend.xp, self._number
        if recipe.l2 or recipe.l1:
            self._add_penalties(gradient)
        if recipe.clip_value is not None:
            xp.clip(gradient, -number(recipe.clip_value), number(recipe.clip_value), out=gradient)
        if recipe.clip_norm is not None:
            norm = xp.sqrt(xp.dot(gradient, gradient))
            # PyTorch's clip_grad_norm_: never lengthens, and 1e-6 keeps a zero gradient from dividing by 0.
            xp.multiply(gradient, xp.minimum(number(1), number(recipe.clip_norm) / (norm + number(1e-6))), gradient)

    def _add_penalties(self, gradient: Array) -> None:
        xp, number = self.backend.xp, self._number
        for part in self.backend.blocks(len(self._weights)):
            if self.recipe.l2:
                gradient[part] += self._weights[part] * number(self.recipe.l2)
            if self.recipe.l1:
                # The sign of 0 is 0: a weight that has got there feels no pull.
                gradient[part] += xp.sign(self._weights[part]) * number(self.recipe.l1)

    def limit(self) -> None:
        """Scale each unit's or filter's weights that are longer than ``max_norm`` down to it (Srivastava et al., 2014).

        A unit is a row of ``(units, inputs)``, a filter one of ``(filters, channels, ...)``.
        """
        if self._compiled:
            self._compiled.limit()
            return
        xp, number = self.backend.xp, self._number
        if self._squares is None:
            largest = max((view.size for view, _ in self._limited), default=0)
            self._squares = self.backend.empty((largest,), self._number)
        for weights, axes in self._limited:
            squares = self._squares[: weights.size].reshape(weights.shape)
            xp.multiply(weights, weights, out=squares)
            norms = xp.sqrt(squares.sum(axis=axes, keepdims=True))
            factors = number(self.recipe.max_norm) / xp.maximum(norms, number(1e-30))
            xp.multiply(weights, xp.minimum(number(1), factors), out=weights)

    def penalty(self) -> float:
        """What is added to the loss: ``0.5 * l2 * sum of squared weights + l1 * sum of absolute weights``."""
        weights, xp = self._weights, self.backend.xp
        squared = 0.5 * self.recipe.l2 * float(weights @ weights) if self.recipe.l2 else 0.0
        return squared + (self.recipe.l1 * float(xp.abs(weights).sum()) if self.recipe.l1 else 0.0)


def axis_of_units(slot: Slot) -> int:
    """The axis that counts units, the first in the ecosystem's layout."""
    return slot.parameter.axes[0] if slot.parameter.axes else 0


def _axes_of_a_unit(slot: Slot) -> tuple[int, ...]:
    """All axes but the one that counts units."""
    return tuple(axis for axis in range(len(slot.parameter.shape)) if axis != axis_of_units(slot))
