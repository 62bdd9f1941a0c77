"""All that rules may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workbench.diagnosis.compare import Comparison
from workbench.diagnosis.curve import Curve, Point, curve_of
from workbench.diagnosis.gaps import Gaps
from workbench.diagnosis.health import Records
from workbench.diagnosis.levels import Levels
from workbench.diagnosis.mismatch import Mismatch
from workbench.diagnosis.verdict import Opinion
from workbench.engine.backend import Shape
from workbench.engine.network import Network, inspect_network
from workbench.evaluation.latency import Latency
from workbench.evaluation.predictions import Predictions
from workbench.recipe.recipe import Recipe
from workbench.recipe.tasks import Task

_PICTURE_LAYERS = {"conv2d", "depthwise_conv2d", "max_pool2d", "average_pool2d", "global_average_pool2d"}


@dataclass(frozen=True)
class Tried:
    """A knob that was turned in a child run.

    Attributes:
        patch: what was changed.
        effect: what moved.
    """

    patch: Mapping[str, Any]
    effect: Comparison


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run beside its errors; all of it may be missing, as for a model trained elsewhere.

    Attributes:
        recipe: what ran.
        curve: its epochs.
        input_shape: the shape of an example, ``(features,)`` or ``(height, width, channels)``.
        outputs: how many outputs the network has.
        tried: knobs turned before, in child runs of this one or of its ancestors.
        predictions: for the error analysis.
        latency: the time of one prediction.
        health: what was recorded of gradients, updates and activations.
        reason: why it ended, see ``events.RunEnded``; empty where that is not known.
        best_epoch: the epoch that was best on the dev set.
    """

    recipe: Recipe | None = None
    curve: tuple[Point, ...] = ()
    input_shape: Shape | None = None
    outputs: int | None = None
    tried: tuple[Tried, ...] = ()
    predictions: Predictions | None = None
    latency: Latency | None = None
    health: Records | None = None
    reason: str = ""
    best_epoch: int | None = None


@dataclass(frozen=True)
class Context:
    """What rules are given.

    Attributes:
        gaps: gaps and, in ``gaps.levels``, levels.
        mismatch: None where dev errors show none.
        opinion: verdict and focus.
        run: what is known of the run.
        most_latency_ms: the goal for the time of one prediction, None for any.
    """

    gaps: Gaps
    mismatch: Mismatch | None
    opinion: Opinion
    run: RunFacts
    most_latency_ms: float | None = None

    @property
    def levels(self) -> Levels:
        """The errors."""
        return self.gaps.levels

    @property
    def recipe(self) -> Recipe | None:
        """What ran."""
        return self.run.recipe

    @property
    def task(self) -> Task:
        """What is predicted; the recipe knows best."""
        return self.recipe.data.task if self.recipe else self.levels.task

    @cached_property
    def curve(self) -> Curve:
        """The shape of the learning curve."""
        return curve_of(self.run.curve)

    @cached_property
    def is_pictures(self) -> bool | None:
        """Whether examples are pictures; None where that is not known."""
        if self.run.input_shape is not None:
            return len(self.run.input_shape) == 3
        if self.recipe is None or not self.recipe.network.layers:
            return None
        return any(layer.kind in _PICTURE_LAYERS for layer in self.recipe.network.layers)

    def network(self, recipe: Recipe | None = None) -> Network | None:
        """The network with its shapes; None where the shape of examples is not known or the network does not fit."""
        recipe = recipe or self.recipe
        if recipe is None or self.run.input_shape is None or self.run.outputs is None:
            return None
        network = inspect_network(recipe.network, self.run.input_shape, self.run.outputs, recipe.training.dropout)
        return None if network.problems() or not network.nodes else network

    def work_ratio(self, changed: Recipe) -> float | None:
        """An example's multiplications after a change by those before; None where shapes are not known."""
        before, after = self.network(), self.network(changed)
        if before is None or after is None or not before.multiply_adds():
            return None
        return after.multiply_adds() / before.multiply_adds()
