"""A run's health from what it tells: the figures that alarms are made of, and the alarms as they arise."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from workbench.diagnosis.health import Alarm, Records, alarms_of
from workbench.events import Event, FindingRaised, LayersDone
from workbench.session.curves import RunCurves


def records_of(curves: RunCurves, clip_norm: float | None = None) -> Records:
    """The figures of a run that its health is judged by.

    Args:
        curves: what the run has told.
        clip_norm: of its recipe.
    """
    series = curves.series
    steps = series.steps
    return Records(
        layers=series.layers,
        epochs=steps["epoch"],
        losses=steps["loss"],
        rates=steps["learning_rate"],
        gradient_norms=steps["gradient_norm"],
        norms=series.gradient_norms,
        ratios=series.update_ratios,
        spreads=tuple(curves.layers),
        clip_norm=clip_norm,
    )


class HealthWatch:
    """Raises each alarm of a run once, when its layers were last looked at.

    Args:
        clip_norm: of the recipe.
        before: what a run that goes on has told before.
    """

    def __init__(self, clip_norm: float | None, before: Iterable[Event] = ()) -> None:
        self._clip_norm, self._curves = clip_norm, RunCurves()
        self._raised: set[tuple[str, str]] = set()
        for event in before:
            self._curves.take(event)
            if isinstance(event, FindingRaised):
                self._raised.add((event.finding, event.layer))

    def take(self, event: Event) -> Iterator[FindingRaised]:
        """Take note of an event; what is unhealthy since then."""
        self._curves.take(event)
        if isinstance(event, LayersDone):
            for alarm in alarms_of(records_of(self._curves, self._clip_norm)):
                if (alarm.kind, alarm.layer) not in self._raised:
                    self._raised.add((alarm.kind, alarm.layer))
                    yield _raised(event.run, alarm)


def _raised(run: str, alarm: Alarm) -> FindingRaised:
    return FindingRaised(run, time.time(), alarm.kind, alarm.layer, alarm.since, alarm.text, alarm.remedy)
