"""The recipe: an immutable description of an experiment, and its file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import tomli_w
from pydantic import ValidationError

from workbench.errors import Problem, RecipeError
from workbench.recipe.data import DataRecipe
from workbench.recipe.fields import Frozen, knob
from workbench.recipe.network import NetworkRecipe, wrong_joints_of_tree
from workbench.recipe.paths import Change, differences, get_at, join_path, split_path
from workbench.recipe.places import put
from workbench.recipe.problems import problems_of
from workbench.recipe.training import Goals, TrainingRecipe

_LARGEST_FILE = 4 * 2**20


class Recipe(Frozen):
    """What to do: data, network, training and goals. Nothing in it can be changed; ``replace`` makes another."""

    schema_version: Literal[1] = knob(1, alias="schema", help="The version of this format.")
    name: str = knob("experiment", help="What to call the experiment.")
    data: DataRecipe = knob(factory=DataRecipe, help="Where examples come from and how they are treated.")
    network: NetworkRecipe = knob(factory=NetworkRecipe, help="The layers.")
    training: TrainingRecipe = knob(factory=TrainingRecipe, help="How the network learns.")
    goals: Goals = knob(factory=Goals, help="What to compare with.")

    @classmethod
    def parse(cls, tree: Mapping[str, Any], where: str = "recipe") -> Self:
        """Make a recipe of nested dicts.

        Raises:
            RecipeError: names every mistake, each with its path.
        """
        try:
            return cls.model_validate(dict(tree))
        except ValidationError as error:
            problems = problems_of(error, tree)
            told = {problem.where for problem in problems}
            problems += [problem for problem in _joint_problems(tree) if problem.where not in told]
            raise RecipeError.of(_in_file(problems, where)) from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a recipe from a TOML file; relative data paths then start at its folder.

        Raises:
            RecipeError: the file cannot be read, is no TOML, or has mistakes.
        """
        recipe = cls.parse(read_toml(path), str(path))
        return recipe.located(path.resolve().parent)

    def located(self, folder: Path) -> Self:
        """The same recipe with relative paths, of data and of weights, made absolute, starting at ``folder``."""
        tree = self.tree()
        parts = [(source, key) for source in tree["data"]["sources"] for key in ("path", "labels")]
        start = tree["training"]["start_from"]
        for part, key in [*parts, *([(start, "path")] if start and start["path"] else [])]:
            if part[key] is not None:
                part[key] = str(folder / Path(part[key]).expanduser())
        return type(self).parse(tree)

    def tree(self) -> dict[str, Any]:
        """The recipe as nested dicts and lists, every default written out."""
        return self.model_dump(mode="json", by_alias=True)

    def toml(self) -> str:
        """The recipe as TOML, every default written out; what is None is left out, as TOML has no null."""
        return tomli_w.dumps(_short_kinds(_without_none(self.tree())))

    def fingerprint(self) -> str:
        """SHA-256 of the recipe's content, the same on every machine."""
        canonical = json.dumps(self.tree(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def get(self, path: str) -> Any:
        """The value at a path, as in ``tree``.

        Raises:
            RecipeError: there is nothing at the path.
        """
        return get_at(self.tree(), path)

    def replace(self, path: str | Mapping[str, Any], value: Any = None) -> Self:
        """Another recipe with a value, or several by path in any order, put in place and validated.

        A new ``kind`` comes with its own defaults and keeps the fields that it shares with the one before.

        Raises:
            RecipeError: names every path that leads nowhere, and all that no longer holds together.
        """
        changes = path if isinstance(path, Mapping) else {path: value}
        tree, problems = self.tree(), list[Problem]()
        for at in sorted(changes, key=_parts_first):
            try:
                put(type(self), tree, at, _plain(changes[at]))
            except RecipeError as error:
                problems += error.problems
        try:
            changed = type(self).parse(tree)
        except RecipeError as error:
            raise (RecipeError.of([*problems, *error.problems]) if problems else error) from None
        if problems:
            raise RecipeError.of(problems)
        return changed

    def diff(self, other: Recipe) -> tuple[Change, ...]:
        """What must be replaced in this recipe to get the other, names of experiments aside."""
        return tuple(change for change in differences(self.tree(), other.tree()) if change.path != "name")


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        RecipeError: the file cannot be read or is no TOML.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise RecipeError("is far too large for a recipe", where=str(path))
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RecipeError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecipeError(f"is no valid TOML: {error}", where=str(path)) from None


def _joint_problems(tree: Mapping[str, Any]) -> list[Problem]:
    network = tree.get("network")
    wrong = wrong_joints_of_tree(network.get("layers")) if isinstance(network, dict) else []
    return [Problem(text, join_path(("network", *place))) for place, text in wrong]


def _in_file(problems: list[Problem], where: str) -> list[Problem]:
    return [Problem(problem.what, f"{where}: {problem.where}" if problem.where else where) for problem in problems]


def _parts_first(path: str) -> tuple[int, bool]:
    """Orders changes: a part before its fields, and of these its kind, by which the others are to be understood."""
    steps = split_path(path)
    return len(steps), steps[-1:] != ("kind",)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True) if isinstance(value, Frozen) else value


def _without_none(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _without_none(value) for key, value in tree.items() if value is not None}
    return [_without_none(item) for item in tree] if isinstance(tree, list) else tree


def _short_kinds(tree: dict[str, Any]) -> dict[str, Any]:
    # A loss without fields is written as in the short form: loss = "cross_entropy".
    loss = tree.get("training", {}).get("loss")
    if isinstance(loss, dict) and set(loss) == {"kind"}:
        tree["training"]["loss"] = loss["kind"]
    return tree
