"""A run's figures as arrays that grow: what plots and tables draw from, without a list made anew for each picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.events import EpochDone, Event, Paused, Resumed, RunEnded, RunStarted, StepDone

Numbers = np.ndarray[Any, Any]

_FIRST = 64


class Columns:
    """Rows of numbers that come one after another; a column is a view of an array.

    Args:
        names: of the columns.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._rows = np.empty((_FIRST, len(names)))
        self._count = 0
        self.cuts = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, name: str) -> Numbers:
        """A column, ``(n,)``."""
        return self._rows[: self._count, self._places[name]]

    def block(self, first: str, width: int) -> Numbers:
        """Some columns that stand side by side, ``(n, width)``."""
        place = self._places[first] if width else 0
        return self._rows[: self._count, place : place + width]

    @property
    def version(self) -> tuple[int, int]:
        """Another one whenever the numbers are others."""
        return self._count, self.cuts

    def append(self, row: tuple[float | None, ...]) -> None:
        """Add a row; None becomes NaN."""
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        # NumPy itself makes NaN of None.
        self._rows[self._count] = row
        self._count += 1

    def cut(self, count: int) -> None:
        """Forget all rows from one on."""
        if count < self._count:
            self._count = count
            self.cuts += 1


_EPOCH = (
    "epoch", "step", "seconds", "train_error", "dev_error", "train_loss", "dev_loss", "learning_rate", "speed",
)  # fmt: skip
_STEP = ("step", "epoch", "seconds", "loss", "learning_rate", "gradient_norm", "update_ratio")


class Series:
    """What a run has measured.

    Attributes:
        layers: names of the layers with trained parameters.
        epochs: ``epoch``, ``step``, ``seconds`` and the figures of ``events.EpochDone``.
        steps: ``step``, ``epoch``, ``seconds`` and the figures of ``events.StepDone``.

    Seconds count from the run's first step: neither pauses nor the time between a stop and a resume.
    """

    def __init__(self) -> None:
        self.layers: tuple[str, ...] = ()
        self.epochs = Columns(_EPOCH)
        self.steps = Columns(_STEP)
        self._zero = 0.0
        self._paused_at: float | None = None

    @property
    def gradient_norms(self) -> Numbers:
        """By layer, ``(steps, layers)``."""
        return self.steps.block("norm 0", len(self.layers))

    @property
    def update_ratios(self) -> Numbers:
        """By layer, ``(steps, layers)``."""
        return self.steps.block("ratio 0", len(self.layers))

    @property
    def version(self) -> tuple[int, int, int, int]:
        """Another one whenever a figure is new."""
        return (*self.epochs.version, *self.steps.version)

    def take(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case RunStarted():
                self._start(event)
            case StepDone():
                self._take_step(event)
            case EpochDone():
                self._take_epoch(event)
            case Paused():
                self._paused_at = event.time
            case Resumed():
                self._go_on(event.time)
            case RunEnded():
                self._paused_at = None

    def _start(self, event: RunStarted) -> None:
        """A resumed run goes on from its checkpoint: what came after it has not happened."""
        if event.layers != self.layers:
            count = range(len(event.layers))
            names = (*(f"norm {place}" for place in count), *(f"ratio {place}" for place in count))
            self.layers, self.steps = event.layers, Columns((*_STEP, *names))
        self.epochs.cut(int(np.searchsorted(self.epochs["epoch"], event.first_epoch, "right")))
        last = [float(columns["seconds"][-1]) for columns in (self.epochs, self.steps) if len(columns)]
        self._zero = event.time - max(last, default=0.0)
        self._paused_at = None

    def _go_on(self, now: float) -> None:
        if self._paused_at is not None:
            self._zero += now - self._paused_at
            self._paused_at = None

    def _take_step(self, event: StepDone) -> None:
        if len(self.steps) and self.steps["step"][-1] >= event.step:
            self.steps.cut(int(np.searchsorted(self.steps["step"], event.step)))
        count = len(self.layers)
        if len(event.gradient_norms) != count or len(event.update_ratios) != count:
            return
        figures = (event.loss, event.learning_rate, event.gradient_norm, event.update_ratio)
        seconds = event.time - self._zero
        self.steps.append((event.step, event.epoch, seconds, *figures, *event.gradient_norms, *event.update_ratios))

    def _take_epoch(self, event: EpochDone) -> None:
        if len(self.epochs) and self.epochs["epoch"][-1] >= event.epoch:
            self.epochs.cut(int(np.searchsorted(self.epochs["epoch"], event.epoch)))
        errors = (event.train_error, event.dev_error, event.train_loss, event.dev_loss)
        speed = event.examples_per_second or None
        self.epochs.append((event.epoch, event.step, event.time - self._zero, *errors, event.learning_rate, speed))
