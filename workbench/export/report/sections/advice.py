"""What was found, what is advised, and what was tried: measured and advised are kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.diagnosis.advice import merged
from workbench.diagnosis.compare import Direction, Move
from workbench.diagnosis.context import Tried
from workbench.diagnosis.rule import GapName, Knob
from workbench.export.report.blocks import (
    Block,
    Bullets,
    Card,
    Cards,
    Cell,
    Entries,
    Entry,
    Fact,
    Fold,
    Heading,
    Paragraph,
    Section,
    Table,
    Tone,
    head,
)
from workbench.export.report.text import gap, interval, named, percent
from workbench.export.source import ExportSource
from workbench.recipe.assignments import option, toml_value

_LONGEST_COMMAND = 240
"""Characters of a command that is printed."""

_GAPS = {
    "bias": "bias",
    "variance": "variance",
    "mismatch": "data mismatch",
    "test": "dev to test",
    "data": "the data",
    "real_world": "the real world",
}
_DIRECTIONS: dict[Direction, tuple[str, Tone]] = {
    "better": ("✓ better", "good"),
    "worse": ("▲ worse", "warning"),
    "same": ("no measurable change", "muted"),
    "unknown": ("unknown", "muted"),
}


def findings_section(source: ExportSource) -> Section | None:
    """What the rules found; none where they found nothing."""
    findings = source.diagnosis.findings
    if not findings:
        return None
    return Section("findings", "Findings", (Bullets(tuple(each.text for each in findings)),), "measured")


def knobs_section(source: ExportSource) -> Section | None:
    """What can be changed: the first ones as cards, the others folded."""
    diagnosis = source.diagnosis
    if not diagnosis.knobs:
        return None
    knobs = merged(diagnosis.knobs)
    first = [(knob, gaps) for knob, gaps in knobs if not knob.later]
    later = [(knob, gaps) for knob, gaps in knobs if knob.later]
    blocks: list[Block] = []
    if first:
        blocks += [Cards(tuple(_card(knob, gaps) for knob, gaps in first))]
    else:
        blocks += [Paragraph("Nothing has to be changed first.")]
    if later:
        title = f"Later: {len(later)} more knob{'' if len(later) == 1 else 's'}"
        blocks.append(Fold(title, (Entries(tuple(_entry(knob, gaps) for knob, gaps in later)),)))
    return Section("knobs", "Knobs", tuple(blocks), "advised; turn one at a time, and see what it moved")


def _card(knob: Knob, gaps: Sequence[GapName]) -> Card:
    facts = (
        Fact("acts on", _acts_on(gaps)),
        Fact("direction", knob.direction),
        Fact("cost", knob.cost),
    )
    return Card(knob.title, knob.why, facts, commands_of(knob.patch), knob.lecture, knob.effect)


def _entry(knob: Knob, gaps: Sequence[GapName]) -> Entry:
    parts = (f"acts on {_acts_on(gaps)}", knob.cost, knob.effect or knob.reason)
    return Entry(knob.title, " · ".join(part for part in parts if part), commands_of(knob.patch))


def _acts_on(gaps: Sequence[GapName]) -> str:
    return " and ".join(_GAPS[gap] for gap in gaps)


def commands_of(patch: Mapping[str, Any]) -> str:
    """``--set 'training.epochs=80'``, a line for each change, quoted for a shell; empty for no change."""
    return " ".join(_command(path, value) for path, value in patch.items())


def _command(path: str, value: Any) -> str:
    command = option(path, value)
    # A whole list of layers is nothing to type, or to read among one-line changes.
    return command if len(command) <= _LONGEST_COMMAND else f"(edit {path} in the recipe)"


def tried_section(source: ExportSource) -> Section | None:
    """Knobs that were turned in child runs, each with what it moved."""
    if not source.tried:
        return None
    blocks: list[Block] = []
    for tried in source.tried:
        paired = "on the same examples, paired" if tried.effect.paired else "intervals as of independent sets"
        blocks += [Heading(_patch_text(tried), paired), _moves_table(tried.effect.moves)]
    blocks.append(
        Paragraph("Changes are in points. Training again with another seed may move the errors too.", "muted")
    )
    return Section("tried", "Knobs tried", tuple(blocks), "measured")


def _patch_text(tried: Tried) -> str:
    return named(", ".join(f"{path} = {toml_value(value)}" for path, value in tried.patch.items() if value is not None)
                 or ", ".join(f"{path} off" for path in tried.patch), 120)  # fmt: skip


def _moves_table(moves: tuple[Move, ...]) -> Table:
    rows = []
    for move in moves:
        text, tone = _DIRECTIONS[move.direction]
        rows.append(
            (
                Cell(move.name, strong=True),
                Cell(percent(move.before)),
                Cell(percent(move.after)),
                Cell(gap(move.change.value), strong=True),
                Cell(interval(move.change), "muted"),
                Cell(text, tone),
            )
        )
    return Table(head("", ">before", ">after", ">change", ">95 % interval", ""), tuple(rows))
