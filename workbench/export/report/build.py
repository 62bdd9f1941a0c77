"""Puts a report together: the verdict, the run in a few numbers, and the sections in the order they are read."""

from __future__ import annotations

from collections.abc import Callable

from workbench.diagnosis.diagnose import Diagnosis
from workbench.errors import InputError
from workbench.evaluation.intervals import Estimate
from workbench.export.report.blocks import Fact, Facts, Report, Section, Tone, Verdict
from workbench.export.report.sections.advice import findings_section, knobs_section, tried_section
from workbench.export.report.sections.data import data_section
from workbench.export.report.sections.errors import errors_section, reference_text
from workbench.export.report.sections.health import health_section
from workbench.export.report.sections.labels import labels_section
from workbench.export.report.sections.mistakes import mistakes_section
from workbench.export.report.sections.provenance import environment_section, recipe_section
from workbench.export.report.sections.residuals import residuals_section
from workbench.export.report.sections.training import curves_section, network_section, settings_section
from workbench.export.report.svg import Drawing
from workbench.export.report.text import count, duration, interval, named, percent, short
from workbench.export.source import KEPT, ExportSource

_SECTIONS: tuple[Callable[[ExportSource], Section | None], ...] = (
    errors_section,
    findings_section,
    knobs_section,
    tried_section,
    curves_section,
    health_section,
    mistakes_section,
    labels_section,
    residuals_section,
    data_section,
    network_section,
    settings_section,
    recipe_section,
    environment_section,
)


def report_of(source: ExportSource) -> Report:
    """The diagnosis report of a finished run.

    Raises:
        InputError: the run has not ended yet, or another checkpoint than the kept one is asked for: the run's
            predictions, which all figures rest on, are those of its kept model.
        StoreError: the run folder is damaged.
    """
    if source.which != KEPT:
        raise InputError("a report is about the kept model", where="--checkpoint", mend="Leave --checkpoint out.")
    diagnosis = source.diagnosis
    sections = tuple(section for make in _SECTIONS if (section := make(source)) is not None)
    return Report(
        name=named(source.recipe.name) or "experiment",
        date=source.date,
        subtitle=_subtitle(source),
        verdict=_verdict(diagnosis),
        facts=Facts(tuple(_facts(source))),
        sections=sections,
    )


def _subtitle(source: ExportSource) -> str:
    predictions = source.predictions
    many = count(len(predictions.classes))
    what = {"classification": f"{many} classes", "multilabel": f"{many} labels", "regression": "regression"}
    run = named("/".join(source.folder.path.resolve().parts[-2:]), 80)
    return f"Run {run} · {what[predictions.task]} · {count(predictions.n)} examples · {reference_text(source)}"


def _verdict(diagnosis: Diagnosis) -> Verdict:
    # As the window shows it: a verdict that rests on a gap nobody can tell yet is undecided, whatever the other one is.
    tones: dict[str, Tone] = {"good": "good", "undecided": "muted"}
    tone = tones.get(diagnosis.verdict, "warning")
    settle = tuple(each.text for each in diagnosis.settle)
    return Verdict(diagnosis.headline, diagnosis.summary, settle, tone, icon(tone))


def icon(tone: Tone) -> Drawing:
    """The verdict as a shape: a triangle warns, a check is well, a diamond is undecided."""
    if tone == "warning":
        drawing = Drawing(32, 32, "warning")
        drawing.polygon([(16, 4), (31, 29), (1, 29)], "warning")
        drawing.rect(14.6, 12.5, 2.8, 8.5, "panel", radius=1.4)
        drawing.dot(16, 24.4, 1.7, "panel")
    elif tone == "good":
        drawing = Drawing(32, 32, "good")
        drawing.dot(16, 16, 14, "good")
        drawing.path([(9.5, 16.5), (14, 21), (22.5, 11.5)], "panel", 3)
    else:
        drawing = Drawing(32, 32, "undecided")
        drawing.polygon([(16, 2), (30, 16), (16, 30), (2, 16)], "grey")
        for x in (10.5, 16, 21.5):
            drawing.dot(x, 16, 1.8, "panel")
    return drawing


def _facts(source: ExportSource) -> list[Fact]:
    summary = source.summary
    levels = source.diagnosis.levels
    facts = [_error_fact(f"{name} error", level) for name in ("train", "dev", "test") if (level := levels.get(name))]
    best = summary["best_epoch"]
    speed = summary["examples_per_second"]
    work = f"{short(source.network.multiply_adds())} multiply-adds"
    return [
        *facts,
        Fact("parameters", count(summary["parameters"]), work),
        Fact("epochs", count(summary["epochs"]), f"best on dev: {count(best)}" if best is not None else ""),
        Fact("training", duration(summary["training_seconds"]), f"{short(speed)} examples/s" if speed else ""),
    ]


def _error_fact(label: str, error: Estimate) -> Fact:
    return Fact(label, percent(error.value), interval(error))
