"""What each column is for: target, feature, strength, group; and every name in the recipe that leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.data.content import Content, names_listed, toml_text
from workbench.data.names import meant
from workbench.data.readers.base import Hints
from workbench.errors import Problem
from workbench.recipe.data import DataRecipe, Split

MOST_CATEGORIES = 1_000
"""A category column with more values than this is an identifier or free text, no feature."""


@dataclass(frozen=True)
class Roles:
    """The columns by their use.

    Attributes:
        target: what is predicted.
        features: what is learned from, in order; empty for pictures and sequences.
        weight: the column of strengths, or None.
        group: the column whose equal values stay in one set, or None.
        notices: what was left out, and why.
    """

    target: str | None
    features: tuple[str, ...]
    weight: str | None
    group: str | None
    notices: tuple[str, ...] = ()


def hints_of(recipe: DataRecipe) -> Hints:
    """What the recipe says of columns before they are read."""
    named = (*recipe.features, recipe.target, recipe.weights.column, group_of(recipe))
    used = frozenset(name for name in named if name) if recipe.features else None
    return Hints(dict(recipe.columns), frozenset(recipe.exclude), used)


def group_of(recipe: DataRecipe) -> str | None:
    """The column whose equal values stay in one set."""
    return recipe.split.group if isinstance(recipe.split, Split) else None


def roles_of(recipe: DataRecipe, content: Content) -> tuple[Roles, list[Problem]]:
    """Find the columns that a recipe names.

    Returns:
        the roles, as far as they are clear, and every problem.
    """
    problems = [*_unknown_names(recipe, content), *_doubtful_roles(recipe)]
    target = recipe.target or content.label
    if target is None:
        problems.append(_no_target(content))
    features, notices = _features(recipe, content, target)
    problems += [*_no_features(content, features), *_too_many_categories(content, features)]
    return Roles(target, features, recipe.weights.column, group_of(recipe), notices), problems


def _no_target(content: Content) -> Problem:
    if content.pictures is not None:
        return Problem(
            "the pictures have no labels",
            "data.sources",
            "Put them in a folder for each class, or name a file of labels.",
        )
    if content.sequences is not None:
        return Problem("the sequences have no labels", "data.sources", "Put them beside the examples as an array y.")
    mend = f"Name one of {names_listed(content.names)}."
    return Problem("no column is named to predict", "data.target", mend)


def _named(recipe: DataRecipe) -> Iterator[tuple[str, str]]:
    if recipe.target is not None:
        yield "data.target", recipe.target
    yield from ((f"data.features[{place}]", name) for place, name in enumerate(recipe.features))
    yield from ((f"data.exclude[{place}]", name) for place, name in enumerate(recipe.exclude))
    yield from (("data.columns", name) for name in recipe.columns)
    if group_of(recipe) is not None:
        yield "data.split.group", group_of(recipe) or ""
    if recipe.weights.column is not None:
        yield "data.weights.column", recipe.weights.column
    yield from (("data.weights.attributes", name) for name in recipe.weights.attributes)


def _unknown_names(recipe: DataRecipe, content: Content) -> list[Problem]:
    return [
        Problem(f"there is no column {name!r}{meant(name, content.names)}", where)
        for where, name in _named(recipe)
        if name not in content.names
    ]


def _doubtful_roles(recipe: DataRecipe) -> list[Problem]:
    """Columns that are named as features and have another role already."""
    taken = {
        recipe.target: "the target",
        recipe.weights.column: "the column of strengths",
        group_of(recipe): "the column that groups examples",
    }
    return [
        Problem(f"{name!r} is {taken[name]} and cannot be learned from", f"data.features[{place}]")
        for place, name in enumerate(recipe.features)
        if name in taken
    ]


def _features(recipe: DataRecipe, content: Content, target: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if content.arrays is not None:
        return (), ()
    taken = {target, recipe.weights.column, group_of(recipe), *recipe.exclude}
    taken |= {name for name, strength in recipe.weights.attributes.items() if strength == 0}
    wanted = [name for name in dict.fromkeys(recipe.features or content.names) if name not in taken]
    columns = [column for name in wanted if (column := content.column(name)) is not None]
    empty = [column.name for column in columns if column.missing.all()]
    notices = (f"Left out, as they are empty: {names_listed(empty)}.",) if empty else ()
    return tuple(column.name for column in columns if column.name not in empty), notices


def _no_features(content: Content, features: tuple[str, ...]) -> list[Problem]:
    if content.arrays is not None or features:
        return []
    return [Problem("no column is left to learn from", "data.features", "Exclude fewer columns.")]


def _too_many_categories(content: Content, features: tuple[str, ...]) -> list[Problem]:
    problems = []
    for name in features:
        column = content.column(name)
        if column is not None and len(column.categories) > MOST_CATEGORIES:
            what = f"column {name!r} holds {len(column.categories):,} different texts: an identifier or free text"
            problems.append(Problem(what, "data.features", f"Leave it out: data.exclude = [{toml_text(name)}]."))
    return problems
