"""The data section: where examples come from, how they are split, weighted, normalized and augmented."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import SerializeAsAny, field_validator, model_validator
from pydantic_core import PydanticCustomError

from workbench.recipe.fields import Frozen, knob
from workbench.recipe.kinds import AugmentSpec
from workbench.recipe.tasks import Task

SetName = Literal["train", "dev", "test"]
ColumnType = Literal["number", "category"]


class Source(Frozen):
    """One file or folder of examples."""

    path: str = knob(help="A table, a folder of pictures, an .npz or .npy, or an IDX file; relative to the recipe.")
    labels: str | None = knob(None, help="The file with the labels, where they stand apart (IDX, .npy).")
    distribution: str = knob("", help="The distribution it stands for (a scanner, a shop, a country).")
    set: Literal["any", "train", "dev", "test"] = knob(
        "any", help="Put all of it into one set; `any` takes part in the split."
    )
    examples: Literal["auto", "pictures", "sequences"] = knob(
        "auto",
        help="What arrays of an .npz or .npy hold: gray pictures and sequences (steps, features) may look the same.",
        advanced=True,
    )
    format: str = knob("auto", help="The reader to use; `auto` goes by content and name.", advanced=True)
    separator: str | None = knob(None, help="What stands between columns; found out when empty.", advanced=True)
    decimal: Literal[".", ","] | None = knob(None, help="The decimal mark; found out when empty.", advanced=True)
    encoding: str | None = knob(None, help="The text encoding; found out when empty.", advanced=True)


class Split(Frozen):
    """Which share of the examples goes into which set."""

    train: float = knob(0.6, help="The share to learn from.", gt=0, le=1, unit="fraction")
    dev: float = knob(0.2, help="The share to choose by while training.", ge=0, lt=1, unit="fraction")
    test: float = knob(0.2, help="The share kept for the end.", ge=0, lt=1, unit="fraction")
    stratify: bool = knob(True, help="Keep the share of each class or label alike in all sets.")
    group: str | None = knob(
        None, help="A column whose equal values stay in one set (a patient, a device).", choices_from="columns"
    )
    seed: int = knob(0, help="Another seed, another division of the same shares.", ge=0, le=2**32 - 1)

    @model_validator(mode="after")
    def _shares_add_up(self) -> Split:
        total = self.train + self.dev + self.test
        if abs(total - 1) > 1e-6:
            raise PydanticCustomError(
                "shares", "train + dev + test must be 1, they add up to {total}", {"total": f"{total:.6g}"}
            )
        return self


class RowWeight(Frozen):
    """A strength given by hand to some rows."""

    rows: str = knob(help="Row numbers as the preview shows them, the first is 1: `3, 10-20`.")
    weight: float = knob(help="Their strength s_i; 0 leaves them out of the training.", ge=0, le=1e6)

    @field_validator("rows")
    @classmethod
    def _rows_are_ranges(cls, value: str) -> str:
        if not re.fullmatch(r"\s*\d+(\s*-\s*\d+)?(\s*,\s*\d+(\s*-\s*\d+)?)*\s*", value):
            raise PydanticCustomError("rows", "must be row numbers like '3, 10-20'")
        return value


class Weights(Frozen):
    """How strongly each example and each attribute takes part.

    An example's strength s_i is the product of what its class, its column and its rows say; the loss is
    ``sum(s_i * L_i) / sum(s_i)`` (the lecture's J).
    """

    class_balance: Literal["none", "inverse_frequency"] = knob(
        "none", help="`inverse_frequency` lets rare classes weigh as much in all as frequent ones."
    )
    column: str | None = knob(None, help="A column that holds each example's strength.", choices_from="columns")
    rows: tuple[RowWeight, ...] = knob((), help="Strengths given by hand.")
    attributes: dict[str, float] = knob(
        factory=dict, help="A column's strength: 0 leaves it out, between 0 and 1 scales its normalized values."
    )

    @field_validator("attributes")
    @classmethod
    def _strengths_in_range(cls, value: dict[str, float]) -> dict[str, float]:
        wrong = [name for name, strength in value.items() if not 0 <= strength <= 10]
        if wrong:
            raise PydanticCustomError(
                "strength", "strengths lie between 0 and 10: {names}", {"names": ", ".join(wrong)}
            )
        return value


class DataRecipe(Frozen):
    """Everything about the data."""

    sources: tuple[Source, ...] = knob((), help="The files and folders, read in this order.")
    task: Task = knob(
        "classification",
        help="Tell classes apart, find all of several labels that an example has, or predict a number.",
    )
    target: str | None = knob(
        None,
        help="The column to predict; for multilabel it may hold the labels in one text, as `red; round`. `;` alone"
        " says that there are none, an empty cell that nobody knows.",
        choices_from="columns",
    )
    targets: tuple[str, ...] = knob(
        (),
        help="The columns to predict together (multilabel): 1 where the label is there, 0 where not, empty where not"
        " known.",
        choices_from="columns",
        placeholder="none",
    )
    features: tuple[str, ...] = knob(
        (),
        help="The columns to learn from, in this order; all others when empty.",
        choices_from="columns",
        placeholder="all others",
    )
    exclude: tuple[str, ...] = knob((), help="Columns to leave out.", choices_from="columns", placeholder="none")
    columns: dict[str, ColumnType] = knob(factory=dict, help="Types that differ from what the reader found.")
    split: Split | Literal["auto"] = knob(
        "auto", help="`auto`: 60/20/20 below 100,000 examples, 80/10/10 up to a million, 98/1/1 above."
    )
    normalize: Literal["none", "standard", "minmax"] = knob(
        "standard", help="By mean and deviation, or by range, measured on the training set only."
    )
    normalize_target: Literal["none", "standard"] = knob(
        "none", help="Train on the target's deviations from its mean (regression); predictions are in its unit."
    )
    weights: Weights = knob(factory=Weights, help="Strengths of examples and attributes.")
    augment: tuple[SerializeAsAny[AugmentSpec], ...] = knob(
        (), help="Random changes of training examples, applied in this order."
    )

    @field_validator("sources", mode="before")
    @classmethod
    def _a_path_is_a_source(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return tuple({"path": item} if isinstance(item, str) else item for item in value)
