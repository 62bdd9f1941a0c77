"""``samples``: list the bundled samples, or write one."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from workbench.cli.console import put, put_json, table
from workbench.cli.main import add_verb
from workbench.errors import InputError
from workbench.session.samples import samples, write_sample


def add_samples(parsers: Any) -> None:
    """Add the verb ``samples``."""
    parser = add_verb(
        parsers,
        "samples",
        _samples,
        "workbench samples digits --to digits && workbench train digits/recipe.toml --run digits/run",
        "List the bundled samples, or write one (its data and recipe.toml) to a folder.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="the sample to write")
    parser.add_argument("--to", type=Path, metavar="DIR", help="the folder to write it to; new or empty")
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def _samples(options: argparse.Namespace) -> int:
    if options.name is None:
        if options.to is not None:
            raise InputError("--to needs the name of a sample")
        return _list(options.json)
    if options.to is None:
        raise InputError("say where to write it", mend=f"workbench samples {options.name} --to DIR")
    recipe = write_sample(options.name, options.to)
    if options.json:
        put_json({"recipe": str(recipe)})
    else:
        put(f"{recipe} written. Train it with: workbench train {recipe} --run DIR")
    return 0


def _list(as_json: bool) -> int:
    found = samples()
    if as_json:
        put_json({"samples": [dataclasses.asdict(each) for each in found]})
        return 0
    put(table([["name", "what", "license"], *([s.name, s.about, s.license] for s in found)], set()))
    for each in found:
        put(f"\n{each.name}: {each.goal}\n  Source: {each.source}.")
    return 0
