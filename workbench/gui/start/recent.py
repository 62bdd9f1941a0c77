"""What is told of the projects that were open before. No widgets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from workbench.errors import WorkbenchError
from workbench.gui.figures import grouped, percent
from workbench.gui.runs.words import error_of
from workbench.store.project import Project, RunEntry, is_project

_DAY = 24 * 3600


@dataclass(frozen=True)
class Recent:
    """A project of before.

    Attributes:
        path: its folder.
        text: what it came to, in a few words.
    """

    path: Path
    text: str

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name


def recent_projects(paths: Sequence[Path], now: float | None = None) -> tuple[Recent, ...]:
    """Look into projects, read-only; what is no project any more is left out. Not for the window's thread.

    Args:
        paths: their folders.
        now: seconds since 1970.
    """
    return tuple(Recent(path, _told(path, time.time() if now is None else now)) for path in paths if is_project(path))


def _told(path: Path, now: float) -> str:
    try:
        with Project.open(path, write=False) as project:
            runs = project.runs()
    except WorkbenchError as error:
        return error.problems[0].what
    return " · ".join([_count_text(len(runs)), *_best_text(runs), when_text(_last_change(path, runs), now)])


def _count_text(count: int) -> str:
    if not count:
        return _tr("no runs yet")
    return _tr("1 run") if count == 1 else _tr("{0} runs").format(grouped(count))


def _best_text(runs: Sequence[RunEntry]) -> list[str]:
    errors = [value for value, name in (error_of(entry, None) for entry in runs) if value is not None and name == "dev"]
    return [_tr("best dev error {0}").format(percent(min(errors)))] if errors else []


def _last_change(path: Path, runs: Sequence[RunEntry]) -> float:
    times = [entry.created for entry in runs]
    for name in ("recipe.toml", "project.sqlite"):
        file = path / name
        if file.is_file():
            times.append(file.stat().st_mtime)
    return max(times, default=0.0)


def when_text(then: float, now: float) -> str:
    """``today``, ``yesterday``, ``5 days ago``, ``3 weeks ago``, else the date."""
    # Whole days by the calendar: an hour before midnight is yesterday an hour after it.
    days = (_noon(now) - _noon(then) + _DAY // 2) // _DAY
    if days <= 1:
        return _tr("today") if days <= 0 else _tr("yesterday")
    if days < 14:
        return _tr("{0} days ago").format(int(days))
    if days < 60:
        return _tr("{0} weeks ago").format(int(days // 7))
    return time.strftime("%Y-%m-%d", time.localtime(then))


def _noon(seconds: float) -> float:
    day = time.localtime(seconds)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday, 12, 0, 0, 0, 0, -1))


def _tr(text: str) -> str:
    return QCoreApplication.translate("start", text)
