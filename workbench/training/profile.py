"""Where the time of a training goes: some steps on a copy of it, on real batches, each call timed in its place."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from workbench.data.feeder import Feeder
from workbench.engine.network import Network, Node
from workbench.engine.parameters import Parameters
from workbench.engine.plan import learned_nodes
from workbench.engine.profile import WAITING, RecordingPool, Timing
from workbench.training.loop import Training
from workbench.training.stepper import Stepper

_WARM_UP = 4
_MOST_STEPS, _SECONDS = 400, 4.0
_LEAST_STEPS = 10


@dataclass(frozen=True)
class Profile:
    """Medians over some training steps on full batches.

    Attributes:
        timings: what the threads did, see ``Timing``.
        step: seconds of a step, with what threads gather within it.
        feeding: seconds of filling a plan's buffers with a batch, or of preparing that, before the step.
        within: seconds of a step within the threads' tasks.
        steps: how many were measured.
        batch: examples of each.
        threads: shards of a batch.
        network: what was trained.
    """

    timings: tuple[Timing, ...]
    step: float
    feeding: float
    within: float
    steps: int
    batch: int
    threads: int
    network: Network

    def to_json(self) -> dict[str, Any]:
        """Tables by layer and by kernel, in microseconds of a step and shares of it; and what is outside of layers.

        The shares of layers and of what is outside add up to 1: of the time that a step takes with its feeding.
        """
        whole = self.step + self.feeding
        layers = [self._layer(node, whole) for node in self.network.nodes]
        return {
            "steps": self.steps,
            "batch_size": self.batch,
            "threads": self.threads,
            "step_us": _micro(whole),
            "layers": layers,
            "kernels": self._kernels(whole),
            "outside": {name: _spent(seconds, whole) for name, seconds in self._outside().items()},
        }

    def _of(self, choose: Callable[[Timing], bool]) -> float:
        return sum(timing.seconds for timing in self.timings if choose(timing))

    def _layer(self, node: Node, whole: float) -> dict[str, Any]:
        own = [each for each in self.timings if each.owner.layer == node.name and each.kernel != WAITING]
        seconds = sum(each.seconds for each in own)
        forward = sum(each.seconds for each in own if each.owner.duty in ("start", "forward"))
        return {
            "layer": node.name,
            "kind": node.layer.kind,
            **_spent(seconds, whole),
            "forward_us": _micro(forward),
            "backward_us": _micro(seconds - forward),
            "calls": sum(each.calls for each in own),
            "multiply_adds_per_second": _rate(layer_work(self.network, node) * self.batch, seconds),
        }

    def _kernels(self, whole: float) -> list[dict[str, Any]]:
        by_name: dict[str, list[Timing]] = defaultdict(list)
        for timing in self.timings:
            by_name[timing.kernel or f"Python: {timing.owner.layer or timing.owner.duty}"].append(timing)
        rows = [_kernel(name, found, whole) for name, found in by_name.items()]
        return sorted(rows, key=lambda row: -float(row["us"]))

    def _outside(self) -> dict[str, float]:
        """Seconds by name, of everything that is no layer's."""
        # Of a step, what no thread's task accounts for: an update in Python, norms, handing work over.
        inside = self._of(lambda _: True)
        waiting = self._of(lambda each: each.kernel == WAITING)
        parts = {
            "feeding": self.feeding + self._of(lambda each: each.owner.duty == "feeding"),
            "loss": self._of(lambda each: each.owner.duty == "loss"),
            "joining gradients": self._of(lambda each: each.owner.duty == "gradient" and not each.owner.layer),
            "update": self._of(lambda each: each.owner.duty == "update"),
            "waiting for other threads": waiting,
        }
        parts["update and bookkeeping in Python"] = max(0.0, self.step - self.within)
        parts["handing over to threads"] = max(0.0, self.within - inside)
        return parts


def profile_training(training: Training) -> Profile:
    """Measure steps of a training that has ended or not begun; changes nothing in it."""
    job, batch = training.job, training.batch
    parameters = Parameters(job.network, job.backend)
    pool = RecordingPool(job.threads, job.backend)
    try:
        stepper = Stepper(training.recipe, parameters, batch, pool)
        stepper.load(training.stepper.tensors())
        augment, supply = job.recipe.data.augment, training.feeder.supply
        feeder = Feeder(training.dataset, job.backend, augment, training.recipe.seed, supply=supply)
        steps = _Steps(training, stepper, feeder, pool)
        steps.run()
    finally:
        pool.close()
    timings = pool.timings(job.network, batch)
    return Profile(
        tuple(timings), median(steps.stepping), median(steps.feeding), pool.elapsed(), len(steps.stepping), batch,
        pool.shards, job.network,
    )  # fmt: skip


class _Steps:
    """Takes the steps. The first ones only warm up."""

    def __init__(self, training: Training, stepper: Stepper, feeder: Feeder, pool: RecordingPool) -> None:
        self._training, self._stepper, self._feeder, self._pool = training, stepper, feeder, pool
        self.stepping: list[float] = []
        self.feeding: list[float] = []

    def run(self) -> None:
        end, batches = time.perf_counter() + _SECONDS, self._batches()
        for number in range(_WARM_UP + _MOST_STEPS):
            if number == _WARM_UP:
                self._pool.forget()
                self.stepping, self.feeding = [], []
            self._step(number, batches)
            if number >= _WARM_UP + _LEAST_STEPS and time.perf_counter() > end:
                break

    def _batches(self) -> Iterator[int]:
        """Full batches of an epoch over and over, handed on as a training does it."""
        training, epoch = self._training, self._training.state.epoch
        whole = max(1, len(training.rows) // training.batch) * training.batch
        while True:
            yield from self._feeder.passing(self._stepper.plan, training.order(epoch)[:whole], epoch)

    def _step(self, number: int, batches: Iterator[int]) -> None:
        training, backend = self._training, self._training.job.backend
        noting = self._pool.begin_step()
        start = time.perf_counter()
        count = next(batches)
        backend.synchronize()
        filled = time.perf_counter()
        self._stepper.step(count, training.learning_rate(), training.state.step + number + 1)
        backend.synchronize()
        self.feeding.append(filled - start)
        if not noting:
            self.stepping.append(time.perf_counter() - filled)


def layer_work(network: Network, node: Node) -> int:
    """Multiply-adds of one example in a training step: forward, and backward by inputs and by weights where needed."""
    learned = learned_nodes(network)
    by_inputs = any(name in learned for name in node.inputs)
    by_weights = bool(node.parameters) and not node.layer.frozen
    return node.layer.multiply_adds(node.input_shapes) * (1 + by_inputs + by_weights)


def _kernel(name: str, timings: Iterable[Timing], whole: float) -> dict[str, Any]:
    found = list(timings)
    known = [each for each in found if each.multiply_adds]
    return {
        "kernel": name,
        **_spent(sum(each.seconds for each in found), whole),
        "calls": sum(each.calls for each in found),
        "multiply_adds_per_second": _rate(
            sum(each.multiply_adds for each in known), sum(each.seconds for each in known)
        ),
    }


def _spent(seconds: float, whole: float) -> dict[str, float]:
    return {"us": _micro(seconds), "share": seconds / whole if whole else 0.0}


def _micro(seconds: float) -> float:
    return round(seconds * 1e6, 3)


def _rate(work: float, seconds: float) -> float | None:
    return work / seconds if work and seconds > 0 else None
