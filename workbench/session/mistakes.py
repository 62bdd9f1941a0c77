"""What else is wrong where a recipe cannot be read: its data as far as they are named, and which change did it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workbench.data.content import concatenate
from workbench.data.reading import read_sources, with_heading
from workbench.data.roles import hints_of, roles_of
from workbench.errors import InputError, Problem, RecipeError
from workbench.recipe.data import DataRecipe
from workbench.recipe.paths import split_path, with_indices
from workbench.recipe.recipe import Recipe, read_toml

_MOST_BYTES = 2**24
"""Larger data are not read only to say what else is wrong; missing files are told all the same."""


def problems_of_changes(error: RecipeError, recipe: Recipe, paths: Sequence[str]) -> list[Problem]:
    """What changes by path have broken, each problem at the ``--set`` that it comes from.

    Args:
        error: of ``recipe.replace``.
        recipe: before the changes, when it was sound.
        paths: what was changed, as it was typed.
    """
    tree = recipe.tree()
    steps = {path: with_indices(tree, path) for path in paths}
    fields = list(_field_paths(tree))
    problems = []
    for problem in error.problems:
        place = problem.where.removeprefix("recipe: ")
        told = with_indices(tree, place)
        causes = [path for path in paths if _on_one_path(steps[path], told)]
        # A kind that there is not is told at its part, whose other settings are not to blame.
        causes = [path for path in causes if steps[path] == (*told, "kind")] or causes
        where = f"--set {', '.join(causes)}" if causes else place
        meant = "" if problem.mend else _meant(place, fields)
        problems.append(Problem(problem.what, where, problem.mend or meant))
    return problems


def _on_one_path(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    return all(a == b for a, b in zip(left, right, strict=False))


def _meant(place: str, fields: list[tuple[str, ...]]) -> str:
    """Where the field stands that was given without its section: ``epochs`` for ``training.epochs``."""
    steps = split_path(place)
    fitting = [".".join(field) for field in fields if field[-len(steps) :] == steps and len(field) > len(steps)]
    return f"Write {fitting[0]}." if len(fitting) == 1 else ""


def _field_paths(tree: Any, path: tuple[str, ...] = ()) -> Any:
    if isinstance(tree, dict):
        for name, inner in tree.items():
            yield (*path, name)
            yield from _field_paths(inner, (*path, name))


def data_problems(path: Path, changed: Collection[str] = ()) -> list[Problem]:
    """What is wrong with the data that a faulty recipe names: files that are missing, columns that do not exist.

    Args:
        path: the recipe's file.
        changed: paths whose values in the file do not count.
    """
    fields = {steps[1] if steps[1:] else "sources" for steps in map(split_path, changed) if steps[:1] == ("data",)}
    if "sources" in fields:
        return []
    try:
        tree = read_toml(path).get("data", {})
        recipe, dropped = _readable_part(tree)
    except (InputError, ValidationError, AttributeError, TypeError):
        return []
    recipe = _located(recipe, path.resolve().parent)
    named = [Path(text) for source in recipe.sources for text in (source.path, source.labels) if text]
    if not recipe.sources or (all(file.exists() for file in named) and _size(named) > _MOST_BYTES):
        return []
    try:
        contents = read_sources(recipe.sources, hints_of(recipe))
        content = concatenate(contents, [source.path for source in recipe.sources], recipe.exclude)
    except InputError as error:
        return with_heading(error)
    _, problems = roles_of(recipe, content)
    # What was dropped has been told as wrong; that it is now missing is no news.
    return [problem for problem in problems if split_path(problem.where)[1] not in dropped | fields]


def _readable_part(tree: Any) -> tuple[DataRecipe, set[str]]:
    """A data section without those of its fields that are wrong, and their names."""
    try:
        return DataRecipe.model_validate(tree), set()
    except ValidationError as error:
        dropped = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
    return DataRecipe.model_validate({name: value for name, value in tree.items() if name not in dropped}), dropped


def _located(recipe: DataRecipe, folder: Path) -> DataRecipe:
    whole = Recipe.parse({"data": recipe.model_dump(mode="json")}).located(folder)
    return whole.data


def _size(files: Sequence[Path]) -> int:
    try:
        return sum(
            file.stat().st_size if file.is_file() else sum(each.stat().st_size for each in file.rglob("*"))
            for file in files
        )
    except OSError:
        return 0
