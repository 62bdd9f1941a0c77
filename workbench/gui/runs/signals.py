"""What is seen of single layers and of the learning rate while a run trains, and whether it looks healthy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2
from typing import Any, Literal

import numpy as np
from PySide6.QtCore import QCoreApplication

from workbench.gui.plots.plot import DASHED, SOLID
from workbench.gui.plots.stroke import Line
from workbench.gui.runs.curve_lines import ShownRun
from workbench.gui.runs.view import SMOOTHEST, Axis
from workbench.gui.runs.words import run_name
from workbench.gui.theme import tokens
from workbench.session.series import Columns, Series
from workbench.session.smoothing import Average

Signal = Literal["norm", "ratio"]
State = Literal["healthy", "vanishing", "exploding", "still", "hasty", "broken"]

_LOOK_BACK = 20
"""Records that a layer is judged by: one step says little."""
_VANISHING, _EXPLODING = 1e-4, 1e3
"""A layer's gradient beside the median of all layers."""
_STILL, _HASTY = 1e-6, 0.1
"""Length of an update beside that of the weights. Around a thousandth is usual."""


@dataclass(frozen=True)
class LayerHealth:
    """How a layer fares.

    Attributes:
        layer: its name.
        norm: the length of its gradient, the median over the last records; NaN where there are none.
        ratio: length of its update by length of its weights, the same.
        state: what that means; see ``state_text``.
    """

    layer: str
    norm: float
    ratio: float
    state: State


def health_of(series: Series) -> tuple[LayerHealth, ...]:
    """How each layer fares, by the last records; nothing before the first one."""
    if not len(series.steps) or not series.layers:
        return ()
    norms, ratios = (_recent(block) for block in (series.gradient_norms, series.update_ratios))
    finite = norms[np.isfinite(norms)]
    usual = float(np.median(finite)) if len(finite) else float("nan")
    return tuple(
        LayerHealth(name, float(norm), float(ratio), _state(float(norm), float(ratio), usual))
        for name, norm, ratio in zip(series.layers, norms, ratios, strict=True)
    )


def _recent(block: Any) -> Any:
    return np.median(block[-_LOOK_BACK:], axis=0)


def _state(norm: float, ratio: float, usual: float) -> State:
    if not (np.isfinite(norm) and np.isfinite(ratio)):
        return "broken"
    if norm < _VANISHING * usual or (norm == 0 and usual == 0):
        return "vanishing"
    if norm > _EXPLODING * usual:
        return "exploding"
    return "still" if ratio < _STILL else "hasty" if ratio > _HASTY else "healthy"


def state_text(state: State) -> str:
    """A layer's state in words."""
    words = {
        "healthy": _tr("healthy"),
        "vanishing": _tr("vanishing gradient"),
        "exploding": _tr("exploding gradient"),
        "still": _tr("hardly moves"),
        "hasty": _tr("moves in leaps"),
        "broken": _tr("not a number"),
    }
    return words[state]


def reason_text(state: State) -> str:
    """Why a layer is said to be in a state, with the threshold."""
    words = {
        "healthy": _tr("Gradient and updates are of usual size."),
        "vanishing": _tr("Its gradient is less than {0} of the layers’ median.").format("10⁻⁴"),
        "exploding": _tr("Its gradient is more than {0} times the layers’ median.").format("1000"),
        "still": _tr("A step changes less than {0} of its weights’ length; about 10⁻³ is usual.").format("10⁻⁶"),
        "hasty": _tr("A step changes more than {0} of its weights’ length; about 10⁻³ is usual.").format("10 %"),
        "broken": _tr("Its gradient or its update is no finite number."),
    }
    return words[state]


def overall_text(health: Sequence[LayerHealth]) -> str:
    """``healthy``, or how many layers are not."""
    ill = [one for one in health if one.state != "healthy"]
    if not ill:
        return _tr("healthy") if health else ""
    first = f"{ill[0].layer}: {state_text(ill[0].state)}"
    return first if len(ill) == 1 else _tr("{0} and {1} more").format(first, len(ill) - 1)


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
