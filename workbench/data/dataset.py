"""A dataset: examples encoded, divided into sets, each with its strength; from a recipe, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.data.content import Array, Content, concatenate
from workbench.data.encoder import Encoder
from workbench.data.fingerprint import fingerprint_of
from workbench.data.fitting import fit_encoder
from workbench.data.reading import quiet, read_sources
from workbench.data.roles import Roles, hints_of, roles_of
from workbench.data.split import Division, Examples, divide
from workbench.data.targets import Targets, targets_of
from workbench.data.weights import strengths_of
from workbench.errors import RecipeError
from workbench.recipe.data import DataRecipe


@dataclass(frozen=True, eq=False)
class Dataset:
    """N examples, ready to be trained on. Rows are numbered from 0 over all sources in their order.

    Attributes:
        inputs: float32 ``(N, F)`` or ``(N, T, F)`` before normalization; pictures ``(N, H, W, C)`` also uint8.
        targets: class numbers, int64 ``(N,)``, or values, float32 ``(N, 1)``; -1 or NaN where unknown.
        strengths: s_i, float32 ``(N,)``.
        sets: row numbers in source order, int64, by ``train``, ``dev``, ``test``; rows without a target are in none.
        encoder: how the inputs were made, and the normalization.
        distributions: the names of the distributions that sources stand for; an empty one for sources without.
        distribution_of: the number of each example's distribution, int32 ``(N,)``.
        content: the examples as they were read.
        notices: what the user should know.
        split_reason: why it is divided so, in plain words.
        fingerprint: SHA-256 of the content.
    """

    inputs: Array
    targets: Array
    strengths: Array
    sets: dict[str, Array]
    encoder: Encoder
    distributions: tuple[str, ...]
    distribution_of: Array
    content: Content
    notices: tuple[str, ...]
    split_reason: str
    fingerprint: str

    @property
    def rows(self) -> int:
        """N."""
        return len(self.inputs)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names; empty for regression."""
        return self.encoder.classes


def load_dataset(
    recipe: DataRecipe, cache: Path | None = None, progress: Callable[[str, int, int], None] | None = None
) -> Dataset:
    """Read the sources of a recipe and make a dataset of them.

    Args:
        recipe: what to read and how to treat it; relative paths start at the working folder.
        cache: the folder of the cache; None to do without.
        progress: is told ``(stage, done, total)``; it may raise to cancel.

    Raises:
        InputError: names every source that cannot be read, or every mistake in the recipe.
    """
    if not recipe.sources:
        raise RecipeError("no data are named", where="data.sources", mend="Name at least one file or folder.")
    tell = progress or quiet
    contents = read_sources(recipe.sources, hints_of(recipe), cache, tell)
    return dataset_of(recipe, contents, tell)


def dataset_of(
    recipe: DataRecipe, contents: Sequence[Content], progress: Callable[[str, int, int], None] = quiet
) -> Dataset:
    """Make a dataset of what was read from a recipe's sources.

    Args:
        recipe: as for ``load_dataset``.
        contents: one for each source, in order.

    Raises:
        InputError: the sources do not fit together, or the recipe does not fit them: every mistake is named.
    """
    content = concatenate(contents, [source.path for source in recipe.sources], recipe.exclude)
    progress("preparing data", 0, 4)
    roles, targets, division, strengths = _decide(recipe, content)
    progress("preparing data", 1, 4)
    encoder, notices = fit_encoder(recipe, content, roles, targets, division.sets["train"])
    progress("preparing data", 2, 4)
    inputs = encoder.encode(content)
    progress("preparing data", 3, 4)
    distributions, distribution_of = _distributions(recipe, contents)
    progress("preparing data", 4, 4)
    return Dataset(
        inputs=inputs,
        targets=targets.values,
        strengths=strengths,
        sets=division.sets,
        encoder=encoder,
        distributions=distributions,
        distribution_of=distribution_of,
        content=content,
        notices=(*roles.notices, *_left_out(targets, roles.target), *division.notices, *notices),
        split_reason=division.reason,
        fingerprint=fingerprint_of(content),
    )


def _decide(recipe: DataRecipe, content: Content) -> tuple[Roles, Targets, Division, Array]:
    """Everything that a recipe can be wrong about, so that all of it is said at once."""
    roles, problems = roles_of(recipe, content)
    column = content.column(roles.target) if roles.target else None
    if column is None:
        raise RecipeError.of(problems)
    targets, found = targets_of(recipe.task, column)
    problems += found
    # What cannot be divided for want of targets is reported as that.
    examples = _examples(content, targets, roles)
    division, unfit = divide(None if recipe.split == "auto" else recipe.split, examples)
    problems += unfit if targets.known.any() and not found else []
    strengths, wrong = strengths_of(
        recipe.weights, content, targets.values if recipe.task == "classification" else None, division.sets["train"]
    )
    problems += wrong
    if problems:
        raise RecipeError.of(problems)
    return roles, targets, division, strengths


def _examples(content: Content, targets: Targets, roles: Roles) -> Examples:
    column = content.column(roles.group) if roles.group else None
    groups: Array | None = None
    texts: tuple[str, ...] = ()
    if column is not None:
        groups = np.full(content.rows, -1, np.int64)
        known = ~column.missing
        distinct, groups[known] = np.unique(column.values[known], return_inverse=True)
        first = [int(np.argmax(column.values == value)) for value in distinct[:1000]]
        texts = tuple(column.text(row) for row in first)
    return Examples(
        targets.known, content.sets, targets.class_numbers, targets.classes, groups, roles.group or "", texts
    )


def _distributions(recipe: DataRecipe, contents: Sequence[Content]) -> tuple[tuple[str, ...], Array]:
    names = tuple(dict.fromkeys(source.distribution for source in recipe.sources))
    numbers = [names.index(source.distribution) for source in recipe.sources]
    return names, np.repeat(np.array(numbers, np.int32), [content.rows for content in contents])


def _left_out(targets: Targets, target: str | None) -> list[str]:
    count = int((~targets.known).sum())
    if not count:
        return []
    examples = "1 example is" if count == 1 else f"{count:,} examples are"
    return [f"{examples} left out: the target {target!r} is missing there."]
