"""Several labels an example: the figures of each set and of each label, its mistakes, the surest ones."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.diagnosis.label_mistakes import mistakes_by_label, surest_label_mistakes
from workbench.evaluation.intervals import Estimate
from workbench.evaluation.labels import MultilabelFigures
from workbench.evaluation.predictions import THRESHOLD, Predictions
from workbench.evaluation.ranking import roc_curve
from workbench.export.report.blocks import (
    Block,
    Cell,
    Figure,
    Fold,
    Heading,
    Paragraph,
    Section,
    Table,
    cells,
    head,
)
from workbench.export.report.figures.calibration import roc_drawing
from workbench.export.report.figures.classes import BarRow, bars_drawing
from workbench.export.report.sections.mistakes import MEASURES, detail_row, shown_set
from workbench.export.report.text import DASH, count, fixed, gap, interval, named, percent
from workbench.export.source import ExportSource

_MOST_BARS = 20
_MOST_ROWS = 200
_MOST_CURVES = 30
_SUREST = 10


def labels_section(source: ExportSource) -> Section | None:
    """The section; None for other tasks."""
    split = shown_set(source.predictions)
    figures = source.metrics.splits.get(split)
    if not isinstance(figures, MultilabelFigures):
        return None
    part = source.predictions.of_split(split).labeled()
    blocks: list[Block] = [
        _sets_table(source),
        *_by_label(part, split),
        *_label_table(figures, split),
        *_ranking(part),
        *_surest(part),
    ]
    which = "the set that choices are made by" if split == "dev" else "there is no dev set"
    return Section("labels", "Labels", tuple(blocks), f"by label on the {split} set, n = {count(figures.n)}; {which}")


def _sets_table(source: ExportSource) -> Table:
    rows = []
    for split, each in source.metrics.splits.items():
        assert isinstance(each, MultilabelFigures)
        micro, macro = each.micro["f1"], each.averages["f1"].mean
        rows.append(
            (Cell(split, strong=True), *cells(count(each.n), _rate(each.error)), _ends(each.error),
             *cells(percent(each.always_no, 1), _rate(each.any_wrong)), _ends(each.any_wrong),
             *cells(fixed(micro), fixed(macro), fixed(each.roc_auc), fixed(each.log_loss)))
        )  # fmt: skip
    columns = head("Set", ">n", ">wrong labels", ">95 %", ">if always no", ">any label wrong", ">95 %", ">micro F1",
                   ">macro F1", ">mean AUC", ">log loss")  # fmt: skip
    return Table(columns, tuple(rows))


def _rate(estimate: Estimate | None) -> str:
    return percent(estimate.value if estimate else None, 1)


def _ends(estimate: Estimate | None) -> Cell:
    return Cell(interval(estimate, 1) if estimate else DASH, "muted")


def _by_label(part: Predictions, split: str) -> Iterator[Block]:
    found = [one for one in mistakes_by_label(part) if one.mistakes]
    if not found:
        yield Paragraph(f"There is no wrong label on the {split} set.")
        return
    rows = [
        BarRow(
            one.name,
            one.mistakes,
            (count(one.missed), count(one.named_wrongly), percent(one.share, 1), gap(-one.ceiling)),
            "warning" if index == 0 else "grey",
        )
        for index, one in enumerate(found[:_MOST_BARS])
    ]
    drawing = bars_drawing(
        rows,
        ("missed", "named wrongly", "of all mistakes", "ceiling"),
        (72, 108, 108, 72),
        "Bars of the mistakes on each label.",
    )
    more = len(found) - _MOST_BARS
    rest = f" {count(more)} more labels have fewer mistakes; the table below has them." if more > 0 else ""
    note = f"Ceiling: by how many points the {split} error would fall if all mistakes on the label were mended.{rest}"
    yield Figure("Mistakes by label, most numerous first", drawing, note)


def _label_table(figures: MultilabelFigures, split: str) -> Iterator[Block]:
    names = _worst_first(figures)
    shown = names[:_MOST_ROWS]
    yield Heading(
        "Each label",
        f"on the {split} set, where it is known; said to be there at p > {THRESHOLD:g}; intervals are Wilson’s",
    )
    yield Table(
        head("Label", ">known", ">present", ">wrong", ">95 %", ">precision", ">recall", ">recall, 95 %", ">F1", ">AUC"),
        (*(_label_row(name, figures) for name in shown), *_average_rows(figures)),
        footer=2,
    )
    if len(names) > len(shown):
        text = f"The {count(len(shown))} labels of most mistakes of {count(len(names))}."
        yield Paragraph(f"{text} `workbench evaluate --json` prints all.", "muted")
    rows = tuple(detail_row(name, figures.by_label[name]) for name in shown)
    columns = head("Label", ">TP", ">FP", ">TN", ">FN", ">prevalence", ">NPV", ">FPR", ">FNR", ">FDR", ">FOR", ">LR+",
                   ">LR−", ">DOR")  # fmt: skip
    yield Fold("All other measures by label", (Table(columns, rows, small=True), Paragraph(MEASURES, "muted")))


def _worst_first(figures: MultilabelFigures) -> list[str]:
    """The labels in their own order; where they are too many for a table, those of most mistakes first."""
    if len(figures.labels) <= _MOST_ROWS:
        return list(figures.labels)
    rates = {name: error.value if error else -1.0 for name, error in figures.errors.items()}
    return sorted(figures.labels, key=lambda name: (-rates[name], name))


def _label_row(name: str, figures: MultilabelFigures) -> tuple[Cell, ...]:
    each, error = figures.by_label[name], figures.errors[name]
    known = each.tp + each.fp + each.tn + each.fn
    return (
        Cell(named(name), strong=True),
        *cells(count(known), count(each.support), _rate(error)),
        _ends(error),
        *cells(_rate(each.precision), _rate(each.recall)),
        _ends(each.recall),
        *cells(fixed(each.ratios["f1"]), fixed(figures.roc_by_label[name])),
    )


def _average_rows(figures: MultilabelFigures) -> Iterator[tuple[Cell, ...]]:
    averages, micro = figures.averages, figures.micro
    errors = [error.value for error in figures.errors.values() if error]
    mean = percent(sum(errors) / len(errors), 1) if errors else ""
    yield cells(
        "mean over labels (macro)", "", "", mean, "", percent(averages["precision"].mean, 1),
        percent(averages["recall"].mean, 1), "", fixed(averages["f1"].mean), fixed(figures.roc_auc),
    )  # fmt: skip
    yield cells(
        "all labels together (micro)", "", "", "", "", percent(micro["precision"], 1), percent(micro["recall"], 1), "",
        fixed(micro["f1"]), "",
    )  # fmt: skip


def _ranking(part: Predictions) -> Iterator[Block]:
    if part.probabilities is None or len(part.classes) > _MOST_CURVES:
        return
    singles = {name: part.label(number) for number, name in enumerate(part.classes)}
    found = {
        name: roc_curve(one.probabilities[:, 1], one.y_true == 1, one.weight)
        for name, one in singles.items()
        if one.probabilities is not None
    }
    curves = {name: curve for name, curve in found.items() if curve is not None}
    if not curves:
        return
    worst = min(curves, key=lambda name: (curves[name].area, name))
    rest = ", the smallest; grey: the other labels." if len(curves) > 1 else "."
    told = f"Blue: {named(worst, 60)}, area {fixed(curves[worst].area)}{rest}"
    yield Figure("ROC", roc_drawing(curves, worst), f"True over false positive rate of each label. {told}")


def _surest(part: Predictions) -> Iterator[Block]:
    surest = surest_label_mistakes(part, _SUREST)
    if not surest:
        return
    rows = [
        (Cell(named(one.id), strong=True), Cell(named(one.label)), Cell("yes" if one.there else "no"),
         Cell("no" if one.there else "yes"), Cell(percent(one.confidence, 1)))
        for one in surest
    ]  # fmt: skip
    yield Heading("Surest mistakes", "a mislabeled example is often among them; rows are numbered from 1")
    yield Table(head("Row", "label", "true", "said", ">confidence"), tuple(rows))
