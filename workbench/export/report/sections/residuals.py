"""Regression: the figures of each set, predicted against true values, the largest residuals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.evaluation.predictions import Predictions
from workbench.evaluation.regression import RegressionFigures
from workbench.export.report.blocks import Block, Cell, Figure, Heading, Pair, Section, Table, cells, head
from workbench.export.report.figures.residuals import is_counted, residual_drawing, scatter_drawing
from workbench.export.report.sections.mistakes import shown_set
from workbench.export.report.text import count, named, number, number_interval
from workbench.export.source import ExportSource

_LARGEST = 10


def residuals_section(source: ExportSource) -> Section | None:
    """The section; None for classification."""
    split = shown_set(source.predictions)
    part = source.predictions.of_split(split).labeled()
    if source.predictions.task != "regression" or not part.n:
        return None
    blocks: list[Block] = [_figures_table(source), _drawings(part, split), *_largest(part)]
    return Section("residuals", "Residuals", tuple(blocks), f"of {named(source.encoder.target)}, in its own unit")


def _figures_table(source: ExportSource) -> Table:
    rows = []
    for split, figures in source.metrics.splits.items():
        assert isinstance(figures, RegressionFigures)
        row = [Cell(split, strong=True), Cell(count(figures.n))]
        for estimate in (figures.rmse, figures.mae, figures.r2):
            row += [Cell(number(estimate.value if estimate else None)), Cell(number_interval(estimate, 3), "muted")]
        rows.append(tuple(row))
    columns = head("Set", ">n", ">RMSE", ">95 % interval", ">MAE", ">95 % interval", ">R²", ">95 % interval")
    return Table(columns, tuple(rows))


def _drawings(part: Predictions, split: str) -> Pair:
    counted = " Squares are examples counted, on a log scale." if is_counted(part.n) else ""
    scatter = scatter_drawing(part.y_true, part.y_pred)
    note = f"On the {split} set, n = {count(part.n)}; right is on the dashed line.{counted}"
    right = Figure("Residuals", residual_drawing(part.y_pred - part.y_true), f"On the {split} set.")
    return Pair(Figure("Predicted against true", scatter, note), right)


def _largest(part: Predictions) -> Iterator[Block]:
    residuals = part.y_pred - part.y_true
    order = np.argsort(-np.abs(residuals), kind="stable")[:_LARGEST].tolist()
    rows = [
        (Cell(named(str(part.id[at])), strong=True),
         *cells(number(float(part.y_true[at])), number(float(part.y_pred[at])), number(float(residuals[at]))))
        for at in order
    ]  # fmt: skip
    yield Heading("Largest residuals", "rows are numbered from 1")
    yield Table(head("Row", ">true value", ">predicted", ">residual"), tuple(rows))
