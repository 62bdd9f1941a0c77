"""What a report is made of: sections of blocks. The page and the PDF are two ways of setting the same blocks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from workbench.export.report.colors import Palette
from workbench.export.report.listing import side_by_side
from workbench.export.report.svg import Drawing
from workbench.export.report.text import plain, plain_lines

Tone = Literal["", "muted", "warning", "good"]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph.

    Attributes:
        text: its words.
        tone: ``muted`` for a note.
    """

    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """A named value, and what it was measured on."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """Named values side by side; ``wide``: one below the other, for values that are sentences."""

    items: tuple[Fact, ...]
    wide: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table: its head; whether it holds numbers, which align right; its share of the width."""

    head: str
    right: bool = False
    share: float = 0.0


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    text: str
    tone: Tone = ""
    strong: bool = False
    mono: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        columns: its head.
        rows: a cell for each column.
        footer: how many of the last rows are sums or means.
        small: whether it needs a smaller type to fit.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footer: int = 0
    small: bool = False


@dataclass(frozen=True)
class Figure:
    """A drawing with what it shows above it, and what it was measured on below."""

    title: str
    drawing: Drawing
    note: str = ""


@dataclass(frozen=True)
class Pair:
    """Two figures side by side, or one below the other where there is no room."""

    left: Figure
    right: Figure


@dataclass(frozen=True)
class Listing:
    """Text to be copied as it is, in a typeface of fixed width; ``long``: set in two columns where there is room."""

    text: str
    long: bool = False


@dataclass(frozen=True)
class Card:
    """A thing to do.

    Attributes:
        title: the change.
        why: why it helps.
        facts: direction, cost and the like.
        command: what to write on the command line; empty where it changes nothing in a recipe.
        quote: where it comes from.
        effect: what moved when it was tried.
    """

    title: str
    why: str
    facts: tuple[Fact, ...]
    command: str = ""
    quote: str = ""
    effect: str = ""


@dataclass(frozen=True)
class Cards:
    """Things to do, the first ones first."""

    items: tuple[Card, ...]


@dataclass(frozen=True)
class Entry:
    """A thing to do in a few words: the change, what speaks about it, what to write on the command line."""

    title: str
    note: str
    command: str = ""


@dataclass(frozen=True)
class Entries:
    """Things to do later."""

    items: tuple[Entry, ...]


@dataclass(frozen=True)
class Link:
    """A goal of a chain, with its state as a sign and a word; ``current``: the one to work on."""

    title: str
    sign: str
    state: str
    tone: Tone
    current: bool


@dataclass(frozen=True)
class Chain:
    """Goals that are reached one after the other."""

    links: tuple[Link, ...]


@dataclass(frozen=True)
class Heading:
    """A heading within a section, with what the blocks below it were measured on."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Fold:
    """Blocks that a page shows when asked to, and a print always."""

    title: str
    blocks: tuple[Block, ...]


Block: TypeAlias = (
    Paragraph | Bullets | Facts | Table | Figure | Pair | Listing | Cards | Entries | Chain | Heading | Fold
)


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        id: where links within the page lead.
        title: its heading.
        blocks: its content.
        note: a few words beside the heading.
    """

    id: str
    title: str
    blocks: tuple[Block, ...]
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """The report's first words.

    Attributes:
        headline: the verdict.
        summary: the numbers it rests on, and what to do.
        settle: what would settle what is open.
        tone: ``warning``, ``good``, or ``muted`` for undecided.
        icon: the same as a shape.
    """

    headline: str
    summary: str
    settle: tuple[str, ...]
    tone: Tone
    icon: Drawing


@dataclass(frozen=True)
class Report:
    """A diagnosis report.

    Attributes:
        name: of the experiment.
        date: when the report was made.
        subtitle: which run, of what.
        verdict: its first words.
        facts: the run in a few numbers.
        sections: the rest.
    """

    name: str
    date: str
    subtitle: str
    verdict: Verdict
    facts: Facts
    sections: tuple[Section, ...]


def tree_of(part: Any, palette: Palette, font: str = "") -> Any:
    """A part of a report as plain data: dicts with the class's name under ``kind``, lists, texts.

    Every text goes through ``plain`` here, so that no name from data can hide or turn what stands around it.

    Args:
        part: a report or anything in it.
        palette: the colors of its drawings.
        font: the typeface of its drawings, where they stand alone.
    """
    if isinstance(part, Drawing):
        return part.svg(palette, font=font)
    if isinstance(part, str):
        return plain(part)
    if isinstance(part, Listing):
        text = plain_lines(part.text)
        pieces = [list(pair) for pair in side_by_side(text)] if part.long else []
        return {"kind": "listing", "text": text, "long": part.long, "pieces": pieces}
    if dataclasses.is_dataclass(part):
        fields = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
        tree = {name: tree_of(value, palette, font) for name, value in fields.items()}
        if isinstance(part, Figure):
            tree["alt"], tree["width"] = plain(part.drawing.label), part.drawing.width
        return {"kind": type(part).__name__.lower(), **tree}
    return [tree_of(item, palette, font) for item in part] if isinstance(part, tuple) else part


def head(*heads: str) -> tuple[Column, ...]:
    """The head of a table; ``>`` before a name: numbers, which align right."""
    return tuple(Column(text.removeprefix(">"), text.startswith(">")) for text in heads)


def cells(*texts: str | Cell) -> tuple[Cell, ...]:
    """A row of a table."""
    return tuple(text if isinstance(text, Cell) else Cell(text) for text in texts)
