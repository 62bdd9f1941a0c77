"""Where the model is wrong: the confusion matrix, each class's figures, its surest mistakes, its probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.diagnosis.mistakes import mistakes_by_class, most_confused, surest_mistakes
from workbench.evaluation.confusion import ClassFigures
from workbench.evaluation.intervals import Estimate
from workbench.evaluation.metrics import ClassificationFigures
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.ranking import roc_curve
from workbench.export.report.blocks import (
    Block,
    Cell,
    Fact,
    Facts,
    Figure,
    Fold,
    Heading,
    Pair,
    Paragraph,
    Section,
    Table,
    cells,
    head,
)
from workbench.export.report.figures.calibration import reliability_drawing, roc_drawing
from workbench.export.report.figures.classes import BarRow, bars_drawing
from workbench.export.report.figures.confusion import MOST_CLASSES, confusion_drawing, legend_text
from workbench.export.report.text import DASH, count, fixed, gap, interval, named, number, percent
from workbench.export.source import ExportSource

_MOST_BARS = 20
_MOST_ROWS = 200
_PAIRS = 20
_SUREST = 10


def shown_set(predictions: Predictions) -> str:
    """The set that mistakes are looked at in: the dev set; the test set is not for choosing by."""
    present = predictions.splits()
    return next((name for name in ("dev", "train", "test") if name in present), "")


def mistakes_section(source: ExportSource) -> Section | None:
    """The section; None for other tasks."""
    split = shown_set(source.predictions)
    figures = source.metrics.splits.get(split)
    if not isinstance(figures, ClassificationFigures):
        return None
    part = source.predictions.of_split(split).labeled()
    blocks: list[Block] = [
        *_matrix(part, figures, split),
        *_by_class(part, split),
        *_class_table(figures, split),
        *_probabilities(part, figures, split),
        *_surest(part),
    ]
    note = f"on the {split} set, n = {count(figures.n)}: the set that choices are made by" if split == "dev" else (
        f"on the {split} set, n = {count(figures.n)}; there is no dev set"
    )  # fmt: skip
    return Section("mistakes", "Mistakes", tuple(blocks), note)


def _matrix(part: Predictions, figures: ClassificationFigures, split: str) -> Iterator[Block]:
    if len(figures.classes) <= MOST_CLASSES:
        drawing = confusion_drawing(figures.confusion, figures.classes, split)
        yield Figure("Confusion", drawing, legend_text())
        return
    pairs = int((figures.confusion > 0).sum() - (figures.confusion.diagonal() > 0).sum())
    shown = f"the {_PAIRS} most frequent of {count(pairs)}" if pairs > _PAIRS else "all of them"
    yield Heading(
        "Most confused pairs", f"{shown}; a matrix of {count(len(figures.classes))} classes could not be read"
    )
    yield _pairs_table(part)


def _pairs_table(part: Predictions) -> Table:
    rows = [
        (Cell(named(one.true)), Cell(named(one.predicted)), Cell(count(one.count), strong=True),
         *cells(percent(one.share, 1), percent(one.rate.value, 1)), Cell(interval(one.rate, 1), "muted"))
        for one in most_confused(part, _PAIRS)
    ]  # fmt: skip
    columns = head("True class", "taken for", ">times", ">of all mistakes", ">of the class", ">95 % interval")
    return Table(columns, tuple(rows))


def _by_class(part: Predictions, split: str) -> Iterator[Block]:
    found = [one for one in mistakes_by_class(part) if one.mistakes]
    if not found:
        yield Paragraph(f"There is no mistake on the {split} set.")
        return
    rows = [
        BarRow(
            one.name,
            one.mistakes,
            (f"{count(one.mistakes)} of {count(one.support)}", percent(one.share, 1), gap(-one.ceiling)),
            "warning" if index == 0 else "grey",
        )
        for index, one in enumerate(found[:_MOST_BARS])
    ]
    drawing = bars_drawing(
        rows, ("mistakes", "of all mistakes", "ceiling"), (110, 104, 72), "Bars of the mistakes of each class."
    )
    more = len(found) - _MOST_BARS
    rest = f" {count(more)} more classes have fewer mistakes; the table below has them." if more > 0 else ""
    note = f"Ceiling: by how many points the {split} error would fall if all mistakes of the class were mended.{rest}"
    yield Figure("Mistakes by class, most numerous first", drawing, note)


def _class_table(figures: ClassificationFigures, split: str) -> Iterator[Block]:
    names = _worst_first(figures)
    shown = names[:_MOST_ROWS]
    yield Heading("Each class against the rest", f"on the {split} set; intervals are Wilson’s")
    yield Table(
        head("Class", ">n", ">precision", ">recall", ">recall, 95 %", ">specificity", ">F1", ">ROC AUC"),
        (*(_class_row(name, figures) for name in shown), *_average_rows(figures)),
        footer=2,
    )
    if len(names) > len(shown):
        text = f"The {count(len(shown))} classes of lowest recall of {count(len(names))}."
        yield Paragraph(f"{text} `workbench evaluate --json` prints all.", "muted")
    rows = tuple(detail_row(name, figures.by_class[name]) for name in shown)
    columns = head("Class", ">TP", ">FP", ">TN", ">FN", ">prevalence", ">NPV", ">FPR", ">FNR", ">FDR", ">FOR", ">LR+",
                   ">LR−", ">DOR")  # fmt: skip
    yield Fold("All other measures by class", (Table(columns, rows, small=True), Paragraph(MEASURES, "muted")))


MEASURES = (
    "NPV negative predictive value, FPR fall-out, FNR miss rate, FDR false discovery rate, FOR false omission rate, "
    "LR likelihood ratios, DOR diagnostic odds ratio. A dash: undefined, because it divides by 0."
)


def _worst_first(figures: ClassificationFigures) -> list[str]:
    """The classes in their own order; where they are too many for a table, those of lowest recall first."""
    if len(figures.classes) <= _MOST_ROWS:
        return list(figures.classes)
    recalls = {name: each.recall.value if each.recall else 2.0 for name, each in figures.by_class.items()}
    return sorted(figures.classes, key=lambda name: (recalls[name], name))


def _class_row(name: str, figures: ClassificationFigures) -> tuple[Cell, ...]:
    each = figures.by_class[name]
    return (
        Cell(named(name), strong=True),
        *cells(count(each.support), _rate(each.precision), _rate(each.recall)),
        Cell(interval(each.recall, 1) if each.recall else DASH, "muted"),
        *cells(percent(each.ratios["specificity"], 1), fixed(each.ratios["f1"])),
        Cell(fixed(figures.roc_by_class[name])),
    )


def _rate(estimate: Estimate | None) -> str:
    return percent(estimate.value if estimate else None, 1)


def _average_rows(figures: ClassificationFigures) -> Iterator[tuple[Cell, ...]]:
    averages = figures.averages
    for title, part in (("mean over classes", "mean"), ("harmonic mean", "harmonic")):
        values = {name: getattr(averages[name], part) for name in ("precision", "recall", "specificity", "f1")}
        area = figures.roc_auc if part == "mean" else None
        yield cells(
            title, "", percent(values["precision"], 1), percent(values["recall"], 1), "",
            percent(values["specificity"], 1), fixed(values["f1"]), fixed(area) if part == "mean" else "",
        )  # fmt: skip


def detail_row(name: str, each: ClassFigures) -> tuple[Cell, ...]:
    """A class's counts and its less usual measures."""
    ratios = each.ratios
    shares = [percent(ratios[key], 1) for key in ("prevalence", "npv", "fpr", "fnr", "fdr", "for")]
    odds = [number(ratios[key], 3) for key in ("lr_plus", "lr_minus", "dor")]
    return (Cell(named(name), strong=True), *cells(*(count(value) for value in (each.tp, each.fp, each.tn, each.fn))),
            *cells(*shares, *odds))  # fmt: skip


