"""Launches in a row, recorded as a CUDA graph so that one call replays them all."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from workbench.engine.backend import Call
from workbench.engine.cuda.calls import Launchable, Launcher
from workbench.engine.cuda.pointwise import fused


class Recorded:
    """Launches in a row.

    The first time they are launched one by one, which compiles what must be compiled; the second time they are
    recorded. Where a device refuses to record, they go on being launched one by one.

    Attributes:
        calls: what is launched.
    """

    def __init__(self, launcher: Launcher, calls: Sequence[Launchable]) -> None:
        self.calls, self._launcher = tuple(calls), launcher
        self._warm = False
        self._replay: Call | None = None

    @property
    def recorded(self) -> bool:
        """Whether it is a graph by now."""
        return self._replay is not None

    def __call__(self) -> None:
        if self._replay is None and self._warm and self._launcher.records:
            self._replay = self._record()
        if self._replay is not None:
            self._replay()
            return
        for call in self.calls:
            call()
        self._warm = True

    def _record(self) -> Call | None:
        try:
            return self._launcher.record(self.calls)
        except Exception as error:  # What a driver or CuPy refuses comes in many kinds; launching one by one is right.
            self._launcher.records = False
            self._launcher.why_not = str(error).strip().partition("\n")[0] or type(error).__name__
            return None


def joined(launcher: Launcher, calls: Iterable[Call]) -> list[Call]:
    """The calls, launches in a row fused where they can be, and recorded together; what Python does stays between."""
    found: list[Call] = []
    for ours, run in itertools.groupby(calls, lambda call: isinstance(call, Launchable)):
        together = list(run)
        found += _joined_launches(launcher, together) if ours else together  # type: ignore[arg-type]
    return found


def _joined_launches(launcher: Launcher, calls: Sequence[Launchable]) -> Iterator[Call]:
    launches = fused(calls)
    if len(launches) > 1:
        yield Recorded(launcher, launches)
    else:
        yield from launches


def try_out(launcher: Launcher, xp: Any) -> None:
    """Compile, launch and record something small: what a device refuses shows now, not within a training.

    Args:
        launcher: ``records`` then says whether launches can be recorded.
        xp: makes arrays on the device.

    Raises:
        Exception: whatever the device or its compiler says.
    """
    x, y, z = xp.ones(4, np.float32), xp.zeros(4, np.float32), xp.zeros(4, np.float32)
    (call,) = joined(launcher, [launcher.over(4, "copy_values", x, y, 4), launcher.over(4, "add_values", x, y, z, 4)])
    for _ in range(3):
        z[...] = 0
        call()
        if float(z.sum()) != 8.0:
            raise ArithmeticError("a sum came out wrong")
