"""What was tried before: runs that differ from their parent in one setting, and what that moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workbench.diagnosis.context import Tried
from workbench.errors import WorkbenchError
from workbench.recipe.training import Goals
from workbench.session.results import goals_of_run, what_moved
from workbench.store.project import Project, RunEntry, is_project
from workbench.store.run_folder import RunFolder


def tried_from(runs: list[RunEntry], number: int, goals: Goals | None = None) -> tuple[tuple[RunEntry, Tried], ...]:
    """The knobs that were turned in child runs of a run and of its ancestors, each with the child and its effect.

    All are measured by the same goals: those given, else those of the run itself. Runs that did not end, changed
    several settings, or whose folder is damaged are passed over.
    """
    by_number = {entry.number: entry for entry in runs}
    lineage = set(_lineage(by_number, number))
    goals = goals or _goals(by_number.get(number))
    found = []
    for child in runs:
        parent = by_number.get(child.parent or 0)
        one = len(child.changes) == 1 and child.ended_well
        if parent is None or child.parent not in lineage or not one or not parent.ended_well:
            continue
        with suppress(WorkbenchError):
            found.append((child, _tried(parent, child, goals)))
    return tuple(found)


def tried_at(folder: Path) -> tuple[Tried, ...]:
    """The same for a run folder that stands in a project; nothing for one that does not."""
    home = folder.resolve().parent.parent
    if not is_project(home):
        return ()
    with Project.open(home, write=False) as project:
        runs = project.runs()
    number = next((entry.number for entry in runs if entry.folder.resolve() == folder.resolve()), 0)
    return tuple(tried for _, tried in tried_from(runs, number))


def _lineage(by_number: dict[int, RunEntry], number: int) -> Iterator[int]:
    while number in by_number:
        yield number
        number = by_number[number].parent or 0


def _goals(entry: RunEntry | None) -> Goals | None:
    if entry is not None:
        with suppress(WorkbenchError), RunFolder.open(entry.folder) as folder:
            return goals_of_run(folder)
    return None


def _tried(parent: RunEntry, child: RunEntry, goals: Goals | None) -> Tried:
    (change,) = child.changes
    with RunFolder.open(parent.folder) as before, RunFolder.open(child.folder) as after:
        return Tried({change.path: change.after}, what_moved(before, after, goals))
