"""Losses and figures of steps, kept where they are computed until somebody looks: a device need not be waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Backend, Call
from workbench.engine.cuda.calls import THREADS, Launcher
from workbench.engine.plan import Plan

_MOST = 128
"""Records that wait at most."""
_SUMS, _OWN = 4, 2


@dataclass(frozen=True)
class Moment:
    """When a recorded step was: its number, the epochs done by then, and its learning rate."""

    step: int
    position: float
    rate: float


@dataclass(frozen=True)
class Record:
    """What was fetched of a recorded step.

    Attributes:
        at: when.
        loss, strength: sum of s_i L_i and of s_i since the record before.
        figures: what the stepper worked out, float64 ``(width,)``.
    """

    at: Moment
    loss: float
    strength: float
    figures: np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sums:
    """Sum of s_i L_i and of s_i: of the epoch under way, and since the last record."""

    loss: float
    strength: float
    record_loss: float
    record_strength: float


class StepRecords:
    """Adds losses up over steps and takes note of some steps' figures. One transfer fetches all of it.

    Fetching changes no sum: when somebody looks makes no difference to what is computed, to the last bit.

    Args:
        backend: where the plan computes.
        width: how many figures a record has.
    """

    def __init__(self, backend: Backend, width: int) -> None:
        self._backend = backend
        with backend.current():
            self._block: Array = backend.zeros((_SUMS + _MOST * (_OWN + width),), np.float64)
        self._sums = self._block[:_SUMS]
        self._rows = self._block[_SUMS:].reshape(_MOST, _OWN + width)
        self._losses, self._strengths, self._of_record = self._sums[0::2], self._sums[1::2], self._sums[2:]
        self._waiting: list[Moment] = []
        self._noting: dict[tuple[int, int], Call] = {}

    def restart(self, sums: Sums) -> None:
        """Go on from sums that were fetched before."""
        numbers = np.array([sums.loss, sums.strength, sums.record_loss, sums.record_strength])
        with self._backend.current():
            self._sums[...] = self._backend.asarray(numbers)

    def add(self, plan: Plan, rows: int) -> None:
        """Take note of the loss of the step that the plan has just computed."""
        with self._backend.current():
            if self._backend.cuda and plan.strengths.dtype == np.float32:
                self._launch(self._backend.cuda, plan, rows)()
                return
            self._losses += plan.sums[0]
            self._strengths += plan.strengths[:rows].sum(dtype=np.float64)

    def _launch(self, launcher: Launcher, plan: Plan, rows: int) -> Call:
        # By where it lies, which the launch keeps from being given away.
        key = launcher.address(plan.sums), rows
        if key not in self._noting:
            arrays = plan.sums, plan.strengths[:rows], self._sums
            self._noting[key] = launcher.call("note_step", 1, THREADS, *arrays, rows)
        return self._noting[key]

    def place(self) -> Array:
        """Where the figures of the next record go."""
        return self._rows[len(self._waiting), _OWN:]

    def close(self, at: Moment) -> None:
        """The figures of a record are there."""
        with self._backend.current():
            self._rows[len(self._waiting), :_OWN] = self._of_record
            self._of_record[...] = 0
        self._waiting.append(at)

    def loss(self) -> float:
        """The epoch's sum of s_i L_i so far; a device has to be waited for."""
        return float(self._losses[0])

    @property
    def waiting(self) -> int:
        """How many records were not fetched yet."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether there is no place for another record."""
        return len(self._waiting) == _MOST

    def fetch(self) -> tuple[Sums, list[Record]]:
        """The sums as they are, and the records since the last fetch."""
        count, width = len(self._waiting), self._rows.shape[1]
        numbers = self._backend.to_host(self._block[: _SUMS + count * width])
        rows = np.array(numbers[_SUMS:]).reshape(count, width)
        records = [
            Record(at, float(row[0]), float(row[1]), row[_OWN:]) for at, row in zip(self._waiting, rows, strict=True)
        ]
        self._waiting = []
        return Sums(*(float(value) for value in numbers[:_SUMS])), records

    def begin_epoch(self) -> None:
        """Sum up the next epoch."""
        with self._backend.current():
            self._sums[:2] = 0
