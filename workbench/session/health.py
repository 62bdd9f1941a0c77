"""A run's health from what it tells: the figures that alarms are made of, and the alarms as they arise."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.diagnosis.health import RECENT, Alarm, Records, alarms_of
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


@dataclass(frozen=True)
class LayerHealth:
    """How a layer fares.

    Attributes:
        layer: its name.
        norm: the length of its gradient, the median over the last records; NaN where it has none.
        ratio: length of its update by length of its weights, the same.
        flat: ``dead`` or ``saturated``: what its units may be; empty where they may be neither.
        share: of the units that were dead, or of the values that were saturated, when it was last looked at.
        examples: on how many examples.
        alarm: what is wrong with it; None where nothing is.
    """

    layer: str
    norm: float
    ratio: float
    flat: str = ""
    share: float = float("nan")
    examples: int = 0
    alarm: Alarm | None = None

    @property
    def state(self) -> str:
        """``healthy``, or the kind of the alarm."""
        return self.alarm.kind if self.alarm else "healthy"


def health_of(curves: RunCurves, alarms: Sequence[Alarm]) -> tuple[LayerHealth, ...]:
    """How each layer fares, in the order of the network; nothing before the first record."""
    series, last = curves.series, curves.layers[-1] if curves.layers else None
    if not len(series.steps) or not series.layers:
        return ()
    norms, ratios = (np.median(block[-RECENT:], axis=0) for block in (series.gradient_norms, series.update_ratios))
    figures = {
        name: (float(norm), float(ratio)) for name, norm, ratio in zip(series.layers, norms, ratios, strict=True)
    }
    first: dict[str, Alarm] = {}
    for alarm in alarms:
        for layer in alarm.layers:
            first.setdefault(layer, alarm)
    names = last.layers if last is not None else ()
    names = (*names, *(name for name in series.layers if name not in names))
    none = float("nan"), float("nan")
    found = []
    for name in names:
        (norm, ratio), (flat, share, examples) = figures.get(name, none), _flat_of(last, name)
        found.append(LayerHealth(name, norm, ratio, flat, share, examples, first.get(name)))
    return tuple(found)


def _flat_of(record: LayersDone | None, layer: str) -> tuple[str, float, int]:
    if record is None or layer not in record.activations:
        return "", float("nan"), 0
    place = record.activations.index(layer)
    flat = record.flat[place]
    share = record.flat_values[place] if flat == "saturated" else record.flat_units[place]
    return flat, share, record.examples
