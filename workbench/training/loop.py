"""The training loop: takes a recipe and a dataset, yields events, and hands every finished epoch to a keeper."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol, cast

import numpy as np

from workbench.data.dataset import Dataset
from workbench.data.feeder import Feeder
from workbench.engine.backend import Backend
from workbench.engine.layer import Loss
from workbench.engine.network import Network
from workbench.engine.parameters import Parameters
from workbench.engine.random import key_of, permutation
from workbench.engine.resident import give_back
from workbench.engine.shards import ShardPool
from workbench.events import (
    CheckpointSaved,
    EpochDone,
    Event,
    LayersDone,
    LearningRateChanged,
    Paused,
    Resumed,
    RunStarted,
    StepDone,
)
from workbench.recipe.recipe import Recipe
from workbench.store.run_folder import Checkpoint, CheckpointRow
from workbench.store.tensors import Tensors
from workbench.training.control import Control
from workbench.training.health import LayerWatch, step_work
from workbench.training.measure import Measure, Measured, training_sample
from workbench.training.memory import MemoryNeed, need_of
from workbench.training.records import Moment as RecordedAt
from workbench.training.records import Record, StepRecords, Sums
from workbench.training.schedules.base import Moment, Schedule
from workbench.training.state import TrainingState
from workbench.training.stepper import Stepper, health_of

_COMMIT_SECONDS = 0.2
"""Epochs shorter than this are saved together: each then costs a fraction of a sync to disk."""
_FETCH_SECONDS = 0.5
"""How long a device's records wait before somebody looks: it has to be waited for then."""
_RECORDS, _RECORDS_AN_EPOCH, _FEW_RECORDS = 2_000, 100, 40
"""Step records of a whole run and of an epoch, at most; and of a run, so few that what they cost does not count."""
_HEALTH_WORK, _HEALTH_WORK_EACH = 5_000_000, 130
"""What working out a step's health costs, and for each parameter, as ``step_work`` counts."""
_HEALTH_SHARE = 0.01
"""What health may add to a step, by that reckoning."""


_NOT_FINITE = "the loss is no longer a finite number"


class Keeper(Protocol):
    """Where the loop saves. A run folder is one."""

    def commit(
        self,
        events: Sequence[Event],
        checkpoint: Checkpoint | None = None,
        *,
        reason: str = "epoch",
        best: bool = False,
    ) -> CheckpointRow | None:
        """Make events and a checkpoint durable."""
        ...


class Diverged(Exception):
    """The loss or a weight is no longer a finite number. ``step`` and ``epoch`` say when, ``what`` says what."""

    def __init__(self, what: str, step: int, epoch: float) -> None:
        super().__init__(what)
        self.what, self.step, self.epoch = what, step, epoch


@dataclass(frozen=True)
class Job:
    """What a training is made of.

    Attributes:
        run: the run's name in events.
        recipe: what to do.
        dataset: with what.
        network: the recipe's, built.
        backend: where to compute.
        threads: how many compute threads to use.
        initial: weights to begin with in place of random ones, ``<layer>.<parameter>``; of any parameters or none.
    """

    run: str
    recipe: Recipe
    dataset: Dataset
    network: Network
    backend: Backend
    threads: int
    initial: Tensors | None = None


