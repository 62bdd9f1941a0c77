"""The verbs of the command line: parsing, dispatch, and what every error looks like."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from workbench.cli.console import say
from workbench.errors import InputError, WorkbenchError

_VERBS = {
    "samples": "workbench.cli.samples",
    "new": "workbench.cli.new",
    "train": "workbench.cli.train",
    "resume": "workbench.cli.train",
    "rates": "workbench.cli.rates",
    "predict": "workbench.cli.predict",
    "evaluate": "workbench.cli.predict",
    "diagnose": "workbench.cli.diagnose",
    "metrics": "workbench.cli.diagnose",
    "export": "workbench.cli.export",
    "doctor": "workbench.cli.doctor",
}
"""Each verb and the module with its ``add_<verb>(parsers)``; only the one that is called gets imported."""

_LATER = {"search"}
"""Verbs that come in a later version."""

_ABOUT = {
    "samples": "list the bundled samples, or write one",
    "new": "a sensible recipe for some data",
    "train": "train a recipe",
    "resume": "go on with a run",
    "rates": "find a learning rate",
    "predict": "predictions of a run's model for new data",
    "evaluate": "metrics of a run's model",
    "diagnose": "what holds a model back, and which knob to turn",
    "metrics": "metrics of any model's predictions",
    "export": "a run's model or report as a file",
    "doctor": "what this installation can do",
}


def is_command(arguments: Sequence[str]) -> bool:
    """Whether these arguments are for the command line; none, or a path that exists, are for the window."""
    if not arguments:
        return False
    first = arguments[0]
    return first in _VERBS or first in _LATER or first.startswith("-") or not Path(first).exists()


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for; returns the exit code."""
    try:
        return _run(arguments)
    except WorkbenchError as error:
        say(f"workbench: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("workbench: interrupted")
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; keep Python from complaining about it on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: Sequence[str]) -> int:
    first = arguments[0]
    if first in _LATER:
        raise InputError(f"{first!r} comes in a later version; this one does not have it yet", mend=_listed())
    if first not in _VERBS and not first.startswith("-"):
        raise InputError(f"{first!r} is neither a verb nor a file", mend=_listed())
    options = _parser(first).parse_args(arguments)
    command: Any = options.command
    return int(command(options))


def _listed() -> str:
    return f"The verbs are {', '.join(_VERBS)}."


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(message, mend=f"See `{self.prog} --help`.")


def _parser(wanted: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="workbench",
        description="Train neural networks, see what holds them back, and which single knob to turn next.",
        epilog="`workbench [PATH]` opens the window with a project, recipe, run folder or dataset.",
    )
    parser.add_argument("--version", action="version", version=f"workbench {_version()}")
    parsers = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb, module in _VERBS.items():
        if verb == wanted:
            getattr(importlib.import_module(module), f"add_{verb}")(parsers)
        else:
            parsers.add_parser(verb, help=_ABOUT[verb])
    return parser


def add_verb(parsers: Any, verb: str, command: Any, example: str, description: str) -> argparse.ArgumentParser:
    """A verb's parser, with an example in its help."""
    parser: argparse.ArgumentParser = parsers.add_parser(
        verb,
        help=_ABOUT[verb],
        description=description,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=command)
    return parser


def _version() -> str:
    try:
        return version("workbench")
    except PackageNotFoundError:
        return "(not installed)"