def _probabilities(part: Predictions, figures: ClassificationFigures, split: str) -> Iterator[Block]:
    calibration = figures.calibration
    if calibration is None:
        return
    reliability = Figure(
        "Reliability",
        reliability_drawing(calibration),
        f"Accuracy with its interval over confidence, on the {split} set. On the dashed line a model is right as often "
        "as it says. Below: how the examples are spread.",
    )
    yield Heading("Probabilities")
    yield Facts(tuple(_probability_facts(figures)))
    roc = _roc_figure(part)
    yield Pair(reliability, roc) if roc else reliability


def _probability_facts(figures: ClassificationFigures) -> Sequence[Fact]:
    assert figures.calibration is not None
    return (
        Fact("calibration error", percent(figures.calibration.error, 1), "expected distance from the diagonal"),
        Fact("log loss", fixed(figures.log_loss), "mean of −log p(true class)"),
        Fact(
            "ROC AUC", fixed(figures.roc_auc), "" if len(figures.classes) == 2 else "mean of one class against the rest"
        ),
    )


def _roc_figure(part: Predictions) -> Figure | None:
    """Of two classes the second one; of more, each against the rest, the one of smallest area standing out."""
    probabilities = part.probabilities
    if probabilities is None or not 2 <= len(part.classes) <= MOST_CLASSES:
        return None
    numbers = range(1 if len(part.classes) == 2 else 0, len(part.classes))
    found = {part.classes[k]: roc_curve(probabilities[:, k], part.y_true == k, part.weight) for k in numbers}
    curves = {name: curve for name, curve in found.items() if curve is not None}
    if not curves:
        return None
    worst = min(curves, key=lambda name: (curves[name].area, name))
    area = f"{named(worst, 60)}, area {fixed(curves[worst].area)}"
    told = f"Blue: {area}." if len(curves) == 1 else f"Blue: {area}, the smallest; grey: the other classes."
    return Figure("ROC", roc_drawing(curves, worst), f"True over false positive rate, a class against the rest. {told}")


def _surest(part: Predictions) -> Iterator[Block]:
    surest = surest_mistakes(part, _SUREST)
    if not surest:
        return
    rows = [
        (Cell(named(one.id), strong=True), Cell(named(one.true)), Cell(named(one.predicted)),
         *cells(percent(one.confidence, 1), percent(one.given_to_truth, 1)))
        for one in surest
    ]  # fmt: skip
    columns = head("Row", "true class", "taken for", ">confidence", ">p(true class)")
    yield Heading("Surest mistakes", "a mislabeled example is often among them; rows are numbered from 1")
    yield Table(columns, tuple(rows))
