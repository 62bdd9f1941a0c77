"""What is seen of single layers and of the learning rate while a run trains, and whether it looks healthy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log2
from typing import Any, Literal

import numpy as np
from PySide6.QtCore import QCoreApplication

from workbench.diagnosis.health import Alarm, alarms_of, sentence_of
from workbench.gui.figures import grouped, percent
from workbench.gui.plots.plot import DASHED, SOLID
from workbench.gui.plots.stroke import Line
from workbench.gui.runs.curve_lines import ShownRun
from workbench.gui.runs.view import SMOOTHEST, Axis
from workbench.gui.runs.words import run_name
from workbench.gui.theme import tokens
from workbench.session.curves import RunCurves
from workbench.session.health import LayerHealth, records_of
from workbench.session.series import Columns
from workbench.session.smoothing import Average

Signal = Literal["norm", "ratio"]


def alarms_in(curves: RunCurves, clip_norm: float | None = None) -> tuple[Alarm, ...]:
    """What is wrong with a run's training, the gravest first."""
    return alarms_of(records_of(curves, clip_norm))


def state_text(state: str) -> str:
    """A layer's state in words."""
    words = {
        "healthy": _tr("healthy"),
        "vanishing_gradient": _tr("vanishing gradient"),
        "exploding_gradient": _tr("exploding gradient"),
        "dead_units": _tr("dead units"),
        "saturated_units": _tr("saturated"),
        "small_updates": _tr("hardly moves"),
        "large_updates": _tr("moves in leaps"),
        "constant_clipping": _tr("always clipped"),
        "not_finite": _tr("not a number"),
    }
    return words[state]


def marked(state: str) -> str:
    """The same for a narrow column, behind a shape: what is wrong must be seen without its color."""
    short = {"vanishing_gradient": _tr("vanishing"), "exploding_gradient": _tr("exploding")}
    text = short.get(state, state_text(state))
    return text if state == "healthy" else f"▲ {text}"


def reason_text(health: LayerHealth) -> str:
    """Why a layer is said to be in its state, with the threshold, and what to do."""
    alarm = health.alarm
    if alarm is not None:
        return f"{sentence_of(alarm.kind, health.layer, alarm.since)}: {alarm.text} {alarm.remedy}"
    told = _tr("Gradient and updates are of usual size.")
    if health.flat and np.isfinite(health.share):
        told = flat_text(health)
    return told


def flat_text(health: LayerHealth) -> str:
    """Dead or saturated units in a sentence."""
    words = {
        "dead": _tr("{0} of its units gave nothing on each of {1} examples."),
        "saturated": _tr("{0} of its values lie where the function is flat ({1} examples)."),
    }
    return words[health.flat].format(percent(health.share, 0), grouped(health.examples))


def flat_short(health: LayerHealth) -> str:
    """The same in two words: ``12 % dead``."""
    words = {"dead": _tr("{0} dead"), "saturated": _tr("{0} flat")}
    known = health.flat and np.isfinite(health.share)
    return words[health.flat].format(percent(health.share, 0)) if known else ""


def overall_text(alarms: Sequence[Alarm]) -> str:
    """The gravest alarm and how many more there are."""
    if not alarms:
        return _tr("healthy")
    place = f"{alarms[0].layer}: " if alarms[0].layer else ""
    first = f"▲ {place}{state_text(alarms[0].kind)}"
    return first if len(alarms) == 1 else _tr("{0} and {1} more").format(first, len(alarms) - 1)


def overall_tip(alarms: Sequence[Alarm]) -> str:
    """All alarms, a paragraph each."""
    return "\n\n".join(
        f"{sentence_of(one.kind, one.layer, one.since, len(one.others))}: {one.text} {one.remedy}" for one in alarms
    )


class LayerLines:
    """Makes the lines of layers, averaged over as many epochs as the curves are. What was averaged before stays."""

    def __init__(self) -> None:
        self._averages: dict[tuple[Signal, int], tuple[Columns, int, float, Average]] = {}

    def lines(self, run: ShownRun, signal: Signal, axis: Axis, beta: float) -> list[Line]:
        """A line for each layer of a run; colors repeat from the seventh on, dashed.

        Args:
            run: which one.
            signal: what to show.
            axis: the horizontal one.
            beta: of the curves' average over epochs.
        """
        series = run.curves.series
        steps, block = series.steps, series.gradient_norms if signal == "norm" else series.update_ratios
        beta = beta_of_steps(beta, run)
        x = steps[axis.column] / axis.unit
        version = (id(steps), steps.version, signal, axis.across, axis.unit)
        few = len(series.layers) <= len(tokens().series)
        lines = []
        for place, name in enumerate(series.layers):
            style, ink = look_of(place)
            raw = Line(f"layer {name}", name, x, block[:, place], ink, (*version, place), style, "plain")
            if beta == 0:
                lines.append(raw)
                continue
            if few:
                lines.append(replace(raw, key=f"{raw.key}.raw", weight="raw"))
            y = self._average(signal, place, steps, block[:, place], beta)
            lines.append(replace(raw, y=y, version=(raw.version, beta)))
        return lines

    def _average(self, signal: Signal, place: int, steps: Columns, values: Any, beta: float) -> Any:
        known = self._averages.get((signal, place))
        if known is None or known[0] is not steps or known[1:3] != (steps.cuts, beta):
            known = self._averages[signal, place] = steps, steps.cuts, beta, Average(beta)
        return known[3].follow(values)


def beta_of_steps(beta: float, run: ShownRun) -> float:
    """The weight of an average over records of steps that looks back over as many epochs as one over epochs."""
    steps = run.curves.series.steps
    epochs = run.curves.position
    if beta == 0 or epochs <= 0:
        return 0.0
    # Rounded to powers of 2, so that it does not change with every record.
    records = 2.0 ** round(log2(max(1.0, len(steps) / epochs)))
    return min(SMOOTHEST, 1.0 - (1.0 - beta) / records)


def look_of(place: int) -> tuple[Any, str]:
    """Style and color of a layer's line, by its place."""
    colors = tokens().series
    return DASHED if place // len(colors) % 2 else SOLID, colors[place % len(colors)]


def rate_lines(runs: Sequence[ShownRun], axis: Axis) -> list[Line]:
    """The learning rate of each run."""
    lines = []
    for run in runs:
        steps = run.curves.series.steps
        x = steps[axis.column] / axis.unit
        version = (id(steps), steps.version, axis.across, axis.unit)
        name = run_name(run.entry.number)
        weight: Any = "strong" if run.selected else "plain"
        lines.append(Line(f"rate {name}", name, x, steps["learning_rate"], run.marker.color, version, SOLID, weight))
    return lines


def _tr(text: str) -> str:
    return QCoreApplication.translate("signals", text)
