"""From content to what the network reads: numbers as they are, categories one-hot; and how it is normalized."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.data.content import (
    Array,
    Column,
    Content,
    as_category,
    as_number,
    counted,
    names_listed,
    rows_listed,
    shape_text,
)
from workbench.data.names import meant
from workbench.data.readers.base import Hints
from workbench.errors import InputError, Problem
from workbench.recipe.data import ColumnType

Task = Literal["classification", "regression"]

_EXAMPLES: dict[int, Literal["auto", "pictures", "sequences"]] = {1: "auto", 2: "sequences", 3: "pictures"}


@dataclass(frozen=True)
class Feature:
    """How one column is encoded.

    Attributes:
        name: the column's name.
        type: ``number``: one value; ``category``: a 0 or 1 for each category.
        fill: what stands for a missing number, the mean of the training set; a missing or unknown category is all 0.
        categories: the categories of the training set, sorted.
    """

    name: str
    type: ColumnType
    fill: float = 0.0
    categories: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many values it becomes."""
        return 1 if self.type == "number" else len(self.categories)


@dataclass(frozen=True, eq=False)
class Encoder:
    """Encodes examples as the training set was. Normalized values are ``(x - shift) * scale``.

    Attributes:
        task: ``classification`` or ``regression``.
        target: the column to predict.
        classes: the classes' names, by class number; empty for regression.
        features: the columns that are read, in order; empty for pictures and sequences.
        input_shape: ``(F,)``, ``(T, F)`` or ``(H, W, C)``.
        shift, scale: float32 ``(F,)``, for pictures ``(C,)``; the scale includes the attributes' strengths.
        target_shift, target_scale: regression is trained on ``(y - target_shift) / target_scale``.
        pixels: the data type of pictures, ``uint8`` or ``float32``; empty for others.
    """

    task: Task
    target: str
    classes: tuple[str, ...]
    features: tuple[Feature, ...]
    input_shape: tuple[int, ...]
    shift: Array
    scale: Array
    target_shift: float = 0.0
    target_scale: float = 1.0
    pixels: str = ""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each of the F values, ``color=red`` for one of a category; empty for others."""
        return tuple(
            name
            for feature in self.features
            for name in (
                [feature.name]
                if feature.type == "number"
                else [f"{feature.name}={category}" for category in feature.categories]
            )
        )

    def column_types(self) -> dict[str, ColumnType]:
        """The types of the columns that are read."""
        return {feature.name: feature.type for feature in self.features}

    def hints(self) -> Hints:
        """What makes a reader read another file as the training data were; other columns may hold anything."""
        used = frozenset([self.target, *self.column_types()])
        return Hints(self.column_types(), used=used, examples=_EXAMPLES[len(self.input_shape)])

    def encode(self, content: Content) -> Array:
        """What the network reads, before normalization: float32 ``(N, F)`` or ``(N, T, F)``, or pictures as stored.

        Columns are found by name; others are passed over.

        Raises:
            InputError: columns are missing or hold text where numbers are needed, or examples have another size.
        """
        if not self.features:
            return self._arrays(content)
        columns = self._columns(content)
        encoded = np.zeros((content.rows, self.input_shape[0]), np.float32)
        place = 0
        for feature, column in zip(self.features, columns, strict=True):
            if feature.type == "number":
                encoded[:, place] = np.where(np.isnan(column.values), feature.fill, column.values)
            else:
                codes = _codes_of(column, feature.categories)
                rows = np.flatnonzero(codes >= 0)
                encoded[rows, place + codes[rows]] = 1
            place += feature.width
        return encoded

    def encode_targets(self, content: Content) -> Array:
        """Class numbers, int64 ``(N,)``, or values, float32 ``(N, 1)``.

        Unknown ones are -1 or NaN, and so are all where the column is missing.

        Raises:
            InputError: the target of a regression holds texts.
        """
        column = self.target_column(content)
        if self.task == "classification":
            if column is None:
                return np.full(content.rows, -1, np.int64)
            return _codes_of(as_category(column), self.classes).astype(np.int64)
        if column is None:
            return np.full((content.rows, 1), np.nan, np.float32)
        numbers, bad = as_number(column)
        if bad.any():
            raise InputError(_texts_in(column, bad))
        return numbers.values.astype(np.float32)[:, None]

    def target_column(self, content: Content) -> Column | None:
        """The column to predict, or what the files mark as labels where it has another name; None without."""
        return content.column(self.target) or (content.column(content.label) if content.label else None)

    def notes(self, content: Content) -> tuple[str, ...]:
        """What the user should know of content that was encoded: missing values, categories and classes never seen."""
        notes = self._picture_notes(content) if self.pixels else []
        for feature, column in zip(self.features, self._columns(content) if self.features else (), strict=True):
            notes += _feature_notes(feature, column)
        target = self.target_column(content)
        if target is not None and self.task == "classification":
            coded = as_category(target)
            strange = [text for text in coded.categories if text not in self.classes]
            if strange:
                unknown = int(((_codes_of(coded, self.classes) < 0) & (coded.values >= 0)).sum())
                notes.append(
                    f"{counted(unknown, 'example')} of classes that were not learned: {names_listed(strange, 5)}."
                )
        return tuple(notes)

    def _arrays(self, content: Content) -> Array:
        if content.arrays is None or content.shape != self.input_shape:
            raise InputError(f"the network reads {shape_text(self.input_shape)}, this is {shape_text(content.shape)}")
        return content.arrays if self.pixels == "uint8" else content.arrays.astype(np.float32, copy=False)

    def _picture_notes(self, content: Content) -> list[str]:
        given = "" if content.pictures is None else content.pictures.dtype.name
        if given == self.pixels:
            return []
        return [f"The network learned from {self.pixels} pixels, these are {given}: see that their ranges agree."]

    def _columns(self, content: Content) -> list[Column]:
        if content.arrays is not None:
            raise InputError(f"the network reads a table, this is {shape_text(content.shape)}")
        found = {column.name: column for column in content.columns}
        lacking = [feature.name for feature in self.features if feature.name not in found]
        problems = [_lacking(lacking, found)] if lacking else []
        columns = []
        for feature in self.features:
            if feature.name not in found:
                continue
            column = found[feature.name]
            if feature.type == "number":
                column, bad = as_number(column)
                problems += [Problem(_texts_in(found[feature.name], bad))] if bad.any() else []
            columns.append(column if feature.type == "number" else as_category(column))
        if problems:
            raise InputError.of(problems)
        return columns

    def to_json(self) -> str:
        """The encoder as JSON text; nothing is lost."""
        tree = {
            "task": self.task,
            "target": self.target,
            "classes": self.classes,
            "features": [[item.name, item.type, item.fill, item.categories] for item in self.features],
            "input_shape": self.input_shape,
            "shift": self.shift.tolist(),
            "scale": self.scale.tolist(),
            "target_shift": self.target_shift,
            "target_scale": self.target_scale,
            "pixels": self.pixels,
        }
        return json.dumps(tree, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Encoder:
        """The encoder that ``to_json`` wrote.

        Raises:
            InputError: the text is none.
        """
        try:
            encoder = _from_tree(json.loads(text))
            encoder._check()
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise InputError(f"is no encoder that can be read ({type(error).__name__})") from None
        return encoder

    def _check(self) -> None:
        size = sum(feature.width for feature in self.features) if self.features else self.input_shape[-1]
        if self.features and self.input_shape != (size,):
            raise ValueError("features do not fit the shape")
        if not self.features and len(self.input_shape) != (3 if self.pixels else 2):
            raise ValueError("no shape of pictures or sequences")
        if self.shift.shape != (size,) or self.scale.shape != (size,) or self.target_scale == 0:
            raise ValueError("the normalization does not fit the shape")
        if self.task not in ("classification", "regression") or self.pixels not in ("", "uint8", "float32"):
            raise ValueError("unknown task or pixels")
        if not (np.isfinite(self.shift).all() and np.isfinite(self.scale).all()):
            raise ValueError("the normalization is not finite")


def _from_tree(tree: dict[str, Any]) -> Encoder:
    features = [
        Feature(str(name), "number" if type_ == "number" else "category", float(fill), tuple(map(str, categories)))
        for name, type_, fill, categories in tree["features"]
    ]
    return Encoder(
        task=tree["task"],
        target=str(tree["target"]),
        classes=tuple(map(str, tree["classes"])),
        features=tuple(features),
        input_shape=tuple(map(int, tree["input_shape"])),
        shift=np.array(tree["shift"], np.float32),
        scale=np.array(tree["scale"], np.float32),
        target_shift=float(tree["target_shift"]),
        target_scale=float(tree["target_scale"]),
        pixels=tree["pixels"],
    )


def _codes_of(column: Column, categories: Sequence[str]) -> Array:
    """The number of each value among ``categories``, -1 where it is missing or not among them, int32 ``(N,)``."""
    place = {text: number for number, text in enumerate(categories)}
    table = np.array([place.get(text, -1) for text in column.categories] + [-1], np.int32)
    codes: Array = table[column.values]
    return codes


def _lacking(names: Sequence[str], known: Sequence[str] | dict[str, Column]) -> Problem:
    if len(names) == 1:
        return Problem(f"lacks the column {names[0]!r} that the network reads{meant(names[0], known)}")
    return Problem(f"lacks the columns {names_listed(names, 20)} that the network reads")


def _texts_in(column: Column, bad: Array) -> str:
    rows = np.flatnonzero(bad)
    shown = names_listed(list(dict.fromkeys(column.text(int(row)) for row in rows[:5])))
    return f"column {column.name!r} must hold numbers; there is text in {rows_listed(rows)}: {shown}"


def _feature_notes(feature: Feature, column: Column) -> list[str]:
    notes = []
    missing = int(column.missing.sum())
    if missing and feature.type == "number":
        text = f"{counted(missing, 'missing value')} put at the training mean, {feature.fill:.6g}"
        notes.append(f"Column {feature.name!r}: {text}.")
    if feature.type == "category":
        unknown = int((_codes_of(column, feature.categories) < 0).sum()) - missing
        if missing:
            notes.append(f"Column {feature.name!r}: {counted(missing, 'missing value')} of no category.")
        if unknown:
            strange = [text for text in column.categories if text not in feature.categories]
            text = f"{counted(unknown, 'value')} not seen in training: {names_listed(strange, 5)}"
            notes.append(f"Column {feature.name!r}: {text}.")
    return notes
