"""What updates of the weights by one kernel have in common, on a CPU and on a GPU."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engine.backend import Array
from workbench.engine.parameters import Parameters
from workbench.recipe.training import TrainingRecipe
from workbench.training.averaging import WeightAverage
from workbench.training.optimizers.base import Optimizer


class FlatUpdate:
    """Updates the flat vectors.

    Args:
        recipe: for the penalties.
        optimizer: has a kernel.
        parameters: in float32, on a backend with kernels.
        vectors: the optimizer's state, in the order of its ``state_vectors``.
        average: of the weights, or None.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        optimizer: Optimizer,
        parameters: Parameters,
        vectors: Sequence[Array],
        average: WeightAverage | None,
    ) -> None:
        self._recipe, self._optimizer, self._average = recipe, optimizer, average
        self._vectors, self._decayed = list(vectors), parameters.layout.decayed
        self._values = parameters.values[: parameters.layout.trained]

    @property
    def leaves_average(self) -> bool:
        """Whether the average must follow later: after a limit on each unit's weights, which needs them all."""
        return self._recipe.max_norm is not None
