"""``new``: a recipe for some data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from workbench.cli.console import put, put_json, say
from workbench.cli.main import add_verb
from workbench.data.propose import propose
from workbench.errors import InputError
from workbench.recipe.data import ColumnType
from workbench.store.files import write_file


def add_new(parsers: Any) -> None:
    """Add the verb ``new``."""
    parser = add_verb(
        parsers,
        "new",
        _new,
        "workbench new letters.csv --target lettr -o recipe.toml",
        "Write a sensible recipe for some data: the task, the columns, a split, a network, all to be changed at will.",
    )
    parser.add_argument(
        "data", type=Path, nargs="+", metavar="DATA", help="tables, folders of pictures, .npz, IDX files"
    )
    parser.add_argument(
        "--target",
        metavar="COL",
        action="append",
        default=[],
        help="the column to predict; found out when left out. Given several times: labels of which an example may have "
        "several",
    )
    parser.add_argument(
        "--column", action="append", default=[], metavar="COL=TYPE", help="a column's type, number or category"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the recipe to write")
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    parser.add_argument("--json", action="store_true", help="print the reasons as JSON")


def _new(options: argparse.Namespace) -> int:
    check_output(options.output, options.force)
    proposal = propose(options.data, options.target, types=_types(options.column))
    if proposal.problem is not None:
        # What cannot be trained is no sensible recipe: say what is in the way.
        raise proposal.problem
    write_file(options.output, proposal.recipe.toml().encode())
    if options.json:
        put_json({"recipe": str(options.output), "reasons": list(proposal.reasons)})
        return 0
    for reason in proposal.reasons:
        say(f"  {reason}")
    put(f"{options.output} written. Train it with: workbench train {options.output} --run DIR")
    return 0


def _types(assignments: list[str]) -> dict[str, ColumnType]:
    types: dict[str, ColumnType] = {}
    for text in assignments:
        name, _, given = text.rpartition("=")
        if not name or given not in ("number", "category"):
            raise InputError(f"--column takes COL=number or COL=category, not {text}")
        types[name] = "number" if given == "number" else "category"
    return types


def check_output(path: Path, force: bool) -> None:
    """See that a file can be written without losing another.

    Raises:
        InputError: the file exists and has content, or its folder does not exist.
    """
    if not path.parent.is_dir():
        raise InputError("there is no such folder", where=str(path.parent))
    if path.is_dir():
        raise InputError("is a folder", where=str(path), mend="Give a file name.")
    if path.exists() and path.stat().st_size and not force:
        raise InputError("exists", where=str(path), mend="Choose another name, or add --force to replace it.")
