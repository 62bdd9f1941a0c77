"""What readers give: raw columns and pictures of N examples, and how the contents of several sources become one."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError, Problem
from workbench.recipe.data import ColumnType

Array = NDArray[Any]
Progress = Callable[[str, int, int], None]
"""``progress(stage, done, total)``; it may raise to cancel."""

SET_NAMES = ("train", "dev", "test")
"""The sets by their code in ``Content.sets``; -1 stands for any."""

LARGEST = 1e37
"""Numbers beyond this are refused: the difference of two would not fit into 32-bit floating point."""


@dataclass(frozen=True, eq=False)
class Column:
    """One column of N values.

    Attributes:
        name: unique among the columns.
        type: ``number`` or ``category``.
        values: float64 ``(N,)`` with NaN where missing, or int32 codes ``(N,)`` with -1 where missing.
        categories: the texts that codes stand for, sorted; empty for numbers.
    """

    name: str
    type: ColumnType
    values: Array
    categories: tuple[str, ...] = ()

    @property
    def missing(self) -> Array:
        """Where the value is missing, bool ``(N,)``."""
        return np.isnan(self.values) if self.type == "number" else self.values < 0

    def take(self, rows: Array) -> Column:
        """The same column of some rows only."""
        return replace(self, values=self.values[rows])

    def text(self, row: int) -> str:
        """The value of a row as a person would write it; empty where missing."""
        value = self.values[row]
        if self.type == "number":
            return "" if np.isnan(value) else number_text(float(value))
        return self.categories[value] if value >= 0 else ""


@dataclass(frozen=True, eq=False)
class Content:
    """The examples of one or several sources.

    Attributes:
        columns: the columns, with unique names and N values each.
        pictures: ``(N, H, W, C)``, uint8 or float32; None for others.
        notes: how it was read, in a few words each: ``separator ;``, ``decimal comma``.
        sets: int8 codes ``(N,)`` where the files say in which set an example stands: -1 any, 0 train, 1 dev, 2 test.
        label: the column that the files themselves mark as what is to be predicted.
        sequences: float32 ``(N, steps, features)``; None for others.
    """

    columns: tuple[Column, ...]
    pictures: Array | None = None
    notes: tuple[str, ...] = ()
    sets: Array | None = None
    label: str | None = None
    sequences: Array | None = None

    @property
    def arrays(self) -> Array | None:
        """The examples that stand beside the columns, pictures or sequences; None for a table."""
        return self.pictures if self.pictures is not None else self.sequences

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of a picture or a sequence; None for a table."""
        return None if self.arrays is None else tuple(self.arrays.shape[1:])

    @property
    def rows(self) -> int:
        """How many examples there are."""
        if self.arrays is not None:
            return len(self.arrays)
        return len(self.columns[0].values) if self.columns else 0

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column | None:
        """The column of this name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def take(self, rows: Array) -> Content:
        """Some of the examples, by row number from 0."""
        return replace(
            self,
            columns=tuple(column.take(rows) for column in self.columns),
            pictures=None if self.pictures is None else self.pictures[rows],
            sets=None if self.sets is None else self.sets[rows],
            sequences=None if self.sequences is None else self.sequences[rows],
        )


def number_text(value: float) -> str:
    """A number as a class name or a cell: whole numbers without a decimal point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def sorted_names(names: Iterable[str]) -> tuple[str, ...]:
    """Texts in order: by value where all of them are numbers, else by the alphabet."""
    listed = list(names)
    values: dict[str, float] = {}
    for name in listed:
        values[name] = _float_or_nan(name)
        if np.isnan(values[name]):
            return tuple(sorted(listed))
    return tuple(sorted(listed, key=lambda name: (values[name], name)))


def number_column(name: str, values: Any) -> Column:
    """A column of numbers; NaN is missing."""
    return Column(name, "number", np.ascontiguousarray(values, np.float64))


def coded_column(name: str, codes: Array, texts: Sequence[str]) -> Column:
    """A category column of codes into ``texts``, which may repeat and stand in any order; codes below 0 are missing."""
    used = np.unique(codes[codes >= 0])
    categories = sorted_names({texts[int(code)] for code in used})
    place = {text: number for number, text in enumerate(categories)}
    # One more entry at the end, which code -1 reads.
    table = np.full(len(texts) + 1, -1, np.int32)
    for code in used:
        table[code] = place[texts[int(code)]]
    return Column(name, "category", table[np.maximum(codes, -1)], categories)


def as_category(column: Column) -> Column:
    """The same values as categories: numbers become their texts."""
    if column.type == "category":
        return column
    known = ~np.isnan(column.values)
    distinct, inverse = np.unique(column.values[known], return_inverse=True)
    codes = np.full(len(column.values), -1, np.int64)
    codes[known] = inverse
    return coded_column(column.name, codes, [number_text(float(value)) for value in distinct])


def as_number(column: Column) -> tuple[Column, Array]:
    """The same values as numbers, and where a text is no number (bool ``(N,)``; NaN there)."""
    if column.type == "number":
        return column, np.zeros(len(column.values), bool)
    table = np.array([_float_or_nan(text) for text in column.categories] + [np.nan])
    values = table[column.values]
    return number_column(column.name, values), np.isnan(values) & (column.values >= 0)


