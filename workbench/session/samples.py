"""The bundled samples: data and a recipe each, one for each error model of the lecture."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import InputError
from workbench.recipe.recipe import Recipe
from workbench.store.bundled import resources
from workbench.store.files import make_folder, read_file, write_file
from workbench.store.run_folder import require_empty


@dataclass(frozen=True)
class Sample:
    """A bundled sample.

    Attributes:
        name: its folder.
        title, goal, about: for people.
        verdict: what its diagnosis comes to.
        license, source: where the data come from.
    """

    name: str
    title: str
    goal: str
    about: str
    verdict: str
    license: str
    source: str

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return resources() / "samples" / self.name

    def recipe(self) -> Recipe:
        """Its recipe, with paths into the bundled folder."""
        return Recipe.load(self.folder / "recipe.toml")


def samples() -> tuple[Sample, ...]:
    """All bundled samples."""
    text = read_file(resources() / "samples" / "samples.toml").decode()
    return tuple(Sample(**entry) for entry in tomllib.loads(text)["samples"])


def sample(name: str) -> Sample:
    """A sample by name.

    Raises:
        InputError: there is none of this name.
    """
    known = {each.name: each for each in samples()}
    if name not in known:
        raise InputError(f"there is no sample {name!r}", mend=f"The samples are {', '.join(known)}.")
    return known[name]


def write_sample(name: str, folder: Path) -> Path:
    """Copy a sample's data and recipe to a folder.

    Returns:
        The recipe's path.

    Raises:
        InputError: there is no such sample, or the folder is not empty.
        StoreError: it cannot be written.
    """
    source = sample(name)
    require_empty(folder)
    make_folder(folder)
    for file in sorted(source.folder.iterdir()):
        write_file(folder / file.name, read_file(file))
    return folder / "recipe.toml"
