"""A small project with finished runs, made once and copied for each test that changes it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from support.small_runs import table_recipe, write_table

from workbench.events import Event, RunEnded
from workbench.recipe.recipe import Recipe
from workbench.session.runner import Run, RunRequest
from workbench.store.project import Project


def make_project(folder: Path, **training: Any) -> Path:
    """A project with run 1, and run 2 that differs from it in its epochs alone; the human level is 2 %."""
    recipe = table_recipe(write_table(folder, rows=600), **training).replace("goals.human_error", 0.02)
    path = folder / "small"
    with Project.create(path) as project:
        project.save_draft(recipe)
        first = train_in(project, recipe)
        train_in(project, recipe.replace("training.epochs", 12), first)
    return path


def train_in(project: Project, recipe: Recipe, parent: int | None = None) -> int:
    """Train to the end as a run of a project; its number."""
    changes = Recipe.load(project.run(parent).folder / "recipe.toml").diff(recipe) if parent else ()
    entry = project.add_run(parent, changes)
    said: list[Event] = []
    run = Run(RunRequest(entry.name, entry.folder, recipe, "cpu", 1, None), said.append, spawn=False)
    run.start()
    assert run.join(60)
    ended = said[-1]
    assert isinstance(ended, RunEnded)
    project.note(entry.number, ended.reason, ended.message, ended.summary)
    return entry.number


def copied(project: Path, to: Path) -> Path:
    """The same project somewhere else."""
    return Path(shutil.copytree(project, to / project.name))