def _float_or_nan(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if abs(value) <= LARGEST else np.nan


def listed(items: Sequence[object], most: int = 10) -> str:
    """``a, b, c and 12 more``."""
    shown = ", ".join(str(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most:,} more"


def names_listed(names: Sequence[str], most: int = 10) -> str:
    """``'a', 'b' and 3 more``: names from data are shown in quotes, their control characters as escapes."""
    return listed([repr(name) for name in names], most)


def counted(count: int, noun: str) -> str:
    """``1 value``, ``1,234 values``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def toml_text(text: str) -> str:
    """A text in quotes as TOML has it, for a message that shows what to write."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def rows_listed(rows: Array, most: int = 10) -> str:
    """``row 3`` or ``rows 3, 7 and 12 more``: numbers from 1 for rows from 0."""
    return f"row{'s' if len(rows) > 1 else ''} {listed([f'{row + 1:,}' for row in rows.tolist()], most)}"


def too_large(columns: Iterable[Column], where: str) -> list[Problem]:
    """A problem for each column with values that are infinite or beyond ``LARGEST``."""
    problems = []
    for column in columns:
        if column.type != "number" or not len(column.values):
            continue
        wrong = np.flatnonzero(np.abs(column.values) > LARGEST)
        if len(wrong):
            what = f"column {column.name!r} holds infinite or far too large numbers in {rows_listed(wrong)}"
            problems.append(Problem(what, where, "Mend the cells, or leave them empty where the value is unknown."))
    return problems


def concatenate(contents: Sequence[Content], names: Sequence[str], optional: Collection[str] = ()) -> Content:
    """The examples of several contents, one after the other.

    Args:
        contents: at least one.
        names: what to call each in a message, its path.
        optional: columns that need not be everywhere; they are missing values where they are not.

    Raises:
        InputError: names every way in which they do not fit together.
    """
    if len(contents) == 1:
        return contents[0]
    problems = [*_unlike_shapes(contents, names), *_unlike_columns(contents, names, optional)]
    if problems:
        raise InputError.of(problems, "the sources do not fit together")
    order = list(dict.fromkeys(name for content in contents for name in content.names))
    return Content(
        columns=tuple(_joined(name, contents) for name in order),
        pictures=_joined_arrays([content.pictures for content in contents]),
        notes=tuple(dict.fromkeys(note for content in contents for note in content.notes)),
        sets=_joined_sets(contents),
        label=contents[0].label,
        sequences=_joined_arrays([content.sequences for content in contents]),
    )


def _unlike_shapes(contents: Sequence[Content], names: Sequence[str]) -> list[Problem]:
    shapes = [content.shape for content in contents]
    return [
        Problem(f"holds {shape_text(shape)}, but {names[0]} holds {shape_text(shapes[0])}", name)
        for shape, name in zip(shapes, names, strict=True)
        if shape != shapes[0]
    ]


def shape_text(shape: tuple[int, ...] | None) -> str:
    """``pictures of 28 × 28 × 1`` (height, width, channels), ``sequences of 64 steps × 9 features``, or ``a table``."""
    if shape is None:
        return "a table"
    if len(shape) == 2:
        return f"sequences of {counted(shape[0], 'step')} × {counted(shape[1], 'feature')}"
    return f"pictures of {' × '.join(map(str, shape))}"


def _unlike_columns(contents: Sequence[Content], names: Sequence[str], optional: Collection[str]) -> list[Problem]:
    holders: dict[str, str] = {}
    for content, source in zip(contents, names, strict=True):
        for name in content.names:
            holders.setdefault(name, source)
    problems = []
    for content, source in zip(contents, names, strict=True):
        lacking = [name for name in holders if name not in content.names and name not in optional]
        if lacking:
            text = f"lacks {_columns(lacking)} that {holders[lacking[0]]} has"
            problems.append(Problem(text, source, "Exclude them under data.exclude, or add them."))
    problems += [problem for name in holders for problem in _mixed_types(name, contents, names)]
    return problems


def _columns(names: Sequence[str]) -> str:
    return f"the column{'s' if len(names) > 1 else ''} {names_listed(names)}"


def _mixed_types(name: str, contents: Sequence[Content], sources: Sequence[str]) -> list[Problem]:
    found: dict[str, str] = {}
    for content, source in zip(contents, sources, strict=True):
        column = content.column(name)
        if column is not None and not column.missing.all():
            found.setdefault(column.type, source)
    if len(found) < 2:
        return []
    text = f"column {name!r} holds numbers in {found['number']} and texts in {found['category']}"
    return [Problem(text, mend=f'Declare it: data.columns = {{ {toml_text(name)} = "category" }}, or mend the cells.')]


def _joined(name: str, contents: Sequence[Content]) -> Column:
    parts = [(content.column(name), content.rows) for content in contents]
    filled = [part for part, _ in parts if part is not None]
    # A column that is empty in one source is read as numbers there, whatever it is elsewhere.
    if all(column.type == "number" for column in filled):
        values = [np.full(rows, np.nan) if part is None else part.values for part, rows in parts]
        return Column(name, "number", np.concatenate(values))
    categories = sorted_names({text for column in filled for text in column.categories})
    place = {text: number for number, text in enumerate(categories)}
    codes = []
    for part, rows in parts:
        own = () if part is None else part.categories
        table = np.array([place[text] for text in own] + [-1], np.int32)
        is_coded = part is not None and part.type == "category"
        codes.append(table[part.values] if part is not None and is_coded else np.full(rows, -1, np.int32))
    return Column(name, "category", np.concatenate(codes), categories)


def _joined_arrays(arrays: Sequence[Array | None]) -> Array | None:
    there = [array for array in arrays if array is not None]
    return np.concatenate(there) if there else None


def _joined_sets(contents: Sequence[Content]) -> Array | None:
    if all(content.sets is None for content in contents):
        return None
    return np.concatenate(
        [np.full(content.rows, -1, np.int8) if content.sets is None else content.sets for content in contents]
    )
