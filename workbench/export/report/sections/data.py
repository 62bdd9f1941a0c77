"""The data: where they come from, how they were divided, weighted, normalized and augmented."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.data.encoder import Encoder, Feature
from workbench.evaluation.predictions import SPLITS
from workbench.export.report.blocks import (
    Block,
    Bullets,
    Cell,
    Fact,
    Facts,
    Figure,
    Fold,
    Paragraph,
    Section,
    Table,
    cells,
    head,
)
from workbench.export.report.figures.classes import balance_drawing
from workbench.export.report.sections.training import setting_text
from workbench.export.report.text import DASH, count, counted, named, number, percent, shape
from workbench.export.source import ExportSource
from workbench.recipe.data import Source, Weights

_MOST_CLASSES = 40
_MOST_COLUMNS = 200


def data_section(source: ExportSource) -> Section:
    """The section."""
    blocks: list[Block] = [
        *_sources(source.recipe.data.sources),
        Facts(tuple(_facts(source)), wide=True),
        _sets_table(source),
        *_balance(source),
        *_columns(source.encoder),
    ]
    notices = tuple(map(str, source.summary["notices"]))
    return Section("data", "Data", (*blocks, *((Bullets(notices),) if notices else ())))


def _sources(sources: tuple[Source, ...]) -> Iterator[Table]:
    """A table where there is more to say than one path, which the facts hold."""
    if _single(sources):
        return
    distributions = any(source.distribution for source in sources)
    fixed = any(source.set != "any" for source in sources)
    columns = ["Source", *(["distribution"] if distributions else []), *(["set"] if fixed else [])]
    rows = []
    for source in sources:
        row = [Cell(_path_text(source), mono=True)]
        row += [Cell(named(source.distribution) or DASH)] if distributions else []
        row += [Cell("divided" if source.set == "any" else source.set)] if fixed else []
        rows.append(tuple(row))
    yield Table(head(*columns), tuple(rows))


def _single(sources: tuple[Source, ...]) -> bool:
    return len(sources) == 1 and not sources[0].distribution and sources[0].set == "any"


def _path_text(source: Source) -> str:
    return f"{source.path} (labels: {source.labels})" if source.labels else source.path


def _facts(source: ExportSource) -> Iterator[Fact]:
    data, encoder = source.recipe.data, source.encoder
    if _single(data.sources):
        yield Fact("source", _path_text(data.sources[0]))
    yield Fact("fingerprint", str(source.summary["data_fingerprint"]), "SHA-256 of the content")
    yield Fact("task", f"{data.task}: {named(encoder.target)}", _classes_text(encoder))
    yield Fact("read by the network", _input_text(encoder))
    yield Fact("split", str(source.summary["split_reason"]))
    yield Fact("normalization", _normalization_text(source))
    yield Fact("weights", _weights_text(data.weights))
    if data.exclude:
        yield Fact("left out", ", ".join(named(name) for name in data.exclude))
    augment = "; ".join(setting_text(each) for each in data.augment)
    yield Fact("augmentation", augment or "none", "of training examples only" if augment else "")


def _classes_text(encoder: Encoder) -> str:
    return counted(len(encoder.classes), "class") if encoder.classes else ""


def _input_text(encoder: Encoder) -> str:
    if not encoder.features and len(encoder.input_shape) == 2:
        steps, features = encoder.input_shape
        return f"sequences, {counted(steps, 'step')}, {counted(features, 'feature')}"
    if not encoder.features:
        height, width, channels = encoder.input_shape
        return f"pictures, {shape((height, width))} pixels, {counted(channels, 'channel')}, {encoder.pixels}"
    columns, values = counted(len(encoder.features), "column"), encoder.input_shape[0]
    return columns if values == len(encoder.features) else f"{columns}, {counted(values, 'value')} once encoded"


def _normalization_text(source: ExportSource) -> str:
    way = {
        "standard": "by mean and deviation of the training set",
        "minmax": "by the range of the training set",
        "none": "none",
    }[source.recipe.data.normalize]
    encoder = source.encoder
    if encoder.target_shift or encoder.target_scale != 1:
        way += f"; target: (y − {number(encoder.target_shift)}) / {number(encoder.target_scale)}"
    if not encoder.features:
        pairs = zip(encoder.shift.tolist(), encoder.scale.tolist(), strict=True)
        told = ", ".join(f"(x − {number(shift)}) × {number(scale)}" for shift, scale in pairs)
        return f"{way}: {told}" if way != "none" else way
    return way


def _weights_text(weights: Weights) -> str:
    parts = []
    if weights.class_balance != "none":
        parts.append("classes by inverse frequency")
    if weights.column is not None:
        parts.append(f"examples by the column {named(weights.column)}")
    parts += [f"rows {each.rows}: {number(each.weight)}" for each in weights.rows]
    parts += [f"attribute {named(name)}: {number(value)}" for name, value in weights.attributes.items()]
    return "; ".join(parts) or "all examples and attributes count alike"


def _sets_table(source: ExportSource) -> Table:
    predictions = source.predictions
    names = predictions.distributions()
    total = max(1, predictions.n)
    rows = []
    for split in SPLITS:
        part = predictions.of_split(split)
        sizes = [count(int((part.distribution == name).sum())) for name in names]
        rows.append(cells(Cell(split, strong=True), count(part.n), percent(part.n / total, 1), *sizes))
    rows.append(cells("all", count(predictions.n), "", *("" for _ in names)))
    return Table(head("Set", ">examples", ">share", *(f">{named(name, 40)}" for name in names)), tuple(rows), footer=1)


def _balance(source: ExportSource) -> Iterator[Block]:
    predictions = source.predictions
    classes = predictions.classes
    if not classes:
        return
    counts: dict[str, list[int]] = {
        split: np.bincount(predictions.of_split(split).y_true, minlength=len(classes)).tolist()
        for split in predictions.splits()
    }
    if len(classes) <= _MOST_CLASSES:
        yield Figure("Class balance", balance_drawing(classes, counts))
        return
    rows = [cells(named(name), *(count(counts[split][at]) for split in counts)) for at, name in enumerate(classes)]
    first = next(iter(counts))
    sizes = counts[first]
    text = (
        f"Class balance: {count(len(classes))} classes of {count(min(sizes))} to {count(max(sizes))} {first} examples"
    )
    yield Fold(text, (Table(head("Class", *(f">{split}" for split in counts)), tuple(rows), small=True),))


def _columns(encoder: Encoder) -> Iterator[Block]:
    if not encoder.features:
        return
    rows, place = [], 0
    for feature in encoder.features[:_MOST_COLUMNS]:
        rows.append(_column_row(feature, encoder, place))
        place += feature.width
    columns = head("Column", "type", ">shift", ">scale", "missing values become", "categories")
    blocks: list[Block] = [Table(columns, tuple(rows), small=True)]
    if len(encoder.features) > _MOST_COLUMNS:
        left = len(encoder.features) - _MOST_COLUMNS
        blocks.append(Paragraph(f"{count(left)} more columns stand in the run’s encoder.json.", "muted"))
    yield Fold(f"Columns: {count(len(encoder.features))}, each read as (x − shift) × scale", tuple(blocks))


def _column_row(feature: Feature, encoder: Encoder, place: int) -> tuple[Cell, ...]:
    name = Cell(named(feature.name), strong=True)
    scale = number(float(encoder.scale[place])) if feature.width else DASH
    if feature.type == "category":
        listed = ", ".join(named(each, 40) for each in feature.categories[:20])
        more = f" and {count(len(feature.categories) - 20)} more" if len(feature.categories) > 20 else ""
        return name, *cells("category", "0", scale, "no category"), Cell(f"{listed}{more}", "muted")
    return name, *cells("number", number(float(encoder.shift[place])), scale, number(feature.fill)), Cell("")
