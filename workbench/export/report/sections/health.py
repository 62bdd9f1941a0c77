"""Health of the training: every layer's gradient, updates and units, and what is in the layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from workbench.diagnosis.health import Alarm, alarms_of, sentence_of, title_of
from workbench.events import LayersDone
from workbench.export.report.blocks import Block, Bullets, Cell, Figure, Pair, Paragraph, Section, Table, head
from workbench.export.report.figures.spreads import spread_drawing
from workbench.export.report.text import count, named, number, percent
from workbench.export.source import ExportSource
from workbench.session.curves import RunCurves
from workbench.session.health import LayerHealth, health_of, records_of
from workbench.session.spreads import histograms_of, kind_of

_TITLES = {"input": "Pre-activations of {0}", "output": "Outputs of {0}", "weights": "Weights of {0}"}


def health_section(source: ExportSource) -> Section | None:
    """What was recorded of the layers; none where there are no records."""
    curves = RunCurves.of(source.events)
    alarms = alarms_of(records_of(curves, source.recipe.training.clip_norm))
    layers = health_of(curves, alarms)
    if not layers:
        return None
    blocks = [_verdict(alarms), _table(layers), *_figures(curves.layers, alarms)]
    return Section("health", "Health of the training", tuple(blocks), "by layer, the last records")


def _verdict(alarms: Sequence[Alarm]) -> Block:
    if not alarms:
        return Paragraph(
            "Gradients reach all layers, updates are of a healthy size, and no layer’s units are dead or saturated.",
            "muted",
        )
    return Bullets(tuple(f"▲ {named(_sentence(alarm), 400)}" for alarm in alarms))


def _sentence(alarm: Alarm) -> str:
    return f"{sentence_of(alarm.kind, alarm.layer, alarm.since, len(alarm.others))}: {alarm.text} {alarm.remedy}"


def _table(layers: Sequence[LayerHealth]) -> Table:
    rows = []
    for one in layers:
        state = Cell("healthy", "muted") if one.alarm is None else Cell(f"▲ {title_of(one.alarm.kind)}", "warning")
        figures = (Cell(_figure(one.norm)), Cell(_figure(one.ratio)), Cell(_units(one)))
        rows.append((Cell(named(one.layer), strong=True), *figures, state))
    columns = head("Layer by layer", ">gradient norm", ">update / weights", ">units", "state")
    return Table(columns, tuple(rows), small=True)


def _figure(value: float) -> str:
    return number(value, 2) if isfinite(value) else ""


def _units(one: LayerHealth) -> str:
    return f"{percent(one.share, 0)} {one.flat} on {count(one.examples)}" if one.flat and isfinite(one.share) else ""


def _figures(records: Sequence[LayersDone], alarms: Sequence[Alarm]) -> Iterator[Block]:
    """What is in the layer where something is wrong, or in the first ones; over the epochs, so at least two records."""
    if len(records) < 2:
        return
    ill = [layer for alarm in alarms for layer in alarm.layers]
    found = [
        next((layer for layer in (*ill, *names) if layer in names), "")
        for names in (records[-1].activations, records[-1].weights)
    ]
    figures = [figure for layer in dict.fromkeys(found) if (figure := _spread(records, layer)) is not None]
    if len(figures) == 2:
        yield Pair(*figures)
    elif figures:
        yield figures[0]
    if figures:
        yield Paragraph(
            "Each column is the histogram of a sample of an epoch’s values, from few (dark) to most (yellow); the line"
            " is the median. Small weights keep pre-activations near 0, where the network is nearly linear.", "muted",
        )  # fmt: skip


def _spread(records: Sequence[LayersDone], layer: str) -> Figure | None:
    histograms = histograms_of(records, layer, lambda record: float(record.epoch)) if layer else None
    if histograms is None:
        return None
    title = _TITLES[kind_of(records[-1], layer)].format(named(layer))
    return Figure(title, spread_drawing(histograms, f"{title} over the epochs."))
