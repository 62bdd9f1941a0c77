"""What is in a run's layers, epoch by epoch: which layers there are, and the histograms of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication

from workbench.events import LayersDone
from workbench.gui.figures import rate
from workbench.gui.plots.heat import Heat
from workbench.gui.plots.plot import DASHED, SOLID
from workbench.gui.plots.stroke import Line
from workbench.gui.runs.curve_lines import ShownRun, x_of_step
from workbench.gui.runs.view import Axis
from workbench.gui.theme import tokens
from workbench.session.curves import RunCurves

_QUANTILES = ((0.95, DASHED), (0.5, SOLID), (0.05, DASHED))


@dataclass(frozen=True, eq=False)
class LayerSpread:
    """The histograms of a layer.

    Attributes:
        layer: its name.
        title: what they are of, for a heading.
        term: the glossary's word for it.
        heat: the histograms.
        lines: between which nine tenths of the values lie, and the median.
    """

    layer: str
    title: str
    term: str
    heat: Heat
    lines: tuple[Line, ...]

    def sentence(self) -> str:
        """The newest one in a sentence."""
        high, middle, low = (rate(float(line.y[-1])) if len(line.y) else "" for line in self.lines)
        if not middle:
            return ""
        words = _tr("{0} of {1}: 90 % lie from {2} to {3}, the median is {4}")
        return words.format(self.title, self.layer, low, high, middle)


def layers_of(curves: RunCurves) -> tuple[str, ...]:
    """The layers that have histograms, in the order of the network."""
    return curves.layers[-1].layers if curves.layers else ()


def spread_of(run: ShownRun, layer: str, axis: Axis) -> LayerSpread | None:
    """The histograms of a layer; None where the run has none of it."""
    found = [record for record in run.curves.layers if layer in record.layers]
    if not found:
        return None
    rows = [_histogram(record, layer) for record in found]
    bins = max((len(shares) for _, shares in rows), default=0)
    x = np.array([x_of_step(run.curves, record.step, record.epoch, axis) for record in found])
    low, high = (np.array([ends[side] for ends, _ in rows]) for side in (0, 1))
    shares = np.array([shares or (0,) * bins for _, shares in rows], float).reshape(len(rows), bins)
    version = (run.entry.number, layer, axis.across, axis.unit, len(found), found[-1].time)
    heat = Heat(x, low, high, shares, version)
    return LayerSpread(layer, *_words(found[-1], layer), heat, tuple(_lines(heat)))


def _histogram(record: LayersDone, layer: str) -> tuple[tuple[float, float], tuple[int, ...]]:
    if layer in record.activations:
        place = record.activations.index(layer)
        return record.value_ranges[place], record.value_shares[place]
    place = record.weights.index(layer)
    return record.weight_ranges[place], record.weight_shares[place]


def _words(record: LayersDone, layer: str) -> tuple[str, str]:
    if layer not in record.activations:
        return _tr("Weights"), "spread of weights"
    if record.measured[record.activations.index(layer)] == "output":
        return _tr("Outputs"), "pre-activation"
    return _tr("Pre-activations"), "pre-activation"


def _lines(heat: Heat) -> list[Line]:
    names = (_tr("95 % are below"), _tr("median"), _tr("5 % are below"))
    ink = tokens().warning
    return [
        Line(f"quantile {share}", name, heat.x, heat.quantile(share), ink, (heat.version, share), style)
        for name, (share, style) in zip(names, _QUANTILES, strict=True)
    ]


def _tr(text: str) -> str:
    return QCoreApplication.translate("signals", text)
