"""The errors: the ladder to scale, the gaps with their intervals and states, the chain of goals."""

from __future__ import annotations

from workbench.diagnosis.gaps import Gap, Gaps, State
from workbench.diagnosis.verdict import Gate, GateState
from workbench.export.report.blocks import (
    Block,
    Bullets,
    Cell,
    Chain,
    Figure,
    Heading,
    Link,
    Paragraph,
    Section,
    Table,
    Tone,
    cells,
    head,
)
from workbench.export.report.figures.ladder import distributions_left_out, ladder_drawing
from workbench.export.report.text import DASH, count, gap, interval, named, percent, tight_percent
from workbench.export.source import ExportSource

STATES: dict[State, tuple[str, Tone]] = {
    "high": ("▲ high", "warning"),
    "low": ("✓ low", "good"),
    "undecided": ("◆ cannot tell yet", "muted"),
    "unknown": ("○ unknown", "muted"),
}
_GAPS = {
    "avoidable_bias": ("Avoidable bias", "train − human"),
    "bias": ("Bias", "train − Bayes"),
    "variance": ("Variance", "dev − train"),
    "dev_test_gap": ("Dev to test", "test − dev"),
}
_GOALS = {
    "train": "Fits the training set",
    "dev": "Generalizes to the dev set",
    "test": "Holds on the test set",
    "real_world": "Works in the real world",
}
_GATES: dict[GateState, tuple[str, str, Tone]] = {
    "passed": ("✓", "reached", "good"),
    "failed": ("▲", "not reached", "warning"),
    "undecided": ("◆", "cannot tell yet", "muted"),
    "unknown": ("○", "not known", "muted"),
}


def errors_section(source: ExportSource) -> Section:
    """The section."""
    diagnosis = source.diagnosis
    blocks: list[Block] = [
        Figure("From Bayes to test", ladder_drawing(diagnosis), _unit_note(source)),
        Heading(
            "Gaps", f"in points; above the tolerance of {percent(diagnosis.gaps.tolerance, 1)} a gap counts as high"
        ),
        _gap_table(diagnosis.gaps),
        Paragraph(
            "A gap is high only if its whole interval lies above the tolerance, and low only if none of it does.",
            "muted",
        ),
        *_by_distribution(source),
        Heading("Chain of goals", "the first one that is not reached comes first"),
        Chain(tuple(_link(gate) for gate in diagnosis.gates)),
    ]
    notes = tuple(diagnosis.levels.notes.values())
    return Section(
        "errors", "Errors", (*blocks, *((Bullets(notes),) if notes else ())), "measured, with 95 % intervals"
    )


def _unit_note(source: ExportSource) -> str:
    left_out = distributions_left_out(source.diagnosis)
    rest = f" {count(left_out)} distributions of lower dev error stand in the table below." if left_out else ""
    return f"{_unit(source)}{rest}"


def _unit(source: ExportSource) -> str:
    task = source.diagnosis.levels.task
    if task == "multilabel":
        return (
            "Errors are shares of wrong labels, of each example those that are known, on average over the examples; "
            "intervals are over examples, whose labels are not independent, of gaps Newcombe’s."
        )
    if task == "regression":
        return (
            "Errors are the share of variance that is left unexplained (1 − R² about the training set’s mean); "
            "intervals are 95 % bootstrap intervals."
        )
    return "Errors are shares of wrong answers; intervals are 95 % Wilson intervals, of gaps Newcombe’s."


def _gap_table(gaps: Gaps) -> Table:
    shown = [each for each in gaps.all() if each.estimate is not None or each is not gaps.bias]
    if gaps.levels.human is None:
        shown = [each for each in gaps.all() if each is not gaps.avoidable_bias]
    return Table(head("Gap", "", ">measured", ">95 % interval", "state"), tuple(_gap_row(each) for each in shown))


def _gap_row(each: Gap) -> tuple[Cell, ...]:
    title, formula = _GAPS[each.name]
    state, tone = STATES[each.state]
    return (
        Cell(title, strong=True),
        Cell(formula, "muted"),
        Cell(gap(each.value), strong=True),
        Cell(interval(each.estimate), "muted"),
        Cell(state, tone, strong=True),
    )


def _by_distribution(source: ExportSource) -> list[Block]:
    parts = source.diagnosis.levels.by_distribution
    if len(parts) < 2:
        return []
    rows = []
    for name, sets in parts.items():
        dev = sets.get("dev")
        errors = [percent(each.value) if (each := sets.get(split)) else DASH for split in ("train", "dev", "test")]
        sizes = count(dev.n) if dev and dev.n else DASH
        rows.append((Cell(named(name)), *cells(*errors), Cell(interval(dev), "muted"), Cell(sizes, "muted")))
    columns = head("Distribution", ">train", ">dev", ">test", ">dev, 95 % interval", ">dev examples")
    return [Heading("By distribution"), Table(columns, tuple(rows))]


def _link(gate: Gate) -> Link:
    sign, state, tone = _GATES[gate.state]
    return Link(_GOALS[gate.goal], sign, state, tone, gate.current)


def reference_text(source: ExportSource) -> str:
    """What the errors are compared with: ``human 5 %, Bayes unknown``."""
    levels = source.diagnosis.levels
    pairs = (("human level", levels.human), ("Bayes error", levels.bayes))
    return ", ".join(f"{name} {tight_percent(level.value) if level else 'unknown'}" for name, level in pairs)
