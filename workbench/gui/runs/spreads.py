"""What is in a run's layers, epoch by epoch: which layers there are, and the histograms of one."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from workbench.gui.figures import rate
from workbench.gui.plots.plot import DASHED, SOLID
from workbench.gui.plots.stroke import Line
from workbench.gui.runs.curve_lines import ShownRun, x_of_step
from workbench.gui.runs.view import Axis
from workbench.gui.theme import tokens
from workbench.session.curves import RunCurves
from workbench.session.spreads import Histograms, histograms_of, kind_of, with_histograms

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
    heat: Histograms
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
    return with_histograms(curves.layers[-1]) if curves.layers else ()


def spread_of(run: ShownRun, layer: str, axis: Axis) -> LayerSpread | None:
    """The histograms of a layer; None where the run has none of it."""
    records = [record for record in run.curves.layers if layer in with_histograms(record)]
    if not records:
        return None
    version = (run.entry.number, layer, axis.across, axis.unit, len(records), records[-1].time)
    heat = histograms_of(records, layer, lambda record: x_of_step(run.curves, record.step, record.epoch, axis), version)
    assert heat is not None
    title = {"input": _tr("Pre-activations"), "output": _tr("Outputs"), "weights": _tr("Weights")}
    kind = kind_of(records[-1], layer)
    term = "spread of weights" if kind == "weights" else "pre-activation"
    return LayerSpread(layer, title[kind], term, heat, tuple(_lines(heat)))


def _lines(heat: Histograms) -> list[Line]:
    names = (_tr("95 % are below"), _tr("median"), _tr("5 % are below"))
    ink = tokens().warning
    return [
        Line(f"quantile {share}", name, heat.x, heat.quantile(share), ink, (heat.version, share), style)
        for name, (share, style) in zip(names, _QUANTILES, strict=True)
    ]


def _tr(text: str) -> str:
    return QCoreApplication.translate("signals", text)