class Training:
    """A training under way. ``events`` runs it; afterwards ``reason`` says why it ended.

    Attributes:
        reason: ``finished``, ``early_stopping`` or ``stopped``.
        state: where it stands.
        parameters: the network's numbers.
        measure: measures sets with them.
        measuring_seconds, saving_seconds: spent on evaluation after epochs, and on checkpoints.
    """

    def __init__(self, job: Job, keeper: Keeper, control: Control, pool: ShardPool) -> None:
        self.job, self.keeper, self.control = job, keeper, control
        self.recipe, self.dataset = job.recipe.training, job.dataset
        self.rows = job.dataset.sets["train"]
        self.batch = min(self.recipe.batch_size, len(self.rows))
        self.steps_per_epoch = -(-len(self.rows) // self.batch)
        self.updates_per_epoch = -(-self.steps_per_epoch // self.recipe.accumulate)
        self.parameters = Parameters(job.network, job.backend)
        self.parameters.initialize(self.recipe.seed)
        if job.initial:
            self.parameters.load({**self.parameters.export(), **job.initial})
        self.stepper = Stepper(self.recipe, self.parameters, self.batch, pool)
        loss = cast(Loss, self.recipe.loss)
        self.measure = Measure(self.dataset, self.parameters, loss, pool, measuring_batch(self.batch))
        augment, supply = job.recipe.data.augment, self.measure.feeder.supply
        self.feeder = Feeder(self.dataset, job.backend, augment, self.recipe.seed, supply=supply)
        self.feeder.bind(self.stepper.plan)
        self.sample = training_sample(self.dataset, self.recipe.seed)
        self.state = TrainingState(self.recipe.optimizer.learning_rate)
        self.reason: str = "finished"
        self.schedule = cast(Schedule, self.recipe.schedule)
        batch = self.batch * self.recipe.accumulate
        self._every = steps_between_records(job.network, batch, self.updates_per_epoch, self.recipe.epochs)
        self._waiting: list[Event] = []
        self._held: list[Event] = []
        self._best_waiting = False
        self._committed = 0.0
        self._records, self._fetched = StepRecords(job.backend, self.stepper.figures), 0.0
        self._layers = LayerWatch(self.stepper.plan, self.recipe.epochs, self.steps_per_epoch)
        self._looked_at: frozenset[int] = frozenset()
        self.measuring_seconds = self.saving_seconds = 0.0

    def need(self) -> MemoryNeed:
        """What memory it takes."""
        return need_of(self.stepper, self.measure.plan, self.dataset.rows, self.feeder.supply)

    # --- the run -------------------------------------------------------------------------------------------------

    def events(self, resume_from: Checkpoint | None = None) -> Iterator[Event]:
        """Train. Yields what happens; an epoch's record comes once its checkpoint is durable.

        Raises:
            Diverged: the loss or a weight became NaN or infinite; the last finite checkpoint stands.
            StoreError: a checkpoint could not be saved.
        """
        if resume_from:
            self.stepper.load(resume_from.tensors)
            self.state = TrainingState.of_facts(resume_from.facts)
            state = self.state
            self._records.restart(Sums(state.loss_sum, state.strength_sum, state.record_loss, state.record_strength))
        yield self._log(self._started())
        try:
            yield from self._train(fresh=resume_from is None)
        except Diverged:
            # The numbers are lost, what happened is not.
            self.keeper.commit(self._waiting)
            yield from self._held
            raise

    def _train(self, fresh: bool) -> Iterator[Event]:
        self._committed = time.monotonic()
        if not self.state.step:
            self._layers.begin()
        if fresh:
            yield from self._evaluate_epoch(0.0)
            yield from self._commit("epoch")
        while not self._finished():
            yield from self._epoch()
            if self.reason == "stopped":
                return
        yield from self._commit("epoch")

    def _finished(self) -> bool:
        if self._waited_long_enough():
            self.reason = "early_stopping"
            return True
        return self.state.epoch >= self.recipe.epochs

    def _waited_long_enough(self) -> bool:
        stopping = self.recipe.early_stopping
        return bool(stopping and self.state.best_score is not None and self.state.waited >= stopping.patience)

    def _epoch(self) -> Iterator[Event]:
        state = self.state
        order = self.order(state.epoch)[state.batch * self.batch :]
        batches = self.feeder.passing(self.stepper.plan, order, state.epoch)
        self._looked_at = self._layers.batches(state.epoch)
        while state.batch < self.steps_per_epoch:
            if self.control.pending:
                yield from self._look()
                yield from self._obey()
                if self.reason == "stopped":
                    return
            yield from self._step(batches)
        yield from self._look()
        running_loss = state.loss_sum / max(state.strength_sum, 1e-30)
        seconds = state.seconds
        self._records.begin_epoch()
        state.epoch, state.batch, state.loss_sum, state.strength_sum, state.seconds = state.epoch + 1, 0, 0.0, 0.0, 0.0
        state.total_seconds += seconds
        state.total_examples += len(self.rows)
        yield from self._layers_record(state.epoch, self._layers.after_epoch(state.epoch))
        yield from self._evaluate_epoch(seconds, running_loss)
        if time.monotonic() - self._committed > _COMMIT_SECONDS:
            yield from self._commit("epoch")

    def order(self, epoch: int) -> np.ndarray[Any, Any]:
        """The training rows in an epoch's order."""
        if not self.recipe.shuffle:
            return self.rows
        order = permutation(np, key_of(self.recipe.seed, "shuffle", epoch), len(self.rows))
        shuffled: np.ndarray[Any, Any] = self.rows[order]
        return shuffled

    def _step(self, batches: Iterator[int]) -> Iterator[Event]:
        state, started = self.state, time.perf_counter()
        count = next(batches)
        rate, update = self.learning_rate(), self._updates() + 1
        watched = False
        self.stepper.plan.keeps_all = looked = state.batch in self._looked_at
        if self._completes_an_update():
            watched = update % self._every == 0
            place = self._records.place() if watched else None
            self.stepper.step(count, rate, state.step + 1, update=update, watch=place)
        else:
            self.stepper.gather(count, state.step + 1)
        if looked:
            self._layers.look(count)
        first = looked and not state.step
        state.step, state.batch = state.step + 1, state.batch + 1
        self._records.add(self.stepper.plan, count)
        if watched:
            self._records.close(RecordedAt(state.step, self._position(), rate))
        state.seconds += time.perf_counter() - started
        if self._is_time_to_look():
            yield from self._look()
        if first:
            yield from self._layers_record(0, self._layers.initial())

    def _is_time_to_look(self) -> bool:
        """On the host at once; a device is waited for now and then, and once an epoch."""
        records = self._records
        if self.job.backend.on_host:
            return records.waiting > 0 or not isfinite(records.loss())
        return records.full or (records.waiting > 0 and time.monotonic() - self._fetched > _FETCH_SECONDS)

    def _layers_record(self, epoch: int, figures: dict[str, Any] | None) -> Iterator[Event]:
        if figures is not None:
            yield self._log(LayersDone(*self._stamp(), epoch, self.state.step if epoch else 0, **figures))

    def _look(self) -> Iterator[Event]:
        """Fetch losses and records, and tell of them; what a device is waited for counts as training.

        Raises:
            Diverged: a loss is no longer a finite number.
        """
        state, started = self.state, time.perf_counter()
        sums, records = self._records.fetch()
        state.loss_sum, state.strength_sum = sums.loss, sums.strength
        state.record_loss, state.record_strength = sums.record_loss, sums.record_strength
        self._fetched = time.monotonic()
        state.seconds += time.perf_counter() - started
        for record in records:
            if not isfinite(record.loss):
                raise Diverged(_NOT_FINITE, record.at.step, record.at.position)
            yield self._log(self._step_record(record))
        if not isfinite(sums.loss):
            raise Diverged(_NOT_FINITE, state.step, self._position())

    def _step_record(self, record: Record) -> StepDone:
        health, at = health_of(record.figures), record.at
        loss = record.loss / max(record.strength, 1e-30)
        return StepDone(
            *self._stamp(), at.step, at.position, loss, at.rate, health.gradient_norm, health.update_ratio,
            health.gradient_norms, health.update_ratios,
        )  # fmt: skip

    def learning_rate(self) -> float:
        """The rate of the next step."""
        return self._rate_at(self.state.epoch, self._updates())

    def _rate_at(self, epoch: int, update: int) -> float:
        state, at = self.state, Moment(epoch, update, self.recipe.epochs, self.updates_per_epoch)
        return state.base_rate * state.reaction.scale * self.schedule.factor(at)

    def _updates(self) -> int:
        """Updates of the weights done in all: one for each group of ``accumulate`` batches of an epoch."""
        return self.state.epoch * self.updates_per_epoch + self.state.batch // self.recipe.accumulate

    def _completes_an_update(self) -> bool:
        """Whether the next batch is the last of its group; the last group of an epoch may be smaller."""
        done = self.state.batch + 1
        return done % self.recipe.accumulate == 0 or done == self.steps_per_epoch

    # --- requests ------------------------------------------------------------------------------------------------

    def _obey(self) -> Iterator[Event]:
        """Do what was asked for: a new learning rate, a pause, a stop."""
        paused = False
        while True:
            stop, pause, rate = self.control.look()
            if rate is not None:
                yield from self._change_rate(rate)
            if stop:
                yield from self._commit("stop")
                self.reason = "stopped"
                return
            if not pause:
                break
            if not paused:
                yield self._log(Paused(*self._stamp(), self.state.step, self._position()))
                yield from self._commit("pause")
                paused = True
            self.control.wait_while_paused()
        if paused:
            yield self._log(Resumed(*self._stamp(), self.state.step, self._position()))

    def _change_rate(self, rate: float) -> Iterator[Event]:
        yield from self._commit("change")
        before, self.state.base_rate = self.state.base_rate, rate
        yield self._log(LearningRateChanged(*self._stamp(), self.state.step, self._position(), before, rate))

    # --- evaluation and saving -----------------------------------------------------------------------------------

    def _evaluate_epoch(self, seconds: float, running_loss: float | None = None) -> Iterator[Event]:
        """Measure, judge, and make the record; it is held back until the next commit."""
        state, began = self.state, time.perf_counter()
        with self.stepper.averaged():
            train = self.measure(self.sample)
            dev = self.measure(self.dataset.sets["dev"]) if len(self.dataset.sets["dev"]) else None
        self.measuring_seconds += time.perf_counter() - began
        best = state.judge(self._score(dev), self._min_delta())
        self._best_waiting = best or self._best_waiting
        if not self.stepper.finite():
            raise Diverged("a weight is no longer a finite number", state.step, self._position())
        record = EpochDone(
            *self._stamp(), state.epoch, state.step, train.loss, train.error, dev.loss if dev else None,
            dev.error if dev else None, running_loss, self._last_rate(), seconds,
            len(self.rows) / seconds if seconds else 0.0, best,
        )  # fmt: skip
        self._hold(record)
        if state.epoch and dev:
            self._react(dev)
        if best:
            # The best epoch's numbers must be saved as they are now, not as they are at the next commit.
            yield from self._commit("epoch")

    def _hold(self, event: Event) -> None:
        """Log an event, and send it once what it tells of is saved."""
        self._waiting.append(event)
        self._held.append(event)

    def _react(self, dev: Measured) -> None:
        """Let a schedule that watches the dev set act, in time for the same checkpoint."""
        state = self.state
        if not self.schedule.watches() or state.epoch >= self.recipe.epochs or self._waited_long_enough():
            return
        watched = {"dev_error": dev.error, "dev_loss": dev.loss}
        at = Moment(state.epoch, self._updates(), self.recipe.epochs, self.updates_per_epoch)
        before, state.reaction = state.reaction.scale, self.schedule.react(state.reaction, watched, at)
        if state.reaction.scale != before:
            rates = (state.base_rate * before, state.base_rate * state.reaction.scale)
            self._hold(LearningRateChanged(*self._stamp(), state.step, self._position(), *rates, origin="schedule"))

    def _score(self, dev: Measured | None) -> float | None:
        stopping = self.recipe.early_stopping
        if dev is None:
            return None
        return dev.loss if stopping and stopping.metric == "dev_loss" else dev.error

    def _min_delta(self) -> float:
        return self.recipe.early_stopping.min_delta if self.recipe.early_stopping else 0.0

    def _last_rate(self) -> float:
        return self._rate_at(max(0, self.state.epoch - 1), max(0, self._updates() - 1))

    def _commit(self, reason: str) -> Iterator[Event]:
        """Save the state and what happened; only then send the epochs' records."""
        if reason == "epoch" and not self._waiting:
            return
        began = time.perf_counter()
        checkpoint = Checkpoint(self.stepper.tensors(), self.state.facts())
        row = self.keeper.commit(self._waiting, checkpoint, reason=reason, best=self._best_waiting)
        del checkpoint
        give_back()
        self.saving_seconds += time.perf_counter() - began
        held, self._held, self._waiting, self._best_waiting = self._held, [], [], False
        self._committed = time.monotonic()
        yield from held
        if row:
            yield CheckpointSaved(*self._stamp(), row.epoch, row.step, reason, row.file)

    def _log(self, event: Event) -> Event:
        self._waiting.append(event)
        return event

    def _started(self) -> RunStarted:
        return RunStarted(
            *self._stamp(),
            device=self.job.backend.describe(),
            threads=self.job.threads,
            parameters=self.job.network.parameter_count(),
            epochs=self.recipe.epochs,
            steps_per_epoch=self.steps_per_epoch,
            first_epoch=self.state.epoch,
            examples={name: len(rows) for name, rows in self.dataset.sets.items()},
            layers=self.stepper.layers,
            train_sample=len(self.sample),
            memory=self.need().total,
            memory_of="host" if self.job.backend.on_host else "device",
            precision=self.stepper.plan.backend.precision,
        )

    def _stamp(self) -> tuple[str, float]:
        return self.job.run, time.time()

    def _position(self) -> float:
        return self.state.epoch + self.state.batch / self.steps_per_epoch


def steps_between_records(network: Network, batch: int, updates_per_epoch: int, epochs: int) -> int:
    """Updates from one whose health is worked out and recorded to the next; a function of the recipe and the sizes.

    Args:
        network: what is trained.
        batch: examples of an update.
        updates_per_epoch, epochs: of the run.
    """
    total = updates_per_epoch * epochs
    step = step_work(network, batch)
    health = _HEALTH_WORK + _HEALTH_WORK_EACH * network.parameter_count()
    sparse = min(-(-health // int(_HEALTH_SHARE * step)), -(-total // _FEW_RECORDS))
    spread = max(-(-total // _RECORDS), -(-updates_per_epoch // _RECORDS_AN_EPOCH), sparse, 1)
    return min(updates_per_epoch, spread)


def measuring_batch(training_batch: int) -> int:
    """Rows at once in inference: larger than in training costs memory and gains nothing beyond some hundred."""
    return max(training_batch, 256)
