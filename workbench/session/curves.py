"""A run as its events tell it: the figures that curves, facts and lists show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

from workbench.events import (
    CheckpointSaved,
    EpochDone,
    Event,
    LayersDone,
    LearningRateChanged,
    Notice,
    Paused,
    Progress,
    Resumed,
    RunEnded,
    RunStarted,
    StepDone,
    WeightsLoaded,
)
from workbench.session.series import Series

_Record = TypeVar("_Record", StepDone, EpochDone, LayersDone)
_RECENT = 20
"""Step records that the speed is told by before an epoch has ended."""


class Stopwatch:
    """How long a run has trained and measured, in all its sessions; neither pauses nor what lies between count.

    Of a session that was cut off what counts is what its folder kept: a run read back says the same.
    """

    def __init__(self) -> None:
        self._zero = self._heard = 0.0
        self._kept: float | None = None
        self._paused_at: float | None = None
        self._goes = False

    def take(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case RunStarted():
                self._zero = event.time - self.spent()
                self._heard, self._kept, self._paused_at, self._goes = event.time, None, None, True
            case CheckpointSaved():
                self._kept = self._heard
            case Paused():
                self._heard = self._paused_at = event.time
            case Resumed() if self._paused_at is not None:
                self._zero += event.time - self._paused_at
                self._heard, self._paused_at = event.time, None
            case RunEnded():
                self._end(event)
            case StepDone() | EpochDone() | LearningRateChanged():
                # An epoch's record comes late, when it has been saved.
                self._heard = max(self._heard, event.time)

    def _end(self, event: RunEnded) -> None:
        self._goes = False
        if event.summary:
            self._heard = event.time
        if event.summary or event.reason == "diverged":
            self._kept = None

    def halt(self) -> None:
        """What was told is all that there is: the run does not go on."""
        self._goes = False

    def now(self, time: float) -> float:
        """Seconds until a moment, of a run that goes on."""
        return time - self._zero if self._goes and self._paused_at is None else self.spent()

    def spent(self) -> float:
        """Seconds until the last event that the run folder keeps."""
        last = self._heard if self._kept is None else self._kept
        return (last if self._paused_at is None else self._paused_at) - self._zero


@dataclass
class RunCurves:
    """Everything a run has said so far.

    Attributes:
        started: its last start; None before.
        series: the figures as arrays.
        steps: records of steps, in order.
        epochs: records of epochs, in order; one for each number.
        layers: records of what is in the layers, in order; one for an epoch at most.
        changes: of the learning rate.
        notices: what the user should know.
        weights: what it began with; None for random weights.
        ended: its end; None before, and again after a resume.
        stage: what it is doing when it is not training: ``reading data``, ``evaluating``, ``paused``; empty while
            training.
        saved_at: when the last checkpoint was saved, seconds since 1970.
        watch: how long it has trained.
    """

    started: RunStarted | None = None
    series: Series = field(default_factory=Series)
    steps: list[StepDone] = field(default_factory=list)
    epochs: list[EpochDone] = field(default_factory=list)
    layers: list[LayersDone] = field(default_factory=list)
    changes: list[LearningRateChanged] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    weights: WeightsLoaded | None = None
    ended: RunEnded | None = None
    stage: str = ""
    saved_at: float | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)

    @classmethod
    def of(cls, events: Iterable[Event]) -> RunCurves:
        """The figures that some events amount to."""
        curves = cls()
        for event in events:
            curves.take(event)
        curves.watch.halt()
        return curves

    def take(self, event: Event) -> None:
        """Take note of an event."""
        self.series.take(event)
        self.watch.take(event)
        if isinstance(event, StepDone | Resumed):
            self.stage = ""
        match event:
            case RunStarted():
                self._start(event)
            case StepDone():
                _put(self.steps, event, event.step, lambda record: record.step)
            case EpochDone():
                _put(self.epochs, event, event.epoch, lambda record: record.epoch)
            case LayersDone():
                _put(self.layers, event, event.epoch, lambda record: record.epoch)
            case LearningRateChanged():
                self.changes.append(event)
            case Notice():
                self.notices.append(event)
            case WeightsLoaded():
                self.weights = event
            case CheckpointSaved():
                self.saved_at = event.time
            case Progress():
                self.stage = event.stage
            case Paused():
                self.stage = "paused"
            case RunEnded():
                self.ended, self.stage = event, ""

    def _start(self, event: RunStarted) -> None:
        """A resumed run goes on from its checkpoint: what came after it has not happened."""
        self.started, self.ended, self.stage = event, None, ""
        self.epochs = [epoch for epoch in self.epochs if epoch.epoch <= event.first_epoch]
        self.layers = [record for record in self.layers if record.epoch <= event.first_epoch]

    @property
    def best(self) -> EpochDone | None:
        """The best epoch on the dev set."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.best), None)

    @property
    def position(self) -> float:
        """Epochs done, as a fraction."""
        last_step = self.steps[-1].epoch if self.steps else 0.0
        return max(last_step, float(self.epochs[-1].epoch) if self.epochs else 0.0)

    def seconds_left(self, now: float | None = None) -> tuple[float, float] | None:
        """How long it will take to the last epoch, from and to; None before three epochs, when it would be a guess."""
        started = self.started
        if started is None or self.ended or len(self.epochs) < 2:
            return None
        recent = [epoch.time for epoch in self.epochs[-11:] if epoch.epoch > started.first_epoch]
        if len(recent) < 3:
            return None
        spans = [later - earlier for earlier, later in pairwise(recent)]
        mean = (recent[-1] - recent[0]) / (len(recent) - 1)
        left = max(0.0, started.epochs - self.position)
        spread = max(spans) / mean if mean > 0 else 1.0
        # Epochs of one run differ little; a machine in other use may differ by what was seen.
        return left * mean * max(0.7, 2 - min(spread, 1.5)), left * mean * min(max(spread, 1.1), 2.0)

    def elapsed(self, now: float | None = None) -> float:
        """Seconds of training and measuring in all sessions, without pauses.

        Args:
            now: seconds since 1970, for a run that goes on; None for the time until its last event.
        """
        if self.started is None:
            return 0.0
        return self.watch.spent() if now is None else self.watch.now(now)

    @property
    def examples_per_second(self) -> float | None:
        """Of the last epoch; before the first one has ended, of its steps so far. None before there are two records."""
        last = self.epochs[-1] if self.epochs else None
        if last is not None and last.epoch > 0 and last.examples_per_second:
            return last.examples_per_second
        steps, started = self.series.steps, self.started
        if started is None or len(steps) < 2:
            return None
        first = max(0, len(steps) - _RECENT)
        count, seconds = (float(steps[name][-1] - steps[name][first]) for name in ("step", "seconds"))
        batch = started.examples.get("train", 0) / max(1, started.steps_per_epoch)
        return count * batch / seconds if seconds > 0 and batch else None


def _put(records: list[_Record], record: _Record, place: int, place_of: Callable[[_Record], int]) -> None:
    """Append a record; a resumed run comes by some places a second time, and its first visit has not happened."""
    while records and place_of(records[-1]) >= place:
        records.pop()
    records.append(record)
