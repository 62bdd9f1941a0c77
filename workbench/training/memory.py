"""What memory a training needs, worked out before it has written to any of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import prod
from typing import Any, cast

from workbench.data.supply import Supply
from workbench.engine.backend import Backend
from workbench.engine.cuda.imagined import ImaginedBackend
from workbench.engine.layer import Loss
from workbench.engine.network import Network
from workbench.engine.parameters import Parameters
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.recipe.training import TrainingRecipe
from workbench.training.stepper import Stepper

_FLOAT, _PLACE = 4, 8
"""Bytes of a float32, and of a class number or a place."""
_PASSING = 1
"""Vectors as long as the trained parameters that an update on a device makes for a moment."""


_MOST_BOUND = 16_000_000_000
"""Of what needs more, plans are not even bound: the system may not promise it, and how much hardly matters."""
_COPIES = 2
"""Of everything, while a checkpoint is made: its arrays, and the bytes of the file."""


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes of memory, by what they are for: of the host, where the data themselves come on top, or of a GPU.

    Attributes:
        weights: the parameters and what the optimizer keeps of them: its state, averages, gathered gradients.
        training: gradients, and a batch's values in all layers.
        measuring: a batch's values in inference.
        examples: each one's target, strength and place in the order.
        saving: while a checkpoint is made: copies of the weights and of what the optimizer keeps.
        data: on a GPU the data, or the buffers that bring them there batch by batch.
        passing: on a GPU what an update makes for a moment, and products round their factors to.
    """

    weights: int
    training: int
    measuring: int
    examples: int
    saving: int
    data: int = 0
    passing: int = 0

    @property
    def total(self) -> int:
        """All together, at the worst moment."""
        return sum(asdict(self).values())

    def to_json(self) -> dict[str, int]:
        """The parts, and ``total``."""
        return {**asdict(self), "total": self.total}


def need_of(stepper: Stepper, measuring: Plan, examples: int, supply: Supply | None = None) -> MemoryNeed:
    """What a training needs whose plans are bound.

    Args:
        stepper: takes its steps.
        measuring: computes the network in inference.
        examples: in the whole data set.
        supply: what brings the data to a device.
    """
    parameters, kept = stepper.parameters, stepper.kept_values()
    weights = int(parameters.values.nbytes + parameters.state.nbytes) + kept
    if not parameters.backend.on_host:
        # In some steps somebody looks at all that layers give.
        stepper.plan.bind_keeping_all()
    training, measured = stepper.plan.memory(), measuring.memory()
    answers = _answers(int(measuring.targets.nbytes) // measuring.batch) * examples
    if parameters.backend.on_host:
        # Checkpoints are made after an epoch, when no batch waits for others.
        return MemoryNeed(weights, training, measured, answers, _COPIES * (weights - stepper.gathered_values()))
    # Checkpoints are made in the host's memory.
    data = supply.device_bytes(max(stepper.plan.batch, measuring.batch)) if supply else 0
    return MemoryNeed(weights, training, measured, answers, 0, data, _passing(stepper))


def _answers(target: int) -> int:
    """Bytes of an example beside its values: its target, its strength, and its place in the order."""
    return target + _FLOAT + 2 * _PLACE


def _passing(stepper: Stepper) -> int:
    plan = stepper.plan
    halved = plan.backend.precision in ("bfloat16", "float16")
    longest = int(plan.gradient.nbytes)
    # Two factors at half their size: none is larger than a layer's buffer or all of the weights.
    return _PASSING * longest + (max(plan.largest(), longest) if halved else 0)


def need_before(
    recipe: TrainingRecipe, network: Network, backend: Backend, threads: int, batch: int, measured: int, examples: int
) -> MemoryNeed:
    """The same before a training is made: its plans are bound to memory that is asked for and never touched.

    Args:
        recipe: what would be trained.
        network: built.
        backend: where, on the host.
        threads: compute threads.
        batch: training examples at once.
        measured: examples at once in inference.
        examples: in the whole data set.
    """
    rough = _rough(recipe, network, batch, examples)
    if rough.total > _MOST_BOUND:
        return rough
    pool = ShardPool(threads)
    try:
        parameters = Parameters(network, backend)
        stepper = Stepper(recipe, parameters, batch, pool)
        plan = Plan(parameters, cast(Loss, recipe.loss), measured, training=False, pool=pool)
        return need_of(stepper, plan, examples)
    except MemoryError:
        return rough
    finally:
        pool.close()


def device_need_before(
    recipe: TrainingRecipe, network: Network, batch: int, measured: int, examples: int, data: int
) -> MemoryNeed:
    """As ``need_before``, for a GPU; none is needed to tell.

    Args:
        recipe, network, batch, measured, examples: as there.
        data: bytes of the data, as they lie there where they fit.
    """
    need = need_before(recipe, network, ImaginedBackend(), 1, batch, measured, examples)
    return replace(need, saving=0, data=data)


def _rough(recipe: TrainingRecipe, network: Network, batch: int, examples: int) -> MemoryNeed:
    """From shapes alone: all values of a batch with their gradients, and a third of that in inference."""
    count, vectors = network.parameter_count() * _FLOAT, len(getattr(recipe.optimizer, "vectors", ()))
    values = (prod(network.input_shape) + 2 * sum(prod(node.shape) for node in network.nodes)) * batch * _FLOAT
    weights = count * (1 + vectors)
    classes = cast(Loss, recipe.loss).task == "classification"
    answers = _answers(_PLACE if classes else network.outputs * _FLOAT)
    return MemoryNeed(weights, count + values, values // 3, answers * examples, _COPIES * weights)


def size_text(count: float) -> str:
    """``870 kB``, ``210 MB``, ``1.3 GB``."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def used_json(need: MemoryNeed, used: int | None) -> dict[str, Any]:
    """For the summary: what was told before, and what was then used at the peak of training, in bytes."""
    return {"estimated": need.to_json(), "used": used}
