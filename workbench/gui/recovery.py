"""What the last session left unfinished: a run that was cut off with its program, and can go on."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.store.project import Project, RunEntry, is_project


@dataclass(frozen=True)
class CutOff:
    """A run that was cut off.

    Attributes:
        project: the folder of its project.
        number: the run's.
    """

    project: Path
    number: int


def cut_off_in(projects: Iterable[Path]) -> CutOff | None:
    """The latest run of the latest project, if it was cut off and nobody works on it; None otherwise.

    Args:
        projects: folders, the one that was opened last first.
    """
    for path in projects:
        if is_project(path):
            with suppress(WorkbenchError):
                return _cut_off(path)
            return None
    return None


def _cut_off(path: Path) -> CutOff | None:
    # Opened for writing to see that no other window has it; that also marks what was cut off.
    with Project.open(path) as project:
        runs = project.runs() if project.writable else []
    last = runs[-1] if runs else None
    return CutOff(path, last.number) if last is not None and can_go_on(last) else None


def can_go_on(entry: RunEntry) -> bool:
    """Whether a run was cut off and has a log to go on from."""
    return entry.status == "interrupted" and (entry.folder / "run.sqlite").is_file()
