"""What can go wrong, in the words that a user reads.

Every error says what happened, where (file, row, field) and what to do about it. The command line prints it and
ends with ``exit_code``; the window shows the same words where the mistake was made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        what: what happened, a clause without a final period.
        where: the file, row or field it happened at; empty where there is no place to name.
        mend: what to do about it, a sentence; empty where it is obvious.
    """

    what: str
    where: str = ""
    mend: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if not self.mend:
            return text
        return f"{text.rstrip('.')}. {self.mend}"


class WorkbenchError(Exception):
    """Base of all errors meant for the user. Its string is the whole message; there is no need for a traceback."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.problems: tuple[Problem, ...] = (Problem(what, where, mend),)
        super().__init__(str(self.problems[0]))

    @classmethod
    def of(cls, problems: Iterable[Problem], heading: str = "") -> WorkbenchError:
        """One error that names several problems, a line each, under an optional heading."""
        listed = tuple(problems)
        if len(listed) == 1 and not heading:
            only = listed[0]
            return cls(only.what, where=only.where, mend=only.mend)
        error = cls(heading or f"{len(listed)} problems")
        error.problems = listed
        error.args = ("\n".join([f"{heading or f'{len(listed)} problems'}:", *(f"  - {p}" for p in listed)]),)
        return error

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross from the compute process: rebuild from the problems, not from the constructor's arguments.
        return (_rebuild, (type(self), self.problems, self.args))


def _rebuild(kind: type[WorkbenchError], problems: tuple[Problem, ...], args: tuple[object, ...]) -> WorkbenchError:
    error = kind(problems[0].what if problems else "")
    error.problems = problems
    error.args = args
    return error


class InputError(WorkbenchError):
    """Bad usage or bad input: a file, a row, a field, an option."""

    exit_code = 2


class RecipeError(InputError):
    """A recipe that does not hold together; names every problem at once, each with its path."""


class RunError(WorkbenchError):
    """A run that failed although its input was sound: it diverged, or memory ran out. Says what is safe."""


class StoreError(WorkbenchError):
    """A project or run folder that cannot be used: damaged, incomplete, locked by another."""

    exit_code = 2


class WriteError(StoreError):
    """What could not be saved: the disk is full, or the folder read-only. A run that meets it has failed."""

    exit_code = 1


class DeviceError(InputError):
    """A compute device that was asked for and cannot be used."""
