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
        targets: what is predicted: one column, or several that hold a label each; none where that is not clear.
        features: what is learned from, in order; empty for pictures and sequences.
        weight: the column of strengths, or None.
        group: the column whose equal values stay in one set, or None.
        notices: what was left out, and why.
    """

    targets: tuple[str, ...]
    features: tuple[str, ...]
    weight: str | None
    group: str | None
    notices: tuple[str, ...] = ()


def hints_of(recipe: DataRecipe) -> Hints:
    """What the recipe says of columns before they are read."""
    named = (*recipe.features, *recipe.targets, recipe.target, recipe.weights.column, group_of(recipe))
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
    targets = target_columns(recipe, content)
    if not targets:
        problems.append(_no_target(recipe, content))
    problems += _wrong_number(recipe)
    features, notices = _features(recipe, content, targets)
    problems += [*_no_features(content, features), *_too_many_categories(content, features)]
    return Roles(targets, features, recipe.weights.column, group_of(recipe), notices), problems


def target_columns(recipe: DataRecipe, content: Content) -> tuple[str, ...]:
    """The columns to predict: the recipe's, else those that the files mark; several only where the task takes them."""
    several = recipe.task == "multilabel"
    if several and recipe.targets:
        return tuple(dict.fromkeys(recipe.targets))
    if recipe.target is not None:
        return (recipe.target,)
    if several and content.labels:
        return content.labels
    return (content.label,) if content.label else ()


def _wrong_number(recipe: DataRecipe) -> Iterator[Problem]:
    """Columns to predict that the task does not take."""
    if recipe.task != "multilabel" and recipe.targets:
        what = f'several columns to predict are for task = "multilabel", and the task is {recipe.task!r}'
        yield Problem(what, "data.targets", "Change the task, or name one column as data.target.")
    elif recipe.targets and recipe.target is not None:
        yield Problem("names columns to predict, and so does data.target", "data.targets", "Leave one of them out.")


def _no_target(recipe: DataRecipe, content: Content) -> Problem:
    if content.labels and recipe.task != "multilabel":
        count = f"{len(content.labels)} labels, of which an example may have several"
        return Problem(f"the files hold {count}", "data.task", 'Use task = "multilabel", or name one as data.target.')
    if content.pictures is not None:
        return Problem(
            "the pictures have no labels",
            "data.sources",
            "Put them in a folder for each class, or name a file of labels.",
        )
    if content.sequences is not None:
        return Problem("the sequences have no labels", "data.sources", "Put them beside the examples as an array y.")
    mend = f"Name one of {names_listed(content.names)}."
    where = "data.targets" if recipe.task == "multilabel" else "data.target"
    return Problem("no column is named to predict", where, mend)


def _named(recipe: DataRecipe) -> Iterator[tuple[str, str]]:
    if recipe.target is not None:
        yield "data.target", recipe.target
    yield from ((f"data.targets[{place}]", name) for place, name in enumerate(recipe.targets))
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
    taken: dict[str | None, str] = {
        **dict.fromkeys(recipe.targets, "a target"),
        recipe.target: "the target",
        recipe.weights.column: "the column of strengths",
        group_of(recipe): "the column that groups examples",
    }
    return [
        Problem(f"{name!r} is {taken[name]} and cannot be learned from", f"data.features[{place}]")
        for place, name in enumerate(recipe.features)
        if name in taken
    ]


def _features(
    recipe: DataRecipe, content: Content, targets: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if content.arrays is not None:
        return (), ()
    marked = () if recipe.features else content.labels
    taken = {*targets, *marked, recipe.weights.column, group_of(recipe), *recipe.exclude}
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
