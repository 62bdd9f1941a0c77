"""Trying learning rates out on a copy of a training: what each does to the loss."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from workbench.engine.backend import Backend
from workbench.engine.shards import ShardPool
from workbench.events import Event
from workbench.store.run_folder import Checkpoint
from workbench.training.control import Control
from workbench.training.loop import Job, Training
from workbench.training.meter import LossMeter


def losses_at(
    job: Job, pool: ShardPool, rates: Sequence[float], until_ready: Backend | None = None
) -> Generator[float]:
    """Train a copy with one learning rate after the other, an update of the weights each.

    The copy begins as a run of the job does, with weights, running statistics, optimizer state and random numbers of
    its own: nothing that it does touches the job, and nothing is saved.

    Args:
        job: what would be trained; its schedule is not followed.
        pool: threads.
        rates: for each step.
        until_ready: computes instead where the job's backend would have to compile something first; None to compile it.

    Yields:
        The loss before the first step, then for each rate the one after its step: the weighted mean over the next
        batch, or group of batches, before their step. May be infinite or NaN, after which nothing sensible comes.
    """
    training = Training(job, _Nowhere(), Control(), pool)
    if until_ready is not None and not job.backend.ready():
        job = replace(job, backend=until_ready)
        training = Training(job, _Nowhere(), Control(), pool)
    meter = LossMeter(job.backend)
    stepper, done = training.stepper, 0
    for update, (rate, (epoch, group)) in enumerate(zip((*rates, rates[-1]), _groups(training), strict=False), start=1):
        for rows in group:
            filled, done = training.feeder.fill(stepper.plan, rows, epoch), done + 1
            if rows is group[-1]:
                stepper.step(filled, rate, done, update=update)
            else:
                stepper.gather(filled, done)
            meter.add(stepper.plan, filled)
        loss, strength = meter.fetch()
        yield loss / max(strength, 1e-30)


def _groups(training: Training) -> Iterator[tuple[int, list[np.ndarray[Any, Any]]]]:
    """The epoch and the batches of each update, without end."""
    for epoch in count():
        order, size = training.order(epoch), training.batch
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        for start in range(0, len(batches), training.recipe.accumulate):
            yield epoch, batches[start : start + training.recipe.accumulate]


class _Nowhere:
    """A keeper that keeps nothing."""

    def commit(
        self, events: Sequence[Event], checkpoint: Checkpoint | None = None, *, reason: str = "", best: bool = False
    ) -> None:
        return None
